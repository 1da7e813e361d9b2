import DaunceArchive
import DaunceState
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What is done about members whose forecasts fail.
  @Suite(.enabled(if: ExternalPrograms.canBeBuilt)) struct ForecastPolicyTests {
    /// The member of this number, at the seventh cycle.
    private func failing(_ member: String, _ kind: String = "fail", at time: String = "20.3") -> [String: String] {
      ["KIND": kind, "NUMBERS": member, "FROM": time]
    }

    private func status(_ programs: ExternalPrograms, _ output: String, _ method: String = "letkf") throws -> [[Double]] {
      let values = try programs.values("member_status", of: output, method)
      return stride(from: 0, to: values.count, by: 6).map { Array(values[$0..<$0 + 6]) }
    }

    @Test func aRetriedForecastGivesTheSameBits() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "retried")
      for ranks in [1, 2] {
        let output = "out-\(ranks)"
        let result = try programs.assimilate(
          ranks, ["forecasts.retries=1"], output: output, environment: failing("003,005", "once-fail"))
        try #require(result.status == 0, "\(result.stderr)")
        #expect(try programs.values("X_mean", of: output) == programs.builtIn())
        let status = try status(programs, output)
        #expect(status[6] == [0, 0, 0, 1, 0, 1] && status[5] == [0, 0, 0, 0, 0, 0] && status[7] == status[5])
        for name in ["tried-003", "tried-005"] { try FileManager.default.removeItem(at: programs.folder.appending(path: "members/\(name)")) }
      }
      let hopeless = try programs.assimilate(1, ["forecasts.retries=2"], output: "hopeless", environment: failing("003"))
      #expect(hopeless.status == 65 && hopeless.stderr.contains("member 3, cycle 7: "), "\(hopeless.stderr)")
    }

    /// A member that fails at once is as one that has never been there: its weights and statistics are those of the others.
    @Test func survivorsAreAnEnsembleOfTheirOwn() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "survivors")
      let all = try EnsembleFile.read(
        programs.folder.path + "/files/initial.nc", layout: Self.layout(), memberCount: 6)
      let members = all.members
      let others = EnsembleFile(
        time: all.time, cycle: 0, memberCount: 5, members: Array(members[..<120]) + Array(members[160...]))
      try others.write(
        to: programs.folder.path + "/five.nc", layout: Self.layout(), provenance: Provenance(title: "five members", version: "1", commit: "none", history: "a test", seed: 1, configuration: ""))
      for (ranks, method) in [
        (1, "letkf"), (3, "letkf"), (6, "letkf"), (6, "eakf"), (6, "etkf"), (6, "enkf"), (6, "constrained-eakf"), (6, "transport"),
        (6, "diffusion"), (6, "rank-histogram"), (6, "localized-particle-filter"),
      ] {
        let (output, expected) = ("out-\(ranks)-\(method)", "five-\(method)")
        if !FileManager.default.fileExists(atPath: programs.folder.path + "/\(expected)") {
          let five = try programs.workshop.job(
            1,
            [
              "assimilate", "--config", "built-in.yaml", "--method", method, "--initial", "five.nc", "--observations",
              "files/observations.nc", "--output", expected, "--members", "5", "--cycles", "3", "--set", "filter.adaptive=\(Self.adaptive(method))",
            ] + Self.plain(method), in: programs.place)
          try #require(five.status == 0, "\(five.stderr)")
        }
        let result = try programs.assimilate(
          ranks, ["forecasts.on_failure=survivors", "output.members=true", "filter.adaptive=\(Self.adaptive(method))"], output: output,
          environment: failing("003", at: "20.0"), method: method, more: ["--cycles", "3"] + Self.plain(method))
        try #require(result.status == 0, "\(method) \(result.stderr)")
        #expect(result.stderr.contains("the others go on without it"), "\(result.stderr)")
        for name in ["X_mean", "X_spread"] {
          #expect(
            try programs.values(name, of: output, method) == programs.values(name, of: expected, method), "\(name), \(method) at \(ranks) ranks")
        }
        let status = try status(programs, output, method)
        #expect(status.allSatisfy { $0 == [0, 0, 0, 3, 0, 0] })
        let states = try programs.values("X", of: output, method)
        #expect(states[120..<160].allSatisfy(\.isNaN) && states[..<120].allSatisfy(\.isFinite))
      }
    }

    /// One of them remembers factors from cycle to cycle.
    private static func adaptive(_ method: String) -> Double { method == "etkf" ? 0.2 : 0 }
    private static func plain(_ method: String) -> [String] { ["--set", "filter.inflation=\(method == "etkf" ? 1 : 1.05)"] }

    private static func layout() -> StateLayout {
      StateLayout(
        geometry: Geometry(axes: [Axis(name: "x", units: "1", period: 40)]),
        grids: [Grid([Grid.Dimension(name: "x", axis: 0, coordinates: (0..<40).map(Double.init))])],
        fields: [Field(name: "X", scale: 3.64)])
    }

    @Test func tooFewSurvivorsEndTheJob() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "too-few")
      let result = try programs.assimilate(
        2, ["forecasts.on_failure=survivors", "forecasts.least_members=5"], environment: failing("001,003,004"))
      #expect(result.status == 65)
      #expect(result.stderr.contains("3 of 6 members are left, at least 5 have to be (forecasts.least_members)"), "\(result.stderr)")
      #expect(result.stderr.contains("other members failed too: "), "\(result.stderr)")
    }

    @Test func aReplacedMemberIsASurvivorPerturbed() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "replaced")
      var known: [Double]?
      for ranks in [1, 2, 6] {
        let output = "out-\(ranks)"
        let result = try programs.assimilate(
          ranks, ["forecasts.on_failure=replace", "forecasts.perturbation=0.2"], output: output, environment: failing("003"))
        try #require(result.status == 0, "\(result.stderr)")
        #expect(result.stderr.contains("another member takes its place"), "\(result.stderr)")
        let (mean, status) = (try programs.values("X_mean", of: output), try status(programs, output))
        #expect(status[6] == [0, 0, 0, 2, 0, 0] && status[7] == [0, 0, 0, 0, 0, 0])
        #expect(known == nil || mean == known, "\(ranks) ranks")
        let builtIn = try programs.builtIn()
        #expect(mean.allSatisfy(\.isFinite) && mean[..<240] == builtIn[..<240])
        known = mean
      }
      let unperturbed = try programs.assimilate(
        2, ["forecasts.on_failure=replace", "forecasts.perturbation=0", "output.members=true", "filter.rtps=1"], output: "copied",
        environment: failing("003"))
      try #require(unperturbed.status == 0, "\(unperturbed.stderr)")
      let states = try programs.values("X", of: "copied")[(6 * 6 * 40)..<(7 * 6 * 40)]
      let rows = (0..<6).map { Array(states.dropFirst($0 * 40).prefix(40)) }
      // Members that are alike remain so but for rounding.
      let nearest = (0..<6).filter { $0 != 3 }.map { m in zip(rows[m], rows[3]).map { abs($0 - $1) }.max() ?? .nan }.min()
      let distance = try #require(nearest)
      #expect(distance < 1e-10)
    }

    /// The run stops at the seventh cycle; then only what failed is run again, and the same bits come out.
    @Test func onlyFailedMembersAreRunAgain() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "again")
      let stopped = try programs.assimilate(2, environment: failing("003", "once-fail"))
      #expect(stopped.status == 65 && stopped.stderr.contains("--rerun-failed goes on from cycle 6"), "\(stopped.stderr)")
      let again = try programs.assimilate(3, environment: failing("003", "once-fail"), more: ["--rerun-failed"])
      try #require(again.status == 0, "\(again.stderr)")
      // One of the seventh cycle, six of each of the five after it.
      #expect(again.stderr.contains("letkf: 31 forecasts by programs"), "\(again.stderr)")
      #expect(try programs.values("X_mean") == programs.builtIn())
      let builtIn = try programs.assimilate(1, configuration: "built-in.yaml", output: "not", more: ["--rerun-failed"])
      #expect(builtIn.status == 65 && builtIn.stderr.contains("--rerun-failed: found the model lorenz96, which runs no programs"), "\(builtIn.stderr)")
    }

    /// Given-up members stay so after an interruption, at any number of ranks.
    @Test func survivorsGoOnAfterAnInterruption() throws {
      let workshop = try JobTests.workshop()
      func make(_ place: String) throws -> InterruptedRun {
        let programs = try ExternalPrograms(workshop, place)
        try programs.write(
          """
          #!/bin/sh
          case "$PWD $5" in *member-002\\ 0.2|*member-000\\ 0.4) exit 3 ;; esac
          exec \(programs.folder.path)/model "$@"
          """, to: "model-that-fails")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.folder.path + "/model-that-fails")
        return try InterruptedRun(
          workshop, place,
          configuration: """
            model:
              name: external
              description: model.yaml
              format: doubles
              command: ./model-that-fails forecast {input} {output} {from} {to}
              start: ./model start {output} {seed}
            members: 5
            methods: [letkf, free]
            forecasts: {on_failure: survivors, least_members: 2}
            nature: {spinup: 2}
            initial: {climatology_runs: 4}
            filter: {half_width: 4, adaptive: 0.2}
            truths: {training: 1, training_cycles: 100, test: 1, cycles: 10, spinup_cycles: 1}
            """)
      }
      let whole = try make("fewer-whole")
      let reference = try whole.job(ranks: 2)
      try #require(reference.status == 0, "\(reference.stderr)")
      let stopped = try make("fewer-stopped")
      #expect(try stopped.interruptions(every: 1) > 1)
      #expect(try differences(whole.files(), stopped.files()).isEmpty)
      let scores = try String(contentsOf: whole.folder.appending(path: "out/scores.json"), encoding: .utf8)
      #expect(scores.contains("failed_forecasts"))
    }
  }
}
