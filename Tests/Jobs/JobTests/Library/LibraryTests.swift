import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Programs that run their own ensemble and call libdaunce.
  @Suite(.enabled(if: HostPrograms.canBeBuilt)) struct LibraryTests {
    /// The example's configuration, with little to train.
    private static let tracer = """
      members: 10
      model: {name: plugin, library: LIBRARY, parameters: {cells: 32, gust: 0.5}}
      observations: {networks: [{field: u, every: 4, sd: 0.1, interval: 10}]}
      truths: {test: 1, cycles: 30, spinup_cycles: 5, training: 2, training_cycles: 40}
      initial: {climatology_runs: 4}
      filter: {half_width: 4, by_method: [{method: eakf, adaptive: 0.6}]}
      agents: {base: analysis, filter: letkf, warm_start: {steps: 60, batch: 8}}
      """

    /// Simulated files, and trained agents where they are wanted, in a folder of that name.
    private func prepare(_ name: String, _ configuration: String, trains: Bool) throws -> (Workshop, HostPrograms, URL) {
      let workshop = try workshop()
      let place = try workshop.makePlace(name)
      try workshop.write(configuration, to: "\(place)/experiment.yaml")
      for stage in ["simulate"] + (trains ? ["train"] : []) {
        let result = try workshop.job(2, [stage, "--config", "experiment.yaml", "--output", "made", "--quiet"], in: place)
        try #require(result.status == 0, "\(result.stderr)")
      }
      return (workshop, try HostPrograms.make(workshop), workshop.folder.appending(path: place))
    }

    /// Mean and spread of all cycles as daunce-mpi has them (`[cycle][mean, spread][element]`).
    private func program(_ method: String, agents: Bool, fields: [String], in place: URL) throws -> [Double] {
      let result = try mpirun(
        ranks: 2, executable: "daunce-mpi",
        arguments: [
          "assimilate", "--config", "experiment.yaml", "--method", method, "--initial", "made/initial.nc", "--observations",
          "made/observations.nc", "--output", "program", "--quiet",
        ] + (agents ? ["--agents", "made/agents"] : []), in: place)
      try #require(result.status == 0, "\(result.stderr)")
      let file = try DatasetReader(path: place.appending(path: "program/analysis-\(method).nc").path)
      let times: [Double] = try file.values("time")
      let columns = try ["mean", "spread"].map { kind in try fields.map { try file.values("\($0)_\(kind)") as [Double] } }
      return times.indices.flatMap { time in
        columns.flatMap { fields in
          fields.flatMap { field in
            let count = field.count / times.count
            return field[time * count..<(time + 1) * count]
          }
        }
      }
    }

    private func doubles(_ file: URL) throws -> [Double] {
      try Data(contentsOf: file).withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: Double.self) }
      }
    }

    /// The example: a filter, one with a memory, a nonlinear update, agents that correct a filter's analysis.
    @Test func theExampleInFortranGivesTheBitsOfTheProgram() throws {
      let workshop = try workshop()
      let library = try HostPrograms.make(workshop).folder.appending(path: "libtracer.so").path
      let (_, hosts, place) = try prepare(
        "library-tracer", Self.tracer.replacingOccurrences(of: "LIBRARY", with: library), trains: true)
      for method in ["letkf", "eakf", "rank-histogram", "rl"] {
        let isAgents = method == "rl"
        let expected = try program(method, agents: isAgents, fields: ["u"], in: place)
        #expect(expected.count == 30 * 2 * 32)
        for ranks in [1, 3] {
          let words = [method, "made", "\(method)-\(ranks)"] + (isAgents ? ["made/agents"] : [])
          let result = try hosts.job("ensemble", words, ranks: ranks, in: place)
          try #require(result.status == 0, "\(result.stdout)\(result.stderr)")
          #expect(result.stdout.contains("ensemble: 30 analyses by \(method), daunce-mpi ") && result.stderr == "")
          #expect(try doubles(place.appending(path: "\(method)-\(ranks)")) == expected, "\(method) on \(ranks) ranks")
        }
      }
    }

    /// Agents that correct a coarse forecast of the host's, and a model with memory whose host observes a quantity.
    @Test(arguments: [
      (
        "lorenz96", "rl", ["X"],
        "{methods: [rl], agents: {warm_start: {steps: 60, batch: 8}, ppo: {iterations: 1, horizon: 4, sequences: 2}}}"
      ),
      (
        "adams_bashforth", "letkf", ["X", "mean"],
        "{observations: {networks: [{field: mean, every: 2, sd: 0.5, interval: 10}]}, filter: {update: all}}"
      ),
    ])
    func otherModelsGiveTheBitsOfTheProgram(model: String, method: String, fields: [String], settings: String) throws {
      let library = try ModelLibraries.examples(workshop()).appending(path: "lib\(model).so").path
      let configuration = """
        members: 6
        model: {name: plugin, library: \(library)}
        truths: {test: 1, cycles: 20, spinup_cycles: 5, training: 2, training_cycles: 40}
        initial: {climatology_runs: 4}
        """
      let keys = settings.dropFirst().dropLast().replacingOccurrences(of: ", agents:", with: "\nagents:")
        .replacingOccurrences(of: ", filter:", with: "\nfilter:")
      let isAgents = method == "rl"
      let (_, hosts, place) = try prepare("library-\(model)", "\(configuration)\n\(keys)\n", trains: isAgents)
      let expected = try program(method, agents: isAgents, fields: fields, in: place)
      let result = try hosts.job(
        "host", ["run", library, "40", method, "made", "result"] + (isAgents ? ["made/agents"] : []), ranks: 3, in: place)
      try #require(result.status == 0 && result.stdout == "done\n", "\(result.stdout)\(result.stderr)")
      #expect(try doubles(place.appending(path: "result")) == expected)
    }

    /// Lines that a job of the host in C prints, and nothing else is printed.
    private func lines(_ words: String..., ranks: Int = 3) throws -> [String] {
      let workshop = try workshop()
      let place = workshop.folder.appending(path: try workshop.makePlace("library-host"))
      let result = try HostPrograms.make(workshop).job("host", words, ranks: ranks, in: place)
      try #require(result.status == 0 && result.stderr == "", "\(result.stdout)\(result.stderr)")
      return result.stdout.split(separator: "\n").map(String.init)
    }

    private static let wrongSettings = [
      ("key", 64, "daunce_set: filter.half_widht: found an unknown key, expected a known one; the nearest is filter.half_width"),
      ("text", 65, "daunce_set_configuration:1: filter.inflation: found 0.5, expected a number of at least 1"),
      ("file", 74, "nothing.yaml: found nothing there, expected a readable YAML file"),
      ("description", 65, "description: time_step: found nothing, expected a number above 0"),
      ("array", 65, "description: array where: found nothing; expected 12 finite numbers, handed over by daunce_set_array"),
      ("method", 64, "daunce_set_method: found magic; expected one of rl, "),
      ("no-agents", 64, "daunce_set_method: found no folder for rl; expected a folder of trained agents"),
      ("agents", 74, "nowhere: found no such folder; expected the folder agents that train or run has written"),
      ("block", 64, "daunce_set_members: found 1 members on rank 0; expected 2: blocks of members in the order of ranks"),
      ("total", 64, "daunce_set_members: found 9 members on all ranks together; expected 6 (key members)"),
      ("none", 64, "daunce_set_members: found 0 members on rank 0; expected at least one on every rank"),
      ("ranks", 64, "ranks disagree about the description, its arrays, the method"),
      ("one-rank", 65, "rank 1: daunce_set_configuration:1: members: found six, expected an integer of at least 2"),
      ("configurations", 64, "ranks disagree about the configuration: rank 1 differs from rank 0"),
      ("observations", 74, "nothing.csv: cannot open the file: No such file or directory"),
      ("additive", 65, "key filter.additive: found 0.1; expected 0: the perturbations come from nature runs"),
      ("communicator", 64, "which is no communicator; expected the Fortran handle of one (MPI_Comm_c2f)"),
    ]

    /// The same code and text on all ranks.
    @Test func wrongSettingsAreNamed() throws {
      let result = try HostPrograms.make(workshop()).job(
        "host", ["settings"] + Self.wrongSettings.map(\.0), ranks: 3, in: workshop().folder)
      try #require(result.status == 0 && result.stderr == "", "\(result.stdout)\(result.stderr)")
      let told = result.stdout.split(separator: "\n")
      try #require(told.count == Self.wrongSettings.count, "\(result.stdout)")
      for ((name, code, message), line) in zip(Self.wrongSettings, told) {
        // Some are put right in the same session.
        let again = ["key", "method", "total"].contains(name) ? 0 : -1
        #expect(line.hasPrefix("\(code) same=1 again=\(again) | ") && line.contains(message), "\(name): \(line)")
      }
    }

    private static let wrongAnalyses = [
      ("nan", 65, "rank 2: member 5: found nan in cell 4 of u; expected finite numbers"),
      ("lost", 66, "rank 2: eakf failed at time 1.0: member 5 is negative where it must not be, not finite, or beyond"),
      ("count", 64, "rank 2: daunce_assimilate: found 3 members of 13 numbers; expected 2 of 13"),
      ("size", 64, "rank 2: daunce_assimilate: found 2 members of 12 numbers; expected 2 of 13"),
      ("null", 64, "rank 2: daunce_assimilate: found NULL; expected a place for each of 2 states"),
      ("quantity", 65, "observations of w: found a quantity that the state does not have; expected one of u, total"),
      ("both", 64, "found observations of time 1.0 by daunce_observe and in both.csv; expected one of them"),
      ("arrays", 64, "rank 2: daunce_observe: found NULL, or arrays of different lengths"),
      ("cell", 65, "observation 0 of u: found cell 12; expected cells from 0 to 11"),
      ("error", 65, "observation 0 of u: found an error of 0.0; expected a standard deviation above 0"),
      ("differ", 64, "daunce_observe: found other observations on some ranks; expected the same on all, or on rank 0 alone"),
      ("elsewhere", 64, "daunce_observe: found observations, but none on rank 0"),
      ("between", 64, "daunce_assimilate: found time 1.5; expected 0.0 (the start) plus a whole multiple of 1.0"),
      ("times", 64, "daunce_assimilate: found another time on some ranks; expected the same on all"),
    ]

    /// The same code and text on all ranks, states as they were, and the right call works after it.
    @Test func wrongAnalysesAreNamedAndTouchNothing() throws {
      let result = try HostPrograms.make(workshop()).job(
        "host", ["analysis"] + Self.wrongAnalyses.map(\.0), ranks: 3, in: workshop().folder)
      try #require(result.status == 0 && result.stderr == "", "\(result.stdout)\(result.stderr)")
      let told = result.stdout.split(separator: "\n")
      try #require(told.count == Self.wrongAnalyses.count, "\(result.stdout)")
      for ((name, code, message), line) in zip(Self.wrongAnalyses, told) {
        #expect(line.hasPrefix("\(code) same=1 untouched=1 again=0 | ") && line.contains(message), "\(name): \(line)")
      }
      // A time that has an analysis already: the second call is refused.
      #expect(try lines("analysis", "past")[0].hasPrefix("64 same=1 untouched=1 again=64 | daunce_assimilate: found time 1.0"))
    }

    @Test func callsInAWrongOrderAndOnNoSession() throws {
      let line = try lines("order")
      let expected = "64 64 -1 -1 | 64 64 64 64 65 | 64 64 64 64 | found -7, which is no communicator"
      #expect(line.count == 1 && line[0].hasPrefix(expected), "\(line)")
    }

    /// Cells on rank 0 or on all ranks, places and a file: the same bits, on any number of ranks.
    @Test func observationsOfEverySource() throws {
      let known = try [1, 3, 4].map { try lines("sources", ranks: $0) }
      #expect(known[0].count == 1 && known[0][0].hasPrefix("same same other "))
      #expect(known[1] == known[0] && known[2] == known[0], "\(known)")
    }

    @Test func twoSessionsDoNotMeet() throws {
      #expect(try lines("two") == ["same same"])
    }

    @Test func aSessionGoesOnFromSavedBytes() throws {
      let line = try lines("save")
      let expected = "same other 65 65 daunce_restore: found a session with eakf; expected one with letkf"
      try #require(line.count == 1 && line[0].hasPrefix(expected), "\(line)")
      #expect(line[0].contains("; rank 2: daunce_restore: found ") && line[0].contains(" damaged bytes; expected what"))
    }

    @Test func modesAndMPIAreLeftAsTheyWere() throws {
      #expect(try lines("modes") == ["same kept=1 moments=1 handler=1 thread=1 ranks=1"])
    }

    @Test func theShortestProgramRuns() throws {
      let workshop = try workshop()
      let hosts = try HostPrograms.make(workshop)
      let results = try [1, 2].map { try hosts.job("ring", [], ranks: $0, in: workshop.folder) }
      #expect(results[0].stdout.hasPrefix("ring: error of the mean 0.") && results[0].stdout == results[1].stdout, "\(results)")
      #expect(results.allSatisfy { $0.status == 0 && $0.stderr == "" })
    }
  }

  /// What libdaunce.so shows to others.
  @Suite(.enabled(if: HostPrograms.canBeBuilt && isInstalled("nm", "ldd", "g++"))) struct LibrarySymbolTests {
    /// The header's functions and no others, such as the `exit` that watches models.
    @Test func theHeadersFunctionsAreAllThatItShows() throws {
      let library = buildFolder.appending(path: "libdaunce.so").path
      let symbols = try run(command: ["nm", "-D", "--defined-only", library])
      let shown = Set(symbols.stdout.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) })
      let header = try String(contentsOf: sourceFolder.appending(path: "Sources/CDaunce/include/daunce.h"), encoding: .utf8)
      let functions = Set(
        header.split(separator: "\n").compactMap { line -> String? in
          guard ["int32_t", "int64_t", "double", "const char"].contains(where: { line.hasPrefix($0) }) else { return nil }
          let words = line.prefix { $0 != "(" }.split { $0 == " " || $0 == "*" }
          return words.last.map(String.init)
        })
      #expect(functions.count > 25 && functions == shown, "\(shown.symmetricDifference(functions))")
      let module = try String(contentsOf: sourceFolder.appending(path: "Sources/CDaunce/daunce.f90"), encoding: .utf8)
      for name in shown { #expect(module.contains(name), "\(name) in daunce.f90") }
    }

    @Test func itNeedsNoSwift() throws {
      let needed = try run(command: ["ldd", buildFolder.appending(path: "libdaunce.so").path])
      #expect(!needed.stdout.lowercased().contains("swift") && !needed.stdout.contains("Foundation"), "\(needed.stdout)")
      #expect(!needed.stdout.contains("not found"))
    }

    @Test func theHeaderIsCPlusPlusToo() throws {
      let header = sourceFolder.appending(path: "Sources/CDaunce/include/daunce.h").path
      let compiler = try run(command: ["g++", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++", header])
      #expect(compiler.status == 0, "\(compiler.stderr)")
    }
  }
}
