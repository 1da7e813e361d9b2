import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Runs of more cycles than are in memory at a time.
  @Suite struct LongRunTests {
    static let configuration = """
      model: {name: lorenz96}
      members: 6
      methods: [eakf]
      truths: {test: 1, spinup_cycles: 10}
      """

    private func run(_ place: String, ranks: Int, cycles: Int, every: Int, _ more: String...) throws -> JobResult {
      try workshop().job(
        ranks,
        ["run", "--config", "long.yaml", "--cycles", "\(cycles)", "--set", "output.every=\(every)", "--output", "out"]
          + more, in: place)
    }

    private func place(_ name: String) throws -> String {
      let place = try workshop().makePlace(name)
      try workshop().write(Self.configuration, to: "\(place)/long.yaml")
      return place
    }

    @Test func memoryDoesNotGrowWithCycles() throws {
      let place = try place("memory")
      var peaks: [Int] = []
      for cycles in [20_000, 60_000] {
        let result = try run(place, ranks: 1, cycles: cycles, every: cycles / 10, "--log-level", "info")
        try #require(result.status == 0, "\(result.stderr)")
        let mark = "peak_memory_kilobytes="
        let text = try #require(result.stderr.components(separatedBy: mark).dropFirst().first)
        peaks.append(try #require(Int(text.prefix { $0.isNumber })))
      }
      // The truth alone would take another 13 megabytes, its observations three times that.
      #expect(peaks[1] - peaks[0] < 3_000, "\(peaks)")
    }

    /// Windows follow each other to the bits of a truth simulated in one go.
    @Test func windowsAreOneTruth() throws {
      let place = try place("windows")
      let result = try run(place, ranks: 2, cycles: 9_000, every: 100)
      try #require(result.status == 0, "\(result.stderr)")
      let whole = try workshop().daunce(
        1, "simulate", "--config", "long.yaml", "--cycles", "9000", "--output", "whole", in: place)
      try #require(whole.status == 0, "\(whole.stderr)")
      for (name, offset) in [("nature.nc", 0), ("observations.nc", 99)] {
        let folder = try workshop().folder.appending(path: place)
        let some = try DatasetReader(path: folder.appending(path: "out/\(name)").path).field("X")
        let all = try DatasetReader(path: folder.appending(path: "whole/\(name)").path).field("X")
        let rows = some.count / 40
        #expect(rows == (offset == 0 ? 91 : 90))
        for row in 0..<rows {
          let expected = all[(offset + 100 * row) * 40..<(offset + 100 * row + 1) * 40]
          try #require(Array(some[row * 40..<(row + 1) * 40]) == Array(expected), "\(name), row \(row)")
        }
      }
    }

    private static let arguments = [
      "--config", "long.yaml", "--cycles", "150000", "--set", "output.every=1000", "--output", "out",
      "--checkpoint-every", "20000",
    ]

    private func files(_ place: String) throws -> [String: Data] {
      var files = try workshop().contents("\(place)/out")
      files["scores.json"] = nil
      return files
    }

    /// SIGUSR1 goes to the ranks at once. SIGTERM Open MPI's mpirun keeps for a second, and kills them after another.
    @Test func interruptedLateItGoesOnToTheSameBits() throws {
      let whole = try place("long-whole")
      let result = try workshop().job(2, Self.arguments, in: whole)
      try #require(result.status == 0, "\(result.stderr)")
      for signal in [SIGUSR1, SIGTERM] {
        let place = try place("long-\(signal)")
        let folder = try workshop().folder.appending(path: place)
        let job = try RunningJob(ranks: 2, executable: "daunce-mpi", arguments: Self.arguments, in: folder)
        _ = job.launcher
        let first = folder.path + "/out/checkpoints/manifest-1.json"
        while job.isRunning, !FileManager.default.fileExists(atPath: first) { usleep(2_000) }
        #expect(job.signalLauncher(signal))
        let start = ContinuousClock.now
        let interrupted = try job.wait()
        #expect((ContinuousClock.now - start) / .seconds(1) < FaultTests.grace)
        #expect(signal == SIGUSR1 ? interrupted.status == 75 : interrupted.status != 0)
        #expect(processesLeft(marked: job.mark).isEmpty)
        let resumed = try workshop().job(3, Self.arguments + ["--resume"], in: place)
        try #require(resumed.status == 0, "\(resumed.stderr)")
        // From the cycle of the signal, and not from a checkpoint that was due anyway.
        let text = try #require(resumed.stderr.components(separatedBy: "going on from cycle ").dropFirst().first)
        #expect(try #require(Int(text.prefix { $0.isNumber })) % 20_000 != 0)
        #expect(differences(try files(place), try files(whole)) == [])
      }
      #expect(try files(whole).count == 4)
    }
  }
}
