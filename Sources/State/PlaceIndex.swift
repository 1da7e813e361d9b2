/// Places sorted into bins, so that those near another place are found without looking at all of them.
///
/// Lookups give a superset: all places within the reach, and some beyond it, in ascending order of their numbers. Places
/// that are nowhere along an axis are near everything along it.
public struct PlaceIndex: Sendable {
  /// Of the places.
  public let metric: Metric
  /// Embedded places (``Metric/embed(_:)``).
  public let embedded: [SIMD4<Double>]
  /// Largest distance that lookups find, in units of the metric's widths.
  public let reach: Double

  /// Bins along each coordinate, and in which direction coordinates are sorted at all.
  private let shape: SIMD4<Int>
  private let origin: SIMD4<Double>
  private let width: SIMD4<Double>
  /// First entry of each bin in `entries` (`[bins + 1]`).
  private let starts: [Int32]
  private let entries: [Int32]
  /// Places that are nowhere along a coordinate that others are sorted by.
  private let everywhere: [Int32]
  /// Whether the bins of a coordinate close to a ring.
  private let isRing: SIMD4<Int>

  /// - Parameters:
  ///   - places: at most 2^31.
  ///   - reach: in units of the metric's widths, positive; infinite: everything is near.
  public init(_ places: [Place], metric: Metric, reach: Double) {
    self.init(embedded: places.map { metric.embed($0) }, metric: metric, reach: reach)
  }

  init(embedded: [SIMD4<Double>], metric: Metric, reach: Double) {
    self.metric = metric
    self.reach = reach
    self.embedded = embedded
    let sorted = embedded.map { metric.binCoordinates($0) }
    var low = SIMD4<Double>(repeating: .infinity)
    var high = SIMD4<Double>(repeating: -.infinity)
    for place in sorted {
      low = low.replacing(with: place, where: place .< low)
      high = high.replacing(with: place, where: place .> high)
    }
    let periods = metric.binPeriods
    // About two places a bin, and no bin narrower than half of the reach.
    let used = (0..<4).filter { low[$0] < high[$0] || (periods[$0] > 0 && low[$0] <= high[$0]) }
    let most = max(1, Int(Double(sorted.count / 2 + 1).squareRoot().rounded(.up)))
    var shape = SIMD4<Int>(repeating: 1)
    var width = SIMD4<Double>(repeating: 1)
    var origin = SIMD4<Double>.zero
    var ring = SIMD4<Int>.zero
    for axis in used where reach.isFinite {
      let isRing = periods[axis] > 0
      let span = isRing ? periods[axis] : high[axis] - low[axis]
      let limit = used.count == 1 ? sorted.count : used.count == 2 ? 4 * most : most
      shape[axis] = max(1, min(Int(min(2 * span / reach, 1e6)), max(1, limit)))
      width[axis] = span / Double(shape[axis])
      origin[axis] = isRing ? 0 : low[axis]
      ring[axis] = isRing ? 1 : 0
    }
    self.shape = shape
    self.width = width
    self.origin = origin
    isRing = ring
    (starts, entries, everywhere) = Self.sort(sorted, shape, width, origin, ring)
  }

  /// Sorts places into bins: first entry of each bin, entries, and places that no bin can hold.
  private static func sort(
    _ places: [SIMD4<Double>], _ shape: SIMD4<Int>, _ width: SIMD4<Double>, _ origin: SIMD4<Double>,
    _ ring: SIMD4<Int>
  ) -> (starts: [Int32], entries: [Int32], everywhere: [Int32]) {
    let bins = shape[0] * shape[1] * shape[2] * shape[3]
    var counts = [Int32](repeating: 0, count: bins + 1)
    var everywhere: [Int32] = []
    var bin = [Int32](repeating: -1, count: places.count)
    for (k, place) in places.enumerated() {
      var number = 0
      var isPlaced = true
      for axis in 0..<4 {
        if shape[axis] == 1 { continue }
        guard place[axis].isFinite else {
          isPlaced = false
          break
        }
        number = number * shape[axis] + Self.bin(place[axis], axis, shape, width, origin, ring)
      }
      if isPlaced {
        bin[k] = Int32(number)
        counts[number + 1] += 1
      } else {
        everywhere.append(Int32(k))
      }
    }
    for k in 0..<bins { counts[k + 1] += counts[k] }
    var next = counts
    var entries = [Int32](repeating: 0, count: places.count - everywhere.count)
    for (k, number) in bin.enumerated() where number >= 0 {
      entries[Int(next[Int(number)])] = Int32(k)
      next[Int(number)] += 1
    }
    return (counts, entries, everywhere)
  }

  /// Number of places.
  public var count: Int { embedded.count }

  private static func bin(
    _ value: Double, _ axis: Int, _ shape: SIMD4<Int>, _ width: SIMD4<Double>, _ origin: SIMD4<Double>,
    _ ring: SIMD4<Int>
  ) -> Int {
    let position = ((value - origin[axis]) / width[axis]).rounded(.down)
    guard ring[axis] == 0 else {
      let n = Double(shape[axis])
      let turned = position - n * (position / n).rounded(.down)
      return min(max(Int(turned), 0), shape[axis] - 1)
    }
    return Int(min(max(position, 0), Double(shape[axis] - 1)))
  }

  /// Appends the numbers of all places that can be within the reach of any place in a box, ascending.
  ///
  /// - Parameters:
  ///   - low: smallest embedded coordinates of the box; not a number where the box has places that are nowhere.
  ///   - high: largest ones.
  ///   - result: emptied first.
  public func candidates(low: SIMD4<Double>, high: SIMD4<Double>, into result: inout [Int32]) {
    collect(low: low, high: high, from: 0, into: &result)
    result.sort()
  }

  /// The same in no particular order, of the places with numbers from `least` on alone.
  public func unsortedCandidates(
    low: SIMD4<Double>, high: SIMD4<Double>, from least: Int32, into result: inout [Int32]
  ) {
    collect(low: low, high: high, from: least, into: &result)
  }

  /// Where numbers from `least` on begin among ascending ones.
  public static func firstIndex(in numbers: ArraySlice<Int32>, from least: Int32) -> Int {
    var (low, high) = (numbers.startIndex, numbers.endIndex)
    while low < high {
      let middle = (low + high) / 2
      if numbers[middle] < least { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func collect(low: SIMD4<Double>, high: SIMD4<Double>, from least: Int32, into result: inout [Int32]) {
    result.removeAll(keepingCapacity: true)
    let (from, to) = (metric.binCoordinates(low), metric.binCoordinates(high))
    var first = SIMD4<Int>.zero
    var number = SIMD4<Int>(repeating: 1)
    for axis in 0..<4 where shape[axis] > 1 {
      guard from[axis].isFinite, to[axis].isFinite else {
        number[axis] = shape[axis]
        continue
      }
      // A little wider than the reach, against rounding.
      let margin = reach * (1 + 1e-9) + 1e-9 * width[axis]
      let a = ((from[axis] - margin - origin[axis]) / width[axis]).rounded(.down)
      let b = ((to[axis] + margin - origin[axis]) / width[axis]).rounded(.down)
      let n = Double(shape[axis])
      if isRing[axis] == 1 {
        number[axis] = Int(min(b - a + 1, n))
        first[axis] = Int(a - n * (a / n).rounded(.down))
      } else {
        let (start, end) = (max(a, 0), min(b, n - 1))
        guard end >= start else {
          // Only those that are everywhere.
          result.append(contentsOf: everywhere.lazy.filter { $0 >= least })
          return
        }
        first[axis] = Int(start)
        number[axis] = Int(end - start) + 1
      }
    }
    for i in 0..<number[0] {
      let a = (first[0] + i) % shape[0]
      for j in 0..<number[1] {
        let b = a * shape[1] + (first[1] + j) % shape[1]
        for k in 0..<number[2] {
          let c = b * shape[2] + (first[2] + k) % shape[2]
          for l in 0..<number[3] {
            let bin = c * shape[3] + (first[3] + l) % shape[3]
            let inside = entries[Int(starts[bin])..<Int(starts[bin + 1])]
            result.append(contentsOf: inside[Self.firstIndex(in: inside, from: least)...])
          }
        }
      }
    }
    result.append(contentsOf: everywhere.lazy.filter { $0 >= least })
  }
}
