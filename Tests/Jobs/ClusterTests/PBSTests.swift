import Foundation
import TestSupport
import Testing

extension ClusterTests {
  /// The scripts of launch/pbs, with commands in place of PBS that run jobs at once; see Helpers/pbs/qsub.
  @Suite struct PBSTests {
    /// Submits a script with variables and returns the logs of its job and of those that it submitted.
    private func submit(
      _ script: String, _ place: Place, ranks: Int = 2, limit: String = "01:00:00", options: [String] = [],
      _ settings: [String: String]
    ) throws -> [String] {
      let hosts = String(repeating: "localhost\n", count: ranks)
      try Data(hosts.utf8).write(to: place.folder.appending(path: "nodes"))
      // The job's environment is empty but for these.
      var variables = jobEnvironment.filter { $0.key.hasPrefix("DAUNCE_") }
      // The last bits depend on the kernels that OpenBLAS is told to take.
      variables["OPENBLAS_CORETYPE"] = ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"]
      variables["DAUNCE_MPIRUN"] = "mpirun --bind-to none"
      variables.merge(settings) { $1 }
      let list = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
      let fakes = sourceFolder.appending(path: "Tests/Jobs/ClusterTests/Helpers/pbs").path
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      let script = sourceFolder.appending(path: "launch/pbs/\(script)").path
      let job = try run(
        command: ["qsub"] + options + ["-v", list, script], in: place.folder,
        environment: [
          "PATH": "\(fakes):\(path)", "FAKE_PBS_NODEFILE": place.path("nodes"), "FAKE_PBS_WALLTIME": limit,
        ])
      try #require(job.status == 0, "\(job.stderr)")
      return (1...).lazy.prefix { place.has("log.\($0)") }.map { place.text("log.\($0)") }
    }

    @Test func anExperimentWritesWhatADirectRunWrites() throws {
      let place = try Place()
      defer { place.remove() }
      // Without options for mpirun, though there may be fewer cores.
      let logs = try submit(
        "experiment", place, ranks: 3,
        [
          "DAUNCE_CONFIG": "small.yaml", "DAUNCE_OUTPUT": "out", "DAUNCE_ARGUMENTS": "--seed 5 --quiet",
          "DAUNCE_MPIRUN": "mpirun",
        ])
      try #require(logs.count == 1 && logs[0].hasSuffix("exit code 0\n"), "\(logs)")
      #expect(logs[0].contains("--signal=USR1 3480 mpirun -n 3 "), "\(logs)")
      let submitted = try place.data("out")
      #expect(submitted.count == 10)
      let direct = try place.direct("run --output out --config small.yaml --seed 5 --quiet")
      try #require(direct.status == 0, "\(direct.stderr)")
      #expect(try place.differences("out", from: submitted) == [])
    }

    @Test func aJobAtItsLimitSubmitsAnotherThatGoesOn() throws {
      let place = try Place()
      defer { place.remove() }
      let standIn = sourceFolder.appending(path: "Tests/Jobs/ClusterTests/Helpers/stand-in").path
      let settings = ["DAUNCE_PROGRAM": standIn, "DAUNCE_MARGIN": "5", "DAUNCE_OUTPUT": "out"]
      let logs = try submit("experiment", place, limit: "00:00:07", settings)
      try #require(logs.count == 2, "\(logs)")
      #expect(logs[0].hasSuffix("interrupted; the job above goes on from the checkpoint\nexit code 75\n"), "\(logs)")
      #expect(logs[1].hasSuffix("exit code 0\n"), "\(logs)")
      #expect(Set(place.text("out/words").split(separator: "\n")) == ["run --output out", "run --output out --resume"])
      // Once too often.
      let refused = try submit(
        "experiment", place, limit: "7", settings.merging(["DAUNCE_OUTPUT": "new", "DAUNCE_RESTARTS": "0"]) { $1 })
      #expect(refused.count == 3 && refused[2].contains("restarted 0 times already"), "\(refused)")
      #expect(place.has("new/checkpoints/manifest-1.json"))
    }

    /// Without a limit to be known the job still runs, and says what it lacks.
    @Test func anUnknownOrShortLimitIsSaid() throws {
      let place = try Place()
      defer { place.remove() }
      let settings = ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_COMMAND": "simulate"]
      let logs = try submit("experiment", place, limit: "", settings)
      #expect(logs[0].contains("this job's limit: found none, expected HH:MM:SS in DAUNCE_WALLTIME"), "\(logs)")
      #expect(logs[0].hasSuffix("exit code 0\n"))
      let short = try submit("experiment", place, limit: "00:02:00", settings)
      #expect(short[1].contains("a limit of 00:02:00 is no longer than DAUNCE_MARGIN, 120 s"), "\(short)")
      let lost = try submit("experiment", place, settings.merging(["DAUNCE_ROOT": ""]) { $1 })
      #expect(
        lost[2] == "daunce-mpi: \(place.folder.path): found no launch/pbs/functions, "
          + "expected the project's folder in DAUNCE_ROOT\nexit code 64\n")
    }

    @Test func theArrayTimesEveryPoint() throws {
      let place = try Place()
      defer { place.remove() }
      let logs = try submit(
        "scaling", place, options: ["-J", "0-2"],
        [
          "DAUNCE_CONFIG": "small.yaml", "DAUNCE_POINTS": "2:1 4:2",
          "DAUNCE_ARGUMENTS": "--methods eakf --cycles 8 --quiet",
        ])
      #expect(logs.count == 1 && logs[0].hasSuffix("exit code 0\n"), "\(logs)")
      #expect(logs[0].contains("point 2: found 2 in DAUNCE_POINTS"))
      for point in ["members-2-ranks-1", "members-4-ranks-2"] { #expect(place.has("scaling/\(point)/benchmark.json")) }
    }

    @Test func assimilationFollowsTraining() throws {
      let place = try Place()
      defer { place.remove() }
      let settings = ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_OUTPUT": "out", "DAUNCE_ARGUMENTS": "--quiet"]
      let logs = try submit("train-then-assimilate", place, settings)
      try #require(logs.count == 2 && logs.allSatisfy { $0.hasSuffix("exit code 0\n") }, "\(logs)")
      let submitted = try place.data("out/analysis")
      #expect(submitted.keys.sorted() == ["analysis-rl.nc"])
      let direct = try place.direct(
        "assimilate --output out/analysis --config small.yaml --agents out/trained/agents --initial "
          + "out/simulated/initial.nc --observations out/simulated/observations.nc --quiet")
      try #require(direct.status == 0, "\(direct.stderr)")
      #expect(try place.differences("out/analysis", from: submitted) == [])
      // A training that fails is the end.
      let wrong = settings.merging(["DAUNCE_ARGUMENTS": "--members 1"]) { $1 }
      let failed = try submit("train-then-assimilate", place, wrong)
      #expect(failed.count == 3 && failed[2].hasSuffix("exit code 64\n"), "\(failed)")
    }
  }
}
