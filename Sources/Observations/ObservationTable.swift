/// Observations as a file has them, before anybody knows what they mean for a state: what every reader returns.
///
/// One entry of each array is one observation, in the file's order.
public struct ObservationTable: Sendable, Hashable {
  /// Where they come from, for messages: the file's path.
  public var source: String
  /// Distinct names of what was observed; an empty name where the file has none.
  public var kinds: [String]
  /// Number of the observation's name in `kinds` (`[count]`).
  public var kind: [Int32]
  /// Columns of coordinates by name, such as `x`, `longitude`, `height`; not a number where one is missing.
  public var coordinates: [(name: String, units: String, values: [Double])]
  /// Times, not a number where there is none (`[count]`); empty where the file has no times.
  public var times: [Double]
  /// CF unit of `times`, such as `seconds since 2020-01-01T00:00:00Z`; empty where the file has none.
  public var timeUnits: String
  /// CF calendar of `timeUnits`.
  public var calendar = "standard"
  /// Observed values, not a number where missing (`[count]`).
  public var values: [Double]
  /// Error variances, not a number where the file has none (`[count]`).
  public var errorVariances: [Double]
  /// Quality marks of whoever made the file: 0 is good (`[count]`).
  public var quality: [Int32]
  /// h(x) of every member, where the file has it (`[member][count]`).
  public var memberValues: [[Double]]

  /// A table without observations.
  public init(source: String) {
    self.source = source
    (kinds, kind, coordinates, times, timeUnits) = ([], [], [], [], "")
    (values, errorVariances, quality, memberValues) = ([], [], [], [])
  }

  /// Number of observations.
  public var count: Int { values.count }

  /// By everything, in order.
  public static func == (a: Self, b: Self) -> Bool {
    a.source == b.source && a.kinds == b.kinds && a.kind == b.kind
      && a.coordinates.elementsEqual(b.coordinates) {
        $0.name == $1.name && $0.units == $1.units && $0.values == $1.values
      } && a.times == b.times && a.timeUnits == b.timeUnits
      && a.calendar == b.calendar && a.values == b.values
      && a.errorVariances == b.errorVariances && a.quality == b.quality && a.memberValues == b.memberValues
  }

  /// By source and values alone, which tell tables apart.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(source)
    hasher.combine(values)
  }
}
