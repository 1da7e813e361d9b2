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
}
