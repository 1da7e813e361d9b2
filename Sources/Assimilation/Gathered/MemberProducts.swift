/// Sums over members of one element's anomalies times those of others: localized covariances, a vector of elements at a
/// time.
struct MemberProducts {
  private typealias Lanes = SIMD8<Double>

  /// Anomalies, `[member][stride]`, with room for a vector behind the last.
  let x: UnsafePointer<Double>
  let stride: Int
  /// The one element's (`[member]`).
  let factors: UnsafePointer<Double>
  let members: Int

  /// Writes the sums for `count` elements from `start` on, each times its weight over `divisor`.
  ///
  /// - Parameter weights: with room for a vector behind the last.
  @inline(__always)
  func write(
    _ start: Int, _ count: Int, weights: UnsafePointer<Double>, divisor: Double = 1,
    to result: UnsafeMutablePointer<Double>
  ) {
    for first in Swift.stride(from: 0, to: count, by: Lanes.scalarCount) {
      let column = UnsafeRawPointer(x + (start &+ first))
      let step = stride &* MemoryLayout<Double>.stride
      var sum = Lanes.zero
      for m in 0..<members {
        sum += (column + m &* step).loadUnaligned(as: Lanes.self) * Lanes(repeating: factors[m])
      }
      sum *= UnsafeRawPointer(weights + first).loadUnaligned(as: Lanes.self) / divisor
      let left = count &- first
      if left >= Lanes.scalarCount {
        UnsafeMutableRawPointer(result + first).storeBytes(of: sum, as: Lanes.self)
      } else {
        for i in 0..<left { result[first &+ i] = sum[i] }
      }
    }
  }
}
