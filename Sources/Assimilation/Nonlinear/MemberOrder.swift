internal import DaunceNumerics

/// Members in ascending order of one quantity; those that are equal in their own order.
package struct MemberOrder {
  private let order: Workspace<Int>
  private let values: Workspace<Double>

  package init(members: Int) {
    order = Workspace(repeating: 0, count: members)
    values = Workspace(repeating: 0, count: members)
  }

  /// Number of members.
  package var count: Int { order.count }

  /// The quantity in ascending order (`[members]`).
  var sorted: UnsafePointer<Double> { UnsafePointer(values.start) }

  /// The member at a place of the order.
  subscript(_ place: Int) -> Int { order.start[place] }

  /// Takes the quantity (`[members]`). By insertion, which needs no memory of its own, and is little beside what is done with all
  /// pairs of members.
  package func sort(_ quantity: UnsafePointer<Double>) {
    let (order, values) = (order.start, values.start)
    for m in 0..<count {
      let value = quantity[m]
      var place = m
      while place > 0, values[place - 1] > value {
        (values[place], order[place]) = (values[place - 1], order[place - 1])
        place -= 1
      }
      (values[place], order[place]) = (value, m)
    }
  }

  /// The optimal transport of one quantity, without entropy, from these members with equal weights to others with given ones: both
  /// in their order, in at most 2 N - 1 pairs.
  ///
  /// - Parameters:
  ///   - weights: of the members of `other`, of sum one (`[members]`).
  ///   - body: told of every pair with what the member `new` of these gets of the member `old` of the others, as a share of itself.
  package func forEachPair(
    to other: MemberOrder, weights: UnsafePointer<Double>, _ body: (_ share: Double, _ old: Int, _ new: Int) -> Void
  ) {
    let members = count
    var (i, left) = (0, 1.0)
    for j in 0..<members {
      var rest = Double(members) * weights[other[j]]
      // Rounding leaves the last one what there is.
      while i < members, rest > 0 || j == members - 1 {
        let share = j == members - 1 ? left : min(left, rest)
        if share > 0 { body(share, other[j], self[i]) }
        (left, rest) = (left - share, rest - share)
        guard left <= 0 else { break }
        (i, left) = (i + 1, 1)
      }
    }
  }
}
