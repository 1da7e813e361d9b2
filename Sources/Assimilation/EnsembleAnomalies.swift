internal import DaunceState

/// An ensemble held as mean and anomalies (deviations of every member from the mean), which is how a filter works on
/// it: anomalies keep their digits where the spread is small against the mean.
final class EnsembleAnomalies {
  /// Numbers behind the last anomaly that whole vectors may read, and write back as they are.
  static let padding = 8

  let elements: Int
  /// Members whose anomalies are here: the whole ensemble, or those of one rank.
  private(set) var members = 0
  /// `[element]`
  var mean: [Double]
  /// `[member][element]`, and padding.
  var anomalies: [Double] = []
  /// Spread before the update, for relaxation (`[element]`).
  var priorSpread: [Double]
  /// Elements in reach of an observation: the others keep their bits.
  var reached: [Bool]

  init(elements: Int) {
    self.elements = elements
    mean = [Double](repeating: 0, count: elements)
    priorSpread = mean
    reached = [Bool](repeating: false, count: elements)
  }

  private func reserve(_ members: Int) {
    self.members = members
    if anomalies.count < members * elements + Self.padding {
      anomalies = [Double](repeating: 0, count: members * elements + Self.padding)
    }
  }

  /// Splits a whole ensemble (`[member][element]`); the mean is summed in member order, around the first member, so
  /// that members that agree have no anomaly at all.
  func split(_ states: Span<Double>, members: Int) {
    reserve(members)
    let n = elements
    states.withUnsafeBufferPointer { states in
      mean.withUnsafeMutableBufferPointer { mean in
        for i in 0..<n { mean[i] = 0 }
        for m in 1..<max(1, members) {
          for i in 0..<n { mean[i] += states[m &* n &+ i] - states[i] }
        }
        let share = Double(members)
        for i in 0..<n { mean[i] = states[i] + mean[i] / share }
      }
    }
    subtractMean(from: states)
  }

  /// Takes some members (`[member][element]`) of an ensemble whose mean is known.
  func split(_ states: Span<Double>, members: Int, mean: [Double]) {
    reserve(members)
    self.mean.withUnsafeMutableBufferPointer { own in
      for i in 0..<elements { own[i] = mean[i] }
    }
    subtractMean(from: states)
  }

  private func subtractMean(from states: Span<Double>) {
    let n = elements
    states.withUnsafeBufferPointer { states in
      anomalies.withUnsafeMutableBufferPointer { anomalies in
        mean.withUnsafeBufferPointer { mean in
          for m in 0..<members {
            for i in 0..<n { anomalies[m &* n &+ i] = states[m &* n &+ i] - mean[i] }
          }
        }
      }
    }
  }

  /// Moves the mean of the anomalies, which a stochastic update leaves in them, into `mean`.
  func recentre() {
    let n = elements
    let share = Double(members)
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      for i in 0..<n where reached[i] {
        var sum = 0.0
        for m in 0..<members { sum += anomalies[m * n + i] }
        let shift = sum / share
        mean[i] += shift
        for m in 0..<members { anomalies[m * n + i] -= shift }
      }
    }
  }

  /// Multiplies the anomalies of the reached elements by `factor`.
  func inflate(by factor: Double) {
    guard factor != 1 else { return }
    let n = elements
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      reached.withUnsafeBufferPointer { reached in
        for m in 0..<members {
          for i in 0..<n where reached[i] { anomalies[m &* n &+ i] *= factor }
        }
      }
    }
  }

  /// Writes the standard deviation (divisor N - 1) of every element of a whole ensemble.
  func spread(into result: inout [Double]) {
    let n = elements
    result.withUnsafeMutableBufferPointer { result in
      anomalies.withUnsafeBufferPointer { anomalies in
        for i in 0..<n { result[i] = 0 }
        for m in 0..<members {
          for i in 0..<n { result[i] += anomalies[m &* n &+ i] * anomalies[m &* n &+ i] }
        }
        let divisor = Double(members - 1)
        for i in 0..<n { result[i] = (result[i] / divisor).squareRoot() }
      }
    }
  }

  /// Relaxes the anomalies to the spread before the update; `analysis` is the spread after it (`[element]`).
  func relax(_ inflation: Inflation, analysis: [Double]) {
    let n = elements
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      for i in 0..<n where reached[i] {
        let factor = inflation.relaxationFactor(prior: priorSpread[i], analysis: analysis[i])
        for m in 0..<members { anomalies[m * n + i] *= factor }
      }
    }
  }

  /// Writes the reached elements of all members held here back to `states` (`[member][element]`).
  func merge(into states: inout MutableSpan<Double>) {
    let n = elements
    states.withUnsafeMutableBufferPointer { states in
      anomalies.withUnsafeBufferPointer { anomalies in
        mean.withUnsafeBufferPointer { mean in
          reached.withUnsafeBufferPointer { reached in
            for m in 0..<members {
              for i in 0..<n where reached[i] { states[m &* n &+ i] = mean[i] + anomalies[m &* n &+ i] }
            }
          }
        }
      }
    }
  }
}
