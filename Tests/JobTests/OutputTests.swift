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
      let result = try workshop().job(2, arguments + ["--log-level", "info"])
      #expect(result.status == 0)
      for rank in 0...1 {
        #expect(result.stderr.contains("rank=\(rank)"), "\(result.stderr)")
      }
      #expect(result.lines.count == 1)
      // By default there is nothing but progress, and with --quiet not even that.
      #expect(try workshop().job(2, arguments).stderr.split(separator: "\n").count == 1)
      #expect(try workshop().job(2, arguments + ["--quiet"]).stderr.isEmpty)
    }
  }
}
