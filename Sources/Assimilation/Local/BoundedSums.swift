public import DaunceEnsemble
public import DaunceMPI
public import DaunceState

/// Brings an analysed part of the state back into the bounds of its fields, and the sums of chosen fields back to the
/// forecast's.
///
/// Values outside their bounds are set to them. Where the sum S of the forecast is kept too, the difference that is left
/// is spread in proportion to the analysis variance s^2 over the elements that can still move in its direction,
///
///     x = clip(x + (S - sum of x) / (sum of s^2) s^2)
///
/// until it is gone. Elements that the analysis left alone stay. Sums run over tiles in the order of the state: the same
/// bits for any number of ranks.
public final class BoundedSums {
  private let layout: StateLayout
  private let partition: StatePartition
  private let communicator: Communicator
  /// Numbers of the fields whose sum is kept.
  private let fields: [Int]
  /// Sum of every such field in every member before the analysis (`[field][member]`).
  private var targets: [[Double]] = []

  /// - Parameter fields: numbers of the fields whose sums are kept; may be empty.
  public init(_ layout: StateLayout, partition: StatePartition, fields: [Int], communicator: Communicator) {
    self.layout = layout
    self.partition = partition
    self.fields = fields
    self.communicator = communicator
  }

  /// Whether there is anything to hold.
  public var isNeeded: Bool {
    !fields.isEmpty || layout.fields.contains { $0.lowerBound != nil || $0.upperBound != nil }
  }

  /// Remembers the sums of the forecast. Collective.
  public func remember(_ part: PartialEnsemble) throws {
    targets = []
    for field in fields {
      targets.append(try totals(field, part, count: part.members) { row, m in row[m].isNaN ? 0 : row[m] })
    }
  }

  /// What a projection did.
  public struct Report: Sendable, Hashable {
    /// Values of members that lay outside their bounds.
    public var outside = 0
    /// Largest difference between a member's sum and the forecast's that is left, over the sum of absolute values.
    public var residual = 0.0
  }

  /// Projects every member. Collective.
  ///
  /// - Parameter moved: the analysis variance of every element of the part that the analysis changed, 0 for others.
  public func project(_ part: PartialEnsemble, moved: [Double]) throws -> Report {
    var report = Report()
    for number in layout.fields.indices {
      let field = layout.fields[number]
      guard field.lowerBound != nil || field.upperBound != nil || fields.contains(number) else { continue }
      report.outside += clip(part, field: number, moved: moved, shifts: nil)
      if let k = fields.firstIndex(of: number) {
        report.residual = max(report.residual, try restore(part, field: number, target: targets[k], moved: moved))
      }
    }
    return report
  }

  private func tiles(of field: Int) -> [Int] {
    partition.tiles(of: communicator.rank).filter { partition.tiles[$0].field == field }
  }

  /// Adds `shifts[m]` times the variance and cuts off at the bounds.
  ///
  /// - Returns: values that were outside.
  private func clip(_ part: PartialEnsemble, field: Int, moved: [Double], shifts: [Double]?) -> Int {
    let (lower, upper) = (
      layout.fields[field].lowerBound ?? -.infinity, layout.fields[field].upperBound ?? .infinity
    )
    var outside = 0
    for tile in tiles(of: field) {
      for element in partition.tiles[tile].elements {
        let variance = moved[element - part.elements.lowerBound]
        guard variance > 0 else { continue }
        let row = part.row(element)
        for m in 0..<part.members {
          let value = row[m] + (shifts.map { $0[m] * variance } ?? 0)
          if value < lower || value > upper { outside += 1 }
          row[m] = min(max(value, lower), upper)
        }
      }
    }
    return outside
  }

  /// - Returns: the largest difference that is left, relative.
  private func restore(_ part: PartialEnsemble, field: Int, target: [Double], moved: [Double]) throws -> Double {
    let (lower, upper) = (
      layout.fields[field].lowerBound ?? -.infinity, layout.fields[field].upperBound ?? .infinity
    )
    let first = part.elements.lowerBound
    let sizes = try totals(field, part, count: part.members) { row, m in row[m].isNaN ? 0 : abs(row[m]) }
    var worst = 0.0
    for _ in 0..<50 {
      let sums = try totals(field, part, count: part.members) { row, m in row[m].isNaN ? 0 : row[m] }
      let gaps = zip(target, sums).map { $0 - $1 }
      worst = zip(gaps, sizes).reduce(0) { max($0, abs($1.0) / max($1.1, .leastNormalMagnitude)) }
      if worst <= 1e-14 { break }
      // What can still move in the direction of the gap.
      let slopes = try totals(field, part, count: part.members, element: { moved[$0 - first] }) { row, m, variance in
        gaps[m] > 0 ? (row[m] < upper ? variance : 0) : (row[m] > lower ? variance : 0)
      }
      let shifts = zip(gaps, slopes).map { $1 > 0 ? $0 / $1 : 0 }
      if !shifts.contains(where: { $0 != 0 }) { break }
      _ = clip(part, field: field, moved: moved, shifts: shifts)
    }
    return worst
  }

  private func totals(
    _ field: Int, _ part: PartialEnsemble, count: Int, _ value: (UnsafeMutablePointer<Double>, Int) -> Double
  ) throws -> [Double] {
    try totals(field, part, count: count, element: { _ in 0 }) { row, m, _ in value(row, m) }
  }

  /// Sums over a field for each member: by tiles, then over tiles in their order.
  private func totals(
    _ field: Int, _ part: PartialEnsemble, count: Int, element weight: (Int) -> Double,
    _ value: (UnsafeMutablePointer<Double>, Int, Double) -> Double
  ) throws -> [Double] {
    let all = partition.tiles.indices.filter { partition.tiles[$0].field == field }
    guard let start = all.first else { return [Double](repeating: 0, count: count) }
    var sums = [Double](repeating: 0, count: all.count * count)
    for tile in tiles(of: field) {
      for element in partition.tiles[tile].elements {
        let (row, w) = (part.row(element), weight(element))
        for m in 0..<count { sums[(tile - start) * count + m] += value(row, m, w) }
      }
    }
    // Every entry is of one rank and zero elsewhere.
    try communicator.allreduce(&sums, .sum)
    var total = [Double](repeating: 0, count: count)
    for tile in 0..<all.count { for m in 0..<count { total[m] += sums[tile * count + m] } }
    return total
  }
}
