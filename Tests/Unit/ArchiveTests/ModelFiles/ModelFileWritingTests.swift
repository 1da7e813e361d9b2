import DaunceArchive
import DaunceState
import Foundation
import Testing

@Suite struct ModelFileWritingTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private func write(
    _ files: ModelFiles, _ change: (_ member: Int, _ values: inout [Double]) -> Void = { _, _ in }
  ) throws {
    let writer = try ModelFilesWriter(files, folder: folder.path("out"))
    for member in 0..<files.memberCount {
      var values = try state(files, member: member)
      change(member, &values)
      try writer.write(member: member, values.span)
    }
    try writer.finish()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).allSatisfy { !$0.hasSuffix(".nc") })
    try writer.publish()
  }

  /// Writes a member as it was read.
  private func writeBack(_ writer: ModelFilesWriter?, _ files: ModelFiles, _ member: Int) throws {
    let values = try state(files, member: member)
    try writer?.write(member: member, values.span)
  }

  private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

  @Test(arguments: [
    "model-classic.nc", "model-offset64.nc", "model-netcdf4.nc", "model-ocean.nc", "model-staggered.nc",
    "model-stations.nc", "model-parameters.nc", "model-bytes.nc",
  ])
  func whatWasReadIsWrittenBitForBit(name: String) throws {
    try write(model(name))
    #expect(try bytes(folder.path("out/\(name)")) == bytes(fixture(name)))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")) == [name])
  }

  @Test func everyMembersFileIsWrittenBitForBit() throws {
    let files = try memberFiles()
    try write(files)
    for name in ["mem0/restart.nc", "mem1/restart.nc", "mem2/restart.nc"] {
      #expect(try bytes(folder.path("out/\(name)")) == bytes(fixture("model-members/\(name)")))
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).sorted() == ["mem0", "mem1", "mem2"])
  }

  /// Every variable and attribute of two files, as they are stored, except `changed`.
  private func differences(_ a: String, _ b: String) throws -> [String] {
    let (a, b) = (try DatasetReader(path: a), try DatasetReader(path: b))
    // The library numbers groups anew with each file that it opens.
    func shapes(_ file: DatasetReader) -> [String] {
      file.variables.map { "\($0.name) \($0.dimensions) \($0.shape) \($0.typeName)" }
    }
    #expect(shapes(a) == shapes(b) && a.dimensions.map(\.length) == b.dimensions.map(\.length))
    var names: [String] = []
    for owner in [nil] + a.variables.map({ Optional($0.name) }) {
      let attributes = try a.attributeNames(of: owner)
      #expect(try attributes == b.attributeNames(of: owner))
      for name in attributes {
        let isSame =
          (try? a.text(name, of: owner)) == (try? b.text(name, of: owner))
          && (try? a.numbers(name, of: owner)) == (try? b.numbers(name, of: owner))
        if !isSame { names.append("\(owner ?? ""):\(name)") }
      }
    }
    for name in a.variables.map(\.name) where !same(try a.field(name), try b.field(name)) { names.append(name) }
    return names
  }

  @Test(arguments: ["model-classic.nc", "model-netcdf4.nc"])
  func onlyTheChangedFieldChanges(name: String) throws {
    let files = try model(name)
    try write(files) { member, values in if member == 1 { for i in 0..<8 { values[i] += 0.5 } } }
    #expect(try differences(fixture(name), folder.path("out/\(name)")) == ["t"])
    let new = try ModelFiles(paths: [folder.path("out/\(name)")], options: ModelFileOptions())
    for member in 0..<3 {
      let change = member == 1 ? 0.5 : 0
      let old = try state(files, member: member)
      #expect(same(try state(new, member: member), old[..<8].map { $0 + change } + old[8...]))
    }
  }

  @Test func valuesAreRoundedToWhatAFileCanHold() throws {
    let files = try memberFiles { $0.fields = ["q"] }
    try write(files) { member, values in
      guard member == 0 else { return }
      // Two beyond both ends, one at the fill value, one between two, one that is missing in the file, one left out.
      (values[5], values[6], values[7], values[8], values[1], values[9]) = (1e9, -1e9, -3896, 100.18, 7, .nan)
    }
    let paths = (0..<3).map { folder.path("out/mem\($0)/restart.nc") }
    let q = try state(ModelFiles(paths: paths, options: ModelFileOptions()), member: 0)
    #expect(q[5] == 32767 * 0.125 + 200 && q[6] == -32767 * 0.125 + 200 && q[7] == -32767 * 0.125 + 200)
    #expect(q[8] == 100.125 && q[1].isNaN && q[9] == 100 + 9.0 / 8)
  }

  @Test func noValueBecomesAFillValue() throws {
    try write(try model("model-classic.nc")) { member, values in
      if member == 2 { (values[0], values[1], values[2], values[6]) = (Double(Float(1e20)), 1e300, -1e300, 5) }
    }
    let new = try ModelFiles(paths: [folder.path("out/model-classic.nc")], options: ModelFileOptions())
    let t = try state(new, member: 2)
    #expect(t[0] == Double(Float(1e20).nextDown) && t[1] == Double(Float.greatestFiniteMagnitude) && t[2] == -t[1])
    #expect(t[6].isNaN)
  }

  /// HDF5 ends files where it says; a seal would belie the new contents.
  @Test func aSealedFileComesWithoutItsSeal() throws {
    let path = folder.path("own.nc")
    let ensemble = EnsembleFile(time: 1, memberCount: 3, members: numbers(48))
    try ensemble.write(to: path, layout: layout, provenance: provenance)
    let files = try ModelFiles(paths: [path], options: ModelFileOptions())
    #expect(files.layout.fields.map(\.name) == ["K", "a"] && files.layout.geometry.axes.map(\.name) == ["x"])
    try write(files) { member, values in if member == 0 { values[0] += 1 } }
    let again = try EnsembleFile.read(folder.path("out/own.nc"), layout: layout)
    #expect(again.members[0] == ensemble.members[0] + 1 && again.members[1...] == ensemble.members[1...])
    #expect(try DatasetReader(path: folder.path("out/own.nc")).digest == nil)
  }

  // MARK: What goes wrong

  @Test func anAbandonedWriterLeavesNothing() throws {
    for files in [try memberFiles(), try model("model-netcdf4.nc")] {
      var writer: ModelFilesWriter? = try ModelFilesWriter(files, folder: folder.path("out"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).count == files.paths.count)
      try writeBack(writer, files, 0)
      // Not all have been written.
      #expect(failure { try writer?.publish() }?.problem == .contradiction)
      writer = nil
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).isEmpty)
      // And after the end, before the names.
      writer = try ModelFilesWriter(files, folder: folder.path("out"))
      for member in 0..<3 { try writeBack(writer, files, member) }
      try writer?.finish()
      writer = nil
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).isEmpty)
    }
  }

  @Test func whatAKilledWriterLeavesIsRemoved() throws {
    let writer = try ModelFilesWriter(memberFiles(), folder: folder.path("out"))
    #expect(writer.names == ["mem0/restart.nc", "mem1/restart.nc", "mem2/restart.nc"])
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("out"))
    #expect(left.count == 3 && left.allSatisfy { $0.contains("restart.nc.tmp-") })
    Folders.removeTemporaries(in: folder.path("out"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).isEmpty)
  }

  @Test func aProcessWritesItsMembersAlone() throws {
    let files = try memberFiles()
    let writer = try ModelFilesWriter(files, folder: folder.path("out"), members: 1..<2)
    #expect(failure { try writeBack(writer, files, 0) }?.problem == .contradiction)
    try writeBack(writer, files, 1)
    try writer.publish()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")) == ["mem1"])
    let single = try model("model-classic.nc")
    #expect(failure { _ = try ModelFilesWriter(single, folder: folder.path("out"), members: 1..<2) } != nil)
    let none = try ModelFilesWriter(single, folder: folder.path("none"), members: 0..<0)
    try none.publish()
    #expect(folder.names == ["out"])
  }

  @Test func theEnsembleIsNotOverwritten() throws {
    try folder.put(bytes(fixture("model-classic.nc")), as: "e.nc")
    let files = try ModelFiles(paths: [folder.path("e.nc")], options: ModelFileOptions())
    let error = failure { _ = try ModelFilesWriter(files, folder: folder.url.path) }
    #expect(error?.description.contains("the ensemble's own file") == true && folder.names == ["e.nc"])
  }

  @Test func aFolderThatCannotBeWrittenToIsAnError() throws {
    let error = failure { _ = try ModelFilesWriter(model("model-classic.nc"), folder: "/proc/daunce") }
    #expect(error?.kind == .inputOutput && error?.path.hasPrefix("/proc/daunce") == true)
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "mounting is not allowed here"))
  func aFullDiskIsAnError() throws {
    let disk = try SmallDisk(kilobytes: 64)
    try #require(disk.isMounted)
    // Room for the copy, but not for chunks that may grow.
    let error = failure { _ = try ModelFilesWriter(model("model-netcdf4.nc"), folder: disk.folder.url.path) }
    #expect(error?.problem == .diskFull && error?.kind == .inputOutput)
    #expect(disk.folder.names.isEmpty)
    let members = failure { _ = try ModelFilesWriter(memberFiles(), folder: disk.folder.url.path) }
    #expect(members?.problem == .diskFull && disk.folder.names.isEmpty)
    // No room is kept that is not needed.
    let roomy = try SmallDisk(kilobytes: 256)
    let files = try model("model-netcdf4.nc")
    let writer = try ModelFilesWriter(files, folder: roomy.folder.url.path)
    for member in 0..<3 { try writeBack(writer, files, member) }
    try writer.publish()
    var status = stat()
    stat(roomy.folder.path("model-netcdf4.nc"), &status)
    #expect(status.st_blocks * 512 <= 16 << 10)
  }
}
