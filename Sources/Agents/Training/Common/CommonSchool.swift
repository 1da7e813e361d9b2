import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceState

/// The ensembles of a common training that this rank holds, and the sum of the gradients of all.
///
/// Ensembles are in groups of neighbours, whole groups on a rank; beyond as many ranks as groups some have nothing to do.
final class CommonSchool {
  /// Derivative of the mean loss by the policy's parameters.
  private(set) var gradient: [Float]
  private let ensembles: [CommonEnsemble]
  private let groups: [Range<Int>]
  private let sums: GradientSums
  private let communicator: Communicator
  private let weight: Float
  /// Mean over ensembles of what moves each band's multiplier; see `Multiplier.summand`.
  private(set) var means: [Double]
  /// Of every group: its gradient, its loss and its sums for the bands (`[group][parameters + 1 + bands]`).
  private var rows: [Float]
  private let counts: [Int]
  private let local: Range<Int>

  /// Most groups, so that their gradients stay few enough to be gathered.
  static let groupLimit = 16

  init(
    _ common: CommonSettings, settings: AgentSettings, policy: Network, bands: [Band], tolerance: Double,
    layout: StateLayout, communicator: Communicator, seed: UInt64, tag: Int, makeCase: (_ ensemble: Int) throws -> TrainingCase
  ) throws {
    self.communicator = communicator
    let count = policy.parameters.count
    let size = (common.batch + Self.groupLimit - 1) / Self.groupLimit
    let groups = stride(from: 0, to: common.batch, by: size).map { $0..<min($0 + size, common.batch) }
    func share(_ rank: Int) -> Range<Int> {
      groups.count * rank / communicator.size..<groups.count * (rank + 1) / communicator.size
    }
    self.groups = groups
    local = share(communicator.rank)
    means = [Double](repeating: 0, count: bands.count)
    let width = count + 1 + bands.count
    counts = (0..<communicator.size).map { share($0).count * width }
    rows = [Float](repeating: 0, count: groups.count * width)
    gradient = [Float](repeating: 0, count: count)
    sums = GradientSums(policy)
    let numbers = groups[local].flatMap { $0 }
    ensembles = try communicator.collectively {
      try numbers.map {
        try CommonEnsemble(
          try makeCase($0), settings: settings, policy: policy, bands: bands, tolerance: tolerance, number: $0,
          seed: seed, tag: tag)
      }
    }
    weight = 1 / Float(common.batch * settings.controls.count * settings.cells(in: layout))
  }

  /// One step of every ensemble, and the mean loss of all. Collective.
  func step(_ policy: Network, _ multipliers: [Multiplier], number: Int) throws -> Double {
    let width = gradient.count + 1 + means.count
    var next = 0
    try communicator.collectively {
      for g in local {
        sums.reset()
        var loss = 0.0
        for b in means.indices { means[b] = 0 }
        for _ in groups[g] {
          loss += try ensembles[next].advance(policy, multipliers, step: number, weight: weight, into: sums)
          for b in means.indices { means[b] += multipliers[b].summand(ensembles[next].deviations[b]) }
          next += 1
        }
        rows.withUnsafeMutableBufferPointer { rows in
          guard let row = rows.baseAddress else { return }
          sums.write(to: row + g * width)
          row[g * width + gradient.count] = Float(loss)
          for b in means.indices { row[g * width + gradient.count + 1 + b] = Float(means[b]) }
        }
      }
    }
    try communicator.allgatherv(inPlace: &rows, counts: counts)
    return addUp(width)
  }

  /// Sums over groups, in their order: the gradient, and the loss that it returns.
  private func addUp(_ width: Int) -> Double {
    var loss = 0.0
    let (count, size) = (gradient.count, groups.count)
    for b in means.indices {
      var sum = 0.0
      for g in 0..<size { sum += Double(rows[g * width + count + 1 + b]) }
      means[b] = sum / Double(groups[size - 1].upperBound)
    }
    gradient.withUnsafeMutableBufferPointer { gradient in
      rows.withUnsafeBufferPointer { rows in
        gradient.update(repeating: 0)
        for g in groups.indices {
          for k in 0..<count { gradient[k] += rows[g * width + k] }
          loss += Double(rows[g * width + count])
        }
      }
    }
    return loss
  }

  /// Adds where all ensembles stand. Collective.
  func save(into snapshot: inout Snapshot) throws {
    let own = ensembles.flatMap(\.saved)
    let sizes = try everywhere(ensembles.map { Double($0.savedCount) })
    snapshot.set("common_sizes", sizes)
    snapshot.set("common_ensembles", try everywhere(own))
  }

  private func everywhere(_ own: [Double]) throws -> [Double] {
    let size = communicator.size
    var counts = [Int64](repeating: 0, count: size)
    try communicator.allgatherv([Int64(own.count)], into: &counts, counts: [Int](repeating: 1, count: size))
    var all = [Double](repeating: 0, count: Int(counts.reduce(0, +)))
    try communicator.allgatherv(own, into: &all, counts: counts.map { Int($0) })
    return all
  }

  /// Goes on from where a training with the same tag stood.
  func restore(from snapshot: Snapshot) throws {
    let sizes: [Double] = try snapshot.values("common_sizes", count: groups[groups.count - 1].upperBound)
    let all: [Double] = try snapshot.values("common_ensembles", count: Int(sizes.reduce(0, +)))
    let numbers = groups[local].flatMap { $0 }
    for (ensemble, number) in zip(ensembles, numbers) {
      let first = Int(sizes[..<number].reduce(0, +))
      guard ensemble.savedCount == Int(sizes[number]) else {
        throw SnapshotError(name: "common_sizes", found: "\(sizes[number])")
      }
      try ensemble.restore(all[first..<first + ensemble.savedCount])
    }
  }
}
