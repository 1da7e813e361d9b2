/// Scores of ensembles whose members lie in one buffer, eight points at a time. Same definitions and same bits as of
/// members in arrays of their own.

private typealias DoubleLanes = SIMD8<Double>

/// CRPS of many points at once; see `crps(_:truth:)`.
///
/// The object is a workspace: after `init` nothing is allocated for up to ``largestNetwork`` members.
public struct CRPSField: Sendable {
  /// Sorting eight points at once compares every two members; beyond this many members a sort of each point is cheaper.
  public static let largestNetwork = 256

  private let members: Int
  /// Values of eight points, `[member]`.
  private var sorted: [SIMD8<Double>]

  /// - Parameter members: N, at least 1.
  public init(members: Int) {
    precondition(members > 0, "an ensemble needs a member")
    self.members = members
    sorted = [SIMD8<Double>](repeating: .zero, count: members)
  }

  /// Sum over the points of the CRPS.
  ///
  /// - Parameters:
  ///   - values: member m has point c at `m * stride + c`.
  ///   - truth: `[point]`.
  public mutating func sum(_ values: Span<Double>, stride: Int, truth: Span<Double>) -> Double {
    let (members, points) = (members, truth.count)
    precondition(stride >= points && values.count >= (members - 1) * stride + points, "members lack points")
    let whole = members <= Self.largestNetwork ? points / DoubleLanes.scalarCount * DoubleLanes.scalarCount : 0
    var total = 0.0
    values.withUnsafeBufferPointer { values in
      guard let x = values.baseAddress else { return }
      truth.withUnsafeBufferPointer { truth in
        guard let t = truth.baseAddress else { return }
        for first in Swift.stride(from: 0, to: whole, by: DoubleLanes.scalarCount) {
          let scores = eight(x + first, stride, UnsafeRawPointer(t + first).loadUnaligned(as: DoubleLanes.self))
          for lane in 0..<DoubleLanes.scalarCount { total += scores[lane] }
        }
        for c in whole..<points { total += crps((0..<members).map { x[$0 * stride + c] }, truth: t[c]) }
      }
    }
    return total
  }

  private mutating func eight(_ x: UnsafePointer<Double>, _ stride: Int, _ truth: DoubleLanes) -> DoubleLanes {
    let count = members
    return sorted.withUnsafeMutableBufferPointer { sorted in
      for m in 0..<count {
        // Insertion: the larger of two goes on to the right.
        var value = UnsafeRawPointer(x + m * stride).loadUnaligned(as: DoubleLanes.self)
        for k in 0..<m {
          let other = sorted[k]
          let isLess = value .< other
          sorted[k] = other.replacing(with: value, where: isLess)
          value = value.replacing(with: other, where: isLess)
        }
        sorted[m] = value
      }
      var (error, differences) = (DoubleLanes.zero, DoubleLanes.zero)
      for m in 0..<count {
        let distance = sorted[m] - truth
        error += distance.replacing(with: -distance, where: distance .< 0)
        differences += Double(2 * m + 1 - count) * distance
      }
      let n = Double(count)
      return error / n - differences / (n * n)
    }
  }
}

extension RankHistogram {
  /// Takes the members of the next cycle from one buffer: member m has point c at `m * stride + c`; `truth` is
  /// `[point]`.
  public mutating func add(_ values: Span<Double>, stride: Int, truth: Span<Double>) {
    let (members, points) = (counts.count - 1, truth.count)
    precondition(stride >= points && values.count >= (members - 1) * stride + points, "members lack points")
    guard beginCycle() else { return }
    let whole = points / DoubleLanes.scalarCount * DoubleLanes.scalarCount
    values.withUnsafeBufferPointer { values in
      guard let x = values.baseAddress else { return }
      truth.withUnsafeBufferPointer { truth in
        guard let t = truth.baseAddress else { return }
        for first in Swift.stride(from: 0, to: whole, by: DoubleLanes.scalarCount) {
          let limit = UnsafeRawPointer(t + first).loadUnaligned(as: DoubleLanes.self)
          var below = DoubleLanes.zero
          for m in 0..<members {
            let value = UnsafeRawPointer(x + (m * stride + first)).loadUnaligned(as: DoubleLanes.self)
            below += DoubleLanes.zero.replacing(with: 1, where: value .< limit)
          }
          for lane in 0..<DoubleLanes.scalarCount { count(rank: Int(below[lane])) }
        }
        for c in whole..<points { count(rank: (0..<members).reduce(0) { x[$1 * stride + c] < t[c] ? $0 + 1 : $0 }) }
      }
    }
  }
}
