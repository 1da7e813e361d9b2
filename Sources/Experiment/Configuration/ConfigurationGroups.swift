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

  private enum CodingKeys: String, CodingKey {
    case field, fields, combination, function, footprint, every, cells, random, interval, law, sd
    case relativeSd = "relative_sd"
  }

  /// Reads a group; keys that are missing have their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    field = try container.decodeIfPresent(String.self, forKey: .field) ?? ""
    fields = try container.decodeIfPresent([String].self, forKey: .fields)
    combination = try container.decodeIfPresent(ObservedKind.Combination.self, forKey: .combination) ?? .sum
    function = try container.decodeIfPresent(ObservedKind.Function.self, forKey: .function) ?? .identity
    footprint = try container.decodeIfPresent(Int.self, forKey: .footprint) ?? 1
    every = try container.decodeIfPresent(Int.self, forKey: .every)
    cells = try container.decodeIfPresent([Int].self, forKey: .cells)
    random = try container.decodeIfPresent(Int.self, forKey: .random)
    interval = try container.decodeIfPresent(Int.self, forKey: .interval)
    law = try container.decodeIfPresent(Law.self, forKey: .law) ?? .gaussian
    sd = try container.decodeIfPresent(Double.self, forKey: .sd)
    relativeSd = try container.decodeIfPresent(Double.self, forKey: .relativeSd)
  }

  /// Writes the keys that have values.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(field, forKey: .field)
    try container.encodeIfPresent(fields, forKey: .fields)
    try container.encode(combination, forKey: .combination)
    try container.encode(function, forKey: .function)
    try container.encode(footprint, forKey: .footprint)
    try container.encodeIfPresent(every, forKey: .every)
    try container.encodeIfPresent(cells, forKey: .cells)
    try container.encodeIfPresent(random, forKey: .random)
    try container.encodeIfPresent(interval, forKey: .interval)
    try container.encode(law, forKey: .law)
    try container.encodeIfPresent(sd, forKey: .sd)
    try container.encodeIfPresent(relativeSd, forKey: .relativeSd)
  }
}

/// How far observations of one variable act, as an element of `filter.half_widths`.
public struct VariableHalfWidth: ConfigurationGroup {
  @Key("observed variable of the model")
  public var field = ""
  @Key("Gaspari-Cohn half-width, in cells", .positive)
  public var halfWidth = 2.0

  /// The defaults.
  public init() {}

  private enum CodingKeys: String, CodingKey {
    case field
    case halfWidth = "half_width"
  }

  /// Reads a group; keys that are missing have their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    field = try container.decodeIfPresent(String.self, forKey: .field) ?? ""
    halfWidth = try container.decodeIfPresent(Double.self, forKey: .halfWidth) ?? 2
  }

  /// Writes the keys that have values.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(field, forKey: .field)
    try container.encode(halfWidth, forKey: .halfWidth)
  }
}
