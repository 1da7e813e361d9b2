import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Jobs that are killed at a random moment, with all that they have started, and gone on with.
  @Suite(.enabled(if: ExternalPrograms.canBeBuilt)) struct KilledJobTests {
    /// kill -9 of mpirun, all ranks and their programs during forecasts: twenty moments, each from the last checkpoint on to
    /// the same bits.
    @Test func killedDuringForecastsTheSameBitsComeOut() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "killed")
      // A member takes two hundredths of a second for each of the twelve cycles.
      let environment = ["KIND": "brief", "NUMBERS": "000", "FROM": "any"]
      let expected = try programs.builtIn()
      var kills = 0
      var generator = Moments(state: 20)
      for seed in 0..<20 {
        let output = "out-\(seed)"
        let words = programs.words([], output: output) + ["--checkpoint-every", "1"]
        let job = try RunningJob(ranks: 2, executable: "daunce-mpi", arguments: words, in: programs.folder, environment: environment)
        _ = job.launcher
        let member = programs.folder.path + "/members/member-000/input.bin"
        while job.isRunning, !FileManager.default.fileExists(atPath: member) { usleep(500) }
        usleep(UInt32(generator.next(below: 200_000)))
        job.killAll("daunce-mpi")
        let killed = try job.wait()
        if killed.status != 0 { kills += 1 }
        #expect(processesLeft(marked: job.mark).isEmpty)
        let checkpoints = (try? FileManager.default.contentsOfDirectory(atPath: programs.folder.path + "/\(output)/checkpoints")) ?? []
        let hasCheckpoint = checkpoints.contains { $0.hasPrefix("manifest-") && $0.hasSuffix(".json") }
        if killed.status != 0 {
          let again = try programs.assimilate(
            [1, 2, 3][seed % 3], output: output, environment: environment, more: ["--checkpoint-every", "1"] + (hasCheckpoint ? ["--resume"] : []))
          try #require(again.status == 0, "\(seed): \(again.stderr)")
        }
        #expect(try programs.values("X_mean", of: output) == expected, "\(seed)")
        try FileManager.default.removeItem(at: programs.folder.appending(path: "members"))
      }
      #expect(kills > 15)
    }

    /// Numbers that are the same in every run of the test (Marsaglia's xorshift).
    private struct Moments {
      var state: UInt64

      mutating func next(below limit: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state % limit
      }
    }
  }
}
