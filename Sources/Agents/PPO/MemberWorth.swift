import DaunceNumerics

/// What members are worth to their ensemble at some cells: parts of the continuous ranked probability score
///
///     CRPS = (1 / N) sum_m |x_m - x*| - (1 / (2 N^2)) sum_ij |x_i - x_j|.
///
/// The part s_m = |x_m - x*| - (1 / N) sum_j |x_m - x_j| changes with x_m as N times the score does. A member's worth is by how
/// much it is below the members' mean:
///
///     r_m = (1 / N) sum_j s_j - s_m.
///
/// What all members have in common, most of all an error that lasts, is not in it; and members have nothing from drawing
/// others apart, which they learn when -s_m alone is their reward. (Stratified draws leave the mean nearly the same
/// whatever a member draws; a mean over the others only would not, and members learn to draw far out.)
package final class MemberWorth {
  private let members: Int
  private let cells: Int
  /// Of every member: its distance from the truth, and the sum of those from all members (`[member][cell]`).
  private let errors: Workspace<Double>
  private let distances: Workspace<Double>
  /// The mean of s_m (`[cell]`).
  private let means: Workspace<Double>

  package init(members: Int, cells: Int) {
    (self.members, self.cells) = (members, cells)
    errors = Workspace(repeating: 0, count: members * cells)
    distances = Workspace(repeating: 0, count: members * cells)
    means = Workspace(repeating: 0, count: cells)
  }

  /// Measures all distances.
  ///
  /// - Parameters:
  ///   - values: of a member (`[cell]`); the second number is 0 or 1, for two of them are asked for at a time.
  ///   - truth: x* (`[cell]`).
  package func measure(_ values: (_ member: Int, _ slot: Int) -> UnsafePointer<Double>, truth: UnsafePointer<Double>) {
    distances.start.update(repeating: 0, count: distances.count)
    means.start.update(repeating: 0, count: cells)
    let share = 1 / Double(members)
    for m in 0..<members {
      let x = values(m, 0)
      let (error, distance) = (errors.start + m * cells, distances.start + m * cells)
      for c in 0..<cells { error[c] = abs(x[c] - truth[c]) }
      for j in 0..<members where j != m {
        let other = values(j, 1)
        for c in 0..<cells { distance[c] += abs(x[c] - other[c]) }
      }
      for c in 0..<cells { means.start[c] += share * (error[c] - share * distance[c]) }
    }
  }

  /// Adds `r_m`, times a unit, at every cell; 10 at most, so that members gone astray do not drown the others.
  package func addWorth(of m: Int, unit: Double, to rewards: UnsafeMutablePointer<Float>) {
    let (error, distance, share) = (errors.start + m * cells, distances.start + m * cells, 1 / Double(members))
    for c in 0..<cells {
      let worth = (means.start[c] - (error[c] - share * distance[c])) * unit
      rewards[c] += Float(min(max(worth, -10), 10))
    }
  }

  /// Member `m`'s part of the score, with every distance between two members shared by them: summed over cells and over
  /// all members it is N times the score.
  package func part(of m: Int) -> Double {
    let (error, distance, share) = (errors.start + m * cells, distances.start + m * cells, 1 / Double(members))
    var sum = 0.0
    for c in 0..<cells { sum += error[c] - 0.5 * share * distance[c] }
    return sum
  }
}
