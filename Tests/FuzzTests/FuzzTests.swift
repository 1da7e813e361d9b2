import TestSupport
import Testing

@Suite struct FuzzTests {
  /// Damaged files of every kind; `launch/fuzz` runs as many as one likes.
  @Test func damagedFilesAreReadOrRefused() throws {
    let result = try run(executable: "FileFuzzer", arguments: ["3000", "1", "100"], timeout: 300)
    #expect(result.status == 0, "\(result.stdout)\(result.stderr)")
    #expect(result.stdout.contains("\n3000 inputs in"), "\(result.stdout)")
  }
}
