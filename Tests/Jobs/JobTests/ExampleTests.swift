import Foundation
import TestSupport
import Testing

extension JobTests {
  /// The package in docs/examples: a program of its own with a model and a filter, built on this one as a library.
  @Suite struct ExampleTests {
    @Test func aModelAndAFilterOfOnesOwnRunUnderMPI() throws {
      let package = sourceFolder.appending(path: "docs/examples/own-model")
      let scratch = sourceFolder.appending(path: ".build/own-model")
      // A dependency must not have compiler flags of its own, so there is no DAUNCE_CPU.
      let build = try run(
        command: [
          "env", "-u", "DAUNCE_CPU", "swift", "build", "--package-path", package.path, "--scratch-path", scratch.path,
        ], timeout: 900)
      try #require(build.status == 0, "\(build.stdout)\(build.stderr)")
      let program = scratch.appending(path: "debug/own-model").path
      var known: [String: [String: Double]]?
      for ranks in [1, 3] {
        let result = try mpirun(
          ranks: ranks, executable: program,
          arguments: [
            "run", "--config", package.appending(path: "experiment.yaml").path, "--cycles", "100", "--output", "own-\(ranks)",
            "--quiet",
          ], in: workshop().folder)
        try #require(result.status == 0, "\(result.stderr)")
        let file = try workshop().folder.appending(path: "own-\(ranks)/scores.json")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        let methods = try #require(report?["methods"] as? [String: [String: Any]])
        let errors = methods.compactMapValues { $0["absolute_rmse"] as? [String: Double] }
        #expect(errors.keys.sorted() == ["eakf", "free", "letkf", "optimal-interpolation"])
        #expect(known == nil || errors == known)
        known = errors
      }
      // Observations are worth something.
      let scores = try #require(known)
      #expect(try #require(scores["eakf"]?["x"]) < 0.5 * (try #require(scores["free"]?["x"])))
    }
  }
}
