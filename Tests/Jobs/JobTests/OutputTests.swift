import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What is printed where.
  @Suite struct OutputTests {
    /// All ranks know the answer, one gives it.
    @Test(arguments: ["--version", "--help", "--print-config"])
    func informationIsPrintedOnce(option: String) throws {
      let alone = try run(executable: "daunce-mpi", arguments: [option])
      let together = try workshop().daunce(3, option)
      #expect(together.status == 0 && together.stderr.isEmpty)
      #expect(!alone.stdout.isEmpty && together.stdout == alone.stdout)
    }

    @Test func logLevelShowsWhereRanksRun() throws {
      let arguments = ["simulate", "--config", "small.yaml", "--output", "logged"]
      let result = try workshop().job(
        2, arguments + ["--log-level", "info"], environment: ["OPENBLAS_NUM_THREADS": "2"])
      #expect(result.status == 0)
      // Ranks are threads enough, whatever BLAS has been told.
      #expect(result.stderr.components(separatedBy: "blas threads=1").count == 3, "\(result.stderr)")
      for rank in 0...1 {
        #expect(result.stderr.contains("rank=\(rank)"), "\(result.stderr)")
      }
      #expect(result.lines.count == 1)
      // By default there is nothing but where the job runs and progress, and with --quiet not even that.
      let lines = try workshop().job(2, arguments).stderr.split(separator: "\n")
      #expect(lines.count == 2 && lines[0].hasPrefix("2 ranks on ") && lines[0].contains("), 5 members each"))
      #expect(try workshop().job(2, arguments + ["--log-level", "warning"]).stderr.split(separator: "\n").count == 1)
      #expect(try workshop().job(2, arguments + ["--quiet"]).stderr.isEmpty)
    }
  }
}
