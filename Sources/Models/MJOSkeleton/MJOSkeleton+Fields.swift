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
        source.withUnsafeBufferPointer { source in
          guard let k = state.baseAddress, let moisture = fields.baseAddress, let s = source.baseAddress else { return }
          let (r, z, a) = (k + n, k + 2 * n, k + 3 * n)
          let (noise, heating) = (moisture + n, moisture + 2 * n)
          for i in 0..<n {
            let q = z[i] + MJOConstants.moistureGradient * (k[i] + r[i])
            moisture[i] = q / 0.06
            // A filter may hand over a negative activity; its noise is that of none.
            noise[i] = (abs(q) * (a[i] < 0 ? 0 : a[i])).squareRoot()
            heating[i] = s[i] / MJOConstants.homogeneousSource - 1
          }
        }
      }
    }
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
