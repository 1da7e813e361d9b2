import DaunceEnsemble
import DaunceMPI
import TestSupport

/// Statistics of ten synthetic members by every route, as bits.
func exerciseEnsemble(_ world: Communicator) throws {
  let (members, width, columns) = (10, 13, [12, 3, 7])
  let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
  let rows = distribution.local.map { SyntheticEnsemble.row(of: $0, width: width) }

  let statistics = EnsembleStatistics(width: width, distribution: distribution, communicator: world)
  try statistics.reduce(rows)
  try tell("mean", statistics.mean, world)
  try tell("spread", statistics.spread, world)

  // References and units of no special form; other sums and roundings, so other bits, but nearly equal values.
  let units = (0..<width).map { 0.7 / Double(1 << $0) }
  let shifted = EnsembleStatistics(
    width: width, distribution: distribution, communicator: world,
    reference: (0..<width).map { 2.9 - Double($0) }, units: units)
  let flat = rows.flatMap { $0 }
  try shifted.reduce(flat: flat.span)
  try tell("shifted mean", shifted.mean, world)
  try tell("shifted variance", shifted.variance, world)

  let covariance = EnsembleCovariance(
    width: width, columns: [1], distribution: distribution, communicator: world)
  covariance.select(columns: columns)
  let before = world.traffic
  try covariance.reduce(rows)
  report("reductions", (world.traffic - before).collectives, world)
  report("bytes", (world.traffic - before).bytes, world)
  try tell("covariance mean", covariance.mean, world)
  try tell("covariance", covariance.covariance, world)
  covariance.select(columns: Array(0..<width))
  try covariance.reduce(rows)
  try tell("full covariance", covariance.covariance, world)

  let gathered = GatheredEnsemble(width: width, distribution: distribution, communicator: world)
  try gathered.gather(rows)
  try tell("members", gathered.members, world)

  // A single member, on a communicator of each rank's own.
  if let own = try world.split(color: world.rank) {
    let single = EnsembleStatistics(
      width: 3, distribution: try Distribution(members: 1, ranks: 1, rank: 0), communicator: own)
    try single.reduce([[0.1, -3, 0x1p-40]])
    try tell("single mean", single.mean, world)
    try tell("single spread", single.spread, world)
  }

  // Member 4 spoils elements 0...2 and nothing else.
  var spoilt = rows
  for (i, member) in distribution.local.enumerated() where member == 4 {
    spoilt[i].replaceSubrange(0..<3, with: [.nan, -.infinity, 2000])
  }
  try statistics.reduce(spoilt)
  try tell("spoilt mean", statistics.mean, world)
  try tell("spoilt spread", statistics.spread, world)
}

/// Prints the bits of `values` on rank 0 after making sure that all ranks have the same.
private func tell(_ key: String, _ values: [Double], _ world: Communicator) throws {
  for value in values { try world.agree(on: value.bitPattern, about: key) }
  report(key, values.map { String($0.bitPattern, radix: 16) }.joined(separator: " "), world)
}

/// Where the time of the reductions goes, for the default experiment's sizes.
func benchmark(_ world: Communicator) throws {
  let (members, width) = (max(10, world.size), 256)
  let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
  let rows = distribution.local.map { member in
    (0..<width).map { Double(member) + Double($0) / 7 }
  }
  let statistics = EnsembleStatistics(width: width, distribution: distribution, communicator: world)
  let covariance = EnsembleCovariance(
    width: width, columns: Array(192..<256), distribution: distribution, communicator: world)
  let gathered = GatheredEnsemble(width: width, distribution: distribution, communicator: world)

  func time(_ name: String, _ count: Int, _ body: () throws -> Void) throws {
    try body()
    try world.barrier()
    let clock = ContinuousClock()
    let elapsed = try clock.measure { for _ in 0..<count { try body() } }
    report(name, "\(elapsed / count)", world)
  }
  var buffer = [Double](repeating: 1, count: 64)
  try time("allreduce 64 doubles", 200) { try world.allreduce(&buffer, .max) }
  try time("statistics 256", 200) { try statistics.reduce(rows) }
  try time("gather 256", 200) { try gathered.gather(rows) }
  try time("covariance 256 x 64", 50) { try covariance.reduce(rows) }

  var sums = ExactSum(count: 1 << 14)
  let values = (0..<1 << 14).map { Double($0) / 7 }
  try time("exact sum of 16384", 100) { sums.add(values) }
}
