import DaunceArchive
import Foundation
import Testing

/// Known answers of the reference implementation.
@Test(
  arguments: [
    ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
    ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
  ] as [(String, UInt64)])
func digestKnownAnswers(text: String, digest: UInt64) {
  let bytes = Array(text.utf8)
  #expect(Digest.xxh64(bytes) == digest)
}

@Suite struct DatasetTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test func everyTypeComesBackAsItWas() throws {
    let path = folder.path("a.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let (two, three) = (try writer.dimension("two", length: 2), try writer.dimension("three", length: 3))
    let d = try writer.variable("d", of: Double.self, over: [two, three], attributes: [Attribute("units", "1")])
    let f = try writer.variable("f", of: Float.self, over: [three])
    let i = try writer.variable("i", of: Int32.self, over: [three])
    let l = try writer.variable("l", of: Int64.self, over: [two])
    let s = try writer.variable("s", of: Double.self, over: [])
    let doubles = [0.1, -.infinity, .leastNonzeroMagnitude, -0.0, .greatestFiniteMagnitude, 1 / 3]
    try writer.write(doubles, to: d)
    try writer.write([1.5, -2.5, .pi] as [Float], to: f)
    try writer.write([.min, 0, .max] as [Int32], to: i)
    try writer.write([.min, .max] as [Int64], to: l)
    try writer.write([42], to: s)
    try writer.write(texts: ["Kelvin", "", "é"], as: "names", over: three)
    let digest = try writer.finish()

    let reader = try DatasetReader(path: path)
    #expect(reader.digest == digest)
    #expect(try reader.values("d", of: Double.self).map(\.bitPattern) == doubles.map(\.bitPattern))
    #expect(try reader.values("f", of: Float.self) == [1.5, -2.5, .pi])
    #expect(try reader.values("i", of: Int32.self) == [.min, 0, .max])
    #expect(try reader.values("l", of: Int64.self) == [.min, .max])
    #expect(try reader.values("s", of: Double.self) == [42])
    #expect(try reader.field("i") == [-2_147_483_648, 0, 2_147_483_647])
    #expect(try reader.texts("names") == ["Kelvin", "", "é"])
    #expect(try reader.text("Conventions") == "CF-1.10")
    #expect(try reader.text("source") == "daunce-mpi 1.0 (commit abc123)")
    #expect(try reader.text("history") == provenance.history)
    #expect(try reader.text("configuration") == provenance.configuration)
    #expect(try reader.unsigned("seed") == .max)
    #expect(try reader.text("units", of: "d") == "1")
    #expect(try reader.text("nothing") == nil)
    #expect(reader.variables.first?.shape == [2, 3])
  }

  @Test func growingDimensionTakesBlocksAndLeavesGapsMissing() throws {
    let path = folder.path("a.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let (time, x) = (try writer.dimension("time", length: nil), try writer.dimension("x", length: 2))
    let a = try writer.variable("a", over: [time, x], chunks: [4, 2])
    try writer.write([1, 2, 3, 4], to: a, start: [0, 0], count: [2, 2])
    try writer.write([7, 8], to: a, start: [3, 0], count: [1, 2])
    try writer.finish()
    let reader = try DatasetReader(path: path)
    let values = try reader.field("a")
    #expect(values[..<4] == [1, 2, 3, 4] && values[4].isNaN && values[5].isNaN && values[6...] == [7, 8])
    let variable = try reader.variable("a", over: [("time", 4), ("x", 2)])
    #expect(try reader.field(variable, start: [1, 1], count: [1, 1]) == [4])
    #expect(failure { _ = try reader.field(variable, start: [3, 0], count: [2, 2]) }?.problem == .wrongSize)
    // The message adds nothing up that could overflow.
    #expect(failure { _ = try reader.field(variable, start: [.max, 0], count: [1, 2]) }?.problem == .wrongSize)
    #expect(failure { _ = try reader.field(variable, start: [1, 0], count: [.max, 2]) }?.problem == .wrongSize)
  }

  @Test func sameContentsAreTheSameBytesAtAnotherTime() throws {
    func write(_ name: String) throws {
      let writer = try DatasetWriter(path: folder.path(name), provenance: provenance)
      let (time, x) = (try writer.dimension("time", length: nil), try writer.dimension("x", length: 64))
      let a = try writer.variable("a", over: [time, x], chunks: [16, 64], attributes: [Attribute("units", "1")])
      for t in 0..<40 { try writer.write(numbers(64, from: Double(t)), to: a, start: [t, 0], count: [1, 64]) }
      try writer.write(texts: ["one", "two"], as: "names", over: try writer.dimension("n", length: 2))
      try writer.finish()
    }
    try write("a.nc")
    // HDF5 has time stamps in seconds.
    Thread.sleep(forTimeInterval: 1.1)
    try write("b.nc")
    #expect(try folder.bytes("a.nc") == folder.bytes("b.nc"))
  }

  @Test func aCancelledOrForgottenFileLeavesNothingAndKeepsTheOldOne() throws {
    try folder.put([1, 2, 3], as: "a.nc")
    var writer: DatasetWriter? = try DatasetWriter(path: folder.path("a.nc"), provenance: provenance)
    #expect(folder.names.count == 2)
    writer?.cancel()
    #expect(folder.names == ["a.nc"])
    #expect(failure { try writer?.finish() }?.problem == .contradiction)
    writer = try DatasetWriter(path: folder.path("a.nc"), provenance: provenance)
    #expect(folder.names.count == 2)
    writer = nil
    #expect(folder.names == ["a.nc"])
    #expect(try folder.bytes("a.nc") == [1, 2, 3])
  }

  @Test func aFailureAtTheEndKeepsTheOldFile() throws {
    // A folder that takes the name while the file is written makes the last step, renaming, fail.
    let path = folder.path("a.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try folder.put([4], as: "a.nc/kept")
    let error = failure { try writer.finish() }
    #expect(error?.kind == .inputOutput)
    #expect(folder.names == ["a.nc"])
    #expect(try folder.bytes("a.nc/kept") == [4])
  }

  @Test func theOldFileStaysUntilTheNewOneIsComplete() throws {
    try folder.put([1, 2, 3], as: "a.nc")
    let writer = try DatasetWriter(path: folder.path("a.nc"), provenance: provenance)
    #expect(try folder.bytes("a.nc") == [1, 2, 3])
    try writer.finish()
    #expect(folder.names == ["a.nc"])
    #expect(try DatasetReader(path: folder.path("a.nc")).text("title") == "a test")
  }

  @Test func placesThatCannotBeWrittenToAreFoundOutAtOnce() throws {
    let missing = failure { _ = try DatasetWriter(path: folder.path("no/a.nc"), provenance: provenance) }
    #expect(missing?.problem == .missingFile && missing?.kind == .inputOutput)
    let itself = failure { _ = try DatasetWriter(path: folder.url.path, provenance: provenance) }
    #expect(itself?.problem == .notAFile && itself?.kind == .inputOutput)
    let system = failure { _ = try DatasetWriter(path: "/proc/a.nc", provenance: provenance) }
    #expect(system?.kind == .inputOutput)
  }

  @Test(.enabled(if: getuid() != 0, "root may write anywhere"))
  func aReadOnlyFolderIsAnError() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.url.path)
    let error = failure { _ = try DatasetWriter(path: folder.path("a.nc"), provenance: provenance) }
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.url.path)
    #expect(error?.problem == .permissionDenied && error?.kind == .inputOutput)
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "mounting a small file system is not allowed here"))
  func aFullDiskIsAnErrorAndTheOldFileStays() throws {
    let disk = try SmallDisk(kilobytes: 256)
    let path = disk.folder.path("a.nc")
    try disk.folder.put([1, 2, 3], as: "a.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let x = try writer.dimension("x", length: 100_000)
    try writer.write(numbers(100_000), to: try writer.variable("a", over: [x]))
    let error = failure { try writer.finish() }
    #expect(error?.problem == .diskFull && error?.kind == .inputOutput)
    #expect(error?.description.contains("No space left on device") == true)
    #expect(disk.folder.names == ["a.nc"])
    #expect(try disk.folder.bytes("a.nc") == [1, 2, 3])
    // The library is as good as before.
    let small = try DatasetWriter(path: path, provenance: provenance)
    try small.finish()
    #expect(try DatasetReader(path: path).text("title") == "a test")
  }

  @Test func namesThatNetCDFDoesNotAllowAreErrors() throws {
    let writer = try DatasetWriter(path: folder.path("a.nc"), provenance: provenance)
    let x = try writer.dimension("x", length: 2)
    let error = failure { _ = try writer.variable("a/b", of: Double.self, over: [x]) }
    #expect(error?.problem == .invalidName)
    #expect(error?.description.contains("variable a/b") == true)
    _ = try writer.variable("a", of: Double.self, over: [x])
    #expect(failure { _ = try writer.variable("a", of: Double.self, over: [x]) }?.problem == .invalidName)
  }

  @Test func blocksOfTheWrongSizeAreErrors() throws {
    let writer = try DatasetWriter(path: folder.path("a.nc"), provenance: provenance)
    let x = try writer.dimension("x", length: 2)
    let a = try writer.variable("a", over: [x])
    #expect(failure { try writer.write([1, 2, 3], to: a) }?.problem == .wrongSize)
    #expect(failure { try writer.write([1, 2], to: a, start: [1], count: [2]) }?.problem == .libraryFailure)
    #expect(failure { try writer.write(texts: ["one"], as: "t", over: x) }?.problem == .wrongSize)
    // Three records of another variable would make this one read three texts out of one.
    let time = try writer.dimension("time", length: nil)
    try writer.write([1, 2, 3], to: try writer.variable("b", over: [time]), start: [0], count: [3])
    #expect(failure { try writer.write(texts: ["one"], as: "u", over: time) }?.problem == .wrongSize)
  }

  @Test func aLongConfigurationFits() throws {
    var long = provenance
    long.configuration = String(repeating: "key: value\n", count: 20_000)
    let writer = try DatasetWriter(path: folder.path("a.nc"), provenance: long)
    try writer.finish()
    #expect(try DatasetReader(path: folder.path("a.nc")).text("configuration") == long.configuration)
  }

  @Test func manyThreadsMayUseFilesAtTheSameTime() throws {
    let folder = folder
    DispatchQueue.concurrentPerform(iterations: 8) { number in
      let path = folder.path("\(number).nc")
      do {
        let writer = try DatasetWriter(path: path, provenance: provenance)
        let x = try writer.dimension("x", length: 100)
        try writer.write(numbers(100, from: Double(number)), to: try writer.variable("a", over: [x]))
        try writer.finish()
        #expect(try DatasetReader(path: path).field("a") == numbers(100, from: Double(number)))
        #expect(throws: ArchiveError.self) { try DatasetReader(path: path).field("b") }
      } catch {
        Issue.record(error)
      }
    }
  }

  @Test func packedClassicFilesOfOthersAreUnpacked() throws {
    let reader = try DatasetReader(path: try fixture("classic-packed.nc"))
    let a = try reader.field("a")
    #expect(reader.digest == nil)
    #expect(a[0..<4] == [1, 1.25, 1.5, 1.75] && a[4].isNaN && a[5].isNaN && a[6] == 2.5 && a[15] == 4.75)
  }
}
