import DaunceArchive
import DaunceState
import Foundation
import Testing

/// Files and options that are no ensemble: each with an error that names what is wrong.
@Suite struct ModelFileRefusalTests {
  private func refusal(
    _ names: [String], _ change: (inout ModelFileOptions) -> Void = { _ in }
  ) throws -> String {
    var options = ModelFileOptions()
    change(&options)
    let paths = try names.map { try fixture($0) }
    let error = failure { _ = try ModelFiles(paths: paths, options: options) }
    #expect(error?.kind == .badData)
    return (error?.description ?? "").replacing(try fixture("model-classic.nc").dropLast(16), with: "")
  }

  @Test func oneMember() throws {
    #expect(try refusal(["model-one-member.nc"]).contains("dimension member: 1 member; expected an ensemble"))
    #expect(try refusal([memberPaths[0]]).contains("no such dimension, so a single member"))
    #expect(failure { _ = try ModelFiles(paths: [], options: .init()) }?.problem == .missingFile)
  }

  @Test func filesOfDifferentGrids() throws {
    let grid = try refusal([memberPaths[0], "model-other-grid.nc", memberPaths[2]])
    #expect(grid == "model-other-grid.nc: variable lat: 1.0 at index 1; expected 0.0, as in \(memberPaths[0])")
    #expect(
      try refusal([memberPaths[0], memberPaths[1], "model-other-time.nc"]).hasPrefix(
        "model-other-time.nc: variable time: 7.0 at index 0; expected 6.0"))
    #expect(
      try refusal([memberPaths[0], "model-classic.nc"]).hasPrefix("model-classic.nc: variable q: no such variable"))
    #expect(try refusal([memberPaths[0], memberPaths[0]]).contains("the same file for members 0 and 1"))
    // Each file with all members.
    #expect(
      try refusal(["model-classic.nc", "model-offset64.nc"]).contains(
        "variable t: member = 3; expected one file with all members, or one member in each file"))
    // A member that another process has compared.
    let paths = try [memberPaths[0], "model-other-grid.nc"].map { try fixture($0) }
    #expect(try ModelFiles(paths: paths, options: .init(), members: 0..<1).memberCount == 2)
  }

  @Test func fieldsThatAreNone() throws {
    #expect(
      try refusal(["model-classic.nc"]) { $0.fields = ["w"] }.hasPrefix(
        "model-classic.nc: variable w: no such variable; expected it among the file's variables (y, x, t, u, mask"))
    #expect(try refusal(["model-classic.nc"]) { $0.fields = ["t", "t"] }.contains("its name twice among the fields"))
    #expect(try refusal(["model-classic.nc"]) { $0.fields = [] }.contains("no floating-point or packed variable"))
    #expect(
      try refusal(["model-classic.nc"]) { $0.fields = ["mask"] }.contains("dimensions (y, x); expected member among"))
    #expect(try refusal(["model-bytes.nc"]) { $0.fields = ["words"] }.contains("values of type char"))
    #expect(try refusal(["model-two-times.nc"]).contains("variable t: time = 2; expected one time in the file"))
  }

  @Test func coordinatesThatAreNone() throws {
    #expect(
      try refusal(["model-coordinates.nc"]) { $0.fields = ["four"] }.contains(
        "coordinates along 4 directions (d, c, b, a)"))
    #expect(
      try refusal(["model-coordinates.nc"]) { $0.fields = ["disorder"] }.contains(
        "variable x: 1.0 at index 2; expected strictly ascending"))
    let jump = try ModelFiles(paths: [fixture("model-coordinates.nc")], options: with { $0.fields = ["jump"] })
    #expect(jump.layout.grid(0).dimensions[0].coordinates == [350, 355, 360, 365])
    #expect(jump.layout.geometry == Geometry(axes: [Axis(name: "longitude", units: "degrees_east")]))
    #expect(
      try refusal(["model-classic.nc"]) { $0.directions = ["y": "x"] }.contains(
        "two coordinates along one axis, y and x"))
  }

  private func with(_ change: (inout ModelFileOptions) -> Void) -> ModelFileOptions {
    var options = ModelFileOptions()
    change(&options)
    return options
  }

  @Test func optionsAboutNothing() throws {
    #expect(
      try refusal(["model-classic.nc"]) { $0.bounds = ["w": .init(lower: 0)] }.contains("variable w: no such field"))
    #expect(try refusal(["model-classic.nc"]) { $0.coordinates = ["w": []] }.contains("variable w: no such field"))
    #expect(
      try refusal(["model-classic.nc"]) { $0.coordinates = ["t": ["count"]] }.contains("coordinates along member"))
    #expect(
      try refusal(["model-classic.nc"]) { $0.coordinates = ["t": ["z"]] }.contains("variable z: no such variable"))
    #expect(try refusal(["model-classic.nc"]) { $0.periodic = ["z": 1] }.contains("axis z: no such axis; expected one"))
    #expect(try refusal(["model-classic.nc"]) { $0.periodic = ["x": -1] }.contains("expected a period"))
    #expect(try refusal(["model-classic.nc"]) { $0.directions = ["z": "x"] }.contains("variable z: no such variable"))
  }

  @Test func damagedFiles() throws {
    let folder = try Folder()
    let whole = Array(try Data(contentsOf: URL(filePath: fixture("model-classic.nc"))))
    for length in 0..<whole.count {
      try folder.put(Array(whole[..<length]), as: "d.nc")
      let error = failure { _ = try ModelFiles(paths: [folder.path("d.nc")], options: .init()) }
      #expect(error?.kind == .badData, "length \(length)")
    }
    let missing = failure { _ = try ModelFiles(paths: [folder.path("none.nc")], options: .init()) }
    #expect(missing?.problem == .missingFile && missing?.kind == .inputOutput)
    #expect(failure { _ = try ModelFiles(paths: [folder.url.path], options: .init()) }?.problem == .notAFile)
  }

  /// Another process may have the file, locked even.
  @Test func locksAreNoHindrance() throws {
    let folder = try Folder()
    try folder.put(Array(try Data(contentsOf: URL(filePath: fixture("model-netcdf4.nc")))), as: "l.nc")
    let descriptor = open(folder.path("l.nc"), O_RDWR)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    #expect(try ModelFiles(paths: [folder.path("l.nc")], options: .init()).memberCount == 3)
  }
}
