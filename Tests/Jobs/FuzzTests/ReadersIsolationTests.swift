import Foundation
import TestSupport
import Testing

/// Files with groups on their way through the process that reads other programs' NetCDF-4.
@Suite struct ReadersIsolationTests {
  @Test(arguments: ["readers-ioda.nc", "readers-ioda-channels.nc", "readers-points.nc"])
  func nothingOfGroupsIsLostOnTheWay(_ name: String) throws {
    let file = sourceFolder.appending(path: "Tests/Unit/ArchiveTests/Fixtures/\(name)").path
    let direct = try run(executable: "FileFuzzer", arguments: ["--list", file])
    let isolated = try run(executable: "FileFuzzer", arguments: ["--list", file, "/proc/self/exe"])
    #expect(direct.status == 0 && direct.stdout.count > 500, "\(direct.stdout)")
    #expect(direct.stdout == isolated.stdout)
    #expect(direct.stdout.contains("@ObsValue") == name.contains("ioda"))
  }
}
