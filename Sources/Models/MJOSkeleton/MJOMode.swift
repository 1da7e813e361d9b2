#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import DaunceState

/// Normal modes of the skeleton model linearised about a = abar and K = R = Z = 0, for one wavenumber.
///
/// For modes exp(i (k x - omega t)) the linear equations leave the dispersion relation
///
///     omega = Gamma abar H [ (1 - Qt) / omega + Qt / (2 (omega - k)) + Qt / (3 (omega + k / 3)) ].
///
/// Left minus right grows with omega from -infinity to infinity between neighbouring poles, -k/3, 0 and k, so there is
/// exactly one root in each of the four intervals: the moist and dry Rossby waves to the west, the MJO in (0, k), the
/// Kelvin wave beyond k.
public struct MJOMode: Sendable, Hashable {
  /// Number of waves around the circle.
  public let wavenumber: Int
  /// The four frequencies, ascending, in radians per unit of time.
  public let frequencies: [Double]
  /// Frequency of the MJO, the smallest positive one.
  public var frequency: Double { frequencies[2] }

  /// Left eigenvector of the MJO, for the right one whose activity is 1: real weight of A, and weights of K, R and Z
  /// that are to be multiplied by the imaginary unit.
  let weights: (k: Double, r: Double, z: Double, a: Double)

  /// By wavenumber and frequencies, which decide the rest.
  public static func == (x: MJOMode, y: MJOMode) -> Bool {
    x.wavenumber == y.wavenumber && x.frequencies == y.frequencies
  }

  /// By what equality looks at.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(wavenumber)
    hasher.combine(frequencies)
  }

  /// - Parameters:
  ///   - wavenumber: positive number of waves around the circle.
  ///   - length: circumference.
  ///   - activity: abar of the mean state.
  public init(wavenumber: Int, length: Double, activity: Double) {
    let k = 2 * Double.pi * Double(wavenumber) / length
    let qt = MJOConstants.moistureGradient
    let coupling = MJOConstants.growthRate * activity
    let strength = coupling * MJOConstants.heatingRate
    let residual = { (w: Double) in
      w - strength * ((1 - qt) / w + qt / (2 * (w - k)) + qt / (3 * (w + k / 3)))
    }
    // No root lies farther from its pole than the square root of all the strength.
    let reach = strength.squareRoot() + k
    let edges = [-k / 3 - reach, -k / 3, 0, k, k + reach]
    let roots = (0..<4).map { i in Self.root(of: residual, between: edges[i], and: edges[i + 1]) }
    self.wavenumber = wavenumber
    frequencies = roots
    let w = roots[2]
    let slope =
      1 + strength
      * ((1 - qt) / (w * w) + qt / (2 * (w - k) * (w - k)) + qt / (3 * (w + k / 3) * (w + k / 3)))
    weights = (
      coupling * qt / (w - k) / slope, coupling * qt / (w + k / 3) / slope, coupling / w / slope, 1 / slope
    )
  }

  /// The root of an increasing function by bisection down to neighbouring floating-point numbers.
  private static func root(
    of function: (Double) -> Double, between low: Double, and high: Double
  ) -> Double {
    var (low, high) = (low, high)
    while true {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { return middle }
      if function(middle) < 0 { low = middle } else { high = middle }
    }
  }
}

/// The MJO of a state: what the MJO modes of wavenumbers 1 to 3 contribute to the activity a.
///
/// Each Fourier mode of (K, R, Z, a - Abar) is projected on the left eigenvector of the MJO. The right eigenvector is
/// scaled to unit activity and the left one to unit product with it, which fixes amplitude, sign and phase: the field
/// has the unit of a, and a state that is a pure MJO wave has its a - Abar as MJO.
public struct MJOProjection: Sendable {
  /// Wavenumbers 1, 2, 3.
  public let modes: [MJOMode]
  /// Abar at every cell (`[cell]`).
  private let background: [Double]
  /// cos and sin of 2 pi k j / n for every mode's wavenumber k (`[mode][cell]`).
  private let cosines: [Double]
  private let sines: [Double]

  /// - Parameters:
  ///   - grid: at least 8 cells.
  ///   - background: Abar at every cell (`[cell]`).
  ///   - activity: abar of the mean state that the modes belong to.
  public init(ring: Ring, background: [Double], activity: Double) {
    modes = (1...3).map { MJOMode(wavenumber: $0, length: ring.length, activity: activity) }
    self.background = background
    let n = ring.cells
    func table(_ function: (Double) -> Double) -> [Double] {
      let turn = (0..<n).map { function(2 * .pi * Double($0) / Double(n)) }
      return (1...3).flatMap { wavenumber in (0..<n).map { turn[wavenumber * $0 % n] } }
    }
    cosines = table { cos($0) }
    sines = table { sin($0) }
  }

  /// Weights of the modes, a lane to each.
  private var weights: (k: SIMD4<Double>, r: SIMD4<Double>, z: SIMD4<Double>, a: SIMD4<Double>) {
    func lanes(_ weight: (MJOMode) -> Double) -> SIMD4<Double> {
      SIMD4(weight(modes[0]), weight(modes[1]), weight(modes[2]), 0)
    }
    return (lanes { $0.weights.k }, lanes { $0.weights.r }, lanes { $0.weights.z }, lanes { $0.weights.a })
  }

  /// The MJO (`[cell]`) of a state (`[variable][cell]`), in the unit of a.
  public func field(of state: Span<Double>) -> [Double] {
    let n = background.count
    precondition(state.count == 4 * n, "a state of the skeleton model has four fields")
    var field = [Double](repeating: 0, count: n)
    field.withUnsafeMutableBufferPointer { field in
      state.withUnsafeBufferPointer { state in
        background.withUnsafeBufferPointer { background in
          cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
              // Coefficients of sum_j (i p_j + q_j) exp(-i k x_j), with the imaginary weights gathered in p and the
              // real one in q. A lane to a mode: each adds up in the order of cells.
              let w = weights
              var (real, imaginary) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
              for j in 0..<n {
                let p = w.k * state[j] + w.r * state[n + j] + w.z * state[2 * n + j]
                let q = w.a * (state[3 * n + j] - background[j])
                let c = SIMD4(cosines[j], cosines[n + j], cosines[2 * n + j], 0)
                let s = SIMD4(sines[j], sines[n + j], sines[2 * n + j], 0)
                real += q * c + p * s
                imaginary += p * c - q * s
              }
              for m in 0..<modes.count {
                let (a, b) = (real[m], imaginary[m])
                for j in 0..<n { field[j] += 2 / Double(n) * (a * cosines[m &* n &+ j] - b * sines[m &* n &+ j]) }
              }
            }
          }
        }
      }
    }
    return field
  }
}
