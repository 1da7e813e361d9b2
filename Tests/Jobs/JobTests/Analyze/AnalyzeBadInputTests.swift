import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What `analyze` cannot work with ends all ranks with one message that names the culprit, makes no folder, and
  /// leaves what it was given as it was.
  @Suite struct AnalyzeBadInputTests {
    struct Case: CustomTestStringConvertible, Sendable {
      let arguments: [String]
      let status: Int32
      let message: [String]
      let ranks: Int

      init(_ arguments: [String], _ status: Int32, _ message: String..., ranks: Int = 2) {
        (self.arguments, self.status, self.message, self.ranks) = (arguments, status, message, ranks)
      }

      var testDescription: String { arguments.joined(separator: " ") }
    }

    static let ensembles: [Case] = [
      Case(["--ensemble", "single.nc"], 65, "single.nc", "1 member", "at least two", ranks: 1),
      Case(["--ensemble", "good/m1.nc"], 65, "good/m1.nc", "dimension member", "a file for each member"),
      Case(["--ensemble", "text.nc"], 65, "text.nc", "a file of another kind", "NetCDF"),
      Case(["--ensemble", "empty.nc"], 65, "empty.nc", "an empty file"),
      Case(["--ensemble", "truncated.nc"], 65, "truncated.nc", "truncated or damaged"),
      Case(["--ensemble", "missing.nc"], 74, "missing.nc", "No such file"),
      Case(["--ensemble", "nothing/m*.nc"], 74, "nothing/m*.nc", "no file of this pattern"),
      Case(["--ensemble", "good"], 74, "good", "a folder or device"),
      Case(["--ensemble", "good/m1.nc", "good/m1.nc"], 65, "good/m1.nc"),
      Case(["--ensemble", "shapes/m*.nc"], 65, "shapes/m2.nc", "variable t", "x = 6"),
      Case(["--ensemble", "places/m*.nc"], 65, "places/m2.nc", "variable x", "2.0 at index 1", "1.0"),
      Case([], 64, "5 members", "6 ranks", ranks: 6),
    ]

    static let observations: [Case] = [
      Case(["--observations", "of-q.csv"], 65, "of-q.csv", "observations of q", "one of t"),
      Case(["--observations", "without-x.csv"], 65, "without-x.csv", "coordinate x", "coordinates y only"),
      Case(["--observations", "negative.csv"], 65, "negative.csv", "line 3", "error_variance", "-0.5", "positive"),
      Case(["--observations", "negative.nc"], 65, "negative.nc", "-0.5", "positive"),
      Case(["--observations", "words.csv"], 65, "words.csv", "warm"),
      Case(["--observations", "text.nc"], 65, "text.nc"),
      Case(["--observations", "missing.nc"], 74, "missing.nc", "No such file"),
      Case(["--observations", "obs.nc", "nothing*.csv"], 74, "nothing*.csv", "no file of this pattern"),
      Case(["--observations", "two.csv", "--ensemble", "scalars.nc"], 65, "two.csv", "a, b"),
    ]

    static let settings: [Case] = [
      Case(
        ["--set", "filter.half_width=1", "--ensemble", "scalars.nc", "--observations", "a.csv"], 65,
        "filter.half_width", "without coordinates", "scalars.nc"),
      Case(["--set", "filter.half_width=[1, 2, 3]"], 65, "filter.half_width", "3 numbers", "2 (x, y)"),
      Case(["--set", "filter.half_width=-1"], 64, "filter.half_width", "-1", "above 0"),
      Case(["--set", "filter.half_widht=1"], 64, "filter.half_widht", "nearest is filter.half_width"),
      Case(["--method", "etkf", "--set", "filter.half_width=2"], 64, "etkf", "filter.half_width", "letkf"),
      Case(["--set", "filter.rotation=true"], 64, "filter.rotation", "etkf"),
      Case(["--set", "filter.nudging=0.5"], 64, "filter.nudging", "nudging"),
      Case(["--set", "filter.rtps=0.5", "--set", "filter.rtpp=0.5"], 64, "filter.rtps", "filter.rtpp"),
      Case(["--set", "state.fields=[u]"], 65, "ensemble.nc", "variable u"),
      Case(["--set", "state.member=realisation"], 65, "ensemble.nc", "dimension realisation", "member"),
      Case(["--set", "state.periodic=[z]"], 65, "z", "y, x"),
      Case(["--method", "letfk"], 64, "letfk"),
      Case(["--config", "misspelt.yaml"], 65, "misspelt.yaml:2", "half_widht"),
    ]

    private static let prepared = Lock<[URL: AnalyzePlace]>([:])

    /// The inputs, made once for all tests.
    private func place() throws -> AnalyzePlace {
      let workshop = try workshop()
      return try Self.prepared.withLock { known in
        if let place = known[workshop.folder] { return place }
        let place = try AnalyzePlace(workshop, "bad")
        try Self.write(in: place)
        known[workshop.folder] = place
        return place
      }
    }

    private static func write(in place: AnalyzePlace) throws {
      let plane = Plane(cells: [6, 7], members: 5)
      try place.writeEnsemble(plane)
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 281)])
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 281, errorVariance: -0.5)], to: "negative.nc")
      try place.writeEnsemble(plane, to: "single.nc", members: 0..<1, hasMembers: true)
      for folder in ["good", "shapes", "places"] {
        for m in 1...3 {
          var one = plane
          if m == 2, folder == "shapes" { one = Plane(cells: [6, 6], members: 5) }
          if m == 2, folder == "places" { one.spacing[1] = 2 }
          try place.writeEnsemble(one, to: "\(folder)/m\(m).nc", members: m..<m + 1)
        }
      }
      try place.writeScalars([("a", [1, 2, 4]), ("b", [3, 2, 1])], to: "scalars.nc")
      try place.bytes("ensemble.nc").dropLast(2000).write(to: place.folder.appending(path: "truncated.nc"))
      for (name, text) in [
        "text.nc": "These are the values of t: 280, 281, 279, 280.\n", "empty.nc": "",
        "of-q.csv": "variable,y,x,value,error_variance\nt,1,2,281,1\nq,1,2,0.01,0.0001\n",
        "without-x.csv": "variable,y,value,error_variance\nt,1,281,1\n",
        "negative.csv": "y,x,value,error_variance\n1,2,281,0.5\n1,3,281,-0.5\n",
        "words.csv": "y,x,value,error_variance\n1,2,warm,0.5\n", "two.csv": "value,error_variance\n2,1\n",
        "a.csv": "variable,value,error_variance\na,2,1\n", "misspelt.yaml": "filter:\n  half_widht: 2\n",
      ] { try place.write(text, to: name) }
    }

    @Test(arguments: ensembles + observations + settings)
    func isRefused(_ bad: Case) throws {
      let place = try place()
      let before = try place.contents(".")
      let mark = UUID().uuidString
      let start = ContinuousClock.now
      let result = try place.analyze(bad.ranks, bad.arguments, environment: ["DAUNCE_TEST_JOB": mark])
      #expect(ContinuousClock.now - start < .seconds(15))
      #expect(result.status == bad.status, "\(result.stderr)")
      #expect(result.stdout.isEmpty, "\(result.stdout)")
      // The parser of the command line has words of its own.
      let messages = result.stderr.split(separator: "\n").filter {
        $0.contains("daunce-mpi: ") || $0.hasPrefix("Error: ")
      }
      #expect(messages.count == 1, "\(result.stderr)")
      for part in bad.message { #expect(messages.first?.contains(part) == true, "\(part): \(result.stderr)") }
      #expect(!place.exists("out"))
      #expect(differences(try place.contents("."), before) == [])
      #expect(processesLeft(marked: mark).isEmpty)
    }

    /// Ranks may be given different settings and different files; nobody waits for anybody then.
    @Test func ranksMustAgree() throws {
      let workshop = try workshop()
      let place = try place()
      try place.writeNetCDF([Sighting(y: 1, x: 2, value: 280)], to: "others.nc")
      func arguments(_ observations: String, _ seed: String) -> [String] {
        let files = ["--ensemble", "ensemble.nc", "--observations", observations].map {
          $0.hasSuffix(".nc") ? "\(place.name)/\($0)" : $0
        }
        return ["analyze"] + files + ["--output", "\(place.name)/out", "--seed", seed]
      }
      for (others, about) in [(arguments("obs.nc", "2"), "configuration"), (arguments("others.nc", "1"), "files")] {
        let result = try workshop.job(ranks: 2, first: arguments("obs.nc", "1"), others: others)
        #expect(result.status == 64, "\(result.stderr)")
        let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
        #expect(messages.count == 1 && messages[0].contains("ranks disagree"), "\(result.stderr)")
        #expect(messages.first?.contains(about) == true, "\(result.stderr)")
        #expect(!place.exists("out"))
      }
    }

    /// The folder of the output may not be the input's.
    @Test(arguments: [["--ensemble", "ensemble.nc"], ["--ensemble", "good/m*.nc", "--output", "good"]])
    func ensembleIsNotOverwritten(arguments: [String]) throws {
      let place = try place()
      let before = try place.contents(".")
      let all = arguments + (arguments.contains("--output") ? [] : ["--output", "."])
      let result = try place.analyze(2, all)
      #expect(result.status == 65, "\(result.stderr)")
      #expect(result.stderr.contains("the ensemble's own file"), "\(result.stderr)")
      #expect(differences(try place.contents("."), before) == [])
    }

    /// Nothing is computed where nothing can be written.
    @Test func outputThatIsAFile() throws {
      let place = try place()
      let before = try place.contents(".")
      for (output, found) in [
        ("obs.nc", "a file"), ("text.nc/out", "a file"), ("/proc/out", "cannot create the folder"),
      ] {
        let result = try place.analyze(2, ["--output", output])
        #expect(result.status == 74, "\(output): \(result.stderr)")
        let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
        #expect(messages.count == 1 && messages[0].contains(found), "\(output): \(result.stderr)")
        #expect(!result.stderr.contains("members: "), "\(output): \(result.stderr)")
      }
      #expect(differences(try place.contents("."), before) == [])
    }
  }
}
