import DaunceArchive
import DaunceState
import Testing

@Suite struct EnsembleFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }
  let ensemble = EnsembleFile(time: 20.5, cycle: 3, memberCount: 3, members: numbers(3 * 16))

  @Test func anEnsembleComesBack() throws {
    try ensemble.write(to: folder.path("e.nc"), layout: layout, provenance: provenance)
    #expect(try EnsembleFile.read(folder.path("e.nc"), layout: layout, memberCount: 3) == ensemble)
    // And it lies in the file as it should: the second member's a.
    let reader = try DatasetReader(path: folder.path("e.nc"))
    let a = try reader.variable("a", over: [("member", 3), ("x", 8)])
    #expect(try reader.field(a, start: [1, 0], count: [1, 8]) == Array(ensemble.members[24..<32]))
    #expect(try reader.text("standard_name", of: "member") == "realization")
    #expect(try reader.values("member", of: Int32.self) == [0, 1, 2])
    #expect(try reader.field("x") == layout.grids[0].dimensions[0].coordinates)
  }

  /// Writes an ensemble file with one thing changed.
  private func write(
    dimensions: [String] = ["member", "x"], cells: Int = 8, length: Double = 4, time: Double? = 1,
    variables: [String] = ["K", "a"], change: (index: Int, value: Double)? = nil, isText: Bool = false
  ) throws -> String {
    let path = folder.path("e.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    if let time { try writer.set(Attribute("time", time)) }
    let sizes = ["member": 3, "x": cells]
    let ids = try dimensions.map { try writer.dimension($0, length: sizes[$0] ?? 5) }
    if let x = ids.first(where: { $0.name == "x" }) {
      try writer.write(
        (0..<cells).map { Double($0) * length / Double(cells) }, to: try writer.variable("x", over: [x]))
    }
    for name in variables {
      if isText {
        try writer.write(texts: ["1", "2", "3"], as: name, over: ids.first)
        continue
      }
      var values = numbers(3 * cells)
      if let change, name == "a" { values[change.index] = change.value }
      try writer.write(values, to: try writer.variable(name, over: ids))
    }
    try writer.finish()
    return path
  }

  private func error(_ path: String, members: Int? = 3) -> String {
    let error = failure { _ = try EnsembleFile.read(path, layout: layout, memberCount: members) }
    #expect(error?.path == path && error?.kind == .badData)
    return error.map { String($0.description.dropFirst(path.count)) } ?? "no error"
  }

  @Test func everyMistakeHasItsMessage() throws {
    #expect(
      error(try write(variables: ["K"]))
        == ": variable a: no such variable; expected it among the file's variables (x, K)")
    #expect(
      error(try write(dimensions: ["x", "member"]))
        == ": variable K: dimensions (x = 8, member = 3); expected (member = 3, x = 8)")
    #expect(error(try write(cells: 9)) == ": dimension x: 9 cells; expected 8 cells")
    #expect(
      error(try write(length: 8))
        == ": variable x: 1.0 at cell 1; expected 0.5 (8 cells on a circle of length 4.0)")
    #expect(error(try write(), members: 10) == ": dimension member: 3 members; expected 10 members")
    #expect(
      error(try write(time: nil))
        == ": global attribute time: neither it nor a variable time; expected the ensemble's time in the model's unit")
    #expect(error(try write(time: .nan)) == ": global attribute time: nan; expected a finite number")
    #expect(
      error(try write(change: (13, .nan))) == ": variable a: nan at member 1, x 5; expected a finite number")
    #expect(
      error(try write(change: (13, .infinity))) == ": variable a: inf at member 1, x 5; expected a finite number")
    #expect(
      error(try write(change: (23, 0.0009))) == ": variable a: 0.0009 at member 2, x 7; expected at least 0.001")
    #expect(
      error(try write(isText: true))
        == ": variable K: dimensions (member = 3, K_characters = 1); expected (member = 3, x = 8)")
    #expect(
      error(try write(dimensions: ["x"], variables: []))
        == ": dimension member: no such dimension; expected it among the file's dimensions (x)")
    #expect(failure { _ = try EnsembleFile.read(folder.path("none.nc"), layout: layout) }?.problem == .missingFile)
    // The bound itself is allowed.
    #expect(failure { _ = try EnsembleFile.read(try write(change: (23, 0.001)), layout: layout) } == nil)
  }

  @Test func textWhereNumbersShouldBeIsAnError() throws {
    let path = folder.path("e.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    try writer.set(Attribute("time", "noon"))
    let member = try writer.dimension("member", length: 1)
    _ = try writer.dimension("x", length: 8)
    try writer.write([0], to: try writer.variable("member", of: Int32.self, over: [member]))
    try writer.finish()
    #expect(error(path, members: 1) == ": global attribute time: a value of type char; expected a number")
  }

  @Test func dimensionsOfLengthZeroAreErrors() throws {
    let path = folder.path("e.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    _ = try writer.dimension("member", length: 0)
    _ = try writer.dimension("x", length: 8)
    try writer.finish()
    #expect(error(path, members: nil) == ": dimension member: 0 members; expected at least one")
  }

  @Test func wrongSizesAreNotWritten() throws {
    let wrong = EnsembleFile(time: 0, memberCount: 2, members: numbers(16))
    let error = failure { try wrong.write(to: folder.path("e.nc"), layout: layout, provenance: provenance) }
    #expect(error?.problem == .wrongSize)
    #expect(folder.names.isEmpty)
  }
}
