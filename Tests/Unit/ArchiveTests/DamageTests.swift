import DaunceArchive
import Foundation
import Testing

@Suite struct DamageTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private func error(_ bytes: [UInt8]) throws -> ArchiveError? {
    try folder.put(bytes, as: "d.nc")
    return failure { _ = try EnsembleFile.read(folder.path("d.nc"), layout: layout) }
  }

  private func ensemble() throws -> [UInt8] {
    let ensemble = EnsembleFile(time: 1, memberCount: 3, members: numbers(48))
    try ensemble.write(to: folder.path("e.nc"), layout: layout, provenance: provenance)
    return try folder.bytes("e.nc")
  }

  @Test func filesOfOtherKindsAreNamed() throws {
    #expect(try error([])?.problem == .notNetCDF)
    #expect(try error([])?.description.contains("an empty file") == true)
    #expect(try error(Array("time,x,a\n1,2,3\n".utf8))?.problem == .notNetCDF)
    #expect(try error(Array("CDF".utf8))?.problem == .notNetCDF)
    #expect(try error([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])?.problem == .truncated)
    #expect(try error(Array("CDF\u{1}".utf8))?.problem == .truncated)
    let directory = failure { _ = try DatasetReader(path: folder.url.path) }
    #expect(directory?.problem == .notAFile && directory?.kind == .inputOutput)
    let missing = failure { _ = try DatasetReader(path: folder.path("none.nc")) }
    #expect(missing?.problem == .missingFile && missing?.kind == .inputOutput)
    #expect(missing?.description == "\(folder.path("none.nc")): cannot open the file: No such file or directory")
    // Not a thing to wait for.
    #expect(failure { _ = try DatasetReader(path: "/dev/null") }?.problem == .notAFile)
  }

  @Test func aTruncatedFileIsAnError() throws {
    let whole = try ensemble()
    for length in stride(from: 8, to: whole.count - 32, by: 97) {
      let error = try error(Array(whole[..<length]))
      #expect(error?.kind == .badData && [.truncated, .damaged].contains(error?.problem), "length \(length)")
    }
    let classic = Array(try Data(contentsOf: URL(fileURLWithPath: try fixture("classic-packed.nc"))))
    for length in 4..<classic.count - 2 {
      try folder.put(Array(classic[..<length]), as: "d.nc")
      let error = failure { _ = try ObservationReaders.read(folder.path("d.nc")) }
      #expect(error?.kind == .badData, "length \(length)")
    }
  }

  @Test func everyFlippedBitOfASealedFileIsFound() throws {
    let whole = try ensemble()
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      var bytes = whole
      let place = Int.random(in: 8..<whole.count - 32, using: &random)
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      let error = try error(bytes)
      #expect(error?.problem == .damaged && error?.kind == .badData, "byte \(place)")
    }
    // Length and digest in the seal itself.
    for place in whole.count - 16..<whole.count {
      var bytes = whole
      bytes[place] ^= 1
      #expect(try error(bytes)?.problem == .damaged)
    }
  }

  /// Another program's classic file has no seal: mutations give an error or other numbers, and nothing else.
  @Test func mutatedForeignFilesNeverCrash() throws {
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: try fixture("classic-packed.nc"))))
    var state: UInt64 = 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var errors = 0
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
      try folder.put(bytes, as: "d.nc")
      let error = failure { _ = try ObservationReaders.read(folder.path("d.nc")) }
      if error != nil { errors += 1 }
      #expect(error?.kind != .inputOutput)
    }
    #expect(errors > 100)
  }

  /// A file may declare what it cannot hold.
  @Test func absurdSizesAreRefusedBeforeMemoryIsTaken() throws {
    let path = folder.path("big.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let time = try writer.dimension("time", length: nil)
    let x = try writer.dimension("x", length: 1 << 40)
    _ = try writer.variable("a", of: Double.self, over: [time, x], chunks: [1, 1024])
    let t = try writer.variable("time", of: Double.self, over: [time], chunks: [1024])
    try writer.write([1], to: t, start: [1 << 30], count: [1])
    try writer.finish()
    let reader = try DatasetReader(path: path)
    #expect(failure { _ = try reader.field("a") }?.problem == .tooLarge)
    #expect(failure { _ = try reader.values("a", of: Double.self) }?.problem == .tooLarge)
    #expect(failure { _ = try reader.field("time") }?.problem == .tooLarge)
    #expect(failure { _ = try reader.texts("a") }?.problem == .tooLarge)
    #expect(failure { _ = try ObservationReaders.read(path) }?.kind == .badData)
    #expect(failure { _ = try AnalysisFile(path: path) }?.kind == .badData)
  }
}
