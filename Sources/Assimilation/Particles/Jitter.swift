internal import DaunceNumerics

/// Random combinations of a member's nearest neighbours, which tell a particle's copies apart: smooth where members are, and
/// as wide as they are around it.
struct Jitter {
  private var distances: [Double]
  private var order: [Int]
  private let neighbours: Int

  /// Neighbours are a fifth of the members.
  init(members: Int) {
    distances = [Double](repeating: 0, count: members)
    order = [Int](0..<members)
    neighbours = max(2, members / 5)
  }

  /// Adds to every new member a draw from the normal law of its ancestor's neighbours in h, `scale` times as wide.
  ///
  /// - Parameters:
  ///   - ancestors: of the new members (`[members]`).
  ///   - first: index of the first random number, even.
  mutating func add(
    _ scale: Double, to matrix: MemberMatrix, ancestors: [Int], _ problem: ObservedProblem, _ noise: RandomStream, first: Int
  ) {
    guard scale > 0 else { return }
    let n = matrix.members
    let factor = scale / Double(neighbours - 1).squareRoot()
    let share = 1 / Double(neighbours)
    var known = -1
    // New members of one ancestor one after the other, which share its neighbours.
    for m in (0..<n).sorted(by: { (ancestors[$0], $0) < (ancestors[$1], $1) }) {
      if ancestors[m] != known {
        known = ancestors[m]
        findNeighbours(of: known, problem)
      }
      var sum = 0.0
      for i in 0..<neighbours {
        let draw = factor * noise.normal(at: first + m * neighbours + i)
        matrix[order[i], m] += draw
        sum += draw
      }
      // Combinations of anomalies: what is added up is no member.
      for i in 0..<neighbours { matrix[order[i], m] -= share * sum }
    }
  }

  /// Brings the nearest members in h, in units of the observations' errors, to the front of the order.
  private mutating func findNeighbours(of ancestor: Int, _ problem: ObservedProblem) {
    for m in distances.indices { (distances[m], order[m]) = (0, m) }
    for k in 0..<problem.count {
      let (row, inverse) = (problem.row(k), 1 / problem.errors[k].variance)
      for m in distances.indices {
        let d = row[m] - row[ancestor]
        distances[m] += inverse * d * d
      }
    }
    order.sort { (distances[$0], $0) < (distances[$1], $1) }
  }
}
