internal import DaunceState

/// An ensemble held as mean and anomalies (deviations of every member from the mean), which is how a filter works on
/// it: anomalies keep their digits where the spread is small against the mean.
///
/// Elements are those of the state, and behind them h(x) of carried observations (``StateExtension``).
final class EnsembleAnomalies {
  /// Numbers behind the last anomaly that whole vectors may read, and write back as they are.
  static let padding = 8

  /// Elements of the state itself.
  let stateCount: Int
  /// All elements.
  private(set) var elements: Int
  /// Members whose anomalies are here: the whole ensemble, or those of one rank.
  private(set) var members = 0
  /// `[element]`
  var mean: [Double]
  /// `[member][element]`, and padding.
  var anomalies: [Double] = []
  /// Spread of the state before the update, for relaxation (`[element]`).
  var priorSpread: [Double]
  /// Anomalies of the state before the update, for relaxation (`[member][element]`).
  private var priorAnomalies: [Double] = []
  /// Elements in reach of an observation: the others keep their bits.
  private(set) var reached: [Bool]
  /// Whether h(x) of an observation is a number in every member (`[observation]`): the others are left out.
  private(set) var isUsed: [Bool] = []

  /// Observations that are left out.
  var leftOut: Int { isUsed.count { !$0 } }

  init(elements: Int) {
    stateCount = elements
    self.elements = elements
    mean = [Double](repeating: 0, count: elements)
    priorSpread = mean
    reached = [Bool](repeating: false, count: elements)
  }

  private func reserve(_ members: Int, _ elements: Int) {
    self.members = members
    self.elements = elements
    if mean.count < elements {
      mean = [Double](repeating: 0, count: elements)
      reached = [Bool](repeating: false, count: elements)
    }
    if anomalies.count < members * elements + Self.padding {
      anomalies = [Double](repeating: 0, count: members * elements + Self.padding)
    }
  }

  /// Splits a whole ensemble of states (`[member][stateCount]`); the mean is summed in member order, around the first
  /// member, so that members that agree have no anomaly at all.
  func split(_ states: Span<Double>, members: Int, _ extended: StateExtension? = nil) {
    reserve(members, extended?.count ?? stateCount)
    let width = elements
    place(states, extended)
    anomalies.withUnsafeBufferPointer { x in
      mean.withUnsafeMutableBufferPointer { mean in
        for i in 0..<width { mean[i] = 0 }
        for m in 1..<max(1, members) {
          for i in 0..<width { mean[i] += x[m &* width &+ i] - x[i] }
        }
        let share = Double(members)
        for i in 0..<width { mean[i] = x[i] + mean[i] / share }
      }
    }
    subtractMean()
  }

  /// Takes some members (`[member][stateCount]`) of an ensemble whose mean is known (`[element]`).
  func split(_ states: Span<Double>, members: Int, mean: [Double], _ extended: StateExtension) {
    reserve(members, extended.count)
    place(states, extended)
    self.mean.withUnsafeMutableBufferPointer { own in
      for i in 0..<elements { own[i] = mean[i] }
    }
    subtractMean()
  }

  /// Writes states and what is carried of them in the anomalies' place.
  private func place(_ states: Span<Double>, _ extended: StateExtension?) {
    let (n, width) = (stateCount, elements)
    anomalies.withUnsafeMutableBufferPointer { x in
      for m in 0..<members {
        let state = states.extracting(m * n..<(m + 1) * n)
        state.withUnsafeBufferPointer { state in
          for i in 0..<n { x[m &* width &+ i] = state[i] }
        }
        if width > n { extended?.forEachCarried(of: state) { x[m * width + $0] = $1 } }
      }
    }
  }

  private func subtractMean() {
    let width = elements
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      mean.withUnsafeBufferPointer { mean in
        for m in 0..<members {
          for i in 0..<width { anomalies[m &* width &+ i] -= mean[i] }
        }
      }
    }
  }

  /// Finds the observations that can be used, and the elements in their reach.
  ///
  /// - Parameter moments: of the whole ensemble where that is not here: what cannot be summed has none.
  func select(_ reach: ObservationReach, _ moments: EnsembleMoments? = nil) {
    isUsed.removeAll(keepingCapacity: true)
    for (k, j) in reach.extended.elements.enumerated() {
      let variance = moments?.covariance[k * elements + j] ?? 0
      isUsed.append(mean[j].isFinite && variance.isFinite)
    }
    reach.mark(&reached, used: isUsed)
  }

  /// Moves the mean of the anomalies, which a stochastic update leaves in them, into `mean`.
  func recentre() {
    let width = elements
    let share = Double(members)
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      for i in 0..<stateCount where reached[i] {
        var sum = 0.0
        for m in 0..<members { sum += anomalies[m * width + i] }
        let shift = sum / share
        mean[i] += shift
        for m in 0..<members { anomalies[m * width + i] -= shift }
      }
    }
  }

  /// Multiplies the anomalies of the reached elements by `factor`.
  func inflate(by factor: Double) {
    guard factor != 1 else { return }
    let width = elements
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      reached.withUnsafeBufferPointer { reached in
        for m in 0..<members {
          for i in 0..<width where reached[i] { anomalies[m &* width &+ i] *= factor }
        }
      }
    }
  }

  /// Writes the standard deviation (divisor N - 1) of every state element of a whole ensemble.
  func spread(into result: inout [Double]) {
    let (n, width) = (stateCount, elements)
    result.withUnsafeMutableBufferPointer { result in
      anomalies.withUnsafeBufferPointer { anomalies in
        for i in 0..<n { result[i] = 0 }
        for m in 0..<members {
          for i in 0..<n { result[i] += anomalies[m &* width &+ i] * anomalies[m &* width &+ i] }
        }
        let divisor = Double(members - 1)
        for i in 0..<n { result[i] = (result[i] / divisor).squareRoot() }
      }
    }
  }

  /// Keeps of a whole ensemble what it will be relaxed to.
  func keep(for inflation: Inflation) {
    if inflation.relaxation > 0 { spread(into: &priorSpread) }
    if inflation.perturbationRelaxation > 0 { keepPerturbations() }
  }

  /// Relaxes a whole ensemble, first its perturbations and then its spread; `spread` is workspace (`[stateCount]`).
  func relax(_ inflation: Inflation, spread: inout [Double]) {
    if inflation.perturbationRelaxation > 0 { relaxPerturbations(inflation.perturbationRelaxation) }
    guard inflation.relaxation > 0 else { return }
    self.spread(into: &spread)
    relaxSpread(inflation, analysis: spread)
  }

  /// Keeps the anomalies of the state for ``relaxPerturbations(_:)``.
  func keepPerturbations() {
    let (n, width) = (stateCount, elements)
    if priorAnomalies.count < members * n { priorAnomalies = [Double](repeating: 0, count: members * n) }
    priorAnomalies.withUnsafeMutableBufferPointer { prior in
      anomalies.withUnsafeBufferPointer { anomalies in
        for m in 0..<members {
          for i in 0..<n { prior[m &* n &+ i] = anomalies[m &* width &+ i] }
        }
      }
    }
  }

  /// Relaxes the anomalies to those before the update: x' = (1 - alpha) x' + alpha x'_prior.
  func relaxPerturbations(_ alpha: Double) {
    let (n, width) = (stateCount, elements)
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      priorAnomalies.withUnsafeBufferPointer { prior in
        for m in 0..<members {
          for i in 0..<n where reached[i] {
            let place = m &* width &+ i
            anomalies[place] = (1 - alpha) * anomalies[place] + alpha * prior[m &* n &+ i]
          }
        }
      }
    }
  }

  /// Relaxes the anomalies to the spread before the update; `analysis` is the spread after it (`[element]`).
  func relaxSpread(_ inflation: Inflation, analysis: [Double]) {
    let width = elements
    anomalies.withUnsafeMutableBufferPointer { anomalies in
      for i in 0..<stateCount where reached[i] {
        let factor = inflation.relaxationFactor(prior: priorSpread[i], analysis: analysis[i])
        for m in 0..<members { anomalies[m * width + i] *= factor }
      }
    }
  }

  /// Writes the reached elements of all members held here back to `states` (`[member][stateCount]`).
  func merge(into states: inout MutableSpan<Double>) {
    let (n, width) = (stateCount, elements)
    states.withUnsafeMutableBufferPointer { states in
      anomalies.withUnsafeBufferPointer { anomalies in
        mean.withUnsafeBufferPointer { mean in
          reached.withUnsafeBufferPointer { reached in
            for m in 0..<members {
              for i in 0..<n where reached[i] { states[m &* n &+ i] = mean[i] + anomalies[m &* width &+ i] }
            }
          }
        }
      }
    }
  }
}
