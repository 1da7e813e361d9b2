internal import DaunceEnsemble
internal import DaunceNumerics

/// Mean and variance of one quantity around each member, in a window of a share of its spread, or a wider one where that
/// would hold only few members: what a prior without a form of its own looks like near a member.
final class Neighbourhoods {
  /// Of the window around member `i` (`[i][stride]`), of sum one; zero behind the members.
  private let weights: UnsafeMutablePointer<Double>
  /// Means, unbiased variances, and weighted mean squares about the means (`[i]`).
  let means, variances, squares: Workspace<Double>
  /// Doubles from one window to the next.
  let stride: Int
  private let members: Int
  private let order: MemberOrder
  /// Members that a window reaches at least.
  private let least: Int

  /// Widths of the normal law that a window is like, in half its support.
  private static let support = 2.65
  /// Members from which a mean and a variance can be had.
  static let forMoments = 12
  /// Members from which a slope can be had as well.
  static let forSlopes = 30

  /// - Parameter least: members that a window reaches at least; with no more than that it is the whole ensemble, evenly.
  init(members: Int, least: Int) {
    self.members = members
    self.least = least
    stride = PartialEnsemble.stride(of: members)
    let size = max(1, members * stride)
    weights = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 64).bindMemory(to: Double.self, capacity: size)
    weights.initialize(repeating: 0, count: size)
    means = Workspace(repeating: 0, count: members)
    variances = Workspace(repeating: 0, count: members)
    squares = Workspace(repeating: 0, count: members)
    order = MemberOrder(members: members)
  }

  deinit { weights.deallocate() }

  /// Looks around all members.
  ///
  /// - Parameters:
  ///   - values: of the quantity (`[stride]`, zero behind the members).
  ///   - width: standard deviation of the window, in the quantity's unit; infinite: everything.
  func take(_ values: UnsafePointer<Double>, width: Double) {
    order.sort(values)
    let sorted = order.sorted
    var first = 0
    for place in 0..<members {
      var reach = Double.infinity
      if least < members {
        let value = sorted[place]
        // The nearest ones move on with the value.
        while first + least + 1 < members, value - sorted[first] > sorted[first + least + 1] - value { first += 1 }
        let furthest = max(value - sorted[first], sorted[first + least] - value)
        reach = max(Self.support * width, 1.2 * furthest)
      }
      look(around: order[place], values, 1 / reach)
    }
  }

  /// The window's weights around member `i` (`[stride]`).
  subscript(_ i: Int) -> UnsafeMutablePointer<Double> { weights + i &* stride }

  /// The member that is nearest to a place.
  func nearest(to place: Double) -> Int {
    let sorted = order.sorted
    var (low, high) = (0, members - 1)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < place { low = middle + 1 } else { high = middle }
    }
    let isBefore = low > 0 && abs(sorted[low - 1] - place) <= abs(sorted[low] - place)
    return order[isBefore ? low - 1 : low]
  }

  private func look(around i: Int, _ values: UnsafePointer<Double>, _ inverse: Double) {
    typealias Lanes = Lanes4.Vector
    let (row, x) = (UnsafeMutableRawPointer(self[i]), values[i])
    let source = UnsafeRawPointer(values)
    let bytes = stride &* 8
    var (sum, first) = (Lanes.zero, Lanes.zero)
    for at in Swift.stride(from: 0, to: bytes, by: 32) {
      let departure = source.loadUnaligned(fromByteOffset: at, as: Lanes.self) - x
      let distance = departure * inverse
      var inside = 1 - distance * distance
      inside.replace(with: 0, where: inside .< 0)
      if at == bytes &- 32 { inside *= last }
      let weight = inside * inside
      row.storeBytes(of: weight, toByteOffset: at, as: Lanes.self)
      sum += weight
      first += weight * departure
    }
    let share = 1 / ((sum[0] + sum[2]) + (sum[1] + sum[3]))
    let mean = x + share * ((first[0] + first[2]) + (first[1] + first[3]))
    var (square, concentration) = (Lanes.zero, Lanes.zero)
    for at in Swift.stride(from: 0, to: bytes, by: 32) {
      let weight = row.loadUnaligned(fromByteOffset: at, as: Lanes.self) * share
      let departure = source.loadUnaligned(fromByteOffset: at, as: Lanes.self) - mean
      row.storeBytes(of: weight, toByteOffset: at, as: Lanes.self)
      square += weight * departure * departure
      concentration += weight * weight
    }
    let total = (square[0] + square[2]) + (square[1] + square[3])
    let shared = (concentration[0] + concentration[2]) + (concentration[1] + concentration[3])
    (means.start[i], squares.start[i]) = (mean, total)
    variances.start[i] = shared < 1 ? total / (1 - shared) : 0
  }

  /// 1 for members, 0 behind them, in the last vector of a row.
  private var last: Lanes4.Vector {
    var present = Lanes4.Vector(repeating: 1)
    for lane in 0..<stride - members { present[3 - lane] = 0 }
    return present
  }
}
