import DaunceArchive
import Foundation
import DaunceState

/// A folder that is removed with the object.
final class Folder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("archive-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
  func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appendingPathComponent(name))) }
  func put(_ bytes: [UInt8], as name: String) throws {
    try Data(bytes).write(to: url.appendingPathComponent(name))
  }
}

let layout = StateLayout(
  ring: 8, length: 4,
  fields: [
    Field(name: "K", longName: "Kelvin wave", scale: 0.015),
    Field(name: "a", longName: "convective activity", scale: 0.18, lowerBound: 0.001),
  ])

let provenance = Provenance(
  title: "a test", version: "1.0", commit: "abc123", history: "daunce-mpi run --seed 7", seed: .max,
  configuration: "members: 10\nmodel: \"é\"\n")

/// Numbers that differ in every element and are at least 0.25.
func numbers(_ count: Int, from first: Double = 0.25) -> [Double] {
  (0..<count).map { first + Double($0) / 7 }
}

func fixture(_ name: String) throws -> String {
  guard let url = Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil) else {
    throw CocoaError(.fileNoSuchFile)
  }
  return url.path
}

/// The error that `body` throws, as an `ArchiveError`.
func failure(_ body: () throws -> Void) -> ArchiveError? {
  do {
    try body()
    return nil
  } catch {
    return error as? ArchiveError
  }
}

private func location(of tool: String) -> String? {
  ["/usr/bin/", "/usr/local/bin/"].map { $0 + tool }.first { FileManager.default.isExecutableFile(atPath: $0) }
}

func isInstalled(_ tool: String) -> Bool { location(of: tool) != nil }

/// What a tool prints.
func output(of tool: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: location(of: tool) ?? tool)
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: data, as: UTF8.self)
}

/// A file system of a few kilobytes, where mounting is allowed.
final class SmallDisk {
  let folder: Folder
  let isMounted: Bool

  static let isAllowed = (try? SmallDisk(kilobytes: 64).isMounted) == true

  init(kilobytes: Int) throws {
    folder = try Folder()
    isMounted = getuid() == 0 && mount("tmpfs", folder.url.path, "tmpfs", 0, "size=\(kilobytes)k") == 0
  }

  deinit { if isMounted { umount2(folder.url.path, Int32(MNT_DETACH)) } }
}
