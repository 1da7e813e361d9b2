import DaunceEnsemble
import Testing

@Suite struct DistributionTests {
  @Test(arguments: [(10, 1), (10, 3), (10, 4), (10, 10), (17, 5), (1, 1)])
  func blocksAreContiguousAndBalanced(members: Int, ranks: Int) throws {
    let blocks = try (0..<ranks).map { try Distribution(members: members, ranks: ranks, rank: $0).local }
    #expect(blocks.flatMap { Array($0) } == Array(0..<members))
    let sizes = blocks.map(\.count)
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    #expect(sizes == sizes.sorted(by: >))
  }

  @Test func everyRankKnowsTheOthersBlocks() throws {
    let first = try Distribution(members: 11, ranks: 4, rank: 0)
    for rank in 0..<4 {
      #expect(try Distribution(members: 11, ranks: 4, rank: rank).local == first.range(of: rank))
    }
  }

  @Test func refusesWhatCannotBeDistributed() {
    #expect(throws: DistributionError.self) { try Distribution(members: 3, ranks: 4, rank: 0) }
    #expect(throws: DistributionError.self) { try Distribution(members: 0, ranks: 1, rank: 0) }
    #expect(throws: DistributionError.self) {
      try Distribution(members: ExactSum.memberLimit + 1, ranks: 1, rank: 0)
    }
    let error = #expect(throws: DistributionError.self) { try Distribution(members: 3, ranks: 4, rank: 0) }
    #expect(error.map { "\($0)" }?.contains("mpirun -np 3") == true)
  }
}

@Suite struct ReductionPlanTests {
  @Test func bytesFollowTheFormulas() {
    #expect(ReductionPlan.gatherBytes(members: 10, stateElements: 256) == 20_480)
    // 256 + 256 * 64 - 64 * 63 / 2 = 14624 sums of 18 bytes, twice.
    #expect(ReductionPlan.covarianceBytes(stateElements: 256, observations: 64) == 2 * 18 * 14_624)
  }

  @Test func choosesByBytes() {
    #expect(ReductionPlan.choose(members: 10, stateElements: 256, observations: 64) == .gather)
    #expect(ReductionPlan.choose(members: 100, stateElements: 256, observations: 1) == .covariance)
    #expect(ReductionPlan.choose(members: 1000, stateElements: 40, observations: 40) == .covariance)
    for members in 1..<60 {
      let plan = ReductionPlan.choose(members: members, stateElements: 40, observations: 10)
      let isCheaper =
        ReductionPlan.covarianceBytes(stateElements: 40, observations: 10)
        < ReductionPlan.gatherBytes(members: members, stateElements: 40)
      #expect((plan == .covariance) == isCheaper)
    }
  }
}
