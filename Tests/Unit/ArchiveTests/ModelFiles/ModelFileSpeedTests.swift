import DaunceArchive
import DaunceState
import Foundation
import Testing

/// Processor time of reading and writing a whole ensemble; DAUNCE_MODEL_FILE names its file.
@Suite struct ModelFileSpeedTests {
  private static let path = ProcessInfo.processInfo.environment["DAUNCE_MODEL_FILE"]

  private func seconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

  @Test(.enabled(if: path != nil, "DAUNCE_MODEL_FILE is not set"))
  func ensembleThereAndBack() throws {
    let folder = try Folder()
    var last = seconds()
    func report(_ what: String) {
      let now = seconds()
      print("\(what): \(String(format: "%.2f", now - last)) s")
      last = now
    }
    let files = try ModelFiles(paths: [try #require(Self.path)], options: .init())
    var values = [Double](repeating: 0, count: files.layout.count)
    report("opened")
    for member in 0..<files.memberCount {
      var span = values.mutableSpan
      try files.read(member: member, into: &span)
    }
    report("read")
    for i in values.indices { values[i] += 1 }
    let writer = try ModelFilesWriter(files, folder: folder.path("out"))
    report("copied")
    for member in 0..<files.memberCount { try writer.write(member: member, values.span) }
    report("written")
    try writer.finish()
    report("finished")
    try writer.publish()
  }
}
