import Foundation
import TestSupport
import Testing

/// Models' NetCDF-4 files, which a process of its own goes through before they are opened.
@Suite struct ModelIsolationTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "isolation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func list(_ file: String, child: String?) throws -> JobResult {
    try run(executable: "FileFuzzer", arguments: ["--list-model", file] + (child.map { [$0] } ?? []))
  }

  /// A compressed file with three members.
  private func model() throws -> String {
    let source = try #require(Bundle.module.url(forResource: "Fixtures/model-netcdf4.nc", withExtension: nil))
    let copy = folder.appending(path: "model.nc")
    try FileManager.default.copyItem(at: source, to: copy)
    return copy.path
  }

  @Test func theFileIsReadAfterTheChild() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try model()
    let (direct, isolated) = (try list(file, child: nil), try list(file, child: "/proc/self/exe"))
    #expect(direct.status == 0 && direct.stdout.count > 100, "\(direct.stdout)")
    #expect(direct.stdout == isolated.stdout)
  }

  @Test(arguments: [
    ("kill -SEGV $$", "contents on which the HDF5 library fails (signal 11"),
    ("exit 0", "exit code 0 of the process that reads it"),
    ("printf 'damaged\\0variable a\\0nonsense\\0sense'; exit 65", "variable a: nonsense; expected sense"),
  ])
  func anEndOfTheChildIsAnError(script: String, message: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let child = folder.appending(path: "child").path
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: child))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: child)
    let file = try model()
    let result = try list(file, child: child)
    #expect(result.status == 70 && result.stdout.contains("\(file): \(message)"), "\(result.stdout)")
  }
}
