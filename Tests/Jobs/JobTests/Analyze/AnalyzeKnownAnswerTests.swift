import DaunceArchive
import DaunceNumerics
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Whole analyses of files against answers computed independently.
  @Suite struct AnalyzeKnownAnswerTests {
    private struct Fixture: Decodable {
      struct Observations: Decodable {
        let y, x, value, error_variance: [Double]
      }
      struct Case: Decodable {
        let cells: [Int]
        let spacing: [Double]
        let periodic: [Bool]
        let half_width: Double
        let ensemble: [[Double]]
        let observations: Observations
        let eakf, letkf: [[Double]]

        var plane: Plane { Plane(cells: cells, spacing: spacing, ensemble: ensemble) }
        var sightings: [Sighting] {
          observations.value.indices.map {
            Sighting(
              y: observations.y[$0], x: observations.x[$0], value: observations.value[$0],
              errorVariance: observations.error_variance[$0])
          }
        }
        var settings: [String] {
          let axes = zip(["y", "x"], periodic).filter(\.1).map(\.0)
          let periodic = "state.periodic=[\(axes.joined(separator: ", "))]"
          return ["--set", "filter.half_width=\(half_width)", "--set", periodic]
        }
      }
      let cases: [Case]
    }

    private static func fixture() throws -> Fixture {
      let url = sourceFolder.appending(path: "Tests/Unit/AssimilationTests/Fixtures/analysis2d.json")
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }

    /// Largest relative difference.
    private static func worst(_ a: [Double], _ b: [Double]) -> Double {
      guard a.count == b.count else { return .infinity }
      return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
    }

    static let names = ["ensemble.nc", "increments.nc", "observations.nc"]

    @Test(arguments: [0, 1], ["eakf", "letkf"])
    func planeForAnyNumberOfRanks(number: Int, method: String) throws {
      let one = try Self.fixture().cases[number]
      let place = try AnalyzePlace(try workshop(), "plane-\(number)-\(method)")
      try place.writeEnsemble(one.plane)
      try place.writeNetCDF(one.sightings)
      let answer = (method == "eakf" ? one.eakf : one.letkf).flatMap { $0 }
      let before = try place.bytes("ensemble.nc")
      var first: [String: Data]?
      for ranks in [1, 2, 3, one.ensemble.count] {
        _ = try place.analyzed(ranks, ["--method", method] + one.settings)
        let found = try place.values("out/ensemble.nc", "t")
        #expect(Self.worst(found, answer) < 1e-10, "\(ranks) ranks")
        let files = try place.contents("out")
        #expect(files.keys.sorted() == Self.names)
        if let first { #expect(differences(files, first) == [], "\(ranks) ranks") }
        first = first ?? files
        try FileManager.default.removeItem(atPath: place.path("out"))
      }
      #expect(try place.bytes("ensemble.nc") == before)
    }

    /// What is said about an analysis is that of its own ensembles.
    @Test func incrementsAndSpread() throws {
      let one = try Self.fixture().cases[0]
      let place = try AnalyzePlace(try workshop(), "increments")
      try place.writeEnsemble(one.plane)
      try place.writeNetCDF(one.sightings)
      _ = try place.analyzed(2, ["--method", "letkf"] + one.settings)
      func moments(_ ensemble: [[Double]]) -> (mean: [Double], spread: [Double]) {
        let members = Double(ensemble.count)
        let mean = ensemble[0].indices.map { i in ensemble.reduce(0) { $0 + $1[i] } / members }
        let spread = mean.indices.map { i in
          (ensemble.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[i] - mean[i]) } / (members - 1)).squareRoot()
        }
        return (mean, spread)
      }
      let (before, after) = (moments(one.ensemble), moments(one.letkf))
      for (name, expected) in [
        ("t_increment", zip(after.mean, before.mean).map { $0 - $1 }), ("t_spread_forecast", before.spread),
        ("t_spread_analysis", after.spread),
      ] {
        #expect(Self.worst(try place.values("out/increments.nc", name), expected) < 1e-6, "\(name)")
      }
      _ = try place.analyzed(2, ["--set", "output.increments=false", "--output", "without"] + one.settings)
      #expect(try place.contents("without").keys.sorted() == ["ensemble.nc", "observations.nc"])
      #expect(try place.bytes("without/ensemble.nc") == place.bytes("out/ensemble.nc"))
    }

    /// Observations as text and in NetCDF, and a file for each of ten members, whose names a pattern gives.
    @Test func formsAreEquivalent() throws {
      let one = try Self.fixture().cases[1]
      let place = try AnalyzePlace(try workshop(), "forms")
      let members = one.ensemble.count
      try #require(members == 10)
      try place.writeEnsemble(one.plane)
      try place.writeNetCDF(one.sightings)
      try place.writeCSV(one.sightings)
      _ = try place.analyzed(2, one.settings)
      _ = try place.analyzed(2, ["--observations", "obs.csv", "--output", "text"] + one.settings)
      #expect(try place.bytes("text/ensemble.nc") == place.bytes("out/ensemble.nc"))

      // Numbers without zeros before them: 10 comes after 9.
      for m in 0..<members { try place.writeEnsemble(one.plane, to: "run/mem\(m + 1)/restart.nc", members: m..<m + 1) }
      let before = try place.contents("run")
      let whole = try place.values("out/ensemble.nc", "t").map(\.bitPattern)
      for ranks in [1, 3] {
        let result = try place.analyzed(
          ranks, ["--ensemble", "run/mem*/restart.nc", "--output", "many-\(ranks)"] + one.settings)
        #expect(result.stdout.contains("letkf: 10 members, t, 63 values"))
        let parts = try (0..<members).flatMap { try place.values("many-\(ranks)/mem\($0 + 1)/restart.nc", "t") }
        #expect(parts.map(\.bitPattern) == whole, "\(ranks) ranks")
      }
      var (a, b) = (try place.contents("many-1"), try place.contents("many-3"))
      #expect(a.count == members + 2)
      // Files of provenance tell the folder's name.
      for name in ["increments.nc", "observations.nc"] { (a[name], b[name]) = (nil, nil) }
      #expect(differences(a, b) == [])
      #expect(differences(try place.contents("run"), before) == [])
    }

    /// Numbers without a place: Kalman's scalar answer for the observed one, and regression for the other.
    @Test(arguments: ["eakf", "letkf", "etkf", "denkf", "enkf"])
    func unobservedFieldFollowsByRegression(method: String) throws {
      let place = try AnalyzePlace(try workshop(), "scalars-\(method)")
      let a = [1.0, 2.5, 0.25, 3.0, 1.75], b = [10.0, 14.0, 9.5, 13.0, 11.0]
      try place.writeScalars([("a", a), ("b", b)])
      try place.write("variable,value,error_variance\na,3.5,0.75\n", to: "obs.csv")
      let result = try place.analyzed(2, ["--method", method, "--observations", "obs.csv"])
      #expect(result.stdout.contains("observations of a: 1 used"), "\(result.stdout)")
      let (newA, newB) = (try place.values("out/ensemble.nc", "a"), try place.values("out/ensemble.nc", "b"))

      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
      func covariance(_ u: [Double], _ v: [Double]) -> Double {
        let (meanU, meanV) = (mean(u), mean(v))
        return zip(u, v).reduce(0) { $0 + ($1.0 - meanU) * ($1.1 - meanV) } / Double(u.count - 1)
      }
      let slope = covariance(a, b) / covariance(a, a)
      for m in a.indices {
        #expect(abs(newB[m] - b[m] - slope * (newA[m] - a[m])) < 1e-12, "member \(m)")
        #expect(newA[m] != a[m])
      }
      let gain = covariance(a, a) / (covariance(a, a) + 0.75)
      if method == "enkf" {
        // Perturbed observations: the mean by what their mean is off, at most.
        #expect(abs(mean(newA) - mean(a) - gain * (3.5 - mean(a))) < gain * 0.75)
        return
      }
      let center = mean(a) + gain * (3.5 - mean(a))
      let factor = method == "denkf" ? 1 - gain / 2 : (1 - gain).squareRoot()
      for m in a.indices {
        #expect(abs(newA[m] - center - factor * (a[m] - mean(a))) < 1e-12, "member \(m)")
      }
    }

    /// Two modes without a place, one component observed near one of them: both go there, with the same bits on any number
    /// of ranks. The exact posterior has the means 0.8 and the spreads 0.0707 and 0.1.
    @Test(arguments: [
      "particle-filter", "localized-particle-filter", "transport", "schroedinger-bridge", "particle-flow", "langevin", "diffusion",
      "interpolants", "kernel-density", "rank-histogram",
    ])
    func oneOfTwoModes(method: String) throws {
      let place = try AnalyzePlace(try workshop(), "modes-\(method)")
      let stream = RandomStream(seed: 12, purpose: .test)
      let pairs = (0..<100).map { m in (stream.uniform(at: 1000 + m) < 0.5 ? 3.0 : 0.8, stream.normalPair(at: m)) }
      try place.writeScalars([("u", pairs.map { $0 + 0.1 * $1.0 }), ("v", pairs.map { $0 + 0.1 * $1.1 })])
      try place.write("variable,value,error_variance\nu,0.8,0.01\n", to: "obs.csv")
      var known: [[Double]]?
      for ranks in [1, 3] {
        _ = try place.analyzed(
          ranks, ["--method", method, "--observations", "obs.csv", "--set", "filter.nonlinear.regression=local"])
        let found = try ["u", "v"].map { try place.values("out/ensemble.nc", $0) }
        #expect(known == nil || found == known)
        known = found
        for (values, sd) in zip(found, [0.0707, 0.1]) {
          let mean = values.reduce(0, +) / 100
          let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 99
          #expect(abs(mean - 0.8) < 0.06, "\(mean)")
          #expect(abs(square.squareRoot() / sd - 1) < 0.35, "\(square.squareRoot())")
        }
      }
    }

    /// Members of the observed field go a share of the way to the observation, others stay.
    @Test func nudgingMovesByItsShare() throws {
      let place = try AnalyzePlace(try workshop(), "nudging")
      let (u, v) = ([1.0, 2.5, -3], [0.5, 4, 7])
      try place.writeScalars([("u", u), ("v", v)])
      try place.write("variable,value,error_variance\nu,0.8,0.01\n", to: "obs.csv")
      for ranks in 1...2 {
        _ = try place.analyzed(
          ranks, ["--method", "nudging", "--observations", "obs.csv", "--set", "filter.nudging=0.3"])
        let found = try place.values("out/ensemble.nc", "u")
        for (old, new) in zip(u, found) { #expect(abs(new - old - 0.3 * (0.8 - old)) < 1e-12) }
        #expect(try place.values("out/ensemble.nc", "v") == v)
      }
    }

    /// A Laplace error, which may be large, moves a normal prior less than a normal one of the same variance: by 1.34 against
    /// 1.5 for an observation of 3.
    @Test func lawsOfErrorsAreKnown() throws {
      let place = try AnalyzePlace(try workshop(), "laws-of-errors")
      let stream = RandomStream(seed: 13, purpose: .test)
      try place.writeScalars([("u", (0..<400).map { stream.normal(at: $0) })])
      try place.write("variable,value,error_variance\nu,3,1\n", to: "obs.csv")
      let means = try ["gaussian", "laplace"].map { law in
        _ = try place.analyzed(
          2, ["--method", "kernel-density", "--observations", "obs.csv", "--set", "observations.operators=[{kind: u, law: \(law)}]"])
        return try place.values("out/ensemble.nc", "u").reduce(0, +) / 400
      }
      #expect(abs(means[0] - 1.5) < 0.2, "\(means)")
      #expect(abs(means[0] - means[1] - 0.16) < 0.08, "\(means)")
    }

    /// Methods that know one observation at a time say so.
    @Test func orderIsForMethodsThatCan() throws {
      let place = try AnalyzePlace(try workshop(), "order")
      try place.writeScalars([("u", [1, 2, 3])])
      try place.write("variable,value,error_variance\nu,0.8,0.01\n", to: "obs.csv")
      let result = try place.analyze(
        1, ["--method", "diffusion", "--observations", "obs.csv", "--set", "filter.nonlinear.order=together"])
      #expect(result.status != 0 && result.stderr.contains("filter.nonlinear.order"), "\(result.stderr)")
    }

    /// Laws are of fields that are there, each once, and have to fit the regression.
    @Test(arguments: [
      (["--method", "gamma", "--set", "filter.nonlinear.laws=[{field: w, law: normal}]"], "filter.nonlinear.laws[0].field: found w"),
      (
        ["--method", "gamma", "--set", "filter.nonlinear.laws=[{field: u, law: normal}, {field: u, law: gamma}]"],
        "filter.nonlinear.laws[1].field: found u once more"
      ),
      (["--method", "gamma", "--set", "filter.nonlinear.regression=local"], "filter.nonlinear.regression"),
    ]) func lawsAreChecked(arguments: [String], message: String) throws {
      let place = try AnalyzePlace(try workshop(), "laws-\(UUID().uuidString)")
      try place.writeScalars([("u", [1, 2, 3])])
      try place.write("variable,value,error_variance\nu,0.8,0.01\n", to: "obs.csv")
      let result = try place.analyze(2, arguments + ["--observations", "obs.csv"])
      #expect(result.status != 0 && result.stderr.contains(message), "\(result.stderr)")
    }

    /// The seed decides on the perturbed observations, and the number of ranks does not.
    @Test func seedDecides() throws {
      let place = try AnalyzePlace(try workshop(), "seed")
      let plane = Plane(cells: [6, 7], members: 6)
      try place.writeEnsemble(plane)
      try place.writeNetCDF([Sighting(y: 2.5, x: 3.5, value: 281), Sighting(y: 4, x: 1, value: 279)])
      var files: [Data] = []
      for (ranks, seed) in [(1, "1"), (4, "1"), (2, "2")] {
        _ = try place.analyzed(ranks, ["--method", "enkf", "--seed", seed, "--set", "filter.half_width=2"])
        files.append(try place.bytes("out/ensemble.nc"))
      }
      #expect(files[0] == files[1])
      #expect(files[0] != files[2])
    }
  }
}
