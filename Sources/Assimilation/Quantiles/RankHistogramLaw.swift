internal import DaunceNumerics

/// The rank histogram's law (Anderson 2010): 1 / (N + 1) of the probability, evenly, between any two neighbouring members, and
/// as much in a normal tail beyond the outermost ones, cut off where there is a bound (Anderson 2023). Members that are equal
/// share the middle of their probabilities.
package final class RankHistogramLaw: PriorLaw {
  private let members: Int
  private let order: MemberOrder
  /// In ascending order.
  private var sorted: UnsafePointer<Double> { order.sorted }
  private var deviation = 1.0
  private var bounds = QuantityBounds()
  /// Of the outermost members in the tails' normal laws.
  private let edge: Double
  private let share: Double

  package init(members: Int) {
    self.members = members
    order = MemberOrder(members: members)
    share = 1 / Double(members + 1)
    edge = StandardNormal.upperQuantile(share)
  }

  package func fit(_ values: UnsafePointer<Double>, members: Int, bounds: QuantityBounds) {
    self.bounds = bounds
    deviation = memberMoments(values, members).variance.squareRoot()
    order.sort(values)
  }

  package func score(of value: Double) -> Double {
    let (sorted, last) = (sorted, members - 1)
    if value < sorted[0] { return -tail(sorted[0] - value, room: sorted[0] - bounds.lower) }
    if value > sorted[last] { return tail(value - sorted[last], room: bounds.upper - sorted[last]) }
    // Members below, and not above.
    let (below, upTo) = (count(value, inclusive: false), count(value, inclusive: true))
    var rank = 0.5 * Double(below + 1 + upTo)
    if upTo == below { rank = Double(below) + (value - sorted[below - 1]) / (sorted[below] - sorted[below - 1]) }
    return NormalScore.of(lower: rank * share, upper: 1 - rank * share)
  }

  package func value(at score: Double) -> Double {
    let (sorted, last) = (sorted, members - 1)
    if score <= -edge { return sorted[0] - length(-score, room: sorted[0] - bounds.lower) }
    if score >= edge { return sorted[last] + length(score, room: bounds.upper - sorted[last]) }
    let rank = (score < 0 ? StandardNormal.upperTail(-score) : 1 - StandardNormal.upperTail(score)) / share
    let below = min(max(Int(rank), 1), last)
    return sorted[below - 1] + (rank - Double(below)) * (sorted[below] - sorted[below - 1])
  }

  /// Score of what is so far beyond the outermost member, with so much room to the bound.
  private func tail(_ distance: Double, room: Double) -> Double {
    let z = edge + distance / deviation
    guard room.isFinite else { return z }
    guard distance < room else { return NormalScore.most }
    let cut = StandardNormal.upperTail(edge + room / deviation)
    let rest = (StandardNormal.upperTail(z) - cut) / (share - cut)
    return rest > 0 ? min(NormalScore.most, StandardNormal.upperQuantile(share * rest)) : NormalScore.most
  }

  /// The other way round.
  private func length(_ score: Double, room: Double) -> Double {
    guard room.isFinite else { return deviation * (score - edge) }
    guard room > 0 else { return 0 }
    let cut = StandardNormal.upperTail(edge + room / deviation)
    let upper = cut + StandardNormal.upperTail(score) / share * (share - cut)
    return min(room, max(0, deviation * (StandardNormal.upperQuantile(upper) - edge)))
  }

  /// How many members are below a value, or not above it.
  private func count(_ value: Double, inclusive: Bool) -> Int {
    var (low, high) = (0, members)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value || (inclusive && sorted[middle] == value) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
