/// A field that doesn't change with time, such as a source.
public struct BackgroundField: Sendable, Hashable {
  /// Name in files: `S`.
  public let name: String
  /// Name in words.
  public let longName: String
  /// `[cell]`.
  public let values: [Double]

  /// A field by its name in files, its name in words and its values (`[cell]`).
  public init(name: String, longName: String, values: [Double]) {
    self.name = name
    self.longName = longName
    self.values = values
  }
}
