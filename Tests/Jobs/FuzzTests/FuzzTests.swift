import TestSupport
import Testing

@Suite struct FuzzTests {
  /// Damaged files of every kind; `launch/fuzz` runs as many as one likes.
  @Test func damagedFilesAreReadOrRefused() throws {
    let result = try run(executable: "FileFuzzer", arguments: ["10000", "1", "100"], timeout: 600)
    #expect(result.status == 0, "\(result.stdout)\(result.stderr)")
    #expect(result.stdout.contains("\n10000 inputs in"), "\(result.stdout)")
  }
}
