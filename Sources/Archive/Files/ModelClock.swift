public import DaunceObservations

/// How a model's times stand in files: as days since a date where the model's unit of time means something in nature,
/// and as they are, with the unit `1`, where it doesn't.
///
/// Read are days, hours and other units since any date, as other programs write them; times without a unit, or with the
/// unit `1`, are the model's.
public struct ModelClock: Sendable, Hashable {
  /// Hours in the model's unit of time; `nil` if it stands for nothing in particular.
  public let hours: Double?

  /// The clock of a model whose unit of time has so many hours.
  public init(hours: Double? = nil) { self.hours = hours }

  /// The date of the model's time 0. Any would do, for models have no seasons; this one is far from all limits of dates.
  static let epoch = "2000-01-01 00:00:00"

  /// Notes on a variable of times (CF-1.10, section 4.4). From the epoch on `standard` is today's calendar.
  var attributes: [Attribute] {
    guard hours != nil else {
      return [Attribute("long_name", "time in the model's unit"), Attribute("units", "1"), Attribute("axis", "T")]
    }
    return [
      Attribute("standard_name", "time"), Attribute("long_name", "time"),
      Attribute("units", "days since \(Self.epoch)"), Attribute("calendar", "standard"), Attribute("axis", "T"),
    ]
  }

  /// The number that stands in a file for a time in the model's unit. Days have nine decimals, less than a tenth of a
  /// millisecond: without the noise of binary fractions behind them, dates are whole minutes where the times are.
  func stored(_ time: Double) -> Double {
    guard let hours else { return time }
    let days = time * (hours / 24)
    // Beyond some thousands of years doubles have no more than ten decimals anyway.
    return abs(days) < 1e6 ? (days * 1e9).rounded() / 1e9 : days
  }

  /// Times of the variable called `name`, in the model's unit. `stored` gives their days again to the last bit, so that
  /// copies of a file have the same times: rounded or not, days over days in the unit are nearer to what they came from
  /// than half of a last place.
  ///
  /// - Throws: where its units or calendar are none that this clock can tell.
  func times(_ name: String, in reader: DatasetReader) throws(ArchiveError) -> [Double] {
    try times(
      try reader.field(name), units: try reader.text("units", of: name) ?? "1",
      calendar: try reader.text("calendar", of: name) ?? "standard", of: name, path: reader.path)
  }

  /// Times of observations, in the model's unit; not a number where one is missing.
  public func times(of table: ObservationTable) throws(ArchiveError) -> [Double] {
    try times(table.times, units: table.timeUnits, calendar: table.calendar, of: "time", path: table.source)
  }

  private func times(
    _ stored: [Double], units: String, calendar: String, of name: String, path: String
  ) throws(ArchiveError) -> [Double] {
    if units.isEmpty || units == "1" { return stored }
    guard let hours else {
      throw ArchiveError(
        .wrongUnits, path: path, object: "attribute units of \(name)", found: "\"\(units)\"",
        expected: "\"1\" or none: the model's unit of time is none of nature's")
    }
    let scale = try Scale(units, calendar, name, path)
    return stored.map { ($0 * scale.days + scale.offset) / (hours / 24) }
  }

  /// A unit of time since a date.
  private struct Scale {
    /// Days in the unit.
    let days: Double
    /// Days from the epoch to the date.
    let offset: Double

    private static let seconds: [(names: Set<String>, length: Double)] = [
      (["days", "day", "d"], 86400), (["hours", "hour", "hrs", "hr", "h"], 3600),
      (["minutes", "minute", "mins", "min"], 60), (["seconds", "second", "secs", "sec", "s"], 1),
      (["milliseconds", "millisecond", "msec", "ms"], 1e-3), (["microseconds", "microsecond", "us"], 1e-6),
      (["nanoseconds", "nanosecond", "ns"], 1e-9),
    ]

    /// 1582-10-15, before which `standard` has the Julian calendar.
    private static let gregorian = Timestamp.seconds("1582-10-15") ?? 0

    init(_ units: String, _ calendar: String, _ name: String, _ path: String) throws(ArchiveError) {
      let words = units.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
      var date = words.dropFirst(2).joined(separator: " ")
      for zone in [" UTC", " GMT"] where date.hasSuffix(zone) { date.removeLast(zone.count) }
      guard words.count > 2, words[1].lowercased() == "since",
        let length = Self.seconds.first(where: { $0.names.contains(words[0].lowercased()) })?.length,
        let start = Timestamp.seconds(date), let epoch = Timestamp.seconds(ModelClock.epoch)
      else {
        throw ArchiveError(
          .wrongUnits, path: path, object: "attribute units of \(name)", found: "\"\(units)\"",
          expected: "\"days since \(ModelClock.epoch)\" or the like; \"1\" or none for the model's unit of time")
      }
      let known = ["standard", "gregorian", "proleptic_gregorian"]
      guard known.contains(calendar.lowercased()) else {
        throw ArchiveError(
          .wrongUnits, path: path, object: "attribute calendar of \(name)", found: "\"\(calendar)\"",
          expected: "one of \(known.joined(separator: ", "))")
      }
      guard start >= Self.gregorian || calendar.lowercased() == known[2] else {
        throw ArchiveError(
          .wrongUnits, path: path, object: "attribute units of \(name)", found: "\"\(units)\"",
          expected: "a date from 1582-10-15 on, before which the calendar was another one")
      }
      (days, offset) = (length / 86400, (start - epoch) / 86400)
    }
  }
}
