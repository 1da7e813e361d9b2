#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
public import DaunceNumerics
import DaunceState

extension MJOSkeleton {
  /// The rest state K = R = Z = 0, a = Abar(x), with smooth perturbations (waves 1 to 3, random amplitudes and phases)
  /// of a tenth of each variable's scale; that of a is a factor exp(0.1 w), so a stays positive. The zonal means, and
  /// with them the linear invariants, start from 0.
  public func initialState(_ stream: RandomStream) -> [Double] {
    let n = layout.cells
    var state = [Double](repeating: 0, count: layout.count)
    for v in 0..<4 {
      let scale = 0.1 * layout.fields[v].scale
      let wave = smoothField(stream, first: 3 * v)
      for i in 0..<n {
        state[v * n + i] =
          v < 3
          ? scale * wave[i]
          : max(configuration.floor, source[i] / MJOConstants.heatingRate * exp(0.1 * wave[i]))
      }
    }
    return state
  }

  /// Waves 1 to 3 with independent normal amplitudes; variance 1 at every cell.
  private func smoothField(_ stream: RandomStream, first: Int) -> [Double] {
    let n = layout.cells
    let amplitudes = (0..<3).map { stream.normalPair(at: first + $0) }
    return (0..<n).map { i in
      var sum = 0.0
      for k in 1...3 {
        let angle = 2 * Double.pi * Double((k * i) % n) / Double(n)
        sum += amplitudes[k - 1].0 * cos(angle) + amplitudes[k - 1].1 * sin(angle)
      }
      return sum / 3.0.squareRoot()
    }
  }

  /// Q / 0.06, sqrt(|Q| a) and S / 0.022 - 1, in this order.
  public func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {
    let n = layout.cells
    precondition(state.count >= 4 * n && fields.count >= 3 * n, "four fields and three auxiliary ones")
    state.withUnsafeBufferPointer { state in
      fields.withUnsafeMutableBufferPointer { fields in
        guard let k = state.baseAddress, let moisture = fields.baseAddress else { return }
        let (r, z, a, noise) = (k + n, k + 2 * n, k + 3 * n, moisture + n)
        var i = 0
        while i + 8 <= n {
          let (q, growing) = Self.moisture(Self.eight(k + i), Self.eight(r + i), Self.eight(z + i), Self.eight(a + i))
          UnsafeMutableRawPointer(moisture + i).storeBytes(of: q / 0.06, as: SIMD8<Double>.self)
          UnsafeMutableRawPointer(noise + i).storeBytes(of: growing.squareRoot(), as: SIMD8<Double>.self)
          i += 8
        }
        while i < n {
          let (q, growing) = Self.moisture(
            SIMD8(repeating: k[i]), SIMD8(repeating: r[i]), SIMD8(repeating: z[i]), SIMD8(repeating: a[i]))
          (moisture[i], noise[i]) = (q[0] / 0.06, growing[0].squareRoot())
          i += 1
        }
        relativeSource.withUnsafeBufferPointer { source in
          if let s = source.baseAddress { (moisture + 2 * n).update(from: s, count: n) }
        }
      }
    }
  }

  @inline(__always)
  private static func eight(_ x: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD8<Double>.self)
  }

  /// Q, and |Q| a. A filter may hand over a negative activity; its noise is that of none.
  @inline(__always)
  private static func moisture(
    _ k: SIMD8<Double>, _ r: SIMD8<Double>, _ z: SIMD8<Double>, _ a: SIMD8<Double>
  ) -> (SIMD8<Double>, SIMD8<Double>) {
    let q = z + MJOConstants.moistureGradient * (k + r)
    return (q, q.replacing(with: -q, where: q .< 0) * a.replacing(with: 0, where: a .< 0))
  }

  static func source(_ background: MJOConfiguration.Background, _ ring: Ring) -> [Double] {
    let mean = MJOConstants.homogeneousSource
    switch background {
    case .homogeneous: return [Double](repeating: mean, count: ring.cells)
    case .warmPool:
      return (0..<ring.cells).map {
        mean * (1 - 0.6 * cos(2 * .pi * (Double($0) * ring.length / Double(ring.cells)) / ring.length))
      }
    }
  }
}
