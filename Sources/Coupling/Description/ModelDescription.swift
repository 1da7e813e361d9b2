public import DaunceSettings

/// What a user's model says of itself: what its state is, and how long its steps are. A text in YAML, with the same
/// machinery as a configuration.
public struct ModelDescription: ConfigurationRoot {
  @Key("name of the model in files and tables")
  public var name = "own"
  @Key("time step, in the model's unit of time", .positive, absent: "none")
  public var timeStep: Double?
  @Key("hours in the unit of time; none: time means nothing in nature", .positive, absent: "none")
  public var hours: Double?
  @Key("how long a spin-up takes from an initial state to the climate, in the unit of time", .nonNegative)
  public var spinup = 0.0
  @Key("directions of space, three at most")
  public var axes: [DescribedAxis] = []
  @Key("radius in km of the sphere whose longitude and latitude, in degrees, are the first two axes; none: straight axes", .positive, absent: "none")
  public var sphere: Double?
  @Key("dimensions of grids")
  public var dimensions: [DescribedDimension] = []
  @Key("what fields lie on; none: one grid of all dimensions")
  public var grids: [DescribedGrid] = []
  @Key("the state, in its order")
  public var fields: [DescribedField] = []
  @Key("what the model observes of a state, in the order of its values")
  public var observed: [DescribedField] = []
  @Key("linear functions of the state that forecasts conserve")
  public var invariants: [DescribedInvariant] = []
  /// How truths are observed unless a configuration says otherwise.
  public var observing = Observing()
  @Key("the parameters that the model knows, with their values")
  public var parameters = ParameterTable()

  /// A model that says nothing of itself.
  public init() {}

  /// How truths are observed unless a configuration says otherwise.
  public struct Observing: Codable, Sendable, Hashable {
    @Key("field that is observed in every cell; auto: the first one")
    public var field: String?
    @Key("standard deviation of the error, in the field's unit; auto: a tenth of its scale", .positive)
    public var sd: Double?
    @Key("how errors are distributed")
    public var law = Law.gaussian
    @Key("time steps between observations", .atLeast(1))
    public var interval = 1
  }

  /// Laws of observation errors.
  public enum Law: String, ConfigurationChoice {
    case gaussian, lognormal, laplace
  }
}

/// A direction of space, as an element of `axes`.
public struct DescribedAxis: ConfigurationGroup {
  @Key("name of its coordinate")
  public var name = ""
  @Key("unit of its coordinates")
  public var units = "1"
  @Key("length after which it comes back to its start; none: never", .positive, absent: "none")
  public var period: Double?

  /// The defaults.
  public init() {}
}

/// A dimension of grids, as an element of `dimensions`.
public struct DescribedDimension: ConfigurationGroup {
  @Key("name in files")
  public var name = ""
  @Key("axis that its coordinates are along; auto: the one of the dimension's name")
  public var axis: String?
  @Key("number of cells", .within(1...1_000_000_000))
  public var length: Int?
  @Key("coordinate of the first cell")
  public var from = 0.0
  @Key("distance of neighbouring cells; auto: the axis's period over the length, or 1")
  public var spacing: Double?
  @Key("coordinates of all cells, in place of from and spacing", absent: "none")
  public var coordinates: [Double]?
  @Key("name of the array that has them", absent: "none")
  public var array: String?

  /// The defaults.
  public init() {}
}

/// What fields lie on, as an element of `grids`.
public struct DescribedGrid: ConfigurationGroup {
  @Key("name that fields refer to")
  public var name = ""
  @Key("dimensions, the slowest in memory first")
  public var dimensions: [String] = []
  @Key("name of the array with a place for every cell, one coordinate after the other; none: dimensions have coordinates", absent: "none")
  public var places: String?

  /// The defaults.
  public init() {}
}

/// A quantity, as an element of `fields` or `observed`.
public struct DescribedField: ConfigurationGroup {
  @Key("name in files")
  public var name = ""
  @Key("description for files; auto: the name")
  public var longName: String?
  @Key("CF standard name", absent: "none")
  public var standardName: String?
  @Key("unit")
  public var units = "1"
  @Key("typical value, in its unit")
  public var reference = 0.0
  @Key("typical deviation from that, in its unit", .positive)
  public var scale = 1.0
  @Key("smallest admissible value", absent: "none")
  public var lower: Double?
  @Key("largest admissible value", absent: "none")
  public var upper: Double?
  @Key("grid that it lies on; auto: the first one")
  public var grid: String?

  /// The defaults.
  public init() {}
}

/// A conserved linear function of the state, as an element of `invariants`.
public struct DescribedInvariant: ConfigurationGroup {
  @Key("name in files and tables")
  public var name = ""
  @Key("fields whose mean it is", .distinct, absent: "none")
  public var fields: [String]?
  @Key("name of the array with a weight for every cell of these fields; none: equal weights", absent: "none")
  public var weights: String?

  /// The defaults.
  public init() {}
}
