import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What is done with observations that cannot be used, with values that are missing, and with what is no state.
  @Suite struct AnalyzeQualityTests {
    static let plane = Plane(cells: [6, 7], members: 5)

    /// Cell (5, 6) has no value in any member.
    static var masked: Plane {
      var plane = plane
      for m in plane.ensemble.indices { plane.ensemble[m][5 * 7 + 6] = -999 }
      return plane
    }

    /// One observation of each sort, with its flag.
    static let sorts: [(Sighting, Double)] = [
      (Sighting(y: 1.5, x: 2, value: 280.3), 0),
      (Sighting(y: 99, x: 2, value: 280), 3),
      (Sighting(y: 2, x: 2, value: .nan), 1),
      (Sighting(y: 1.5, x: 2, value: 280.9), 4),
      (Sighting(y: 3, x: 3, value: 400), 5),
      (Sighting(y: 3, x: 4, value: 280, quality: 2), 2),
      (Sighting(y: 4, x: 1, value: 281), 0),
      // Between cells of which one has no value.
      (Sighting(y: 4.5, x: 5.5, value: 280), 3),
      (Sighting(y: 2, x: .nan, value: 280), 1),
    ]

    @Test(arguments: ["obs.nc", "obs.csv"])
    func everyObservationIsAccountedFor(file: String) throws {
      let place = try AnalyzePlace(try workshop(), "sorts-\(file)")
      try place.writeEnsemble(Self.masked, fill: -999)
      let sightings = Self.sorts.map(\.0)
      try file == "obs.nc" ? place.writeNetCDF(sightings) : place.writeCSV(sightings)
      let result = try place.analyzed(
        2, ["--observations", file, "--set", "observations.outlier=3", "--set", "filter.half_width=2"])
      #expect(try place.values("out/observations.nc", "flag") == Self.sorts.map(\.1))
      let summary = "observations of t: 2 used, 2 missing, 1 marked, 2 outside, 1 duplicate, 1 outlier"
      #expect(result.stdout.contains(summary), "\(result.stdout)")
      #expect(result.stdout.contains("(mean, root mean square, 2 observations)"), "\(result.stdout)")
      // h(x) is there where it was computed, and nowhere else.
      let before = try place.values("out/observations.nc", "hx_forecast_mean")
      let after = try place.values("out/observations.nc", "hx_analysis_mean")
      #expect(before.indices.filter { before[$0].isFinite } == [0, 4, 6])
      for k in [0, 6] {
        let value = sightings[k].value
        #expect(abs(after[k] - value) < abs(before[k] - value), "observation \(k)")
      }

      // The same as if nobody had given the others.
      try place.writeNetCDF([0, 6].map { sightings[$0] }, to: "good.nc")
      _ = try place.analyzed(2, ["--observations", "good.nc", "--output", "good", "--set", "filter.half_width=2"])
      #expect(try place.bytes("good/ensemble.nc") == place.bytes("out/ensemble.nc"))
    }

    /// Error variances from the configuration, where there are none.
    @Test func missingErrorVariance() throws {
      let place = try AnalyzePlace(try workshop(), "variance")
      try place.writeEnsemble(Self.plane)
      try place.write("y,x,value\n1,2,280\n3,3.5,281\n", to: "obs.csv")
      let without = try place.analyzed(1, ["--observations", "obs.csv"])
      #expect(without.stdout.contains("observations of t: 2 missing"), "\(without.stdout)")
      #expect(without.stderr.contains("no usable observation"), "\(without.stderr)")
      _ = try place.analyzed(1, ["--observations", "obs.csv", "--set", "observations.error_variance=0.5"])
      let found = try place.bytes("out/ensemble.nc")
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 280), Sighting(y: 3, x: 3.5, value: 281)])
      _ = try place.analyzed(1, [])
      #expect(try place.bytes("out/ensemble.nc") == found)
    }

    /// What the program would compute itself, given by the file under a name that the state does not have: the same
    /// analysis. h(x) of that is not known afterwards.
    @Test(arguments: ["letkf", "eakf"]) func membersValuesOfTheFileAreUsed(method: String) throws {
      let place = try AnalyzePlace(try workshop(), "given-\(method)")
      try place.writeEnsemble(Self.plane)
      let sightings = [Sighting(y: 1.5, x: 2.5, value: 280), Sighting(y: 3, x: 3.5, value: 281)]
      try place.writeNetCDF(sightings)
      let settings = ["--method", method, "--set", "filter.half_width=2"]
      _ = try place.analyzed(2, settings)
      let own = try place.values("out/observations.nc", "hx_forecast")
      let header = "y,x,variable,value,error_variance," + (0..<5).map { "hx_\($0)" }.joined(separator: ",")
      let lines = sightings.enumerated().map { k, one in
        "\(one.y),\(one.x),radar,\(one.value),\(one.errorVariance)," + (0..<5).map { "\(own[$0 * 2 + k])" }.joined(separator: ",")
      }
      try place.write(([header] + lines).joined(separator: "\n") + "\n", to: "given.csv")
      _ = try place.analyzed(2, settings + ["--observations", "given.csv", "--output", "given"])
      #expect(try place.bytes("given/ensemble.nc") == place.bytes("out/ensemble.nc"))
      #expect(try place.values("given/observations.nc", "hx_forecast") == own)
      #expect(try place.values("given/observations.nc", "hx_analysis").allSatisfy(\.isNaN))
      // Of another ensemble's size they are refused.
      try place.write(
        "y,x,variable,value,error_variance,hx_0,hx_1\n1,1,radar,280,1,279,281\n", to: "two.csv")
      let refused = try place.analyze(1, ["--observations", "two.csv"])
      #expect(refused.status == 65 && refused.stderr.contains("h(x) of the members: 2 members; expected 5"))
    }

    /// Nothing to learn: the forecast, to the last bit of its file, whatever the filter and its inflation.
    @Test(arguments: ["letkf", "eakf", "enkf", "denkf", "etkf"])
    func noUsableObservation(method: String) throws {
      let place = try AnalyzePlace(try workshop(), "nothing-\(method)")
      try place.writeEnsemble(Self.plane)
      try place.writeNetCDF([Sighting(y: 50, x: 1, value: 280), Sighting(y: 1, x: 1, value: .nan)])
      let result = try place.analyzed(3, ["--method", method, "--set", "filter.inflation=1.1"])
      #expect(result.stderr.contains("no usable observation: the analysis is the forecast"), "\(result.stderr)")
      #expect(result.stdout.contains("observations of t: 1 missing, 1 outside"), "\(result.stdout)")
      #expect(result.stdout.contains("0 of them in reach"), "\(result.stdout)")
      #expect(try place.bytes("out/ensemble.nc") == place.bytes("ensemble.nc"))
      #expect(try place.values("out/increments.nc", "t_increment").allSatisfy { $0 == 0 })
    }

    /// Files that happen to hold nothing, as at a time without observations.
    @Test func emptyFiles() throws {
      let place = try AnalyzePlace(try workshop(), "empty")
      try place.writeEnsemble(Self.plane)
      try place.writeNetCDF([], to: "none.nc")
      try place.writeCSV([], to: "none.csv")
      for file in ["none.nc", "none.csv"] {
        let result = try place.analyzed(2, ["--observations", file])
        #expect(result.stderr.contains("\(file): no observation"), "\(result.stderr)")
        #expect(result.stderr.contains("no usable observation: the analysis is the forecast"), "\(result.stderr)")
        #expect(try place.bytes("out/ensemble.nc") == place.bytes("ensemble.nc"))
      }
    }

    /// Numbers whose squares overflow break an analysis, and nothing of it is written.
    @Test func overflowIsNotWritten() throws {
      let place = try AnalyzePlace(try workshop(), "overflow")
      try place.writeScalars([("a", [1e200, -1e200, 3e200]), ("b", [1, 2, 3])], to: "ensemble.nc")
      let text = "variable,value,error_variance\na,1,1\n"
      try text.write(toFile: place.path("obs.csv"), atomically: true, encoding: .utf8)
      let result = try place.analyze(2, ["--observations", "obs.csv"])
      #expect(result.status == 65 && result.stderr.contains("field a: found a value that is not finite"))
      #expect(!FileManager.default.fileExists(atPath: place.path("out/ensemble.nc")))
    }

    /// Cells without a value in all members or in one keep the bits of every member, also those of a not-a-number.
    @Test(arguments: ["letkf", "eakf", "etkf", "denkf", "enkf"])
    func missingCellsKeepTheirBits(method: String) throws {
      let place = try AnalyzePlace(try workshop(), "masked-\(method)")
      var plane = Self.masked
      let odd = Double(bitPattern: 0x7FF8_0000_0000_0123)
      for m in plane.ensemble.indices { plane.ensemble[m][2 * 7 + 3] = odd }
      plane.ensemble[3][4 * 7 + 1] = -999
      try place.writeEnsemble(plane, fill: -999)
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 281), Sighting(y: 3.5, x: 2.5, value: 279.5)])
      let settings = method == "etkf" ? [] : ["--set", "filter.half_width=4"]
      let result = try place.analyzed(2, ["--method", method] + settings)
      let after = try place.stored("out/ensemble.nc", "t"), before = plane.ensemble.flatMap { $0 }
      let missing = Set([5 * 7 + 6, 2 * 7 + 3, 4 * 7 + 1])
      var changed = 0
      for i in before.indices {
        if missing.contains(i % 42) {
          #expect(after[i].bitPattern == before[i].bitPattern, "cell \(i % 42) of member \(i / 42)")
        } else {
          #expect(after[i].isFinite)
          changed += after[i] != before[i] ? 1 : 0
        }
      }
      #expect(changed > 5 * 20)
      #expect(result.stdout.contains("3 values in reach are missing in some member"), "\(result.stdout)")
    }

    /// What is no state, or not among the chosen fields, comes through as it is.
    @Test func othersPassThrough() throws {
      let place = try AnalyzePlace(try workshop(), "others")
      let u = (0..<5 * 42).map { 0.1 * Double($0 % 17) - 1 }
      let heights = (0..<42).map { 1.5 * Double($0) }
      try place.writeEnsemble(Self.plane) { writer, dimensions in
        let plane = Array(dimensions.dropFirst())
        try writer.write(u, to: try writer.variable("u", over: dimensions))
        try writer.write(heights, to: try writer.variable("height", over: plane))
        try writer.write(
          (0..<42).map { Int32($0 % 2) }, to: try writer.variable("land", of: Int32.self, over: plane))
        try writer.write(texts: ["one", "two", "three", "four", "five"], as: "run", over: dimensions[0])
        try writer.set(Attribute("experiment", "spring"))
      }
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 281)])
      _ = try place.analyzed(2, ["--set", "filter.half_width=3", "--set", "state.fields=[t]"])
      #expect(try place.values("out/ensemble.nc", "u") == u)
      #expect(try place.values("out/ensemble.nc", "t") != Self.plane.ensemble.flatMap { $0 })
      _ = try place.analyzed(2, ["--set", "filter.half_width=3", "--output", "both"])
      #expect(try place.values("both/ensemble.nc", "u") != u)
      for folder in ["out", "both"] {
        let file = try DatasetReader(path: place.path("\(folder)/ensemble.nc"))
        #expect(try file.field("height") == heights)
        #expect(try file.field("land") == (0..<42).map { Double($0 % 2) })
        #expect(try file.texts("run") == ["one", "two", "three", "four", "five"])
        #expect(try file.text("experiment") == "spring")
        #expect(try file.variables.map(\.name) == DatasetReader(path: place.path("ensemble.nc")).variables.map(\.name))
      }
      // An observation updates the field that it measures alone, where that is asked for.
      _ = try place.analyzed(2, ["--set", "filter.half_width=3", "--set", "filter.update=own", "--output", "own"])
      #expect(try place.values("own/ensemble.nc", "u") == u)
      #expect(try place.values("own/ensemble.nc", "t") == place.values("out/ensemble.nc", "t"))
    }

    /// Tells the plan and changes nothing.
    @Test(arguments: [1, 3])
    func checkWritesNothing(ranks: Int) throws {
      let place = try AnalyzePlace(try workshop(), "check-\(ranks)")
      try place.writeEnsemble(Self.masked, fill: -999)
      try place.writeNetCDF(Self.sorts.map(\.0))
      let before = try place.contents(".")
      let result = try place.analyzed(
        ranks, ["--check", "--set", "filter.half_width=2", "--set", "state.periodic=[x]", "--method", "eakf"])
      for line in [
        "eakf, 5 members, 42 values each", "field t [K]: y = 6, x = 7", "axes: x [km], period 7; y [km]",
        "observations of t: 4 used, 2 missing, 1 marked, 1 outside, 1 duplicate", "memory of a rank: about",
      ] {
        #expect(result.stdout.contains(line), "\(line): \(result.stdout)")
      }
      #expect(!place.exists("out"))
      #expect(differences(try place.contents("."), before) == [])
    }
  }
}
