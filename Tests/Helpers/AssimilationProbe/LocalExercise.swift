import DaunceAssimilation
import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceObservations
import DaunceState

/// Filters on two staggered fields of a plane, seen through functions of both, by two networks in turn.
struct LocalExercise {
  let world: Communicator
  let members: Int
  private let layout: StateLayout
  private let sets: [ObservationSet]
  private let localization = DistanceLocalization(
    reaches: [[.within([2, 1.5]), .within([2, 1.5])], [.within([1, 1]), .off]],
    observed: [[.within([2, 1.5]), .within([2, 1.5])], [.within([1, 1]), .within([1, 1])]])

  init(_ world: Communicator, members: Int) throws {
    self.world = world
    self.members = members
    let axes = [Axis(name: "y", period: nil), Axis(name: "x", period: 9)]
    let (y, x) = ((0..<7).map(Double.init), (0..<9).map(Double.init))
    let grids = [
      Grid([.init(name: "y", axis: 0, coordinates: y), .init(name: "x", axis: 1, coordinates: x)]),
      Grid([.init(name: "y", axis: 0, coordinates: y), .init(name: "xu", axis: 1, coordinates: x.map { $0 + 0.5 })]),
    ]
    let layout = StateLayout(
      geometry: Geometry(axes: axes), grids: grids,
      fields: [Field(name: "v", lowerBound: -3), Field(name: "u", grid: 1)])
    self.layout = layout
    let operations = [
      ObservationOperator(fields: [0, 1], combination: .norm), ObservationOperator(fields: [0], function: .absolute),
    ]
    sets = [11, 6].map { count in
      var (builder, rows) = (RowBuilder(layout), ObservationRows())
      let places = (0..<count).map { Place([Double($0) * 0.5, Double($0) * 0.7]) }
      for (k, place) in places.enumerated() {
        rows.append(builder.rows(of: operations[k % 2], at: place) ?? [], by: operations[k % 2])
      }
      let network = ObservationNetwork(rows: rows, kinds: places.indices.map { Int32($0 % 2) }, places: places)
      return ObservationSet(
        network, values: places.indices.map { 0.5 + 0.1 * Double($0) },
        errorVariances: places.indices.map { 0.2 + 0.05 * Double($0) })
    }
  }

  private func state(of member: Int) -> [Double] {
    let stream = RandomStream(seed: 6, purpose: .test, member: member)
    return (0..<layout.count).map { stream.normal(at: $0) + 0.02 * Double($0) }
  }

  private func local(
    _ method: LocalAnalysis.Method, rotates: Bool = false, gatherLimit: Int = .max
  ) throws -> LocalFilter {
    LocalFilter(
      LocalAnalysis(
        layout: layout, method: method, inflation: try Inflation(factor: 1.1, relaxation: 0.3), seed: 4,
        rotates: rotates),
      localization: localization, gatherLimit: gatherLimit)
  }

  /// Prints a digest for every filter, and how far its two forms are from each other.
  func run() throws {
    let methods: [(String, LocalAnalysis.Method, Bool)] = [
      ("letkf", .transform, false), ("rotated", .transform, true), ("denkf", .deterministic, false),
      ("enkf", .stochastic, false),
      ("together", .nonlinear(NonlinearMethod(.together) { ParticleFilter(members: $0, settings: .init(temperedShare: 0.5)) }), false),
      ("serial", .nonlinear(NonlinearMethod(.serial) { Transport(members: $0, settings: .init()) }), false),
      ("bridge", .nonlinear(NonlinearMethod(.serial) { SchroedingerBridge(members: $0, settings: .init()) }), false),
      (
        "diffusion",
        .nonlinear(
          NonlinearMethod(.serial) {
            RegressedUpdate(Diffusion(members: $0, settings: .init()), members: $0, window: 0.3)
          }), false
      ),
      (
        "langevin",
        .nonlinear(
          NonlinearMethod(.serial) {
            RegressedUpdate(Langevin(members: $0, settings: .init(steps: 60)), members: $0, window: 0.3)
          }), false
      ),
      ("quantiles", .quantile(QuantileMethod(.rankHistogram, laws: ["u": .kernelDensity])), false),
      ("bounded", .quantile(QuantileMethod(.boundedNormal, laws: ["u": .gamma], isProbit: false)), false),
      ("particles", .particles(LocalizedParticles()), false),
    ]
    for (name, method, rotates) in methods {
      let gathered = try members(after: try local(method, rotates: rotates))
      let parts = try members(after: try local(method, rotates: rotates, gatherLimit: 0))
      guard world.isRoot else { continue }
      let difference = zip(gathered, parts).reduce(0) { max($0, abs($1.0 - $1.1)) }
      print("\(name): \(digest(gathered)) \(digest(parts))")
      print("\(name)-difference: \(difference)")
    }
    let adaptive = AdaptiveInflation(
      try local(.transform), layout: layout, localization: localization, deviation: 0.6, damping: 0.9)
    let adapted = try members(after: adaptive)
    if world.isRoot { print("adaptive: \(digest(adapted)) \(digest(adaptive.factors))") }
    let (factors, idle) = (adaptive.factors, try members(after: adaptive, observing: { _ in .none }))
    let untouched = try members(after: try local(.transform), observing: { _ in .none })
    if world.isRoot { print("adaptive-idle: \(idle == untouched && adaptive.factors == factors)") }
    let error = try nudgingError()
    if world.isRoot { print("nudging-error: \(error)") }
    let between = try nudgingBetweenCells()
    if world.isRoot { print("nudging-between: \(between)") }
    let additive = AdditiveInflation(try local(.transform), layout: layout) { state, member, cycle in
      let stream = RandomStream(seed: 9, purpose: .test, member: member, cycle: cycle)
      for i in state.indices { state[i] += 0.1 * stream.normal(at: i) }
    }
    let added = try members(after: additive)
    if world.isRoot { print("additive: \(digest(added))") }
  }

  /// All members after four updates by the two networks in turn, or by what is given for each cycle.
  private func members(
    after filter: any EnsembleUpdate, observing: ((Int) -> ObservationSet)? = nil
  ) throws -> [Double] {
    let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
    var ensemble = DistributedEnsemble(layout: layout, distribution: distribution, communicator: world)
    ensemble.states = distribution.local.map { state(of: $0) }
    for cycle in 1...4 {
      try filter.update(&ensemble, observations: observing?(cycle) ?? sets[cycle % 2], cycle: cycle)
    }
    let all = GatheredEnsemble(width: layout.count, distribution: distribution, communicator: world)
    try all.gather(ensemble.states)
    return all.members
  }

  /// One observation, of cell 3 of a ring of eight: the cells in reach move by half of its innovation, the others stay.
  ///
  /// - Returns: the largest difference from that, over all members.
  private func nudgingError() throws -> Double {
    let ring = StateLayout(ring: 8, length: 8, fields: [Field(name: "s")])
    let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
    var ensemble = DistributedEnsemble(layout: ring, distribution: distribution, communicator: world)
    let before = distribution.local.map { Array(state(of: $0).prefix(8)) }
    ensemble.states = before
    let filter = Nudging(
      layout: ring, localization: DistanceLocalization(reaches: [[.within([1])]], observed: [[.within([1])]]),
      strength: 0.5)
    let observations = ObservationSet(
      ObservationNetwork(elements: [3], layout: ring), values: [2], errorVariances: [1])
    filter.update(&ensemble, observations: observations, cycle: 1)
    var worst = 0.0
    for (old, new) in zip(before, ensemble.states) {
      for i in 0..<8 {
        let expected = (2...4).contains(i) ? old[i] + 0.5 * (2 - old[3]) : old[i]
        worst = max(worst, abs(new[i] - expected))
      }
    }
    return try world.allreduce(worst, .max)
  }

  /// One observation half way between cells 3 and 4, far below the field's bound: the four cells in reach move by half of
  /// its innovation, but not beyond the bound.
  ///
  /// - Returns: the largest difference from that, over all members.
  private func nudgingBetweenCells() throws -> Double {
    let ring = StateLayout(ring: 8, length: 8, fields: [Field(name: "s", lowerBound: -20)])
    let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
    var ensemble = DistributedEnsemble(layout: ring, distribution: distribution, communicator: world)
    let before = distribution.local.map { Array(state(of: $0).prefix(8)) }
    ensemble.states = before
    let filter = Nudging(
      layout: ring, localization: DistanceLocalization(reaches: [[.within([1])]], observed: [[.within([1])]]),
      strength: 0.5)
    var rows = ObservationRows()
    rows.append([(elements: [3, 4], weights: [0.5, 0.5])], by: ObservationOperator(fields: [0]))
    let network = ObservationNetwork(rows: rows, kinds: [0], places: [Place([3.5])])
    filter.update(&ensemble, observations: ObservationSet(network, values: [-100], errorVariances: [1]), cycle: 1)
    var worst = 0.0
    for (old, new) in zip(before, ensemble.states) {
      for i in 0..<8 {
        let moved = old[i] + 0.5 * (-100 - 0.5 * (old[3] + old[4]))
        let expected = (2...5).contains(i) ? max(-20, moved) : old[i]
        worst = max(worst, abs(new[i] - expected))
      }
    }
    return try world.allreduce(worst, .max)
  }
}
