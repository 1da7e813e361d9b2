import DaunceEnsemble
import Testing
import TestSupport

/// Statistics of members spread over ranks: the right numbers, and the same bits however they are spread.
@Suite(.serialized) struct DistributedStatisticsTests {
  private static let (members, width, columns) = (10, 13, [12, 3, 7])
  private static let job = Result { try mpirun(ranks: 1, executable: "MPIProbe", arguments: ["ensemble"]) }

  private func values(_ key: String) throws -> [Double] {
    let job = try Self.job.get()
    let bits = try #require(job.value(key), "\(job.stderr)").split(separator: " ")
    return try bits.map { Double(bitPattern: try #require(UInt64($0, radix: 16))) }
  }

  /// Sum over members of products of deviations from the mean, over N - 1: two passes, in the order of members.
  private func expected() -> (mean: [Double], covariance: (Int, Int) -> Double) {
    let rows = SyntheticEnsemble.rows(members: Self.members, width: Self.width)
    let n = Double(Self.members)
    let mean = (0..<Self.width).map { j in rows.reduce(0) { $0 + $1[j] } / n }
    return (mean, { i, j in rows.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / (n - 1) })
  }

  @Test(arguments: [2, 3, 4, 10]) func bitsDoNotDependOnRanks(ranks: Int) throws {
    let one = try Self.job.get()
    #expect(one.status == 0, "\(one.stderr)")
    let many = try mpirun(ranks: ranks, executable: "MPIProbe", arguments: ["ensemble"])
    #expect(many.status == 0, "\(many.stderr)")
    #expect(many.stdout == one.stdout)
  }

  @Test func meanAndSpread() throws {
    let (mean, covariance) = expected()
    for key in ["mean", "shifted mean", "covariance mean"] {
      for (value, truth) in zip(try values(key), mean) { #expect(abs(value - truth) < 1e-14, "\(key)") }
    }
    let (spread, shifted) = (try values("spread"), try values("shifted variance"))
    for j in 0..<Self.width {
      let variance = covariance(j, j)
      // Cancellation costs the square of mean over spread: 2^-52 (9 / 2^-12)^2 at most.
      let tolerance = 1e-15 * (1 + mean[j] * mean[j] / variance)
      #expect(abs(spread[j] * spread[j] / variance - 1) < 4 * tolerance)
      // A reference near the mean is better.
      #expect(abs(shifted[j] / variance - 1) < 4e-15 * (1 + 0.04 / variance))
    }
  }

  @Test func covariances() throws {
    let covariance = expected().covariance
    let (some, full) = (try values("covariance"), try values("full covariance"))
    try #require(some.count == 3 * Self.width && full.count == Self.width * Self.width)
    for i in 0..<Self.width {
      for (k, column) in Self.columns.enumerated() {
        #expect(abs(some[k * Self.width + i] - covariance(column, i)) < 1e-13)
      }
      for j in 0..<Self.width {
        #expect(abs(full[j * Self.width + i] - covariance(j, i)) < 1e-13)
        #expect(full[j * Self.width + i] == full[i * Self.width + j])
      }
    }
  }

  @Test func aCovarianceIsOneReduction() throws {
    let job = try Self.job.get()
    #expect(job.value("reductions") == "1")
    let sums = EnsembleCovariance.sumCount(width: Self.width, columns: 3)
    #expect(sums == 13 + 13 + 12 + 11)
    #expect(job.value("bytes") == "\(ExactSum.bytes(count: sums))")
  }

  @Test func gatheredMembersAreInOrder() throws {
    let rows = SyntheticEnsemble.rows(members: Self.members, width: Self.width)
    let gathered = try values("members")
    #expect(gathered == rows.flatMap { $0 })
  }

  @Test func aSingleMemberHasNoSpread() throws {
    let (mean, spread) = (try values("single mean"), try values("single spread"))
    #expect(mean == [0.1, -3, 0x1p-40])
    #expect(spread.map(\.bitPattern) == [0, 0, 0])
  }

  @Test func invalidElementsDoNotSpoilOthers() throws {
    let (mean, spread) = (try values("mean"), try values("spread"))
    let (spoiltMean, spoiltSpread) = (try values("spoilt mean"), try values("spoilt spread"))
    #expect(spoiltMean[0].isNaN && spoiltMean[1].isNaN && abs(spoiltMean[2] - 200) < 10)
    #expect(spoiltSpread[0].isNaN && spoiltSpread[1].isNaN && spoiltSpread[2].isNaN)
    #expect(spoiltMean[3...] == mean[3...])
    #expect(spoiltSpread[3...] == spread[3...])
  }
}
