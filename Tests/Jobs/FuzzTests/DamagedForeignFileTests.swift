import Foundation
import TestSupport
import Testing

/// Two damaged files of another program, out of the fuzzer: HDF5 1.10.8 crashes on one and never finishes the other.
/// Other versions of HDF5 may be better; none may take the program with it.
@Suite struct DamagedForeignFileTests {
  private func fixture(_ name: String) throws -> String {
    guard let url = Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil) else {
      throw CocoaError(.fileNoSuchFile)
    }
    return url.path
  }

  @Test func theChildFailsInPlaceOfTheReader() throws {
    for name in ["crashes-hdf5.nc", "hangs-hdf5.nc"] {
      let file = try fixture(name)
      let result = try run(executable: "FileFuzzer", arguments: ["--list", file, "/proc/self/exe"], timeout: 100)
      #expect(result.status == 0 || result.status == 70 && result.stdout.contains("\(file): "), "\(result.stdout)")
    }
  }

  @Test func aJobEndsWithOneError() throws {
    let file = try fixture("crashes-hdf5.nc")
    let result = try mpirun(
      ranks: 2, executable: "daunce-mpi",
      arguments: ["assimilate", "--method", "eakf", "--initial", file, "--observations", file], timeout: 100)
    #expect(result.status == 65, "\(result.stderr)")
    #expect(result.stderr.components(separatedBy: "daunce-mpi: \(file): ").count == 2, "\(result.stderr)")
  }
}
