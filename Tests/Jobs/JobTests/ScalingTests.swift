import Foundation
import TestSupport
import Testing

extension JobTests {
  /// `launch/scaling-study`, and the network's model that is fitted to it.
  @Suite struct ScalingTests {
    @Test func aStudyHasAFolderForEachPointAndGoesOnAfterAFailure() throws {
      let folder = try workshop().folder
      let environment = ["DAUNCE_PROGRAM": buildFolder.appending(path: "daunce-mpi").path]
      func study(_ arguments: String...) throws -> JobResult {
        try run(script: "launch/scaling-study", arguments: arguments, in: folder, environment: environment)
      }
      // A method that no benchmark knows fails every point.
      let wrong = try study("--members", "2", "--ranks", "1", "--methods", "kalman", "study")
      #expect(wrong.status == 1)
      #expect(wrong.stderr.contains("2 members, 1 ranks: failed") && wrong.stderr.contains("1 points failed"))
      let right = try study("--members", "2 3", "--ranks", "1 3", "study", "--set", "model.cells=16")
      #expect(right.status == 0, "\(right.stderr)")
      for (members, ranks) in [(2, 1), (3, 1), (3, 3)] {
        let url = folder.appending(path: "study/members-\(members)-ranks-\(ranks)/benchmark.json")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
        #expect(report?["members"] as? Int == members && report?["ranks"] as? Int == ranks)
        #expect((report?["collectives"] as? [[String: Any]])?.isEmpty == false)
      }
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "study/members-2-ranks-3").path))
      let again = try study("--members", "2 3", "--ranks", "1 3", "study")
      #expect(again.status == 0 && again.stderr.contains("3 members, 3 ranks: is there already"))
      #expect(try study("--ranks", "none", "study").status == 64)
    }

    /// Times that the model itself gives are fitted by the parameters that they were made with.
    @Test(.enabled(if: hasPython, "no Python 3 here"))
    func theModelFindsItsOwnParameters() throws {
      let folder = try workshop().folder.appending(path: "model")
      let (cores, latency, overhead, perByte) = (2.0, 3e-7, 1.25e-6, 4e-10)
      for ranks in [2, 4, 8, 16, 32] {
        let rounds = Foundation.log2(Double(ranks))
        let share = (Double(ranks) / cores).rounded(.up)
        let points = [8, 64, 512, 4096].map { bytes -> [String: Any] in
          let seconds = rounds * (latency + share * (overhead + Double(bytes) * perByte))
          return ["operation": "allreduce", "path": "mpi", "bytes": bytes, "seconds": seconds]
        }
        let report: [String: Any] = ["cores": 2, "collectives": points, "methods": [:] as [String: Any]]
        let point = folder.appending(path: "members-64-ranks-\(ranks)")
        try FileManager.default.createDirectory(at: point, withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: report).write(to: point.appending(path: "benchmark.json"))
      }
      let result = try run(script: "launch/plots/loggp.py", arguments: [folder.path], interpreter: "python3")
      try #require(result.status == 0, "\(result.stderr)")
      #expect(result.lines.first == "L = 0.3 us, 2 o = 1.25 us, G = 0.4 ns/byte, 2 cores")
      #expect(result.lines[1] == "fitted to 12 points (ranks 2 8 32): typical factor 1.00")
      #expect(result.lines[2] == "checked on 8 others (ranks 4 16): typical factor 1.00")
      // ceil(log2 10000) = 14 rounds of 1 us, and 4 bytes at 25 GB/s in each.
      #expect(result.lines.contains { $0.contains("10000 ranks") && $0.hasSuffix("vote 14.0 us") })
    }
  }
}

private let hasPython: Bool = {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["python3", "-c", ""]
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}()
