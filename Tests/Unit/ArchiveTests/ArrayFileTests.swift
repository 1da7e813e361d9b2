import DaunceState
import DaunceArchive
import Testing

@Suite struct ArrayFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private let file = ArrayFile(
    arrays: [
      NamedArray("weights", shape: [4, 3, 4], .floats((0..<48).map { Float($0) / 7 })),
      NamedArray("square", shape: [4, 4], .doubles(numbers(16))),
      NamedArray("moments", [0.1, -0.0, .nan]),
      NamedArray("steps", [Int64.min, .max]),
      NamedArray("scalar", shape: [], .integers([5])),
      NamedArray("empty", shape: [0, 3], .doubles([])),
    ],
    attributes: [
      Attribute("model", "mjo-skeleton"), Attribute("cycle", 17), Attribute("rate", 3e-3),
      Attribute("many", .numbers([1, 2.5])), Attribute("big", .unsigned([.max])),
    ])

  @Test func arraysAndNotesComeBackBitForBit() throws {
    let digest = try file.write(to: folder.path("f.nc"), provenance: provenance)
    let found = try ArrayFile.read(folder.path("f.nc"))
    #expect(found.digest == digest)
    #expect(found.arrays.map(\.name) == file.arrays.map(\.name))
    #expect(found.arrays.map(\.shape) == file.arrays.map(\.shape))
    #expect(found.attributes == file.attributes)
    #expect(try found.floats("weights", shape: [4, 3, 4]) == (0..<48).map { Float($0) / 7 })
    #expect(try found.doubles("square") == numbers(16))
    #expect(try found.doubles("moments").map(\.bitPattern) == [0.1, -0.0, .nan].map(\.bitPattern))
    #expect(try found.integers("steps") == [.min, .max])
    #expect(try found.integers("scalar", shape: []) == [5])
    #expect(try found.doubles("empty") == [])
    #expect(try found.text("model") == "mjo-skeleton")
    #expect(try found.integer("cycle") == 17)
    #expect(try found.number("rate") == 3e-3)
  }

  @Test func lookingUpChecksNameShapeAndType() throws {
    try file.write(to: folder.path("f.nc"), provenance: provenance)
    let found = try ArrayFile.read(folder.path("f.nc"))
    func error(_ body: () throws -> Void) -> String {
      String(failure(body)?.description.dropFirst(folder.path("f.nc").count) ?? "none")
    }
    #expect(error { _ = try found.doubles("no") } == ": variable no: no such array; expected it")
    #expect(
      error { _ = try found.doubles("square", shape: [2, 8]) }
        == ": variable square: shape [4, 4]; expected [2, 8]")
    #expect(error { _ = try found.doubles("steps") } == ": variable steps: values of another type; expected double")
    #expect(
      error { _ = try found.integer("model") }
        == ": global attribute model: a value of another type; expected one whole number")
    #expect(
      error { _ = try found.text("no") } == ": global attribute no: no such attribute; expected it")
  }

  @Test func anUnsealedFileIsRefused() throws {
    try file.write(to: folder.path("f.nc"), provenance: provenance)
    try folder.put(try folder.bytes("f.nc").dropLast(32), as: "g.nc")
    let error = failure { _ = try ArrayFile.read(folder.path("g.nc")) }
    #expect(error?.problem == .damaged && error?.kind == .badData)
    // To others it is a NetCDF file all the same.
    #expect(try DatasetReader(path: folder.path("g.nc")).digest == nil)
  }

  @Test func sizesThatDoNotFitAreNotWritten() throws {
    let wrong = ArrayFile(arrays: [NamedArray("a", shape: [2], .doubles([1]))])
    #expect(failure { try wrong.write(to: folder.path("f.nc"), provenance: provenance) }?.problem == .wrongSize)
    #expect(folder.names.isEmpty)
  }
}
