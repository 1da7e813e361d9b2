import DaunceExperiment
import DaunceSettings
import Foundation
import TestSupport
import Testing

/// The real executable, up to the point where MPI is started.
@Suite struct CommandLineTests {
  private func daunce(_ arguments: String..., rank: Int? = nil) throws -> JobResult {
    try run(
      executable: "daunce-mpi", arguments: arguments,
      environment: rank.map { ["OMPI_COMM_WORLD_RANK": String($0)] } ?? [:])
  }

  @Test func printedConfigurationIsTheOneInUse() throws {
    let result = try daunce(
      "--print-config", "--members", "4", "--cycles", "90", "--seed", "7", "--set", "filter.rtps=0.3")
    var expected = Configuration()
    expected.members = 4
    expected.truths.cycles = 90
    expected.seed = 7
    expected.filter.rtps = 0.3
    #expect(result.status == 0)
    #expect(try Configuration(yaml: result.stdout, source: "printed") == expected)
    #expect(result.stderr.isEmpty)
  }

  @Test func versionNamesCompilerLibraryAndCommit() throws {
    let result = try daunce("--version")
    #expect(result.status == 0)
    #expect(result.stdout.contains(/daunce-mpi \d+\.\d+\.\d+ \(commit ([0-9a-f]{12}|unknown)\)/))
    #expect(result.stdout.contains(/compiler: Swift version 6\.\d/))
    #expect(result.stdout.contains(/MPI: Open MPI v\d/))
  }

  @Test(arguments: [[], ["run"], ["simulate"], ["train"], ["assimilate"], ["score"], ["benchmark"]])
  func everySubcommandHasHelp(command: [String]) throws {
    let result = try run(executable: "daunce-mpi", arguments: command + ["--help"])
    #expect(result.status == 0)
    #expect(result.stdout.contains("--print-config") || command.isEmpty)
    #expect(result.stderr.isEmpty)
  }

  @Test(arguments: [
    (["--membrs", "3"], 64, "--membrs"),
    (["--members", "some"], 64, "--members"),
    (["--members", "0"], 64, "members: found 0, expected an integer of at least 2"),
    (["--set", "members"], 64, "key=value"),
    (["--set", "agents.ppo.clp=0.1"], 64, "agents.ppo.clip"),
    (["--cycles", "20"], 64, "truths.spinup_cycles, truths.cycles"),
    (["--config", "/no/such.yaml"], 74, "/no/such.yaml"),
    (["assimilate", "--initial", "i.nc", "--observations", "o.nc"], 64, "--agents"),
    (["assimilate", "--method", "kalman", "--initial", "i.nc", "--observations", "o.nc"], 64, "kalman"),
    (["score", "--truth", "n.nc"], 64, "file"),
    (["benchmark", "--methods", "rl", "kalman"], 64, "kalman"),
    (["benchmark", "--methods", "rl", "eakf", "rl"], 64, "rl twice"),
    (["benchmark", "--methods", "eakf", "--agents", "trained"], 64, "--agents has no meaning"),
    (["benchmark", "--slow-cycles", "0"], 64, "found 0, expected at least 1"),
  ])
  func badUsageIsNamedOnceWithItsExitCode(arguments: [String], status: Int32, message: String) throws {
    let result = try run(executable: "daunce-mpi", arguments: arguments)
    #expect(result.status == status)
    #expect(result.stderr.contains(message), "\(result.stderr)")
    #expect(result.stdout.isEmpty)
    // Every other rank ends the same way without a word.
    let other = try run(executable: "daunce-mpi", arguments: arguments, environment: ["OMPI_COMM_WORLD_RANK": "3"])
    #expect(other.status == status)
    #expect(other.stderr.isEmpty && other.stdout.isEmpty)
  }

  @Test func badFileIsNamedWithLineAndExitCode() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "configuration \(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try "members: 6\nfilter: {half_width: -1}\n".write(to: file, atomically: true, encoding: .utf8)
    let result = try daunce("--config", file.path)
    #expect(result.status == 65)
    #expect(
      result.stderr
        == "daunce-mpi: \(file.path):2: filter.half_width: found -1, expected a number above 0, or none\n")
  }
}
