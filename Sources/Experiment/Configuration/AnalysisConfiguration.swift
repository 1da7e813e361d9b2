public import DaunceSettings

/// What `analyze` computes: one analysis of the ensemble in a model's files. The same machinery as ``Configuration``.
public struct AnalysisConfiguration: ConfigurationRoot {
  @Key("seed of perturbed observations and random rotations")
  public var seed: UInt64 = 1
  @Key("how the ensemble is updated; --method goes before it")
  public var method = Method.letkf

  /// What of the files is the state.
  public var state = State()
  /// How observations act.
  public var filter = Filter()
  /// Which observations are used.
  public var observations = Observations()
  /// What is written.
  public var output = Output()

  /// The defaults.
  public init() {}

  /// What of the files is the state.
  public struct State: Codable, Sendable, Hashable {
    @Key("dimension of the members in a single file")
    public var member = "member"
    @Key("names of the analysed fields; auto: every one with members", .distinct)
    public var fields: [String]?
    @Key("coordinates whose axis comes back to its start")
    public var periodic: [String] = []
    @Key("admissible values of fields")
    public var bounds: [FieldBounds] = []
    @Key("fields of which every member keeps its sum over the domain")
    public var conserve: [String] = []
  }

  /// The filter's settings.
  public struct Filter: Codable, Sendable, Hashable {
    @Key(
      "Gaspari-Cohn half-width, in the unit of the coordinates (km on the sphere): one for all directions or one for each; none: no localization",
      .positive, absent: "none")
    public var halfWidth: Widths?
    @Key("half-widths of single kinds of observations and fields; of several that fit the last counts")
    public var halfWidths: [PairHalfWidth] = []
    @Key("fields that an observation updates: those it measures, or all")
    public var update = Configuration.Filter.Update.all
    @Key("factor on the forecast's anomalies", .atLeast(1))
    public var inflation = 1.0
    @Key("relaxation of the analysis spread to the forecast's", .fraction)
    public var rtps = 0.0
    @Key("relaxation of the analysis perturbations to the forecast's", .fraction)
    public var rtpp = 0.0
    @Key("nudging: share of the innovations' localized mean that members move by", .fraction)
    public var nudging = 0.2
    @Key("rotate the members of the etkf at random, keeping their mean")
    public var rotation = false
    /// Of the nonlinear updates.
    public var nonlinear = NonlinearSettings()
  }

  /// Which observations are used.
  public struct Observations: Codable, Sendable, Hashable {
    @Key("what kinds of observations measure; a kind that is not listed is the field of its name")
    public var operators: [ObservedKind] = []
    @Key(
      "leave out observations further from the forecast mean than this many standard deviations of the innovation; none: keep all",
      .positive, absent: "none")
    public var outlier: Double?
    @Key("which members' values of h(x) in the files are used: those of kinds that the state does not have, or all")
    public var memberValues = MemberValues.missing
    @Key("error variance of observations that come without, in the square of their unit; none: they are left out", .positive, absent: "none")
    public var errorVariance: Double?
  }

  /// Whose h(x) is taken from files.
  public enum MemberValues: String, ConfigurationChoice {
    /// That of kinds that are no field of the state and no operator.
    case missing
    /// That of every observation that has it.
    case always
  }

  /// What is written.
  public struct Output: Codable, Sendable, Hashable {
    @Key("write increments.nc with the mean increment and the spread before and after")
    public var increments = true
    @Key("tell how long reading, update and writing took")
    public var timings = false
  }

  /// Refuses values outside their keys' rules and keys that contradict each other.
  public func validate(source: ConfigurationError.Source) throws(ConfigurationError) {
    var problems = misfits(source: source)
    let contradictions = [
      Contradiction(
        method == .etkf && (filter.halfWidth != nil || !filter.halfWidths.isEmpty), "method",
        filter.halfWidth != nil ? "filter.half_width" : "filter.half_widths",
        "none: the etkf has no localization, letkf is the local one"),
      Contradiction(
        filter.nudging != Filter().nudging && method != .nudging, "method", "filter.nudging",
        "nudging for a share of the innovations"),
      Contradiction(
        filter.rotation && method != .etkf, "method", "filter.rotation", "etkf for a rotation of the whole ensemble"),
      Contradiction(
        filter.rtps > 0 && filter.rtpp > 0, "filter.rtps", "filter.rtpp", "one way of relaxation"),
      Contradiction(
        filter.nonlinear.order == .together && (LocalEntry.registry[method.rawValue]?.isScalar ?? false),
        "filter.nonlinear.order", "method", "serial for a method that knows one observation at a time"),
      Contradiction(
        filter.nonlinear.losesBounds([method.rawValue]), "filter.nonlinear.regression", "method",
        "probit or linear for laws with bounds"),
    ]
    for contradiction in contradictions where contradiction.holds {
      problems.append(describe(contradiction, source: source))
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
  }
}

/// One number for all directions, or a list with one for each.
public struct Widths: ConfigurationValue {
  /// One number, or one for each direction, in the unit of the coordinates (km on the sphere).
  public let values: [Double]

  /// - Parameter values: one number, or one for each direction.
  public init(_ values: [Double]) { self.values = values }

  /// The type in words.
  public static var expected: String { "a number, or a list of numbers, one for each direction" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    if let one = Double(literal: literal) {
      values = [one]
    } else if let several = [Double](literal: literal), !several.isEmpty {
      values = several
    } else {
      return nil
    }
  }
  /// The value as YAML.
  public var text: String { values.count == 1 ? values[0].text : values.text }
  /// What a rule looks at.
  public var scalars: [Double] { values }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let one = try? container.decode(Double.self) { values = [one] } else { values = try container.decode([Double].self) }
  }
  /// Writes the value without a name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if values.count == 1 { try container.encode(values[0]) } else { try container.encode(values) }
  }
}
