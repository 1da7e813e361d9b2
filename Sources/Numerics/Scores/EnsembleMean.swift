/// Scores of a field against the truth at one time; all arrays are `[point]` and equally long, with at least one point.

/// Root of the mean squared difference of a field and the truth, in the field's own unit.
public func rootMeanSquareError(_ field: [Double], truth: [Double]) -> Double {
  precondition(field.count == truth.count && !field.isEmpty, "field and truth must have the same points")
  var sum = 0.0
  for i in field.indices {
    let difference = field[i] - truth[i]
    sum += difference * difference
  }
  return (sum / Double(field.count)).squareRoot()
}

/// Root-mean-square error over the truth's standard deviation over the points (divisor n), (4.10).
///
/// Infinite, or not a number where the error vanishes too, if the truth is the same at all points.
public func normalisedRMSE(_ field: [Double], truth: [Double]) -> Double {
  rootMeanSquareError(field, truth: truth) / centredSums(truth, truth).squareRoot()
    * Double(truth.count).squareRoot()
}

/// Pattern correlation of a field and the truth, (4.11): both are centred on their means over the points (Pearson's
/// correlation).
///
/// Not a number if either is the same at all points.
public func patternCorrelation(_ field: [Double], truth: [Double]) -> Double {
  precondition(field.count == truth.count && !field.isEmpty, "field and truth must have the same points")
  return centredSums(field, truth) / (centredSums(field, field) * centredSums(truth, truth)).squareRoot()
}

/// Sum of the products of deviations from the means.
private func centredSums(_ x: [Double], _ y: [Double]) -> Double {
  let n = Double(x.count)
  let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
  var sum = 0.0
  for i in x.indices { sum += (x[i] - meanX) * (y[i] - meanY) }
  return sum
}
