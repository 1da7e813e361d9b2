import Glibc
import DaunceModels
import DaunceNumerics
import DaunceState

/// A network of observations as an experiment uses it.
struct ObservingNetwork {
  let variable: Int
  let cells: [Int]
  /// Cycles from one observation to the next.
  let cycles: Int
  let law: ObservingSystem.ErrorLaw
  /// In the variable's unit squared.
  let errorVariance: Double
}

extension Configuration {
  /// The networks that observe the truth, and what observing system they make up: the shortest interval, and the
  /// model's own observed variable, or if that is not observed the first one that is.
  ///
  /// - Throws: `ConfigurationError` for what does not fit the model.
  func makeNetworks(
    in layout: StateLayout, natural: ObservingSystem
  ) throws(ConfigurationError) -> ([ObservingNetwork], ObservingSystem) {
    let base = ObservingSystem(
      variable: natural.variable, errorVariance: observations.errorVariance ?? natural.errorVariance, law: natural.law,
      stepsBetween: observations.interval ?? natural.stepsBetween)
    let given = observations.networks
    guard !given.isEmpty else {
      let own = ObservingNetwork(
        variable: base.variable, cells: Array(0..<layout.cells), cycles: 1, law: base.law,
        errorVariance: base.errorVariance)
      return ([own], base)
    }
    let intervals = given.map { $0.interval ?? natural.stepsBetween }
    let shortest = intervals.min() ?? natural.stepsBetween
    var problems: [ConfigurationError.Problem] = []
    var networks: [ObservingNetwork] = []
    var taken = Set<Int>()
    for (i, network) in given.enumerated() {
      func refuse(_ key: String, _ found: String, _ expected: String) {
        let name = "observations.networks[\(i)].\(key)"
        problems.append(.init(.outOfRange, source: .program, keys: [name], found: found, expected: expected))
      }
      guard let v = layout.fieldIndex(network.field) else {
        let names = layout.fields.map(\.name).joined(separator: ", ")
        refuse("field", network.field.isEmpty ? "nothing" : network.field, "a variable of \(model.name.rawValue): \(names)")
        continue
      }
      if intervals[i] % shortest != 0 { refuse("interval", "\(intervals[i])", "a multiple of the shortest one, \(shortest)") }
      if network.law == .lognormal, layout.fields[v].lowerBound ?? 0 <= 0 {
        refuse("law", "lognormal for \(network.field)", "gaussian or laplace: this variable may be negative")
      }
      let cells = network.places(of: layout.cells, number: i, seed: seed)
      if cells.isEmpty || cells.contains(where: { $0 >= layout.cells }) || Set(cells).count < cells.count {
        refuse("cells", "\(cells)", "different cells from 0 to \(layout.cells - 1), at least one")
      }
      if let twice = cells.first(where: { taken.contains(v * layout.cells + $0) }) {
        refuse("cells", "cell \(twice) of \(network.field) again", "every cell of a variable in one network at most")
      }
      taken.formUnion(cells.map { v * layout.cells + $0 })
      let deviation = network.sd ?? (network.relativeSd ?? 1) * layout.fields[v].scale
      networks.append(
        ObservingNetwork(
          variable: v, cells: cells, cycles: intervals[i] / shortest, law: .init(network.law),
          errorVariance: deviation * deviation))
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    let leading = networks.first { $0.variable == natural.variable } ?? networks[0]
    return (
      networks,
      ObservingSystem(
        variable: leading.variable, errorVariance: leading.errorVariance, law: leading.law, stepsBetween: shortest)
    )
  }

  /// The half-widths of single variables by their numbers.
  ///
  /// - Throws: `ConfigurationError` for a field that the model does not have.
  func halfWidths(in layout: StateLayout) throws(ConfigurationError) -> [Int: Double] {
    var numbers: [Int: Double] = [:]
    for (i, entry) in filter.halfWidths.enumerated() {
      guard let v = layout.fieldIndex(entry.field) else {
        let names = layout.fields.map(\.name).joined(separator: ", ")
        throw ConfigurationError([
          .init(
            .outOfRange, source: .program, keys: ["filter.half_widths[\(i)].field"], found: entry.field,
            expected: "a variable of \(model.name.rawValue): \(names)")
        ])
      }
      numbers[v] = entry.halfWidth
    }
    return numbers
  }
}

extension ObservationNetwork {
  /// The observed cells of a circle of `count`, ascending.
  fileprivate func places(of count: Int, number: Int, seed: UInt64) -> [Int] {
    if let cells { return cells.sorted() }
    if let every { return Array(stride(from: 0, to: count, by: every)) }
    let stream = RandomStream(seed: seed, purpose: .networkCells, member: number)
    let wanted = random ?? 0
    guard wanted <= count else { return [] }
    var cells = Array(0..<count)
    for i in 0..<wanted { cells.swapAt(i, i + stream.integer(below: count - i, at: i)) }
    return cells.prefix(wanted).sorted()
  }

  /// What is wrong with the network by itself: the key, and what was expected.
  var contradiction: (key: String, expected: String)? {
    if [every != nil, cells != nil, random != nil].count(where: { $0 }) != 1 {
      return ("every", "exactly one of every, cells and random")
    }
    if (sd == nil) == (relativeSd == nil) { return ("sd", "either sd or relative_sd") }
    return nil
  }
}

extension ObservingSystem.ErrorLaw {
  fileprivate init(_ law: ObservationNetwork.Law) {
    switch law {
    case .gaussian: self = .gaussian
    case .lognormal: self = .lognormal
    case .laplace: self = .laplace
    }
  }

  /// An observed value of `truth`.
  ///
  /// - Parameters:
  ///   - variance: of the error.
  ///   - index: address of the random number.
  func observe(_ truth: Double, variance: Double, _ stream: RandomStream, at index: Int) -> Double {
    switch self {
    case .gaussian: return truth + variance.squareRoot() * stream.normal(at: index)
    case .lognormal:
      // Mean `truth` and the given variance: s^2 = log(1 + variance / truth^2), mu = log(truth) - s^2 / 2.
      let s2 = log1p(variance / (truth * truth))
      return exp(log(truth) - 0.5 * s2 + s2.squareRoot() * stream.normal(at: index))
    case .laplace:
      let u = stream.uniform(at: index) - 0.5
      let size = -(variance / 2).squareRoot() * log1p(-2 * abs(u))
      return truth + (u < 0 ? -size : size)
    }
  }
}
