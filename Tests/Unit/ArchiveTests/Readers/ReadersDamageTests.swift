import DaunceArchive
import DaunceObservations
import Foundation
import Testing

/// Every way in which a file of observations can be wrong is one error that says where and what.
@Suite struct ReadersDamageTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  /// The error's text after the path.
  private func message(_ name: String) throws -> String {
    let path = folder.path(name)
    let error = try #require(failure { _ = try ObservationReaders.read(path) }, "\(name) is read")
    #expect(error.kind == .badData && error.description.hasPrefix("\(path): ") && !error.description.contains("\n"))
    return String(error.description.dropFirst(path.count + 2))
  }

  private func message(ofText text: String) throws -> String {
    try folder.put(Array(text.utf8), as: "text")
    return try message("text")
  }

  @Test(arguments: [
    ("", "an empty file; expected observations in one of: dart (DART's obs_seq as text); ioda ("),
    ("\n \n", "an empty text; expected"),
    ("hello\nworld", "a first line \"hello\"; expected observations"),
    ("#value\n1\n", "a first line \"#value\"; expected"),
    ("x,y\n1,2\n", "a first line \"x,y\"; expected"),
    ("\"value\n1\n", "a first line \"\"value\"; expected"),
    (
      "\u{1}\u{2}\(String(repeating: "z", count: 90))",
      "a first line \"??\(String(repeating: "z", count: 58))...\"; expected"
    ),
  ])
  func whatNobodyRecognises(_ text: String, _ expected: String) throws {
    #expect(try message(ofText: text).hasPrefix(expected))
  }

  @Test func filesThatAreNotThere() throws {
    for (path, problem) in [(folder.path("none"), ArchiveError.Problem.missingFile), (folder.url.path, .notAFile)] {
      let error = try #require(failure { _ = try ObservationReaders.read(path) })
      #expect(error.kind == .inputOutput && error.problem == problem && !error.description.contains("NetCDF"))
    }
  }

  @Test(arguments: [
    ("x,value\n1,2\n3,four\n", "line 3, column value: \"four\"; expected a number, or nothing where it is missing"),
    ("x,value\n1x,2\n", "line 2, column x: \"1x\"; expected a number"),
    ("x,value\n1,0x10\n", "line 2, column value: \"0x10\"; expected a number"),
    ("x,value\n1,inf\n", "line 2, column value: \"inf\"; expected a number"),
    ("x,value\n1,1e999\n", "line 2, column value: \"1e999\"; expected a number"),
    ("x;value\n1;1,5\n", "line 2, column value: \"1,5\"; expected a number"),
    ("x,value\n1,-\n", "line 2, column value: \"-\"; expected a number"),
    ("x,value\n1,1e\n", "line 2, column value: \"1e\"; expected a number"),
    ("# c\n\nx,value\n1,2\n1\n", "line 5: 1 fields; expected 2, as many as line 3 names"),
    ("x,value\n1,2,3\n", "line 2: 3 fields; expected 2"),
    ("x,value\n1,\"2\n", "line 2: a quotation mark that is not closed; expected a second one"),
    ("x,x,value\n1,1,1\n", "line 1: two columns x; expected each name once"),
    ("x,,value\n1,1,1\n", "line 1: column 2 without a name; expected a name for every column"),
    ("value,error,error_variance\n1,1,1\n", "line 1: columns error and error_variance; expected one way"),
    ("value,hx_0,hx_2\n1,1,1\n", "line 1: columns hx_ of members [0, 2]; expected members 0, 1, ..."),
    ("value,error\n1,1\n1,-1\n", "line 3, column error: -1.0; expected a positive error"),
    ("value,error_variance\n1,0\n", "line 2, column error_variance: 0.0; expected a positive error"),
    ("value,relative_error\n0,0.1\n", "line 2, column relative_error: 0.1 of the value 0.0; expected a positive error"),
    ("value,error\n1,1e200\n", "line 2, column error: 1e+200; expected a positive error"),
    ("value,quality\n1,0.5\n", "line 2, column quality: 0.5; expected a whole number"),
    ("value,quality\n1,3000000000\n", "line 2, column quality: 3000000000.0; expected a whole number"),
    ("time,value\n2020-02-30,1\n", "line 2, column time: \"2020-02-30\"; expected a number, or a date"),
    ("time,value\n2020-01-01T25:00,1\n", "line 2, column time: \"2020-01-01T25:00\"; expected a number, or a date"),
    (
      "time,value\n2020-01-01,1\n7,1\n",
      "line 3, column time: \"7\"; expected a date such as 2020-01-31T12:00:00Z, as on"
    ),
    (
      "time,value\n7,1\n2020-01-01,1\n",
      "line 3, column time: \"2020-01-01\"; expected a number, as on the lines before"
    ),
  ])
  func csv(_ text: String, _ expected: String) throws {
    let found = try message(ofText: text)
    #expect(found.hasPrefix(expected), "\(found)")
  }

  @Test(arguments: [
    ("obs_type_definitions", "types", "line 2: \"types\"; expected obs_type_definitions or obs_kind_definitions"),
    ("           2\n          11", "two\n          11", "line 3: \"two\"; expected the number of types"),
    ("           4 wind", "          11 wind", "line 5: \"11 wind\"; expected a number, not given before, and"),
    ("num_copies:            3", "num_copies:            0", "line 6: 0 copies and 1 marks; expected at"),
    (
      "num_copies:", "copies:",
      "line 6: \"copies:            3  num_qc:            1\"; expected num_copies: and num_qc:"
    ),
    (
      "first:            4", "first:            7",
      "observation 7 as the first one; expected each of the observations 1 to 6"
    ),
    (
      "           1           3          -1", "           1           1          -1",
      "observation 1 after observation 2; expected"
    ),
    (
      "           1           3          -1", "           1          -1          -1",
      "5 observations in the list from 4 on; expected all 6"
    ),
    ("   288.5 ", "   cold ", "line 56: \"cold\"; expected a number: the copy \"observation\""),
    (" OBS            2", " OBS            3", "line 26: \"OBS            3\"; expected OBS 2, the next one of 6"),
    ("obdef\nloc3d", "loc3d", "line 19: \"loc3d\"; expected obdef"),
    ("loc3d", "loc4d", "line 20: \"loc4d\"; expected one of loc1d, loc2D, loc2s, loc3d, loc3Dxyz"),
    ("  2  3\nkind", "  2  5\nkind", "line 21: the kind of vertical 5.0; expected -2 (none), -1 (surface)"),
    (
      "500  3\nkind", "500  2\nkind",
      "line 34: a vertical coordinate of kind 2 (pressure); expected kind 3 (height), as on line 21"
    ),
    ("kind\n           4", "kind\n           5", "line 23: the type 5; expected one of the header's types: 4, 11"),
    ("     0     153036", "     0", "line 24: \"0\"; expected seconds of a day and days since 1601-01-01"),
    ("     0     153036", " 86400     153036", "line 24: \"86400     153036\"; expected seconds of a day"),
    ("   4.00000000000000E+00\n", "", "line 24: the end of observation 1; expected seconds and days, and"),
    ("   4.00000000000000E+00", "   4 m", "line 25: \"4 m\"; expected an error variance"),
    ("   4.00000000000000E+00", "   -4", "observation 4: the error variance -4.0; expected a positive, finite one"),
    (
      "num_obs:            6", "num_obs:            5",
      "line 81: \"OBS            6\"; expected the end of the file after 5"
    ),
    ("num_obs:            6", "num_obs:            7", "line 93: the end of the file; expected OBS 7"),
  ])
  func dart(_ old: String, _ new: String, _ expected: String) throws {
    let whole = try text("readers.obs_seq")
    let place = try #require(whole.range(of: old))
    let found = try message(ofText: whole.replacingCharacters(in: place, with: new))
    #expect(found.hasPrefix(expected), "\(found)")
  }

  @Test func everyBeginningOfATextIsAnError() throws {
    for name in ["readers.obs_seq", "readers.csv"] {
      let whole = Array(try text(name).utf8)
      for count in stride(from: 0, to: whole.count - 1, by: 7) {
        try folder.put(Array(whole[..<count]), as: "part")
        // A table may end after any line, and either file within its last number.
        let isWithinLast = !whole[count...].dropLast().contains(UInt8(ascii: "\n"))
        if name == "readers.csv" || isWithinLast, (try? ObservationReaders.read(folder.path("part"))) != nil {
          continue
        }
        let found = try message("part")
        #expect(found.contains("; expected "), "\(count): \(found)")
      }
    }
  }

  @Test func binarySequencesAreRefused() throws {
    for width in [4, 8] {
      let marker = [UInt8](repeating: 0, count: width - 1)
      try folder.put([12] + marker + Array("obs_sequence".utf8) + [12] + marker, as: "binary")
      #expect(try message("binary").hasPrefix("a binary obs_seq file; expected a text one"))
    }
  }

  @Test func truncatedNetCDF() throws {
    for name in ["readers-points-classic.nc", "readers-cf.nc", "readers-ioda-flat.nc", "readers-fields.nc"] {
      let whole = Array(try Data(contentsOf: URL(filePath: fixture(name))))
      for count in stride(from: 4, to: whole.count - 8, by: 61) {
        try folder.put(Array(whole[..<count]), as: "part")
        #expect(try message("part").contains("truncated or damaged") || count < 8)
      }
    }
  }
}

/// NetCDF files whose contents are wrong.
@Suite struct ReadersStructureTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  /// A variable of a small file along `n` = 3, `m` = 2, or characters.
  private struct Part {
    var name: String
    var over = ["n"]
    var values: [Double] = [1, 2, 3]
    var notes: [Attribute] = []
  }

  /// The error's text for a file of these parts.
  private func message(_ parts: [Part], texts: [String: [String]] = [:], global: [Attribute] = []) throws -> String {
    let path = folder.path("file.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let dimensions = [
      "n": try writer.dimension("n", length: 3), "m": try writer.dimension("m", length: 2),
      "none": try writer.dimension("none", length: 0),
    ]
    for note in global { try writer.set(note) }
    for part in parts {
      let over = part.over.compactMap { dimensions[$0] }
      let variable = try writer.variable(part.name, of: Double.self, over: over, attributes: part.notes)
      let count = over.reduce(1) { $0 * ($1.length ?? 0) }
      if count > 0 { try writer.write((0..<count).map { part.values[$0 % part.values.count] }, to: variable) }
    }
    for (name, texts) in texts {
      try writer.write(texts: texts, as: name, over: texts.count == 3 ? dimensions["n"] : dimensions["m"])
    }
    _ = try writer.finish()
    let error = try #require(failure { _ = try ObservationReaders.read(path) }, "it is read")
    #expect(error.kind == .badData && error.description.hasPrefix("\(path): "))
    return String(error.description.dropFirst(path.count + 2))
  }

  @Test func points() throws {
    let value = Part(name: "value")
    for (parts, expected) in [
      ([Part(name: "other")], "NetCDF with other(n); expected observations in one of"),
      ([], "NetCDF without variables; expected"),
      ([value, Part(name: "time", over: ["m"])], "variable time: dimensions (m); expected (n)"),
      (
        [value, Part(name: "error_variance", over: ["n", "m"])],
        "variable error_variance: dimensions (n, m); expected (n)"
      ),
      (
        [value, Part(name: "error"), Part(name: "error_variance")],
        "variables error_variance and error; expected one way"
      ),
      ([value, Part(name: "error", values: [1, -1])], "observation 2: the error variance -1.0; expected a positive"),
      ([value, Part(name: "error_variance", values: [0])], "observation 1: the error variance 0.0; expected"),
      ([value, Part(name: "quality", values: [0, 0.5])], "variable quality: 0.5 at index 1; expected a whole number"),
      ([value, Part(name: "x", values: [0, .infinity])], "observation 2: the x inf; expected a finite number"),
      ([Part(name: "value", values: [.infinity])], "observation 1: the value inf; expected a finite number"),
      ([value, Part(name: "time", values: [-.infinity])], "observation 1: the time -inf; expected"),
      ([value, Part(name: "hx", over: ["n", "m"])], "variable hx: dimensions (n, m); expected (member, n)"),
      (
        [value, Part(name: "hx", over: ["m", "n"], values: [1, .infinity])],
        "observation 2: the h(x) of member 0 inf; expected"
      ),
      ([value, Part(name: "variable")], "variable variable: 0 flag_values and 0 flag_meanings; expected as many"),
      (
        [
          value,
          Part(
            name: "variable", notes: [Attribute("flag_values", .numbers([1, 2])), Attribute("flag_meanings", "a b")]),
        ],
        "variable variable: 3.0 at index 2; expected one of its flag_values"
      ),
    ] {
      let found = try message(parts)
      #expect(found.hasPrefix(expected), "\(found)")
    }
    #expect(try message([], texts: ["value": ["a", "b", "c"]]).hasPrefix("NetCDF with value(n, "))
    #expect(try message([value], texts: ["variable": ["a", "b"]]).hasPrefix("variable variable: dimensions (m, "))
    #expect(try message([value], texts: ["time": ["a", "b", "c"]]).hasPrefix("variable time: dimensions (n, "))
  }

  @Test func pointsInCF() throws {
    let point = [Attribute("featureType", "Point")]
    let named = [Attribute("coordinates", "lat lon")]
    let lat = Part(name: "lat", notes: [Attribute("units", "degrees_north")])
    let lon = Part(name: "lon", notes: [Attribute("standard_name", "longitude")])
    for (parts, expected) in [
      ([Part(name: "t")], "NetCDF with t(n); expected"),
      ([Part(name: "t", notes: named), lat], "variable lon: no such variable; expected"),
      (
        [Part(name: "t", notes: named), lat, Part(name: "lon")],
        "attribute coordinates of t: no variable with the standard name longitude among lat, lon"
      ),
      (
        [Part(name: "t", over: ["n", "m"], notes: named), lat, lon],
        "variable t: dimensions (n, m); expected one dimension"
      ),
      (
        [Part(name: "t", notes: named), Part(name: "u", over: ["m"], notes: named), lat, lon],
        "variable u: dimensions (m); expected (n)"
      ),
      (
        [Part(name: "t", notes: named + [Attribute("error_sd", -1)]), lat, lon],
        "observation 1: the error variance -1.0; expected"
      ),
      (
        [Part(name: "t", notes: named + [Attribute("error_sd", "big")]), lat, lon],
        "attribute error_sd of t: a value of type char; expected a number"
      ),
      (
        [Part(name: "t", notes: named + [Attribute("ancillary_variables", "e")]), lat, lon],
        "variable e: no such variable"
      ),
    ] {
      let found = try message(parts, global: point)
      #expect(found.hasPrefix(expected), "\(found)")
    }
  }

  @Test func ioda() throws {
    let group = [Attribute("_ioda_layout", "ObsGroup")]
    let (lat, lon) = (Part(name: "latitude@MetaData"), Part(name: "longitude@MetaData"))
    for (parts, expected) in [
      ([lat], "group ObsValue: no variable in it (variables: latitude@MetaData); expected at least one"),
      ([Part(name: "t@ObsValue"), lat], "group MetaData: no variable longitude; expected longitude(n)"),
      (
        [Part(name: "t@ObsValue", over: ["n", "m", "m"]), lat, lon],
        "variable t@ObsValue: dimensions (n, m, m); expected (n) or (n, channels)"
      ),
      (
        [Part(name: "t@ObsValue"), lat, Part(name: "longitude@MetaData", over: ["m"])],
        "variable longitude@MetaData: dimensions (m); expected (n)"
      ),
      (
        [Part(name: "t@ObsValue"), lat, lon, Part(name: "t@ObsError", over: ["m"])],
        "variable t@ObsError: dimensions (m); expected (n)"
      ),
      (
        [Part(name: "t@ObsValue"), lat, lon, Part(name: "t@PreQC", values: [0.5])],
        "variable t@PreQC: 0.5 at index 0; expected a whole number"
      ),
      (
        [Part(name: "t@ObsValue"), lat, lon, Part(name: "t@ObsError", values: [0])],
        "observation 1: the error variance 0.0; expected"
      ),
    ] {
      let found = try message(parts, global: group)
      #expect(found.hasPrefix(expected), "\(found)")
    }
    let dates = try message(
      [Part(name: "t@ObsValue"), lat, lon], texts: ["dateTime@MetaData": ["2020-01-01", "2020-13-01", ""]],
      global: group)
    #expect(
      dates.hasPrefix("variable dateTime@MetaData: \"2020-13-01\" at index 1; expected a date such as"), "\(dates)")
  }

  @Test func fields() throws {
    let variance = [Attribute("error_variance", 1.0)]
    for (parts, expected) in [
      ([Part(name: "a", notes: variance)], "variable a: a dimension n without coordinates; expected a variable n(n)"),
      (
        [Part(name: "a", notes: variance), Part(name: "n", over: ["m"])],
        "variable n: dimensions (m); expected some of (n), which a has"
      ),
      (
        [Part(name: "a", notes: variance), Part(name: "a_error_variance"), Part(name: "n")],
        "variable a: more than one of the attributes"
      ),
      (
        [Part(name: "a"), Part(name: "a_error_variance", over: ["m"]), Part(name: "n")],
        "variable a_error_variance: dimensions (m); expected (n)"
      ),
      (
        [Part(name: "a", notes: [Attribute("error_variance", "1")]), Part(name: "n")],
        "attribute error_variance of a: a value of type char; expected a number"
      ),
      (
        [Part(name: "a", notes: [Attribute("error_variance", 0.0)]), Part(name: "n")],
        "observation 1: the error variance 0.0; expected"
      ),
    ] {
      let found = try message(parts)
      #expect(found.hasPrefix(expected), "\(found)")
    }
  }
}
