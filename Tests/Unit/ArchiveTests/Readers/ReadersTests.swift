import DaunceArchive
import DaunceObservations
import Foundation
import Testing

/// A row of a table, however the file calls its columns.
struct Row: Hashable {
  var kind: String
  /// Seconds since 2020.
  var time: Double
  var place: [Double]
  var value: Double?
  var variance: Double?
}

/// Seconds from 2020 to the epoch of a unit of seconds.
private func epoch(_ units: String) -> Double? {
  [
    "seconds since 2020-01-01T00:00:00Z": 0, "seconds since 1970-01-01T00:00:00Z": -1_577_836_800,
    "seconds since 1601-01-01T00:00:00Z": -1_577_836_800 - 11_644_473_600,
  ][units]
}

/// The rows with coordinates in the order longitude, latitude, anything else; numbers rounded to the ninth digit.
func rows(_ table: ObservationTable) throws -> [Row] {
  let zero = try #require(epoch(table.timeUnits))
  let axes = table.coordinates.sorted { a, b in
    func rank(_ name: String) -> Int { ["longitude", "latitude"].firstIndex(of: name) ?? 2 }
    return rank(a.name) < rank(b.name)
  }
  func rounded(_ x: Double) -> Double { (x * 1e9).rounded() / 1e9 + 0 }
  return (0..<table.count).map { i in
    Row(
      kind: table.kinds[Int(table.kind[i])], time: table.times[i] + zero,
      place: axes.map { rounded($0.values[i]) }, value: table.values[i].isNaN ? nil : table.values[i],
      variance: table.errorVariances[i].isNaN ? nil : table.errorVariances[i])
  }
}

/// What make_observation_files.py wrote, by hand.
let knownRows = [
  Row(kind: "temperature", time: 0, place: [10, -45, 2], value: 288.5, variance: 0.25),
  Row(kind: "temperature", time: 3600, place: [190.5, 0, 500], value: nil, variance: 0.25),
  Row(kind: "temperature", time: 86400, place: [359.25, 60.5, 1500], value: 270.25, variance: 2.25),
  Row(kind: "wind", time: 0, place: [10, -45, 2], value: 3.5, variance: 4),
  Row(kind: "wind", time: 3600, place: [190.5, 0, 500], value: -7.25, variance: 1),
  Row(kind: "wind", time: 86400, place: [359.25, 60.5, 1500], value: 12, variance: 0.0625),
]

@Suite struct ReadersTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test(arguments: [
    "readers-points.nc", "readers-points-classic.nc", "readers.csv", "readers-cf.nc", "readers-ioda.nc",
    "readers-ioda-flat.nc", "readers.obs_seq",
  ])
  func theSameObservationsInEveryFormat(_ name: String) throws {
    let path = try fixture(name)
    let table = try ObservationReaders.read(path)
    #expect(table.source == path)
    #expect(try rows(table) == knownRows)
    #expect(table.quality.count == 6 && table.kinds.sorted() == ["temperature", "wind"])
    let units = Set(table.coordinates.map { "\($0.name) \($0.units)" })
    #expect(units.isSuperset(of: ["longitude degrees_east", "latitude degrees_north"]), "\(units)")
    #expect(units.contains("height m") || units.contains("vertical m"), "\(units)")
  }

  @Test func contentsTellTheFormatAndNotTheName() throws {
    for (name, reader) in [
      ("readers-points.nc", "points"), ("readers-packed.nc", "points"), ("readers.csv", "csv"),
      ("readers-cf.nc", "cf-point"), ("readers-ioda.nc", "ioda"), ("readers-ioda-flat.nc", "ioda"),
      ("readers-ioda-channels.nc", "ioda"), ("readers.obs_seq", "dart"), ("readers-fields.nc", "fields"),
      ("points-of-strings.nc", "points"),
    ] {
      let path = folder.path("anything.csv")
      try? FileManager.default.removeItem(atPath: path)
      try FileManager.default.copyItem(atPath: fixture(name), toPath: path)
      let file = try ObservationFileContents(path: path)
      #expect(ObservationReaders.all.first { $0.recognises(file) }?.name == reader, "\(name)")
    }
  }

  @Test func pointsUnpackNumbersNamesAndMarks() throws {
    let table = try ObservationReaders.read(fixture("readers-packed.nc"))
    #expect(table.kinds == ["salt", "heat"] && table.kind == [1, 0, 1])
    #expect(table.values[0] == 60 && table.values[1].isNaN && table.values[2] == 110)
    // The last one's mark is bad; its error stays.
    #expect(table.errorVariances == [0.25, 0.25, 4] && table.quality == [0, 0, 3])
    #expect(table.times.isEmpty && table.timeUnits.isEmpty && table.memberValues.isEmpty)
    // Numbers of the observations are no coordinate.
    #expect(table.coordinates.map(\.name) == ["x"] && table.coordinates[0].units == "m")
    #expect(table.coordinates[0].values == [0.25, 0.5, 0.75])
  }

  @Test func membersComeWithTheObservations() throws {
    for name in ["readers-points.nc", "readers.obs_seq"] {
      let table = try ObservationReaders.read(fixture(name))
      #expect(table.memberValues == [[0, 1, 2, 3, 4, 5], [10, 11, 12, 13, 14, 15]], "\(name)")
    }
  }

  @Test func marksOfOtherPrograms() throws {
    // Flags of CF have meanings; without them they say nothing.
    #expect(try ObservationReaders.read(fixture("readers-cf.nc")).quality == [0, 0, 0, 0, -1, 4])
    // prepBUFR's 0 to 3 are good, and DART's 0 and 1.
    #expect(try ObservationReaders.read(fixture("readers-ioda.nc")).quality == [0, 0, 0, 0, 0, 0])
    #expect(try ObservationReaders.read(fixture("readers.obs_seq")).quality == [0, 0, 0, 0, 0, 0])
    let bad = try text("readers.obs_seq").replacingOccurrences(of: "   1.0\n", with: "   4.0\n")
    try folder.put(Array(bad.utf8), as: "bad")
    #expect(try ObservationReaders.read(folder.path("bad")).quality == [0, 0, 4, 0, 0, 0])
    let ncep = bad.replacingOccurrences(of: "Data QC", with: "NCEP QC index").replacing("   4.0\n", with: "   3.0\n")
    try folder.put(Array(ncep.utf8), as: "ncep")
    #expect(try ObservationReaders.read(folder.path("ncep")).quality == [0, 0, 0, 0, 0, 0])
  }

  @Test func channelsAreKinds() throws {
    let table = try ObservationReaders.read(fixture("readers-ioda-channels.nc"))
    #expect(table.kinds == [4, 7, 9].map { "brightnessTemperature_\($0)" })
    #expect(table.kind == [0, 0, 1, 1, 2, 2])
    #expect(table.values.map { $0.isNaN ? -1 : $0 } == [200, 203, 201, -1, 202, 205])
    #expect(table.errorVariances.map { $0.isNaN ? -1 : $0 } == [1, 16, 4, 25, 9, -1])
    #expect(table.quality == [0, 15, 0, 0, 4, 0])
    #expect(table.coordinates.map(\.name) == ["longitude", "latitude"])
    #expect(table.coordinates[0].values == [3, 4, 3, 4, 3, 4] && table.times == [5, 6, 5, 6, 5, 6])
  }

  /// An obs_seq file of one type, an observation a place.
  private func sequence(places: [String], type: Int = 1) -> String {
    var text = "obs_sequence\nobs_type_definitions\n1\n1 wind\nnum_copies: 1 num_qc: 0\n"
    text += "num_obs: \(places.count) max_num_obs: \(places.count)\nvalues\nfirst: 1 last: \(places.count)\n"
    for (i, place) in places.enumerated() {
      text +=
        "OBS \(i + 1)\n\(i)\n\(i) \(i + 1 < places.count ? i + 2 : -1) -1\nobdef\n\(place)\nkind\n\(type)\n0 0\n1\n"
    }
    return text
  }

  @Test func placesOfDART() throws {
    let (pi, half) = (Double.pi, Double.pi / 2)
    for (places, columns, units) in [
      (["loc1d\n0.25", "loc1d\n0.5"], ["location": [0.25, 0.5]], ["location": "1"]),
      (["loc2D\n1 2"], ["x": [1], "y": [2]], ["x": ""]),
      (["loc2s\n\(pi) \(-half)"], ["longitude": [180], "latitude": [-90]], ["latitude": "degrees_north"]),
      (["loc3Dxyz\n1\n2 3"], ["x": [1], "y": [2], "z": [3]], [:]),
      // The surface goes with everything, nowhere too.
      (["loc3d\n0 0 7 -1", "loc3d\n0 0 5e4 2", "loc3d\n0 0 0 -2"], ["vertical": [7, 5e4, -1]], ["vertical": "Pa"]),
      (["loc3d\n0 0 7 -1", "loc3d\n0 0 8 3"], ["vertical": [7, 8]], ["vertical": "m"]),
      (["loc3d\n0 0 7 1"], ["vertical": [7]], ["vertical": "1"]),
      (["loc3d\n0 0 7 -1"], ["vertical": [7]], ["vertical": "m"]),
    ] as [([String], [String: [Double]], [String: String])] {
      try folder.put(Array(sequence(places: places).utf8), as: "places")
      let table = try ObservationReaders.read(folder.path("places"))
      for (name, values) in columns {
        let column = try #require(table.coordinates.first { $0.name == name })
        #expect(column.values.map { $0.isNaN ? -1 : $0 } == values, "\(places)")
      }
      for (name, unit) in units { #expect(table.coordinates.first { $0.name == name }?.units == unit, "\(places)") }
      #expect(table.kinds == ["wind"] && table.values == places.indices.map { Double($0) })
    }
    // Of a state element itself.
    try folder.put(Array(sequence(places: ["loc1d\n0.25"], type: -17).utf8), as: "identity")
    #expect(try ObservationReaders.read(folder.path("identity")).kinds == ["identity"])
  }

  /// The oldest files count hours from one date.
  @Test func hoursFromADate() throws {
    for (date, seconds) in [(2018_041_506, 1_523_772_000.0 + 90 * 60), (2018_041_524, nil), (2018_023_000, nil)] {
      let path = folder.path("hours-\(date)")
      let writer = try DatasetWriter(path: path, provenance: provenance)
      let locations = try writer.dimension("nlocs", length: 1)
      for (name, value) in [
        ("t@ObsValue", 1), ("latitude@MetaData", 2), ("longitude@MetaData", 3), ("time@MetaData", 1.5),
      ] {
        try writer.write([value], to: writer.variable(name, over: [locations], attributes: []))
      }
      try writer.set(Attribute("date_time", date))
      _ = try writer.finish()
      if let seconds {
        let table = try ObservationReaders.read(path)
        #expect(table.times == [seconds] && table.timeUnits == "seconds since 1970-01-01T00:00:00Z")
        #expect(table.kinds == ["t"] && table.errorVariances[0].isNaN)
      } else {
        let error = try #require(failure { _ = try ObservationReaders.read(path) })
        #expect("\(error)".hasPrefix("\(path): global attribute date_time: \(date); expected a date"))
      }
    }
  }

  /// Two numbers of one name are one kind.
  @Test func namesOfKindsAreDistinct() throws {
    let path = folder.path("flags")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let obs = try writer.dimension("obs", length: 3)
    let notes = [Attribute("flag_values", .numbers([1, 2, 3])), Attribute("flag_meanings", "heat salt heat")]
    try writer.write([1, 2, 3], to: writer.variable("variable", over: [obs], attributes: notes))
    try writer.write([1, 2, 3], to: writer.variable("value", over: [obs], attributes: []))
    _ = try writer.finish()
    let table = try ObservationReaders.read(path)
    #expect(table.kinds == ["heat", "salt"] && table.kind == [0, 1, 0])
  }

  @Test func fieldsOverAnyDimensions() throws {
    let table = try ObservationReaders.read(fixture("readers-fields.nc"))
    #expect(table.kinds == ["a", "b"] && table.count == 15)
    #expect(table.values[8].isNaN && table.values[9] == 9 && Array(table.values[12...]) == [1, 2, 3])
    #expect(table.errorVariances[11] == 0.25 && table.errorVariances[13] == 0.2)
    #expect(table.timeUnits == "hours since 2020-01-01" && table.times[5] == 6 && table.times[6] == 12)
    #expect(table.times[12].isNaN)
    #expect(table.coordinates.map(\.name) == ["depth", "x"] && table.coordinates.map(\.units) == ["m", "km"])
    #expect(Array(table.coordinates[0].values[..<12]) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
    #expect(table.coordinates[0].values[12].isNaN)
    #expect(table.coordinates[1].values == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
  }

  @Test func ourOwnObservationsAreFields() throws {
    let path = folder.path("observations.nc")
    var values = [Double](repeating: .nan, count: 16)
    (values[0], values[1], values[15]) = (1.5, 2.5, 3.5)
    try ObservationFile.write(
      fields: [values], times: [1, 2], to: path, layout: layout, variable: 1, errorVariance: 0.5, seeds: nil,
      provenance: provenance)
    let table = try ObservationReaders.read(path)
    #expect(table.kinds == ["a"] && table.count == 16)
    #expect(table.values.count { !$0.isNaN } == 3 && table.values[0] == 1.5 && table.values[15] == 3.5)
    #expect(table.times[0] == 1 && table.times[15] == 2)
    #expect(table.coordinates.map(\.name) == ["x"] && table.coordinates[0].values[9] == 0.5)
  }

  @Test func csvTakesWhatPeopleWrite() throws {
    let text =
      "\u{FEFF}# made by hand\r\n\r\n \"value\" ; x [m];error; variable ;time\r\n"
      + "1.5;0.25;0.5;\"a;\"\"b\"\"\";7\r\n# between\r\n;1e-3;;c;8.5\r\n+2.5E+01; -3 ;1d0;c;NaN\r\n\r\n"
    try folder.put(Array(text.utf8), as: "hand")
    let table = try ObservationReaders.read(folder.path("hand"))
    #expect(table.kinds == ["a;\"b\"", "c"] && table.kind == [0, 1, 1])
    #expect(table.values[0] == 1.5 && table.values[1].isNaN && table.values[2] == 25)
    #expect(table.errorVariances[0] == 0.25 && table.errorVariances[1].isNaN && table.errorVariances[2] == 1)
    #expect(table.times[0] == 7 && table.times[1] == 8.5 && table.times[2].isNaN && table.timeUnits.isEmpty)
    #expect(table.coordinates[0].values == [0.25, 0.001, -3] && table.coordinates[0].units == "m")

    let tabs = "x\tvalue\trelative_error\tquality\thx_0\thx_1\n1\t-4\t0.25\t\t1\t2\n2\t8\t0.5\t3\t3\t4"
    try folder.put(Array(tabs.utf8), as: "tabs")
    let second = try ObservationReaders.read(folder.path("tabs"))
    #expect(second.kinds == [""] && second.errorVariances == [1, 16] && second.quality == [0, 3])
    #expect(second.memberValues == [[1, 3], [2, 4]])
  }

  @Test(arguments: [
    ("1970-01-01", 0), ("1969-12-31T23:59:59Z", -1), ("2000-02-29T12:00", 951_825_600),
    ("2020-01-01 01:30:00.25Z", 1_577_842_200.25), ("2020-01-01T01:30:00+01:00", 1_577_838_600),
    ("2020-01-01T00:00:00-0530", 1_577_856_600), ("1601-01-01T00:00:00Z", -11_644_473_600),
    ("0000-03-01T00:00:00Z", -62_162_035_200), ("2016-12-31T23:59:60Z", 1_483_228_800),
  ])
  func dates(_ date: String, _ seconds: Double) throws {
    try folder.put(Array("time,value\n\(date),1\n".utf8), as: "date")
    let table = try ObservationReaders.read(folder.path("date"))
    #expect(table.times == [seconds] && table.timeUnits == "seconds since 1970-01-01T00:00:00Z")
  }

  @Test func numbersAreReadToTheLastBit() throws {
    var generator = Generator(state: 3)
    var values: [Double] = [
      0, -0.0, .leastNonzeroMagnitude, 1.7976931348623157e308, 0.1, 1e23, 8.5e-23, 123_456_789_012_345_680,
    ]
    while values.count < 4000 {
      let value = Double(bitPattern: generator.next())
      if value.isFinite { values.append(value) }
      values.append(Double(Int64(truncatingIfNeeded: generator.next()) >> 20) / 1000)
    }
    var lines = values.map { "\($0)" }
    // Longer than a Double, and with leading zeros.
    lines += [
      "0.1000000000000000055511151231257827021181583404541015625", "000000000000000000000000012.50",
      "1" + String(repeating: "0", count: 40), "9007199254740993",
    ]
    values += [0.1, 12.5, 1e40, 0x1p53]
    try folder.put(Array(("value\n" + lines.joined(separator: "\n")).utf8), as: "numbers")
    let table = try ObservationReaders.read(folder.path("numbers"))
    #expect(table.values.map(\.bitPattern) == values.map(\.bitPattern))
  }

  /// Random observations, written here as CSV, obs_seq and points.
  @Test func randomObservationsAgreeInThreeFormats() throws {
    var generator = Generator(state: 1)
    func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
    let known = (0..<200).map { _ in
      Row(
        kind: uniform() < 0.5 ? "temperature" : "wind", time: (uniform() * 1e6).rounded(),
        place: [uniform()], value: uniform() < 0.1 ? nil : uniform() * 600 - 300, variance: uniform() + 0.01)
    }
    try folder.put(Array(csv(known).utf8), as: "csv")
    try folder.put(Array(sequence(known, &generator).utf8), as: "dart")
    let writer = try DatasetWriter(path: folder.path("points"), provenance: provenance)
    let obs = try writer.dimension("n", length: known.count)
    for (name, values) in [
      ("time", known.map(\.time)), ("place", known.map { $0.place[0] }), ("value", known.map { $0.value ?? .nan }),
      ("error_variance", known.map { $0.variance ?? .nan }),
    ] {
      let units = name == "time" ? [Attribute("units", "seconds since 2020-01-01T00:00:00Z")] : []
      try writer.write(values, to: writer.variable(name, over: [obs], attributes: units))
    }
    try writer.write(texts: known.map(\.kind), as: "variable", over: obs)
    try writer.finish()
    for name in ["csv", "dart", "points"] {
      let found = try rows(ObservationReaders.read(folder.path(name)))
      let expected = known.map { row in
        var row = row
        row.place[0] = (row.place[0] * 1e9).rounded() / 1e9
        return row
      }
      for (a, b) in zip(found, expected) where a != b { Issue.record("\(name): \(a) for \(b)") }
      #expect(found.count == expected.count)
    }
  }

  private func csv(_ rows: [Row]) -> String {
    "variable,time [seconds since 2020-01-01T00:00:00Z],place,value,error_variance\n"
      + rows.map { "\($0.kind),\($0.time),\($0.place[0]),\($0.value.map { "\($0)" } ?? ""),\($0.variance ?? 0)\n" }
      .joined()
  }

  /// An obs_seq file whose blocks are shuffled.
  private func sequence(_ rows: [Row], _ generator: inout Generator) -> String {
    let order = rows.indices.shuffled(using: &generator)
    var block = rows.indices.map { _ in 0 }
    for (b, row) in order.enumerated() { block[row] = b + 1 }
    var text = "obs_sequence\nobs_kind_definitions\n2\n1 wind\n2 temperature\nnum_copies: 1 num_qc: 0\n"
    text += "num_obs: \(rows.count) max_num_obs: 1000\nvalues\nfirst: \(block[0]) last: \(block[rows.count - 1])\n"
    for (b, k) in order.enumerated() {
      let row = rows[k]
      let seconds = Int(row.time)
      text += " OBS \(b + 1)\n\(row.value ?? -888_888)\n\(k > 0 ? block[k - 1] : -1) "
      text += "\(k + 1 < rows.count ? block[k + 1] : -1) -1\nobdef\nloc1d\n\(row.place[0])\nkind\n"
      text += "\(row.kind == "wind" ? 1 : 2)\n\(seconds % 86400) \(153_036 + seconds / 86400)\n"
      text += "\(row.variance ?? 0)\n"
    }
    return text
  }

  /// The table of many rows is right at both ends, and reading takes no longer than scanning the text.
  @Test func manyRows() throws {
    let count = 100_000
    let lines = (0..<count).map { "\($0 % 2 == 0 ? "u" : "v"),2020-01-01T00:00:00Z,\(Double($0) / 8),\($0),0.5" }
    try folder.put(
      Array(("variable,time,x,value,error_variance\n" + lines.joined(separator: "\n") + "\n").utf8), as: "many")
    let table = try ObservationReaders.read(folder.path("many"))
    #expect(table.count == count && table.values[count - 1] == Double(count - 1) && table.kinds == ["u", "v"])
    #expect(table.coordinates[0].values[count - 1] == Double(count - 1) / 8)
  }
}

func text(_ name: String) throws -> String { try String(contentsOfFile: fixture(name), encoding: .utf8) }

/// SplitMix64.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
