/// Observations of one variable at some cells, as an element of `observations.networks`.
public struct ObservationNetwork: ConfigurationGroup {
  @Key("observed variable of the model")
  public var field = ""
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
  @Key("standard deviation of the error, in the variable's unit", .positive, absent: "none")
  public var sd: Double?
  @Key("the same in the variable's climatological standard deviations", .positive, absent: "none")
  public var relativeSd: Double?

  public init() {}

  /// Laws of observation errors.
  public enum Law: String, ConfigurationChoice {
    case gaussian
    /// Lognormal with the truth as mean, for positive variables.
    case lognormal
    case laplace
  }

  private enum CodingKeys: String, CodingKey {
    case field, every, cells, random, interval, law, sd
    case relativeSd = "relative_sd"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    field = try container.decodeIfPresent(String.self, forKey: .field) ?? ""
    every = try container.decodeIfPresent(Int.self, forKey: .every)
    cells = try container.decodeIfPresent([Int].self, forKey: .cells)
    random = try container.decodeIfPresent(Int.self, forKey: .random)
    interval = try container.decodeIfPresent(Int.self, forKey: .interval)
    law = try container.decodeIfPresent(Law.self, forKey: .law) ?? .gaussian
    sd = try container.decodeIfPresent(Double.self, forKey: .sd)
    relativeSd = try container.decodeIfPresent(Double.self, forKey: .relativeSd)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(field, forKey: .field)
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

  public init() {}

  private enum CodingKeys: String, CodingKey {
    case field
    case halfWidth = "half_width"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    field = try container.decodeIfPresent(String.self, forKey: .field) ?? ""
    halfWidth = try container.decodeIfPresent(Double.self, forKey: .halfWidth) ?? 2
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(field, forKey: .field)
    try container.encode(halfWidth, forKey: .halfWidth)
  }
}
