import DaunceArchive
import DaunceState
import Testing

/// Times of a model in files, in days and in the model's unit.
@Suite struct ModelClockTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  /// Two months: the skeleton model's unit of time.
  private let clock = ModelClock(hours: 1440)

  /// Observations of one cell at `times`, as another program writes them.
  private func write(_ times: [Double], units: String?, calendar: String? = nil) throws -> String {
    let path = folder.path("o.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let (time, x) = (try writer.dimension("time", length: times.count), try writer.dimension("x", length: 8))
    let notes = [units.map { Attribute("units", $0) }, calendar.map { Attribute("calendar", $0) }].compactMap { $0 }
    try writer.write(times, to: try writer.variable("time", over: [time], attributes: notes))
    try writer.write((0..<8).map { 0.5 * Double($0) }, to: try writer.variable("x", over: [x]))
    try writer.write(
      numbers(8 * times.count),
      to: try writer.variable("a", over: [time, x], attributes: [Attribute("error_variance", 0.5)]))
    try writer.finish()
    return path
  }

  private func read(_ path: String, _ clock: ModelClock? = nil) throws -> [Double] {
    let times = try (clock ?? self.clock).times(of: try ObservationReaders.read(path))
    return stride(from: 0, to: times.count, by: 8).map { times[$0] }
  }

  @Test func daysAreWritten() throws {
    let path = folder.path("e.nc")
    // 60 times 20.04 is not the double 1202.4, and its date would not be a whole minute.
    for (time, days) in [(20.04, 1202.4), (20.5, 1230)] {
      try EnsembleFile(time: time, memberCount: 3, members: numbers(48)).write(
        to: path, layout: layout, clock: clock, provenance: provenance)
      #expect(try DatasetReader(path: path).field("time") == [days])
    }
    let reader = try DatasetReader(path: path)
    #expect(try reader.text("units", of: "time") == "days since 2000-01-01 00:00:00")
    #expect(try reader.text("calendar", of: "time") == "standard")
    #expect(try reader.text("standard_name", of: "time") == "time")
    #expect(try EnsembleFile.read(path, layout: layout, clock: clock).time == 20.5)
    // A model whose unit means nothing cannot tell what days are.
    let error = failure { _ = try EnsembleFile.read(path, layout: layout) }
    #expect(error?.problem == .wrongUnits)
    #expect(
      error?.description == "\(path): attribute units of time: \"days since 2000-01-01 00:00:00\"; "
        + "expected \"1\" or none: the model's unit of time is none of nature's")
  }

  /// As they were before there were units, and as models without them have them.
  @Test(arguments: [nil, "1", ""]) func theModelsUnitNeedsNoName(units: String?) throws {
    #expect(try read(try write([20.02, 20.04], units: units)) == [20.02, 20.04])
    #expect(try read(try write([20.02, 20.04], units: units), ModelClock()) == [20.02, 20.04])
  }

  /// 20.02 and 20.04 units of two months are 1201.2 and 1202.4 days after the year 2000 began.
  @Test(arguments: [
    ("days since 2000-01-01", nil, 1201.2, 1202.4), ("hours since 2000-01-01T00:00:00Z", "gregorian", 28828.8, 28857.6),
    ("minutes since 2003-04-16 04:48:00", "proleptic_gregorian", 0, 1728),
    ("seconds since 2003-04-16 04:48:00 UTC", "standard", 0, 103680),
    ("day since 1999-12-31 00:00:00", "Standard", 1202.2, 1203.4),
    ("nanoseconds since 2003-04-16 05:48:00+01:00", nil, 0, 1.0368e14),
    ("days since 0001-01-01", "proleptic_gregorian", 731_320.2, 731_321.4),
  ]) func othersDatesAreUnderstood(units: String, calendar: String?, first: Double, second: Double) throws {
    let times = try read(try write([first, second], units: units, calendar: calendar))
    #expect(abs(times[0] - 20.02) < 1e-11 && abs(times[1] - 20.04) < 1e-11, "\(times)")
  }

  @Test(arguments: [
    ("days", nil, "attribute units of time: \"days\"; expected \"days since 2000-01-01 00:00:00\" or the like"),
    ("months since 2000-01-01", nil, "attribute units of time: \"months since"),
    ("days since yesterday", nil, "attribute units of time: \"days since yesterday\""),
    ("days since 2000-02-30", nil, "attribute units of time: \"days since 2000-02-30\""),
    ("days since 2000-01-01", "noleap", "attribute calendar of time: \"noleap\"; expected one of standard, gregorian"),
    ("days since 0001-01-01", nil, "expected a date from 1582-10-15 on"),
  ]) func otherUnitsAreRefused(units: String, calendar: String?, message: String) throws {
    let path = try write([1, 2], units: units, calendar: calendar)
    let error = failure { _ = try read(path) }
    #expect(error?.problem == .wrongUnits && error?.kind == .badData)
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "read")")
  }

  /// What is read and written again has the same days to the last bit, and the time is within half of the ninth decimal
  /// of a day.
  @Test(arguments: [1440, 8.33, 24, 0.7]) func copiesHaveTheSameBits(hours: Double) throws {
    let clock = ModelClock(hours: hours)
    for start in [0.0, 20, 1e6, -3] {
      let times = (1...2000).map { start + Double($0) * 0.02 }
      var stored: [[Double]] = []
      var read = times
      for copy in ["a.nc", "b.nc"] {
        try ObservationFile.write(
          fields: [numbers(8 * read.count)], times: read, to: folder.path(copy), layout: layout, variable: 0,
          errorVariance: 1, seeds: nil, clock: clock, provenance: provenance)
        stored.append(try DatasetReader(path: folder.path(copy)).field("time"))
        read = try self.read(folder.path(copy), clock)
        #expect(zip(times, read).allSatisfy { abs($0 - $1) <= 0.51e-9 * 24 / hours + $0.ulp })
      }
      #expect(stored[0] == stored[1])
    }
  }
}
