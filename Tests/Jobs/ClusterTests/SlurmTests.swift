import Foundation
import TestSupport
import Testing

extension ClusterTests {
  /// The scripts of launch/slurm under a real Slurm.
  @Suite(
    .serialized, .slurm, .enabled(if: Slurm.isPossible, "a Slurm of our own needs root, slurmctld, slurmd and sbatch"))
  struct SlurmTests {
    private func script(_ name: String) -> String { sourceFolder.appending(path: "launch/slurm/\(name)").path }

    @Test func anExperimentWritesWhatADirectRunWrites() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let status = try slurm.submit(
        "--ntasks=3", "--output=log", script("experiment"), in: place,
        ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_OUTPUT": "out", "DAUNCE_ARGUMENTS": "--seed 5 --quiet"])
      try #require(status == 0, "\(place.text("log"))")
      #expect(place.text("log").contains("mpirun -n 3 "))
      let submitted = try place.data("out")
      #expect(submitted.count == 10)
      let direct = try place.direct("run --output out --config small.yaml --seed 5 --quiet")
      try #require(direct.status == 0, "\(direct.stderr)")
      #expect(try place.differences("out", from: submitted) == [])
    }

    /// The same by srun, which starts the ranks itself: Slurm speaks PMIx with Open MPI.
    @Test func srunTakesTheLauncher() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let status = try slurm.submit(
        "--ntasks=2", "--output=log", script("experiment"), "simulate", "--quiet", in: place,
        ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_OUTPUT": "out", "DAUNCE_MPIRUN": "srun --mpi=pmix"])
      try #require(status == 0, "\(place.text("log"))")
      #expect(place.text("log").contains("srun --mpi=pmix -n 2 "))
      let submitted = try place.data("out")
      let direct = try place.direct("simulate --output out --config small.yaml --quiet")
      try #require(direct.status == 0, "\(direct.stderr)")
      #expect(submitted.count == 3)
      #expect(try place.differences("out", from: submitted) == [])
    }

    /// What is wrong is said once in the log, and the job's exit code tells it too.
    @Test func mistakesEndTheJobWithTheProgramsCode() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      func status(_ settings: [String: String]) throws -> Int? {
        try? FileManager.default.removeItem(atPath: place.path("log"))
        return try slurm.submit(
          "--ntasks=2", "--output=log", script("experiment"), "simulate", in: place, settings)
      }
      #expect(try status(["DAUNCE_CONFIG": "missing.yaml"]) == 74)
      #expect(place.text("log").components(separatedBy: "missing.yaml: ").count == 2)
      #expect(try status(["DAUNCE_PROGRAM": "/no/such/program"]) == 69)
      #expect(place.text("log").contains("daunce-mpi: /no/such/program: found no such program"))
      #expect(try status(["DAUNCE_PRELUDE": "modules"]) == 69)
      #expect(place.text("log").contains("DAUNCE_PRELUDE: modules: found no such file"))
      #expect(try status(["DAUNCE_ROOT": ""]) == 64)
      #expect(
        place.text("log")
          == "daunce-mpi: \(place.folder.path): found no launch/batch, expected the project's folder in DAUNCE_ROOT\n")
    }

    @Test func theArrayTimesEveryPointOnce() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let settings = [
        "DAUNCE_CONFIG": "small.yaml", "DAUNCE_POINTS": "2:1 4:2",
        "DAUNCE_ARGUMENTS": "--methods eakf --cycles 8 --quiet",
      ]
      // One task more than there are points.
      func study() throws -> Int? {
        try slurm.submit("--array=0-2", "--ntasks=2", "--output=log-%a", script("scaling"), in: place, settings)
      }
      try #require(try study() == 0, "\(place.text("log-0"))")
      for (members, ranks) in [(2, 1), (4, 2)] {
        let file = place.folder.appending(path: "scaling/members-\(members)-ranks-\(ranks)/benchmark.json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        #expect(report["members"] as? Int == members && report["ranks"] as? Int == ranks)
      }
      #expect(place.text("log-2") == "daunce-mpi: point 2: found 2 in DAUNCE_POINTS, counted from 0; nothing to do\n")
      #expect(try study() == 0)
      #expect(place.text("log-1").contains("members-4-ranks-2/benchmark.json is there"))
    }

    @Test func assimilationWaitsForTraining() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let settings = ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_OUTPUT": "out", "DAUNCE_ARGUMENTS": "--quiet"]
      let script = script("train-then-assimilate")
      let jobs = try slurm.run([script, "--ntasks=2"], in: place, settings)
      try #require(jobs.status == 0, "\(jobs.stderr)")
      let last = try #require(jobs.value("assimilate"))
      #expect(try slurm.reaches("COMPLETED", last, in: place))
      #expect(try place.data("out/trained").count == 4)
      let submitted = try place.data("out/analysis")
      #expect(submitted.keys.sorted() == ["analysis-rl.nc"])
      // Now on files that are there, without the third job.
      let files = ["DAUNCE_INITIAL": "out/simulated/initial.nc", "DAUNCE_OBSERVATIONS": "out/simulated/observations.nc"]
      let again = try slurm.run([script, "--ntasks=3"], in: place, settings.merging(files) { $1 })
      #expect(again.value("simulate") == nil)
      #expect(try slurm.reaches("COMPLETED", try #require(again.value("assimilate")), in: place))
      #expect(try place.differences("out/analysis", from: submitted) == [])
    }

    @Test func withoutTrainingThereIsNoAssimilation() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let jobs = try slurm.run(
        [script("train-then-assimilate"), "--ntasks=2"], in: place,
        ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_ARGUMENTS": "--set members=1"])
      try #require(jobs.status == 0, "\(jobs.stderr)")
      #expect(try slurm.reaches("CANCELLED", try #require(jobs.value("assimilate")), in: place))
      let train = try #require(jobs.value("train"))
      #expect(try slurm.reaches("FAILED", train, in: place))
      #expect(try slurm.value("ExitCode", of: train, in: place) == "64:0", "\(place.text("slurm-\(train).out"))")
      #expect(!place.has("results"))
    }
  }
}
