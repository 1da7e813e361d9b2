import DaunceArchive
import Foundation
import DaunceState
import TestSupport
import Testing

/// NetCDF-4 files of other programs, read by a process of their own.
@Suite struct IsolationTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "isolation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  /// Files as ForeignWriter writes them, from one of this program's.
  private func foreign() throws -> [String] {
    let layout = StateLayout(
      ring: 24, length: 2,
      fields: ["K", "R", "Z", "a"].map { Field(name: $0, longName: $0, scale: 1) })
    let origin = Provenance(title: "", version: "", commit: "", history: "", seed: 1, configuration: "")
    try EnsembleFile(time: 1.5, memberCount: 4, members: (0..<384).map { 1 + Double($0) / 7 }).write(
      to: path("own.nc"), layout: layout, provenance: origin)
    try ObservationFile.write(
      fields: [(0..<96).map { 1 + Double($0) / 3 }], times: [1, 2, 3, 4], to: path("seen.nc"), layout: layout,
      variable: 3,
      errorVariance: 0.5, seeds: nil, provenance: origin)
    var made: [String] = []
    for (kind, source, variant) in [
      ("initial", "own.nc", "plain"), ("initial", "own.nc", "nan"), ("observations", "seen.nc", "gappy"),
      ("observations", "seen.nc", "float-fill"), ("observations", "seen.nc", "points"),
      ("observations", "seen.nc", "three-times"),
    ] {
      let target = path("\(kind)-\(variant).nc")
      let result = try run(executable: "ForeignWriter", arguments: [kind, path(source), target, variant])
      try #require(result.status == 0, "\(result.stdout)")
      made.append(target)
    }
    return made
  }

  private func list(_ file: String, child: String?) throws -> JobResult {
    try run(executable: "FileFuzzer", arguments: ["--list", file] + (child.map { [$0] } ?? []))
  }

  @Test func nothingIsLostOnTheWay() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in try foreign() {
      let (direct, isolated) = (try list(file, child: nil), try list(file, child: "/proc/self/exe"))
      #expect(direct.status == 0 && direct.stdout.count > 500, "\(direct.stdout)")
      #expect(direct.stdout == isolated.stdout, "\(file)")
      // Whether there was a child at all: one that says nothing makes the file unreadable.
      #expect(try list(file, child: "/bin/true").status != 0)
    }
  }

  /// However the child ends, the parent has one error that names the file.
  @Test(arguments: [
    ("kill -SEGV $$", "contents on which the HDF5 library fails (signal 11"),
    ("kill -ABRT $$", "contents on which the HDF5 library fails (signal 6"),
    ("ulimit -S -t 1; while :; do :; done", "contents that the HDF5 library does not finish reading"),
    ("exit 3", "exit code 3 of the process that reads it"),
    ("printf 'damaged\\0variable a\\0nonsense\\0sense'; exit 65", "variable a: nonsense; expected sense"),
    ("printf 'no\\0error'; exit 65", "contents that cannot be read"),
    ("head -c 5000 /dev/zero", "exit code 0 of the process that reads it"),
    // A copy with a whole seal, of no NetCDF file.
    ("printf 'daunce seal v1: \\0\\0\\0\\0\\0\\0\\0\\0\\231\\351\\330\\121\\067\\333\\106\\357'", "an empty file"),
  ])
  func anEndOfTheChildIsAnError(script: String, message: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try foreign()[0]
    let child = path("child")
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: child))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: child)
    let result = try list(file, child: child)
    #expect(result.status == 70)
    #expect(result.stdout.contains("\(file): \(message)"), "\(result.stdout)")
  }

  @Test func aChildThatCannotBeStartedIsAnError() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let result = try list(try foreign()[0], child: path("none"))
    #expect(
      result.stdout.contains("cannot run the process that reads it: No such file or directory"), "\(result.stdout)")
  }
}
