public import DaunceMPI

/// Sums of doubles that don't depend on the order of summation, so that any number of ranks gives the same bits.
///
/// Each value is rounded to a multiple of 2^-76 and split into two limbs, a multiple of 2^-27 and the remainder; limbs
/// are added as 64-bit integers, which is associative, on a rank and between ranks (`MPI_SUM`). The result is the exact
/// sum of the rounded values, rounded once.
///
/// - Range: |x| < 2^20. Values out of range, infinite or not a number make that element's sum NaN; nothing traps.
/// - Resolution: 2^-76, so a value of magnitude 2^-24 or more is kept exactly. Bring values to a magnitude near 1 by a
///   power of two.
/// - Headroom: 2^14 values in a sum (`memberLimit`). Limbs are below 2^47 and 2^48, their sums below 2^61 and 2^62.
/// - Size: two limbs an element and a count of invalid values, 16 bits wide, four to a word: 18 bytes.
public struct ExactSum: Sendable {
  /// Most values that one element may add up, over all ranks.
  public static let memberLimit = 1 << 14
  /// Absolute values must be below this.
  public static let range = 0x1p20
  /// What values are rounded to multiples of.
  public static let resolution = 0x1p-76

  private static let highUnits = 0x1p27
  private static let lowUnits = 0x1p76
  /// Limbs differ by this many bits.
  private static let limbBits = 49
  /// Adding this to |x| < 2^51 leaves x, rounded to an integer, in the low bits of the significand.
  private static let rounder = 0x1.8p52

  /// Number of sums.
  public private(set) var count: Int
  /// High limbs (`[count]`), low limbs (`[count]`), counts of invalid values (four to a word).
  private var slots: [Int64]

  /// `count` sums, all zero.
  public init(count: Int) {
    self.count = count
    slots = [Int64](repeating: 0, count: Self.words(count))
  }

  /// Size of the buffer that a reduction of `count` sums sends, in bytes.
  public static func bytes(count: Int) -> Int { 8 * words(count) }

  private static func words(_ count: Int) -> Int { 2 * count + (count + 3) / 4 }

  /// Back to zero, with `count` sums; memory is kept.
  public mutating func reset(count: Int) {
    self.count = count
    slots.removeAll(keepingCapacity: true)
    slots.append(contentsOf: repeatElement(0, count: Self.words(count)))
  }

  /// Adds `factor * values[j]`, rounded as a double, to sum number `offset + j`.
  ///
  /// - Parameter factor: a power of two to scale, or a common factor of products.
  public mutating func add(_ values: Span<Double>, times factor: Double = 1, at offset: Int = 0) {
    values.withUnsafeBufferPointer { accumulate($0, factor, offset) }
  }

  /// Adds `factor * values[j]` to sum number `offset + j - first`, for j from `first` on.
  public mutating func add(
    _ values: [Double], from first: Int = 0, times factor: Double = 1, at offset: Int = 0
  ) {
    values.withUnsafeBufferPointer { accumulate(.init(rebasing: $0[first...]), factor, offset) }
  }

  private mutating func accumulate(_ values: UnsafeBufferPointer<Double>, _ factor: Double, _ offset: Int) {
    precondition(offset >= 0 && offset + values.count <= count, "values reach beyond the sums")
    let count = count
    slots.withUnsafeMutableBufferPointer { slots in
      guard let input = values.baseAddress, let base = slots.baseAddress else { return }
      let high = base + offset
      let low = base + count + offset
      var invalid: Int64 = 0
      let whole = values.count / Lanes.scalarCount * Lanes.scalarCount
      for j in stride(from: 0, to: whole, by: Lanes.scalarCount) {
        let x = factor * UnsafeRawPointer(input + j).loadUnaligned(as: Lanes.self)
        // False for NaN as well.
        let isValid = (x .< Self.range) .& (x .> -Self.range)
        let y = Lanes.zero.replacing(with: x, where: isValid)
        let rounded = y * Self.highUnits + Self.rounder
        let remainder = y - (rounded - Self.rounder) * (1 / Self.highUnits)
        Self.add(rounded, to: high + j)
        Self.add(remainder * Self.lowUnits + Self.rounder, to: low + j)
        invalid |= all(isValid) ? 0 : 1
      }
      for j in whole..<values.count {
        let x = factor * input[j]
        // False for NaN as well.
        let isValid = abs(x) < Self.range
        let y = isValid ? x : 0
        let rounded = y * Self.highUnits + Self.rounder
        // Exact: both are multiples of y's last bit, and the difference is at most 2^-28.
        let remainder = y - (rounded - Self.rounder) * (1 / Self.highUnits)
        high[j] &+= Self.integer(rounded)
        low[j] &+= Self.integer(remainder * Self.lowUnits + Self.rounder)
        invalid |= isValid ? 0 : 1
      }
      if invalid == 0 { return }
      for j in 0..<values.count where !(abs(factor * input[j]) < Self.range) {
        let (word, shift) = Self.flag(offset + j, count)
        base[word] &+= 1 << shift
      }
    }
  }

  private typealias Lanes = SIMD4<Double>

  /// Adds the integers in doubles that `rounder` was added to. The bits are cast because the standard library has
  /// `bitPattern` for single numbers only; both types are 32 plain bytes.
  @inline(__always)
  private static func add(_ rounded: Lanes, to sums: UnsafeMutablePointer<Int64>) {
    let integers = unsafeBitCast(rounded, to: SIMD4<Int64>.self) &- Int64(bitPattern: rounder.bitPattern)
    let place = UnsafeMutableRawPointer(sums)
    place.storeBytes(of: place.loadUnaligned(as: SIMD4<Int64>.self) &+ integers, as: SIMD4<Int64>.self)
  }

  /// Completes the sums with those of the other ranks: one reduction of ``bytes(count:)``. Collective.
  public mutating func reduce(over communicator: Communicator) throws(MPIError) {
    try communicator.allreduce(&slots, .sum)
  }

  /// Sum number `j`, correctly rounded; NaN if one of its values was invalid.
  public subscript(j: Int) -> Double {
    precondition(j >= 0 && j < count, "no such sum")
    return slots.withUnsafeBufferPointer { slots in
      let (word, shift) = Self.flag(j, count)
      if slots[word] >> shift & 0xFFFF != 0 { return .nan }
      return Self.value(high: slots[j], low: slots[count + j])
    }
  }

  /// Word and bit of the count of invalid values of sum `j`.
  @inline(__always)
  private static func flag(_ j: Int, _ count: Int) -> (word: Int, shift: Int) {
    (2 * count + j >> 2, (j & 3) << 4)
  }

  /// The integer in a double that `rounder` was added to.
  @inline(__always)
  private static func integer(_ rounded: Double) -> Int64 {
    Int64(bitPattern: rounded.bitPattern) &- Int64(bitPattern: rounder.bitPattern)
  }

  /// The number that two summed limbs stand for, rounded once.
  private static func value(high: Int64, low: Int64) -> Double {
    let high = high &+ low >> limbBits
    let low = low & (1 << limbBits - 1)
    if high.magnitude < 1 << 53 {
      return Double(high) / highUnits + Double(low) / lowUnits
    }
    // Only whether there is a remainder matters to rounding 54 bits or more: a sticky bit stands for it.
    return Double(high << 1 | (low == 0 ? 0 : 1)) / (2 * highUnits)
  }
}
