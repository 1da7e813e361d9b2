internal import DaunceNumerics

/// The optimal transport of one quantity, without entropy: equal weights go to given ones in the order of the quantity,
/// in at most 2 N - 1 pairs.
package struct MonotonePlan {
  private let order: Workspace<Int>

  /// Members in ascending order, as the last plan left them.
  subscript(_ place: Int) -> Int { order.start[place] }

  package init(members: Int) { order = Workspace(repeating: 0, count: members) }

  /// Calls `body` for every pair with what member `new` gets of member `old`, as a share of itself.
  ///
  /// - Parameters:
  ///   - values: of the quantity (`[members]`).
  ///   - weights: of sum one (`[members]`).
  package func forEachPair(
    _ values: UnsafePointer<Double>, weights: [Double], _ body: (_ share: Double, _ old: Int, _ new: Int) -> Void
  ) {
    let (order, members) = (order.start, weights.count)
    for m in 0..<members {
      var place = m
      while place > 0, values[order[place - 1]] > values[m] {
        order[place] = order[place - 1]
        place -= 1
      }
      order[place] = m
    }
    let count = Double(members)
    var (i, left) = (0, 1.0)
    for j in 0..<members {
      var rest = count * weights[order[j]]
      // Rounding leaves the last one what there is.
      while i < members, rest > 0 || j == members - 1 {
        let share = j == members - 1 ? left : min(left, rest)
        if share > 0 { body(share, order[j], order[i]) }
        (left, rest) = (left - share, rest - share)
        guard left <= 0 else { break }
        (i, left) = (i + 1, 1)
      }
    }
  }
}
