internal import DaunceNumerics

/// Mean and variance of one quantity around each member, in a window of a share of its spread, or a wider one where that
/// would hold only few members: what a prior without a form of its own looks like near a member.
final class Neighbourhoods {
  /// Of the window around member `i` (`[i][n]`), of sum one.
  let weights: Workspace<Double>
  /// Means and unbiased variances (`[i]`).
  let means, variances: Workspace<Double>
  private let members: Int
  /// Values in ascending order, and their members.
  private let sorted: Workspace<Double>
  private let order: Workspace<Int>
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
    weights = Workspace(repeating: 0, count: members * members)
    means = Workspace(repeating: 0, count: members)
    variances = Workspace(repeating: 0, count: members)
    sorted = Workspace(repeating: 0, count: members)
    order = Workspace(repeating: 0, count: members)
  }

  /// Looks around all members.
  ///
  /// - Parameters:
  ///   - values: of the quantity (`[members]`).
  ///   - width: standard deviation of the window, in the quantity's unit; infinite: everything.
  func take(_ values: UnsafePointer<Double>, width: Double) {
    sort(values)
    for i in 0..<members {
      let reach = least < members ? max(Self.support * width, 1.2 * reach(of: values[i])) : .infinity
      look(around: i, values, 1 / reach)
    }
  }

  /// The window's weights around member `i` (`[members]`).
  subscript(_ i: Int) -> UnsafeMutablePointer<Double> { weights.start + i &* members }

  /// By insertion, which needs no memory of its own and is little beside windows around all members.
  private func sort(_ values: UnsafePointer<Double>) {
    for m in 0..<members {
      let value = values[m]
      var place = m
      while place > 0, sorted.start[place - 1] > value {
        sorted.start[place] = sorted.start[place - 1]
        order.start[place] = order.start[place - 1]
        place -= 1
      }
      (sorted.start[place], order.start[place]) = (value, m)
    }
  }

  /// The member that is nearest to a place.
  func nearest(to place: Double) -> Int {
    var (low, high) = (0, members - 1)
    while low < high {
      let middle = (low + high) / 2
      if sorted.start[middle] < place { low = middle + 1 } else { high = middle }
    }
    let isBefore = low > 0 && abs(sorted.start[low - 1] - place) <= abs(sorted.start[low] - place)
    return order.start[isBefore ? low - 1 : low]
  }

  /// Distance from a value to the `least`-th nearest one.
  private func reach(of value: Double) -> Double {
    var (low, high) = (0, members - 1)
    // All but the nearest fall away from the ends.
    while high - low > least {
      if value - sorted.start[low] > sorted.start[high] - value { low += 1 } else { high -= 1 }
    }
    return max(value - sorted.start[low], sorted.start[high] - value)
  }

  private func look(around i: Int, _ values: UnsafePointer<Double>, _ inverse: Double) {
    let (row, x) = (self[i], values[i])
    var (sum, mean) = (0.0, 0.0)
    for j in 0..<members {
      let distance = (values[j] - x) * inverse
      let inside = max(0, 1 - distance * distance)
      row[j] = inside * inside
      sum += row[j]
    }
    let share = 1 / sum
    for j in 0..<members {
      row[j] *= share
      mean += row[j] * (values[j] - x)
    }
    mean += x
    var (square, concentration) = (0.0, 0.0)
    for j in 0..<members {
      square += row[j] * (values[j] - mean) * (values[j] - mean)
      concentration += row[j] * row[j]
    }
    means.start[i] = mean
    variances.start[i] = concentration < 1 ? square / (1 - concentration) : 0
  }
}
