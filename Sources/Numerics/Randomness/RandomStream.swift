#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a stream of random numbers is for. Streams of different purposes never overlap.
public enum Purpose: UInt32, Sendable, CaseIterable {
  case natureInitial = 1
  case natureSpinUp = 2
  case natureNoise = 3
  case observation = 4
  case initialEnsemble = 5
  case forecastNoise = 6
  case observationPerturbation = 7
  case policyDraw = 8
  case policyStratum = 9
  case networkInitialisation = 10
  case trainingOrder = 11
  case rolloutNoise = 12
  case rolloutStart = 13
  case resampling = 14
  case rolloutTwin = 15
  case initialCentre = 16
  case climatologyInitial = 17
  case climatologySpinUp = 18
  case networkCells = 19
  case rotation = 20
  case additiveInflation = 21
  case rolloutForecast = 22
  case trainingCase = 23
  case importance = 24
  case nonlinearUpdate = 25
  case weightPrior = 26
  case targetPerturbation = 27
  case regressionOrder = 28
  case trainingRows = 29
  case testingRows = 30
  case newInput = 31
  case predictiveDraw = 32
  case bootstrap = 33
  case weightChain = 34
  case replacement = 35
  case test = 255
}

/// Random numbers keyed by (seed, purpose, member, cycle) and addressed by index: never by rank, so a run gives the
/// same bits however its members are spread.
///
/// Every number has an address, `index`: reading it twice gives the same value, and there is no state to carry or save.
/// Indices reach up to 2^32 - 1 blocks of two numbers for one (purpose, member, cycle).
public struct RandomStream: Sendable, Hashable {
  @usableFromInline let key: SIMD2<UInt32>
  @usableFromInline let member: UInt32
  @usableFromInline let cycle: UInt32
  @usableFromInline let purpose: UInt32

  /// - Parameters:
  ///   - seed: of the whole experiment or of one truth.
  ///   - purpose: what the numbers are for.
  ///   - member: global number of the ensemble member; 0 where there is none.
  ///   - cycle: assimilation cycle or training iteration; 0 where there is none.
  @inlinable
  public init(seed: UInt64, purpose: Purpose, member: Int = 0, cycle: Int = 0) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.purpose = purpose.rawValue
    self.member = UInt32(truncatingIfNeeded: member)
    self.cycle = UInt32(truncatingIfNeeded: cycle)
  }

  /// Four independent 32-bit words.
  @inlinable
  public func words(at index: Int) -> SIMD4<UInt32> {
    Philox.block(
      counter: SIMD4(UInt32(truncatingIfNeeded: index), cycle, member, purpose), key: key)
  }

  /// Two independent uniform numbers in the open interval (0, 1), with 52 random bits each.
  @inlinable
  public func uniformPair(at index: Int) -> (Double, Double) {
    let w = words(at: index)
    return (Self.unit(w.x, w.y), Self.unit(w.z, w.w))
  }

  /// A uniform number in (0, 1).
  @inlinable
  public func uniform(at index: Int) -> Double { uniformPair(at: index).0 }

  /// A number drawn evenly from `0..<bound` (`bound` at most 2^32; Lemire's multiplication, bias below 2^-32).
  @inlinable
  public func integer(below bound: Int, at index: Int) -> Int {
    Int((UInt64(words(at: index).x) &* UInt64(bound)) >> 32)
  }

  /// Two independent standard normal numbers (Box & Muller 1958).
  public func normalPair(at index: Int) -> (Double, Double) {
    let (u, v) = uniformPair(at: index)
    let radius = (-2 * log(u)).squareRoot()
    let angle = 2 * Double.pi * v
    return (radius * cos(angle), radius * sin(angle))
  }

  /// A standard normal number; addresses `2 j` and `2 j + 1` share the pair at `j`.
  public func normal(at index: Int) -> Double {
    let pair = normalPair(at: index >> 1)
    return index & 1 == 0 ? pair.0 : pair.1
  }

  /// The midpoint of one of 2^52 equal parts of the unit interval: never 0, never 1.
  @inlinable
  static func unit(_ high: UInt32, _ low: UInt32) -> Double {
    let bits = (UInt64(high) << 32 | UInt64(low)) >> 12
    return (Double(bits) + 0.5) * 0x1p-52
  }
}
