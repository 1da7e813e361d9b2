import DaunceEnsemble
import TestSupport
import Testing

/// The line that says how a job lies on hosts and cores.
@Suite(.serialized) struct JobLayoutTests {
  private func line(_ hosts: [JobLayout.Host], members: Int, yields: Bool = false) -> String {
    "\(JobLayout(hosts: hosts, members: members, yields: yields))"
  }

  private func nodes(_ numbers: ClosedRange<Int>, ranks: Int, cores: Int) -> [JobLayout.Host] {
    numbers.map { JobLayout.Host(name: "node\($0 < 10 ? "0" : "")\($0)", ranks: ranks, cores: cores) }
  }

  @Test func oneHostIsNamed() {
    let alone = JobLayout.Host(name: "here", ranks: 1, cores: 1)
    #expect(line([alone], members: 10) == "1 rank on here (1 core), 10 members")
    let shared = JobLayout.Host(name: "here", ranks: 4, cores: 2)
    #expect(
      line([shared], members: 10, yields: true)
        == "4 ranks on here (2 cores), 2 or 3 members each; ranks share cores: waiting ranks yield")
    #expect(line([shared], members: 4).hasSuffix(", 1 member each; ranks share cores and spin while they wait"))
  }

  @Test func severalHostsAreSummarised() {
    #expect(
      line(nodes(1...2, ranks: 5, cores: 32), members: 10)
        == "10 ranks on 2 hosts (node01: 5 ranks, 32 cores; node02: 5 ranks, 32 cores), 1 member each")
    let many = nodes(1...20, ranks: 5, cores: 32) + nodes(21...21, ranks: 1, cores: 64)
    #expect(
      line(many, members: 202)
        == "101 ranks on 21 hosts (node01 to node20: 5 ranks, 32 cores each; node21: 1 rank, 64 cores), 2 members each")
    let mixed = (1...40).flatMap { nodes($0...$0, ranks: 1 + $0 % 2, cores: 2) }
    #expect(line(mixed, members: 60).contains("node04: 1 rank, 2 cores; and 36 more), 1 member each"))
  }

  /// What the ranks of a real job find out together.
  @Test func aJobKnowsItsHost() throws {
    let job = try mpirun(ranks: 3, executable: "MPIProbe", arguments: ["layout"])
    #expect(job.status == 0, "\(job.stderr)")
    let cores = try #require(job.value("cores").flatMap(Int.init))
    let name = try #require(job.value("hostname"))
    let sharing = 3 > cores ? "; ranks share cores: waiting ranks yield" : ""
    let unit = cores == 1 ? "core" : "cores"
    #expect(job.value("layout") == "3 ranks on \(name) (\(cores) \(unit)), 2 or 3 members each\(sharing)")
    #expect(job.value("differs") == "false")
  }
}
