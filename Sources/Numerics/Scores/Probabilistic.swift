/// Continuous ranked probability score of an ensemble at one point, in the variable's unit (Hersbach 2000):
///
///     CRPS = (1/N) sum_i |x_i - t| - (1/(2 N^2)) sum_ij |x_i - x_j|,
///
/// the integral of the squared difference of the ensemble's empirical distribution function and the truth's step. 0 is
/// perfect; for one member it is the absolute error. Costs a sort, O(N log N).
///
/// - Parameters:
///   - members: `[member]`, at least one, in any order.
///   - truth: the value that came true.
public func crps(_ members: [Double], truth: Double) -> Double {
  let n = Double(members.count)
  let (error, differences) = errorAndDifferences(members, truth)
  return error - differences / (n * n)
}

/// CRPS with the bias of a finite ensemble taken out (Ferro 2014): N (N - 1) replaces N^2, so that in the mean an
/// ensemble drawn from the truth's own distribution scores the same whatever its size. Can be negative; for one member
/// it is the absolute error.
///
/// - Parameters: as for `crps`.
public func fairCRPS(_ members: [Double], truth: Double) -> Double {
  let n = Double(members.count)
  let (error, differences) = errorAndDifferences(members, truth)
  return members.count > 1 ? error - differences / (n * (n - 1)) : error
}

/// Mean over the points of the CRPS of a field.
///
/// - Parameters:
///   - ensemble: `[member][point]`, at least one of each.
///   - truth: `[point]`.
public func crps(_ ensemble: [[Double]], truth: [Double]) -> Double {
  pointMean(ensemble, truth) { crps($0, truth: $1) }
}

/// Mean over the points of the fair CRPS of a field; parameters as for `crps`.
public func fairCRPS(_ ensemble: [[Double]], truth: [Double]) -> Double {
  pointMean(ensemble, truth) { fairCRPS($0, truth: $1) }
}

private func pointMean(
  _ ensemble: [[Double]], _ truth: [Double], _ score: ([Double], Double) -> Double
) -> Double {
  precondition(
    !truth.isEmpty && ensemble.allSatisfy { $0.count == truth.count }, "members and truth must have the same points")
  var members = [Double](repeating: 0, count: ensemble.count)
  var sum = 0.0
  for i in truth.indices {
    for m in ensemble.indices { members[m] = ensemble[m][i] }
    sum += score(members, truth[i])
  }
  return sum / Double(truth.count)
}

/// Mean of |x_i - t|, and sum over pairs i < j of |x_i - x_j|.
private func errorAndDifferences(_ members: [Double], _ truth: Double) -> (Double, Double) {
  precondition(!members.isEmpty, "an ensemble needs a member")
  let sorted = members.sorted()
  var (error, differences) = (0.0, 0.0)
  for i in sorted.indices {
    error += abs(sorted[i] - truth)
    // Each member is subtracted by those above it and subtracts those below it. Relative to the truth, the large common
    // part of the members does not cost digits.
    differences += Double(2 * i + 1 - sorted.count) * (sorted[i] - truth)
  }
  return (error / Double(sorted.count), differences)
}

/// Rank of the truth in the ensemble: the number of members below it, from 0 to N.
///
/// Members that equal the truth do not count as below.
public func rank(_ members: [Double], truth: Double) -> Int {
  members.reduce(0) { $1 < truth ? $0 + 1 : $0 }
}

/// Standard deviation of the ensemble over many points: root of the mean over points of the variance, divisor N - 1; 0
/// for one member.
///
/// This is what compares with the root-mean-square error of the ensemble mean.
///
/// - Parameters:
///   - ensemble: `[member][point]`, at least one of each, all members equally long.
public func spread(_ ensemble: [[Double]]) -> Double {
  let points = ensemble.first?.count ?? 0
  precondition(points > 0 && ensemble.allSatisfy { $0.count == points }, "members must have the same points")
  guard ensemble.count > 1 else { return 0 }
  let mean = ensembleMean(ensemble)
  var sum = 0.0
  for member in ensemble {
    for i in 0..<points {
      let deviation = member[i] - mean[i]
      sum += deviation * deviation
    }
  }
  return (sum / Double(points * (ensemble.count - 1))).squareRoot()
}

/// Mean over the members at every point (`[point]`).
///
/// - Parameters:
///   - ensemble: `[member][point]`, at least one member.
public func ensembleMean(_ ensemble: [[Double]]) -> [Double] {
  precondition(!ensemble.isEmpty, "an ensemble needs a member")
  var mean = [Double](repeating: 0, count: ensemble[0].count)
  for member in ensemble {
    precondition(member.count == mean.count, "members must have the same points")
    for i in mean.indices { mean[i] += member[i] }
  }
  for i in mean.indices { mean[i] /= Double(ensemble.count) }
  return mean
}

/// Spread over error; about 1 for a reliable ensemble.
///
/// A perfectly reliable ensemble of N members has the ratio sqrt(N / (N + 1)), because its mean has a sampling error
/// too; `members` corrects for that (Fortin et al. 2014). Infinite, or not a number, if the error is 0.
///
/// - Parameters:
///   - spread: as `spread` gives it, or its mean over times.
///   - error: root-mean-square error of the ensemble mean over the same points and times.
///   - members: N, for the correction; `nil` for the plain ratio.
public func spreadErrorRatio(spread: Double, error: Double, members: Int? = nil) -> Double {
  let correction = members.map { (Double($0 + 1) / Double($0)).squareRoot() } ?? 1
  return correction * spread / error
}
