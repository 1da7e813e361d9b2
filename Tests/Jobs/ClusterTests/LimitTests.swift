import Foundation
import TestSupport
import Testing

extension ClusterTests.SlurmTests {
  /// What a job does when Slurm warns it, mostly with a program in place of daunce-mpi that does nothing else.
  @Suite(.serialized) struct LimitTests {
    /// A job in `place` that runs and would go on for half a minute.
    private func start(_ slurm: Slurm, _ place: Place, _ settings: [String: String] = [:]) throws -> String {
      let script = sourceFolder.appending(path: "launch/slurm/experiment").path
      let standIn = ["DAUNCE_PROGRAM": sourceFolder.appending(path: "Tests/Jobs/ClusterTests/Helpers/stand-in").path]
      let job = try slurm.run(
        ["sbatch", "--parsable", "--ntasks=2", "--output=log", script], in: place, standIn.merging(settings) { $1 })
      try #require(job.status == 0, "\(job.stderr)")
      // A rank that does not mind the signal yet would be ended by it.
      #expect(try place.wait { place.has("results/started-0") && place.has("results/started-1") })
      return job.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(arguments: ["mpirun", "srun --mpi=pmix"])
    func aWarnedJobGoesBackIntoTheQueueAndOn(launcher: String) throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let job = try start(slurm, place, ["DAUNCE_MPIRUN": launcher, "DAUNCE_CONFIG": "small.yaml"])
      try slurm.warn(job, "USR1", in: place)
      #expect(try slurm.startsAgain(job, in: place), "\(place.text("log"))")
      #expect(try slurm.reaches("COMPLETED", job, in: place), "\(place.text("log"))")
      #expect(try slurm.value("Restarts", of: job, in: place) == "1")
      let calls = place.text("results/words").split(separator: "\n")
      let words = "run --output results --config small.yaml"
      #expect(calls.first == Substring(words) && calls.last == Substring("\(words) --resume"), "\(calls)")
      let lines = place.text("log").split(separator: "\n")
      #expect(lines.count { $0 == "daunce-mpi: interrupted; back in the queue, to go on from the checkpoint" } == 1)
    }

    /// SIGTERM is somebody's wish that the job ends: a cancelled job must not come back.
    @Test func aTerminatedJobLeavesACheckpointAndEnds() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let job = try start(slurm, place)
      try slurm.warn(job, "TERM", in: place)
      #expect(try slurm.reaches("FAILED", job, in: place))
      #expect(try slurm.value("ExitCode", of: job, in: place) == "75:0")
      #expect(place.has("results/checkpoints/manifest-1.json"))
      #expect(place.text("log").contains("interrupted by SIGTERM; submit again to go on from the checkpoint"))
    }

    @Test func aJobIsNotRestartedForEver() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let job = try start(slurm, place, ["DAUNCE_RESTARTS": "0"])
      try slurm.warn(job, "USR1", in: place)
      #expect(try slurm.reaches("FAILED", job, in: place))
      #expect(try slurm.value("ExitCode", of: job, in: place) == "75:0")
      #expect(place.text("log").contains("restarted 0 times already (DAUNCE_RESTARTS)"))
    }

    /// The program itself, interrupted in the middle of its work.
    @Test func aWarnedExperimentWritesWhatAnUninterruptedOneWrites() throws {
      let (slurm, place) = (try #require(Slurm.current), try Place())
      defer { place.remove() }
      let words = "--set agents.warm_start.steps=10000 --quiet"
      let script = sourceFolder.appending(path: "launch/slurm/experiment").path
      let sbatch = try slurm.run(
        ["sbatch", "--parsable", "--ntasks=2", "--output=log", script], in: place,
        ["DAUNCE_CONFIG": "small.yaml", "DAUNCE_OUTPUT": "out", "DAUNCE_ARGUMENTS": words])
      let job = sbatch.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
      // Written before the training, which takes some seconds.
      #expect(try place.wait { place.has("out/analysis-constrained-eakf.nc") })
      try slurm.warn(job, "USR1", in: place)
      #expect(try slurm.startsAgain(job, in: place), "\(place.text("log"))")
      #expect(try slurm.reaches("COMPLETED", job, in: place), "\(place.text("log"))")
      #expect(place.text("log").contains("interrupted at "), "\(place.text("log"))")
      #expect(place.text("log").contains("--quiet --resume\n"), "\(place.text("log"))")
      let submitted = try place.data("out")
      #expect(submitted.count == 10 && !place.has("out/checkpoints"))
      let direct = try place.direct("run --output out --config small.yaml \(words)")
      try #require(direct.status == 0, "\(direct.stderr)")
      #expect(try place.differences("out", from: submitted) == [])
    }
  }
}
