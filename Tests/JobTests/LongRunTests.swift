import Archive
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

    @Test func interruptedLateItGoesOnToTheSameBits() throws {
      var files: [[String: Data]] = []
      for (place, isInterrupted) in [(try place("long-whole"), false), (try place("long-interrupted"), true)] {
        let arguments = ["--config", "long.yaml", "--cycles", "30000", "--set", "output.every=100", "--output", "out"]
          + ["--checkpoint-every", "5000"]
        let folder = try workshop().folder.appending(path: place)
        let job = try RunningJob(ranks: 2, executable: "daunce-mpi", arguments: arguments, in: folder)
        if isInterrupted {
          let second = folder.path + "/out/checkpoints/manifest-2.json"
          while job.isRunning, !FileManager.default.fileExists(atPath: second) { usleep(2_000) }
          job.signalLauncher(SIGUSR1)
          try #require(try job.wait().status == 75)
          let resumed = try workshop().job(3, arguments + ["--resume"], in: place)
          try #require(resumed.status == 0, "\(resumed.stderr)")
        } else {
          let result = try job.wait()
          try #require(result.status == 0, "\(result.stderr)")
        }
        var written = try workshop().contents("\(place)/out")
        written["scores.json"] = nil
        files.append(written)
      }
      #expect(files[0].count == 4)
      #expect(differences(files[0], files[1]) == [])
    }
  }
}
