public import DaunceSettings

/// Observations of one kind at some cells, as an element of `observations.networks`.
public struct NetworkSettings: ConfigurationGroup {
  @Key("observed field of the model")
  public var field = ""
  @Key("several observed fields in place of one", .distinct, absent: "none")
  public var fields: [String]?
  @Key("how several fields become one value: their sum, or the root of the sum of their squares")
  public var combination = ObservedKind.Combination.sum
  @Key("function of that value")
  public var function = ObservedKind.Function.identity
  @Key("cells along each axis over which every field is averaged around an observed cell", .atLeast(1))
  public var footprint = 1
  @Key("every so many cells are observed, from the first on", .atLeast(1), absent: "none")
  public var every: Int?
  @Key("observed cells, from 0", .nonNegative, absent: "none")
  public var cells: [Int]?
  @Key("number of cells drawn at random, the same for all truths", .atLeast(1), absent: "none")
  public var random: Int?
  @Key("time steps between observations, a multiple of the shortest of all networks", .atLeast(1))
  public var interval: Int?
  @Key("how errors are distributed")
  public var law = Law.gaussian
  @Key("standard deviation of the error, in the unit of what is observed", .positive, absent: "none")
  public var sd: Double?
  @Key("the same in the field's climatological standard deviations", .positive, absent: "none")
  public var relativeSd: Double?

  /// The defaults.
  public init() {}

  /// Laws of observation errors.
  public enum Law: String, ConfigurationChoice {
    case gaussian
    /// Lognormal with the truth as mean, for positive values.
    case lognormal
    case laplace
  }

  /// Names of the observed fields.
  var fieldNames: [String] { fields ?? (field.isEmpty ? [] : [field]) }
}

/// How far observations of one variable act, as an element of `filter.half_widths`.
public struct VariableHalfWidth: ConfigurationGroup {
  @Key("observed variable of the model")
  public var field = ""
  @Key("Gaspari-Cohn half-width, in cells", .positive)
  public var halfWidth = 2.0

  /// The defaults.
  public init() {}
}
