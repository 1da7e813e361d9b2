/// What is not in a model's files about its state, or is not to be taken from them.
public struct ModelFileOptions: Sendable, Hashable {
  /// Smallest and largest admissible value of a field, in its unit; `nil` where there is none.
  public struct Bounds: Sendable, Hashable {
    public var lower: Double?
    public var upper: Double?

    /// Bounds of a field.
    public init(lower: Double? = nil, upper: Double? = nil) {
      self.lower = lower
      self.upper = upper
    }
  }

  /// Name of the dimension that members lie along in a single file. Where it is the default and the file has none of
  /// that name, `realization`, `ensemble`, `ens`, `number` and the dimension of a coordinate with the standard name
  /// `realization` are taken.
  public var memberDimension = "member"
  /// Names of the fields, in the order of the state; `nil` for every floating-point or packed variable with the member
  /// dimension, or in a file per member with any grid dimension, that is no coordinate.
  public var fields: [String]?
  /// Axes that come back to their start, by the name of the axis or of a coordinate along it, with the period in the
  /// coordinate's unit; a period of `nil` is the number of cells times their regular step.
  public var periodic: [String: Double?] = [:]
  /// Admissible values, by field.
  public var bounds: [String: Bounds] = [:]
  /// Names of a field's coordinate variables, by field, where the files do not say.
  public var coordinates: [String: [String]] = [:]
  /// Name of the axis that a coordinate variable is along, by the variable's name: `["xu": "x"]` where a staggered
  /// grid's files do not say that both are one direction. `longitude` and `latitude` are those of a sphere.
  public var directions: [String: String] = [:]

  /// What files say by themselves.
  public init() {}

  /// Other names of the member dimension.
  static let memberDimensions = ["realization", "ensemble", "ens", "number"]
}
