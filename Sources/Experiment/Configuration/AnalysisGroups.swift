import DaunceObservations
public import DaunceSettings

/// What one kind of observations measures, as an element of `observations.operators` of an analysis.
public struct ObservedKind: ConfigurationGroup {
  @Key("name of the kind in the files of observations")
  public var kind = ""
  @Key("fields of the state that it sees", .distinct)
  public var fields: [String]? = nil
  @Key("how several fields become one value: their sum, or the root of the sum of their squares")
  public var combination = Combination.sum
  @Key("function of that value")
  public var function = Function.identity
  @Key("dimensions that are summed over in place of being interpolated along")
  public var sumAlong: [String] = []
  @Key("cells along each axis over which every field is averaged around the place", .atLeast(1))
  public var footprint = 1
  @Key("how its errors are distributed; Kalman filters take all for normal")
  public var law = NetworkSettings.Law.gaussian

  /// The defaults.
  public init() {}

  /// How several fields become one value.
  public enum Combination: String, ConfigurationChoice {
    case sum, norm
  }

  /// Functions of the observed value.
  public enum Function: String, ConfigurationChoice {
    case identity, absolute, square, cube, logarithm
    case logarithmAbsolute = "logarithm-absolute"
    case exponential, arctangent, threshold
  }
}

/// Admissible values of one field, as an element of `state.bounds` of an analysis.
public struct FieldBounds: ConfigurationGroup {
  @Key("field of the state")
  public var field = ""
  @Key("smallest admissible value, in the field's unit", absent: "none")
  public var lower: Double?
  @Key("largest admissible value, in the field's unit", absent: "none")
  public var upper: Double?

  /// The defaults.
  public init() {}
}

/// How far one kind of observations acts on one field, as an element of `filter.half_widths` of an analysis.
public struct PairHalfWidth: ConfigurationGroup {
  @Key("kind of observations; auto: every one")
  public var kind: String?
  @Key("field of the state; auto: every one")
  public var field: String?
  @Key("as filter.half_width; off: this kind does not act on this field", .positive, absent: "off")
  public var halfWidth: Widths?

  /// The defaults.
  public init() {}
}
