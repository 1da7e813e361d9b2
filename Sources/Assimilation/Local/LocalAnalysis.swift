public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// An analysis of a part of the state, element by element from the observations near it: needs nothing of other ranks
/// and gives the same bits whatever the parts.
public final class LocalAnalysis {
  /// What the update does near observations.
  public enum Method: Sendable {
    /// Serial ensemble adjustment (Anderson 2001), observations in their order, observed values carried along.
    case eakf
    /// Local ensemble transform (Hunt, Kostelich & Szunyogh 2007), symmetric square root, error variances divided by
    /// the taper. Without localization the ETKF.
    case transform
    /// Deterministic filter (Sakov & Oke 2008): half of the gain on the anomalies, error variances divided by the taper.
    case deterministic
    /// Perturbed observations (Burgers, van Leeuwen & Evensen 1998), error variances divided by the taper.
    case stochastic
    /// A share of the innovations' localized mean (Hoke & Anthes 1976), by observations of an element's own field.
    case nudging(strength: Double)
    /// A Bayesian update without the assumption of normal laws.
    case nonlinear(NonlinearMethod)
    /// Quantile-conserving: members keep their quantiles in laws of given forms (Anderson 2022).
    case quantile(QuantileMethod)
    /// Particles resampled observation by observation, near each (Poterjoy 2016).
    case particles(LocalizedParticles)
  }

  /// Of the state.
  public let layout: StateLayout
  /// How an element is updated.
  public let method: Method
  /// Factor on the forecast's anomalies, and relaxation.
  public let inflation: Inflation
  /// Seed of perturbations and rotations.
  public let seed: UInt64
  /// Whether anomalies are rotated at random after a transform without localization; the mean stays.
  public let rotates: Bool
  /// Operators of the kinds that are observed, as far as they are known: tell quantile-conserving updates of bounds.
  public let operators: [ObservationOperator]

  /// An analysis by `method`; `seed` keys perturbed observations and rotations.
  public init(
    layout: StateLayout, method: Method, inflation: Inflation = .none, seed: UInt64 = 1, rotates: Bool = false,
    operators: [ObservationOperator] = []
  ) {
    self.layout = layout
    self.operators = operators
    self.method = method
    self.inflation = inflation
    self.seed = seed
    self.rotates = rotates
  }

  /// What an update did.
  public struct Report: Sendable, Hashable {
    /// Elements of this part that an observation reached.
    public var reached = 0
    /// Elements with missing values, left alone.
    public var missing = 0
    /// Most observations that acted on one element.
    public var mostLocal = 0
  }

  /// Updates a part of the state.
  ///
  /// - Parameters:
  ///   - part: forecast on entry, analysis on return; elements of which any member is not a number are left alone.
  ///   - tiles: those of the part.
  ///   - observed: at least two members; its anomalies are used up.
  ///   - cycle: keys random numbers.
  /// - Throws: `AssimilationError` where a decomposition fails.
  @discardableResult
  public func update(
    _ part: PartialEnsemble, tiles: ArraySlice<StatePartition.Tile>, observed: ObservedEnsemble,
    localization: DistanceLocalization, cycle: Int = 0
  ) throws(AssimilationError) -> Report {
    guard part.members >= 2 else { throw .members(found: part.members) }
    var report = Report()
    guard observed.count > 0 else { return report }
    observed.inflate(by: inflation.factor)
    let kernel = try makeKernel(observed, localization)
    kernel.begin(cycle: cycle)
    let search = LocalSearch(localization, layout: layout, observed: observed)
    var scratch = LocalSearch.Scratch()
    let group = RowGroup(stride: part.stride, members: part.members)
    for tile in tiles {
      group.field = tile.field
      search.forEach(in: tile, scratch: &scratch) { place, found in
        let row = part.row(tile.elements.lowerBound + place)
        report.mostLocal = max(report.mostLocal, found.count)
        if !found.isEmpty {
          if RowGroup.isComplete(row, part.members) {
            report.reached += 1
            group.add(row, found, place: place)
          } else {
            report.missing += 1
          }
        }
        // Groups of four depend on the places in the tile alone.
        if place & 3 == 3 || place == tile.elements.count - 1 { group.run(kernel, inflation) }
      }
    }
    return report
  }

  /// What updates rows by these observations, which may be filled anew before each analysis.
  ///
  /// - Throws: `AssimilationError.matrices`.
  func makeKernel(
    _ observed: ObservedEnsemble, _ localization: DistanceLocalization
  ) throws(AssimilationError) -> any RowKernel {
    switch method {
    case .eakf: SerialKernel(observed, localization: localization, geometry: layout.geometry)
    case .transform: TransformKernel(observed, form: .symmetric, seed: seed, rotates: rotates)
    case .deterministic: TransformKernel(observed, form: .halfGain, seed: seed, rotates: rotates)
    case .stochastic: TransformKernel(observed, form: .perturbed, seed: seed, rotates: rotates)
    case .nudging(let strength): NudgingKernel(observed, strength: strength, operators: operators)
    case .nonlinear(let nonlinear):
      switch nonlinear.order {
      case .serial:
        try SerialMatrixKernel(
          observed, update: nonlinear.make(observed.members), seed: seed, localization: localization,
          geometry: layout.geometry)
      case .together: TogetherKernel(observed, update: nonlinear.make(observed.members), seed: seed)
      }
    case .quantile(let method):
      QuantileKernel(observed, method: method, layout: layout, operators: operators, localization: localization)
    case .particles(let settings):
      LocalizedParticleKernel(
        observed, settings: settings, seed: seed, localization: localization, geometry: layout.geometry)
    }
  }
}

/// Up to four neighbouring elements, with the observations that act on each.
final class RowGroup {
  let stride: Int
  let members: Int
  private(set) var count = 0
  /// Number of the elements' field.
  var field = 0
  private(set) var rows = [UnsafeMutablePointer<Double>?](repeating: nil, count: 4)
  private(set) var lanes = [Int](repeating: 0, count: 4)
  private(set) var ids: [[Int32]] = [[], [], [], []]
  private(set) var weights: [[Double]] = [[], [], [], []]
  private(set) var means = SIMD4<Double>.zero
  /// Anomalies before the update, for relaxation (`[4][stride]`).
  private let prior: UnsafeMutablePointer<Double>

  init(stride: Int, members: Int) {
    self.stride = stride
    self.members = members
    prior = .allocate(capacity: 4 * stride)
    prior.initialize(repeating: 0, count: 4 * stride)
  }

  deinit { prior.deallocate() }

  static func isComplete(_ row: UnsafePointer<Double>, _ members: Int) -> Bool {
    var sum = 0.0
    for m in 0..<members { sum += row[m] * 0 }
    return sum == 0
  }

  func add(_ row: UnsafeMutablePointer<Double>, _ found: [(id: Int32, weight: Double)], place: Int) {
    rows[count] = row
    lanes[count] = place & 3
    ids[count].removeAll(keepingCapacity: true)
    weights[count].removeAll(keepingCapacity: true)
    for one in found {
      ids[count].append(one.id)
      weights[count].append(one.weight)
    }
    count += 1
  }

  func add(
    _ row: UnsafeMutablePointer<Double>, _ found: some Collection<Int32>, _ weight: some Collection<Double>, place: Int
  ) {
    rows[count] = row
    lanes[count] = place & 3
    ids[count].removeAll(keepingCapacity: true)
    ids[count].append(contentsOf: found)
    weights[count].removeAll(keepingCapacity: true)
    weights[count].append(contentsOf: weight)
    count += 1
  }

  /// Adds `increment` to the mean of row `r`.
  @inline(__always)
  func shift(_ r: Int, by increment: Double) { means[r] += increment }

  /// Updates the rows that were added, and empties the group.
  func run(_ kernel: any RowKernel, _ inflation: Inflation) {
    guard count > 0 else { return }
    let relaxes = inflation.relaxes
    for r in 0..<count {
      guard let row = rows[r] else { continue }
      means[r] = Lanes4.centre(row, members: members)
      if inflation.factor != 1 { for m in 0..<members { row[m] *= inflation.factor } }
      if relaxes { (prior + r * stride).update(from: row, count: stride) }
    }
    kernel.update(self)
    for r in 0..<count {
      guard let row = rows[r] else { continue }
      if relaxes { relax(row, prior + r * stride, inflation) }
      kernel.finish(row, members: members)
      let mean = means[r]
      for m in 0..<members { row[m] += mean }
    }
    count = 0
  }

  private func relax(
    _ row: UnsafeMutablePointer<Double>, _ before: UnsafePointer<Double>, _ inflation: Inflation
  ) {
    // A stochastic update leaves a mean in the anomalies.
    let shift = Lanes4.centre(row, members: members)
    let alpha = inflation.perturbationRelaxation
    if alpha > 0 { for m in 0..<members { row[m] = (1 - alpha) * row[m] + alpha * before[m] } }
    if inflation.relaxation > 0 {
      let (old, new) = (Lanes4.dot(before, before, stride), Lanes4.dot(row, row, stride))
      if new > 0 {
        let factor = 1 + inflation.relaxation * ((old / new).squareRoot() - 1)
        for m in 0..<members { row[m] *= factor }
      }
    }
    for m in 0..<members { row[m] += shift }
  }
}

/// Updates anomalies and means of a few elements.
protocol RowKernel: AnyObject {
  /// Another time's observations are there; random numbers are keyed by the cycle.
  func begin(cycle: Int)
  func update(_ group: RowGroup)
  /// What comes after the relaxation, which needs every member beside its own forecast.
  func finish(_ anomalies: UnsafeMutablePointer<Double>, members: Int)
}

extension RowKernel {
  func begin(cycle: Int) {}
  func finish(_ anomalies: UnsafeMutablePointer<Double>, members: Int) {}
}
