import TestSupport
import Testing

/// Filters on ensembles that are spread over ranks, in real jobs.
@Suite(.serialized) struct DistributedTests {
  /// 6 members are gathered, 60 are not: their moments are reduced.
  @Test(arguments: [(6, "gather"), (60, "covariance")])
  func bitsDoNotDependOnTheRanks(members: Int, plan: String) throws {
    var known: [String]?
    for ranks in 1...3 {
      let job = try mpirun(ranks: ranks, executable: "AssimilationProbe", arguments: ["\(members)"])
      try #require(job.status == 0, "\(job.stderr)")
      #expect(job.value("plan") == plan)
      let difference = try #require(job.value("difference").flatMap(Double.init))
      #expect(difference < 1e-12)
      #expect(job.lines.count == 8)
      #expect(known == nil || job.lines == known)
      known = job.lines
    }
  }

  /// Both forms of local filters, with the whole ensemble on every rank and with parts of the state, have the same bits on
  /// any number of ranks, and they agree.
  @Test func localFiltersDoNotDependOnTheRanks() throws {
    var known: [String]?
    for ranks in 1...4 {
      let job = try mpirun(ranks: ranks, executable: "AssimilationProbe", arguments: ["local", "7"])
      try #require(job.status == 0, "\(job.stderr)")
      #expect(job.lines.count == 29)
      #expect(job.value("adaptive-idle") == "true")
      #expect(job.value("nudging-error").flatMap(Double.init) ?? 1 < 1e-14)
      #expect(job.value("nudging-between").flatMap(Double.init) ?? 1 < 1e-14)
      for name in ["letkf", "rotated", "denkf", "enkf", "together", "serial", "bridge", "diffusion", "langevin", "quantiles", "bounded", "particles"] {
        let difference = try #require(job.value("\(name)-difference").flatMap(Double.init))
        #expect(difference < 1e-12, "\(name)")
      }
      #expect(known == nil || job.lines == known, "\(ranks)")
      known = job.lines
    }
  }
}
