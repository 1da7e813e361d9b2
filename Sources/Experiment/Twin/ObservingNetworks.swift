package import DaunceModels
package import DaunceNumerics
package import DaunceObservations
package import DaunceSettings
package import DaunceState

/// What one kind of observations measures, by name.
package struct ObservedQuantity: Sendable, Hashable {
  /// As in files: the field's name, `absolute_x`, `norm_u_v`, `mean_8_x`.
  package let name: String
  package let operation: ObservationOperator
}

/// One network of an experiment: observations of one kind at some cells.
struct ObservingNetwork {
  /// Number of what is observed among the experiment's quantities.
  let kind: Int
  /// Cells of the first observed field's grid, ascending; of observations with a footprint its centres.
  let cells: [Int]
  /// State elements and weights of every observation, for each observed field.
  let rows: [[(elements: [Int], weights: [Double])]]
  /// Cycles from one observation to the next.
  let cycles: Int
  let law: ErrorLaw
  /// In the unit of what is observed, squared.
  let errorVariance: Double
}

/// Everything that observes an experiment's truths.
package final class ObservingNetworks {
  /// What can be observed: first each field of the layout by itself, in its order, then what networks add to that.
  package let quantities: [ObservedQuantity]
  let networks: [ObservingNetwork]
  private let layout: StateLayout
  /// What networks observe together, by the numbers of those that observe at the same time.
  private var together: [[Int]: Together] = [:]

  private struct Together {
    let network: ObservationNetwork
    /// Network and place in it of every observation.
    let sources: [(network: Int, place: Int)]
    let errorVariances: [Double]
  }

  init(_ networks: [ObservingNetwork], of quantities: [ObservedQuantity], layout: StateLayout) {
    self.networks = networks
    self.quantities = quantities
    self.layout = layout
  }

  /// Observes a state (`[layout.count]`) at a time, counted in cycles.
  ///
  /// - Parameter stream: random numbers of a network's errors.
  package func observe(
    _ state: Span<Double>, time: Int, stream: (_ network: Int) -> RandomStream
  ) -> ObservationSet {
    let active = networks.indices.filter { time % networks[$0].cycles == 0 }
    let known = together[active] ?? combine(active)
    together[active] = known
    let streams = networks.indices.map(stream)
    let values = known.sources.indices.map { k in
      let (network, place) = known.sources[k]
      return networks[network].law.observe(
        known.network.rows.value(k, of: state), variance: networks[network].errorVariance, streams[network], at: place)
    }
    return ObservationSet(known.network, values: values, errorVariances: known.errorVariances)
  }

  /// How errors of each quantity are distributed (`[quantity]`): as in the first network that observes it.
  package var laws: [ErrorLaw] {
    quantities.indices.map { kind in networks.first { $0.kind == kind }?.law ?? .gaussian }
  }

  /// Cell of every observation of what these networks observe together, in its first field's grid.
  func cells(of network: ObservationNetwork) -> [Int] {
    guard let known = together.values.first(where: { $0.network === network }) else { return [] }
    return known.sources.map { networks[$0.network].cells[$0.place] }
  }

  /// Observations of several networks, in the order of the first elements that they see; those that see the same one
  /// first by kind and cell, as files have them.
  private func combine(_ active: [Int]) -> Together {
    var sources = active.flatMap { n in networks[n].cells.indices.map { (network: n, place: $0) } }
    if active.count > 1 || active.contains(where: { quantities[networks[$0].kind].operation.footprint > 1 }) {
      func first(_ source: (network: Int, place: Int)) -> Int {
        networks[source.network].rows[source.place].first?.elements.first ?? 0
      }
      func order(_ source: (network: Int, place: Int)) -> (Int, Int, Int) {
        (first(source), networks[source.network].kind, networks[source.network].cells[source.place])
      }
      sources.sort { order($0) < order($1) }
    }
    var rows = ObservationRows()
    var places: [Place] = []
    for (n, place) in sources {
      let network = networks[n]
      let operation = quantities[network.kind].operation
      rows.append(network.rows[place], by: operation)
      places.append(layout.grid(operation.fields[0]).place(of: network.cells[place]))
    }
    return Together(
      network: ObservationNetwork(
        rows: rows, kinds: sources.map { Int32(networks[$0.network].kind) }, places: places,
        laws: sources.map { networks[$0.network].law }), sources: sources,
      errorVariances: sources.map { networks[$0.network].errorVariance })
  }
}

extension Configuration {
  /// The networks that observe the truth, and what observing system they make up: the shortest interval, and the
  /// model's own observed field, or if that is not observed the first one that is.
  ///
  /// - Throws: `ConfigurationError` for what does not fit the model.
  package func makeNetworks(
    in layout: StateLayout, natural: ObservingSystem
  ) throws(ConfigurationError) -> (ObservingNetworks, ObservingSystem) {
    let base = ObservingSystem(
      variable: natural.variable, errorVariance: observations.errorVariance ?? natural.errorVariance, law: natural.law,
      stepsBetween: observations.interval ?? natural.stepsBetween)
    var builder = NetworkBuilder(layout)
    guard !observations.networks.isEmpty else {
      let own = builder.network(
        kind: base.variable, cells: Array(0..<layout.range(base.variable).count), cycles: 1, law: base.law,
        errorVariance: base.errorVariance)
      return (ObservingNetworks([own], of: builder.quantities, layout: layout), base)
    }
    let intervals = observations.networks.map { $0.interval ?? natural.stepsBetween }
    let shortest = intervals.min() ?? natural.stepsBetween
    let networks = zip(observations.networks, intervals).enumerated().map { i, given in
      builder.add(given.0, number: i, interval: given.1, shortest: shortest, in: self)
    }
    guard builder.problems.isEmpty else { throw ConfigurationError(builder.problems) }
    let found = networks.compactMap { $0 }
    func field(_ network: ObservingNetwork) -> Int { builder.quantities[network.kind].operation.fields[0] }
    let leading = found.first { field($0) == natural.variable } ?? found[0]
    return (
      ObservingNetworks(found, of: builder.quantities, layout: layout),
      ObservingSystem(
        variable: field(leading), errorVariance: leading.errorVariance, law: leading.law, stepsBetween: shortest)
    )
  }

  /// The half-widths of single fields by their numbers.
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

/// Makes networks of settings, and collects what is wrong with them.
private struct NetworkBuilder {
  let layout: StateLayout
  private(set) var quantities: [ObservedQuantity]
  private(set) var problems: [ConfigurationError.Problem] = []
  private var rows: RowBuilder
  private var taken = Set<[Int]>()

  init(_ layout: StateLayout) {
    self.layout = layout
    rows = RowBuilder(layout)
    quantities = layout.fields.indices.map {
      ObservedQuantity(name: layout.fields[$0].name, operation: ObservationOperator(fields: [$0]))
    }
  }

  /// A network of checked settings.
  mutating func network(
    kind: Int, cells: [Int], cycles: Int, law: ErrorLaw, errorVariance: Double
  ) -> ObservingNetwork {
    let operation = quantities[kind].operation
    let grid = layout.grid(operation.fields[0])
    let stencils = cells.map { cell in
      // A field of the observed grid is seen at the cell itself, others and means where the cell is.
      operation.fields.count == 1 && operation.footprint == 1
        ? [(elements: [layout.offsets[operation.fields[0]] + cell], weights: [1])]
        : rows.rows(of: operation, at: grid.place(of: cell)) ?? []
    }
    return ObservingNetwork(
      kind: kind, cells: cells, rows: stencils, cycles: cycles, law: law, errorVariance: errorVariance)
  }

  /// - Returns: `nil` with a problem more where settings do not fit.
  mutating func add(
    _ given: NetworkSettings, number i: Int, interval: Int, shortest: Int, in configuration: Configuration
  ) -> ObservingNetwork? {
    let before = problems.count
    func problem(_ key: String, _ found: String, _ expected: String) -> ConfigurationError.Problem {
      .init(
        .outOfRange, source: .program, keys: ["observations.networks[\(i)].\(key)"], found: found, expected: expected)
    }
    let fields = given.fieldNames.compactMap { layout.fieldIndex($0) }
    guard fields.count == given.fieldNames.count, let first = fields.first else {
      let names = layout.fields.map(\.name).joined(separator: ", ")
      let unknown = given.fieldNames.first { layout.fieldIndex($0) == nil }
      problems.append(
        problem(
          given.fields == nil ? "field" : "fields", unknown ?? "nothing",
          "a variable of \(configuration.model.name.rawValue): \(names)"))
      return nil
    }
    if interval % shortest != 0 {
      problems.append(problem("interval", "\(interval)", "a multiple of the shortest one, \(shortest)"))
    }
    let kind = self.kind(fields, given)
    let operation = quantities[kind].operation
    let name = given.fieldNames.joined(separator: ", ")
    if given.law == .lognormal, !isPositive(operation) {
      problems.append(
        problem("law", "lognormal for \(quantities[kind].name)", "gaussian or laplace: this variable may be negative"))
    }
    if operation.function == .logarithm, !hasPositiveArgument(operation) {
      problems.append(problem("function", "logarithm of \(name)", "another one: this variable may be negative"))
    }
    if given.relativeSd != nil, operation != ObservationOperator(fields: [first]) {
      problems.append(problem("relative_sd", quantities[kind].name, "sd for what is no field itself"))
    }
    let cells = given.cells(of: layout.range(first).count, number: i, seed: configuration.seed)
    check(cells, kind: kind, given, problem)
    guard problems.count == before else { return nil }
    let deviation = given.sd ?? (given.relativeSd ?? 1) * layout.fields[first].scale
    return network(
      kind: kind, cells: cells, cycles: interval / shortest, law: .init(given.law),
      errorVariance: deviation * deviation)
  }

  /// Whether the cells of a network are there, observed once, and surrounded by all that is observed; what is not so is
  /// a problem more.
  private mutating func check(
    _ cells: [Int], kind: Int, _ given: NetworkSettings,
    _ problem: (_ key: String, _ found: String, _ expected: String) -> ConfigurationError.Problem
  ) {
    let before = problems.count
    let operation = quantities[kind].operation
    let count = layout.range(operation.fields[0]).count
    let name = given.fieldNames.joined(separator: ", ")
    if cells.isEmpty || cells.contains(where: { $0 >= count }) || Set(cells).count < cells.count {
      problems.append(problem("cells", "\(cells)", "different cells from 0 to \(count - 1), at least one"))
    }
    if let twice = cells.first(where: { taken.contains([kind, $0]) }) {
      problems.append(
        problem("cells", "cell \(twice) of \(name) again", "every cell of a variable in one network at most"))
    }
    taken.formUnion(cells.map { [kind, $0] })
    if let limit = operation.fields.compactMap({ layout.grid($0).longestFootprint }).min(), given.footprint > limit {
      problems.append(problem("footprint", "\(given.footprint)", "at most \(limit) cells on the grid of \(name)"))
    }
    if problems.count == before, let outside = firstCell(of: cells, outside: operation) {
      let (found, expected) =
        given.footprint > 1
        ? ("whose footprint is not inside of the grid of \(name)", "cells half a footprint from its ends or more")
        : ("where not all of \(name) have values", "cells inside of all of their grids")
      problems.append(problem("cells", "cell \(outside), \(found)", expected))
    }
  }

  /// Whether what an operator gives is positive whatever the state.
  private func isPositive(_ operation: ObservationOperator) -> Bool {
    switch operation.function {
    case .exponential: true
    case .logarithm: false
    default: hasPositiveArgument(operation)
    }
  }

  /// Whether what an operator's function is applied to is positive whatever the state.
  private func hasPositiveArgument(_ operation: ObservationOperator) -> Bool {
    let areAbove = operation.fields.map { layout.fields[$0].lowerBound ?? 0 > 0 }
    return operation.combination == .norm ? areAbove.contains(true) : areAbove.allSatisfy { $0 }
  }

  /// The first of some cells, of the first field's grid, at whose place a field of an operator has no value or mean.
  private mutating func firstCell(of cells: [Int], outside operation: ObservationOperator) -> Int? {
    guard operation.fields.count > 1 || operation.footprint > 1 else { return nil }
    let grid = layout.grid(operation.fields[0])
    for cell in cells where rows.rows(of: operation, at: grid.place(of: cell)) == nil { return cell }
    return nil
  }

  /// Number of what a network observes, a new one where it is needed.
  private mutating func kind(_ fields: [Int], _ given: NetworkSettings) -> Int {
    let operation = ObservationOperator(
      fields: fields, combination: .init(rawValue: given.combination.rawValue) ?? .sum,
      function: PointwiseFunction(rawValue: given.function.rawValue) ?? .identity, footprint: given.footprint)
    if let known = quantities.firstIndex(where: { $0.operation == operation }) { return known }
    let words =
      (given.function == .identity ? [] : [given.function.rawValue])
      + (fields.count > 1 ? [given.combination.rawValue] : [])
      + (given.footprint > 1 ? ["mean", "\(given.footprint)"] : []) + fields.map { layout.fields[$0].name }
    quantities.append(ObservedQuantity(name: words.joined(separator: "_"), operation: operation))
    return quantities.count - 1
  }
}

extension NetworkSettings {
  /// The observed cells of `count`, ascending.
  fileprivate func cells(of count: Int, number: Int, seed: UInt64) -> [Int] {
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
    if !field.isEmpty, fields != nil { return ("fields", "either field or fields") }
    if [every != nil, cells != nil, random != nil].count(where: { $0 }) != 1 {
      return ("every", "exactly one of every, cells and random")
    }
    if (sd == nil) == (relativeSd == nil) { return ("sd", "either sd or relative_sd") }
    return nil
  }
}
