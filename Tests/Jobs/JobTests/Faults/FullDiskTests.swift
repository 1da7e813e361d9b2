import Foundation
import TestSupport
import Testing

extension JobTests {
  /// A place that takes no more, before the work and in the middle of it: rank 0 alone notices, and all ranks end.
  @Suite struct FullDiskTests {
    /// A file system of a given size, if this process may mount one.
    private func withFileSystem(kilobytes: Int, _ body: (_ name: String) throws -> Void) throws {
      let workshop = try workshop()
      let name = "small-\(kilobytes)"
      let folder = workshop.folder.appending(path: name)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try #require(mount("none", folder.path, "tmpfs", 0, "size=\(kilobytes)k") == 0)
      defer { umount(folder.path) }
      try body(name)
    }

    /// Root in a container often may not.
    static let mayMount: Bool = {
      let folder = FileManager.default.temporaryDirectory.appending(path: "mount-\(UUID().uuidString)")
      try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      guard mount("none", folder.path, "tmpfs", 0, "size=64k") == 0 else { return false }
      return umount(folder.path) == 0
    }()

    private func check(_ result: JobResult, _ message: String, mark: String) {
      #expect(result.status == 74, "\(result.stderr)")
      #expect(result.stdout.isEmpty)
      let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
      #expect(messages.count == 1)
      #expect(messages.first?.contains(message) == true, "\(result.stderr)")
      #expect(messages.first?.contains("No space left on device") == true, "\(result.stderr)")
      #expect(processesLeft(marked: mark).isEmpty)
    }

    @Test(.enabled(if: mayMount, "needs the right to mount a small file system"))
    func fullPlaceIsFoundBeforeTheWork() throws {
      try withFileSystem(kilobytes: 512) { place in
        let workshop = try workshop()
        let mark = UUID().uuidString
        let result = try workshop.job(
          3, ["run", "--config", "small.yaml", "--output", place], environment: ["DAUNCE_TEST_JOB": mark])
        check(result, "\(place): cannot write 1048576 bytes here", mark: mark)
        #expect(!result.stderr.contains("nature runs"))
        #expect(try workshop.contents(place).isEmpty)
      }
    }

    @Test(.enabled(if: mayMount, "needs the right to mount a small file system"))
    func diskThatFillsEndsAllRanks() throws {
      try withFileSystem(kilobytes: 1536) { place in
        let workshop = try workshop()
        try workshop.write("an earlier analysis", to: "\(place)/analysis-eakf.nc")
        let mark = UUID().uuidString
        let result = try workshop.job(
          3, ["run", "--config", "small.yaml", "--output", place, "--set", "output.members=true"],
          environment: ["DAUNCE_TEST_JOB": mark])
        check(result, "\(place)/analysis-eakf.nc: cannot write", mark: mark)
        // What was complete stays, what was not leaves the older file and no rubbish.
        let files = try workshop.contents(place)
        #expect(
          files.keys.sorted() == ["analysis-constrained-eakf.nc", "analysis-eakf.nc", "nature.nc", "observations.nc"])
        #expect(files["analysis-eakf.nc"] == Data("an earlier analysis".utf8))
      }
    }
  }
}
