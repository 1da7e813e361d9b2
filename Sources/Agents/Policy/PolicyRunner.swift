import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// The agents' step that training and assimilation share: base forecasts, one reduction or gather for what is seen of
/// the ensemble, inputs, policy, draw. A batch holds `sequences` independent ensembles; an assimilation has one.
final class PolicyRunner {
  let settings: AgentSettings
  let layout: StateLayout
  let grid: AgentGrid
  /// Cells that agents act on.
  var cells: Int { grid.cells }
  let distribution: Distribution
  let base: any BaseForecast
  let features: Features
  let head: PolicyHead
  var vectors: Int { head.vectors }
  let draws: StratifiedSampler
  let sequences: Int
  /// What is observed in every sequence, to be taken in before `assembleMoments`.
  let observed: [CellObservations]
  private let simulated: SimulatedObservations
  /// Mean and standard deviation over members of the base forecast: `[sequence][control][cell]`.
  let mean: Workspace<Double>
  let spread: Workspace<Double>
  /// Mean and standard deviation of the forecasts that the base is an analysis of, with `base: analysis`; as `mean`.
  private let forecastMean: Workspace<Double>
  private let forecastSpread: Workspace<Double>
  /// Regressions on the cells of the window, with `inputs: covariances`: `[sequence][control][place][cell]`.
  private let regressions: Workspace<Double>
  private let regression: LocalGain?
  /// Number among the observed kinds of each control's own observations.
  private let controlKinds: [Int?]
  private let statistics: EnsembleStatistics
  /// Controls' base forecasts of the local members, `[local member][sequence][control][cell]`.
  private let rows: Workspace<Double>
  /// Of the member drawn for last, `[control][cell]`.
  let uniforms: Workspace<Double>
  /// Forecasts of all members where draws follow their order or agents see covariances,
  /// `[member][sequence][control][cell]`; else empty, and `mean` and `spread` come from a reduction.
  private var gathered: [Double] = []
  /// Whether draws may follow the order of the members' forecasts.
  private let knowsOrder: Bool
  private let members: Workspace<Double>
  /// Elements of `gathered` that each rank holds.
  private let gatheredCounts: [Int]
  let communicator: Communicator
  /// Scales of the laws that were drawn from last, `[control][cell]`; used where there are invariants.
  let scales: Workspace<Double>
  private let admissible: Workspace<Double>
  let invariants: InvariantProjection

  /// Told once what the inputs are.
  var catalogue: InputCatalogue?

  /// Elements that an agent sets in one state: `[control][cell]`.
  let actionCount: Int

  /// - Parameters:
  ///   - rankPersistence: share of cells in which draws follow the order of the members' forecasts.
  ///   - gathersMembers: whether all members' forecasts are brought to every rank even if no draw follows them.
  init(
    settings: AgentSettings, base: any BaseForecast, distribution: Distribution, communicator: Communicator,
    seed: UInt64, sequences: Int, rankPersistence: Double, gathersMembers: Bool = false
  ) {
    self.settings = settings
    self.base = base
    self.distribution = distribution
    self.sequences = sequences
    layout = base.layout
    precondition(
      settings.controls.allSatisfy { base.layout.fields[$0].grid == settings.grid(in: base.layout) },
      "agents set fields of one grid")
    let grid = AgentGrid(layout, grid: settings.grid(in: layout), window: settings.window)
    self.grid = grid
    features = Features(settings: settings, base: base, grid: grid, members: distribution.members)
    head = PolicyHead(settings: settings, layout: layout)
    let placement = ObservationPlacement(settings, grid: grid)
    observed = (0..<sequences).map { _ in CellObservations(placement) }
    simulated = SimulatedObservations(settings, grid: grid)
    actionCount = settings.controls.count * grid.cells
    draws = StratifiedSampler(members: distribution.members, seed: seed, kind: settings.draws, rankPersistence: rankPersistence)
    uniforms = Workspace(repeating: 0, count: actionCount)
    mean = Workspace(repeating: 0, count: sequences * actionCount)
    spread = Workspace(repeating: 0, count: sequences * actionCount)
    let width = settings.base == .analysis ? sequences * actionCount : 0
    forecastMean = Workspace(repeating: 0, count: width)
    forecastSpread = Workspace(repeating: 0, count: width)
    scales = Workspace(repeating: 0, count: actionCount)
    admissible = Workspace(repeating: 0, count: actionCount)
    invariants = InvariantProjection(invariants: base.invariants, layout: base.layout, controls: settings.controls)
    let elements = sequences * actionCount
    rows = Workspace(repeating: 0, count: distribution.local.count * elements)
    func everywhere(_ value: (Field) -> Double) -> [Double] {
      let one = settings.controls.flatMap { [Double](repeating: value(base.layout.fields[$0]), count: grid.cells) }
      return (0..<sequences).flatMap { _ in one }
    }
    self.communicator = communicator
    gatheredCounts = (0..<distribution.ranks).map { distribution.range(of: $0).count * elements }
    knowsOrder = settings.canKeepOrder && (rankPersistence > 0 || gathersMembers)
    controlKinds = settings.controls.map { control in
      settings.observed.firstIndex { $0.field(of: base.layout, onGrid: grid.number) == control }
    }
    let seesCovariances = settings.inputs == .covariances
    regression = seesCovariances ? LocalGain(members: distribution.members, window: grid.window) : nil
    regressions = Workspace(repeating: 0, count: seesCovariances ? elements * grid.window.size : 0)
    if knowsOrder || seesCovariances {
      gathered = [Double](repeating: 0, count: distribution.members * elements)
    }
    // Samplers read whole vectors of eight.
    members = Workspace(repeating: 0, count: gathered.count + 8)
    statistics = EnsembleStatistics(
      width: elements, distribution: distribution, communicator: communicator,
      reference: everywhere(\.reference), units: everywhere(\.scale))
  }

  /// Takes in the base forecast (`[layout.count]`) of local member `m` in one sequence, for `assembleMoments`.
  func present(_ forecast: UnsafePointer<Double>, member m: Int, sequence: Int) {
    guard settings.seesEnsemble else { return }
    let n = cells
    let row = rows.start + (m * sequences + sequence) * actionCount
    for (k, v) in settings.controls.enumerated() {
      (row + k * n).update(from: forecast + layout.offsets[v], count: n)
    }
  }

  /// Assembles `mean` and `spread` of the forecasts presented by every rank, by one reduction or one gather; nothing
  /// for agents that see only their own member.
  func assembleMoments() throws {
    guard settings.seesEnsemble else { return }
    guard gathered.isEmpty else { return try gatherMembers() }
    try statistics.reduce(flat: Span(_unsafeStart: UnsafePointer(rows.start), count: rows.count))
    statistics.mean.withUnsafeBufferPointer { if let start = $0.baseAddress { mean.copy(from: start) } }
    statistics.spread.withUnsafeBufferPointer { if let start = $0.baseAddress { spread.copy(from: start) } }
  }

  /// Climatological standard deviations beyond which a state is given up: twice the model's own largest values.
  static let range = 50.0

  /// Whether the moments assembled last are finite and within the fields' range: what every rank agrees on.
  func isPlausible(sequence s: Int) -> Bool {
    for (k, v) in settings.controls.enumerated() {
      let (limit, reference) = (Self.range * layout.fields[v].scale, layout.fields[v].reference)
      for c in 0..<cells {
        let i = s * actionCount + k * cells + c
        if !(abs(mean.start[i] - reference) < limit && spread.start[i] < limit) { return false }
      }
    }
    return true
  }

  /// Takes what `assembleMoments` has found for that of the forecast: the filter's analysis is presented next.
  func keepForecastMoments() {
    forecastMean.copy(from: mean.start)
    forecastSpread.copy(from: spread.start)
  }

  /// Brings all members to every rank; sums run in the order of members.
  private func gatherMembers() throws {
    let width = sequences * actionCount
    let first = distribution.local.lowerBound * width
    gathered.withUnsafeMutableBufferPointer { gathered in
      for i in 0..<rows.count { gathered[first + i] = rows.start[i] }
    }
    try communicator.allgatherv(inPlace: &gathered, counts: gatheredCounts)
    gathered.withUnsafeBufferPointer { gathered in
      if let start = gathered.baseAddress { members.start.update(from: start, count: gathered.count) }
    }
    let (mean, spread, count) = (mean.start, spread.start, distribution.members)
    mean.update(repeating: 0, count: width)
    spread.update(repeating: 0, count: width)
    for m in 0..<count {
      let row = members.start + m * width
      for i in 0..<width { mean[i] += row[i] }
    }
    for i in 0..<width { mean[i] /= Double(count) }
    for m in 0..<count {
      let row = members.start + m * width
      for i in 0..<width {
        let deviation = row[i] - mean[i]
        spread[i] += deviation * deviation
      }
    }
    for i in 0..<width { spread[i] = (spread[i] / Double(max(1, count - 1))).squareRoot() }
    if let regression { regress(by: regression) }
  }

  /// Works out the regressions of the observed controls in every sequence.
  private func regress(by regression: LocalGain) {
    let n = cells
    for s in 0..<sequences {
      for (k, kind) in controlKinds.enumerated() {
        guard let kind else { continue }
        let first = s * actionCount + k * n
        regression.compute(
          into: regressions.start + first * grid.window.size, forecasts: members.start + first,
          stride: sequences * actionCount, mean: mean.start + first,
          errorVariances: observed[s].errorVariances.start + kind * n)
      }
    }
  }

  /// The members' base forecasts of one sequence, where draws may follow their order.
  func forecasts(sequence: Int) -> StratifiedSampler.Forecasts? {
    guard knowsOrder else { return nil }
    return StratifiedSampler.Forecasts(first: members.start + sequence * actionCount, stride: sequences * actionCount)
  }

  /// Fills `tile.input` for one member of one sequence and runs its policy.
  ///
  /// - Parameters:
  ///   - time: observation times since the start, this one included.
  ///   - isNextMember: whether `tile` was last filled for another member of this sequence at the same time.
  func evaluate(
    _ policy: Network, tile: Activations, forecast: UnsafePointer<Double>, previous: UnsafePointer<Double>,
    beforePrevious: UnsafePointer<Double>, time: Int, sequence: Int, isNextMember: Bool = false
  ) {
    fill(
      tile, forecast: forecast, previous: previous, beforePrevious: beforePrevious, time: time, sequence: sequence,
      other: isNextMember ? 0 : nil)
    policy.forward(tile)
    if let input = tile.input.baseAddress { head.scaleOutputs(tile, input: input) }
  }

  /// Fills `tile.input` for one member of one sequence; parameters as of `evaluate` and of `Features.fill`.
  func fill(
    _ tile: Activations, forecast: UnsafePointer<Double>, previous: UnsafePointer<Double>,
    beforePrevious: UnsafePointer<Double>, time: Int, sequence: Int, lane: Int = 0, other: Int?
  ) {
    let observed = observed[sequence]
    simulated.compute(
      observed, forecast: forecast, ensemble: settings.seesEnsemble ? mean.start + sequence * actionCount : nil)
    let view = Features.View(
      forecast: forecast, observed: observed, simulated: simulated.member.start,
      simulatedMean: simulated.mean.start, mean: mean.start + sequence * actionCount, spread: spread.start + sequence * actionCount,
      regressions: regressions.start + (regression == nil ? 0 : sequence * actionCount * grid.window.size),
      forecastMean: forecastMean.start + sequence * (forecastMean.count / sequences),
      forecastSpread: forecastSpread.start + sequence * (forecastSpread.count / sequences),
      previous: previous, beforePrevious: beforePrevious, time: time)
    features.fill(tile.input, view, vectors: vectors, catalogue: catalogue, lane: lane, other: other)
    catalogue = nil
  }

  /// Writes what the policy's increments are added to: the ensemble mean of the base forecast or the member's own
  /// (`[control][cell]`).
  func anchors(
    _ anchors: UnsafeMutablePointer<Double>, forecast: UnsafePointer<Double>, sequence: Int
  ) {
    let n = cells
    guard !settings.seesEnsemble else {
      return anchors.update(from: mean.start + sequence * actionCount, count: actionCount)
    }
    for (k, v) in settings.controls.enumerated() {
      (anchors + k * n).update(from: forecast + layout.offsets[v], count: n)
    }
  }

  /// Draws the actions of local member `m` from the policy outputs in `tile` (`[control][cell]`).
  func draw(
    _ actions: UnsafeMutablePointer<Double>, anchors: UnsafePointer<Double>, tile: Activations, purpose: Purpose,
    member m: Int, cycle: Int, sequence: Int
  ) {
    let n = cells
    drawUniforms(purpose: purpose, member: m, cycle: cycle, sequence: sequence)
    for k in settings.controls.indices {
      head.sample(
        k, into: actions + k * n, scales: invariants.equations > 0 ? scales.start + k * n : nil,
        anchors: anchors + k * n, tile, uniforms: uniforms.start + k * n)
    }
  }

  /// Draws a member's uniform numbers into `uniforms`; parameters as of `draw`.
  func drawUniforms(purpose: Purpose, member m: Int, cycle: Int, sequence: Int) {
    if settings.draws == .anomalies, purpose != .rolloutTwin {
      placeAmongMembers(m, sequence: sequence)
    } else {
      draws.fill(
        UnsafeMutableBufferPointer(start: uniforms.start, count: actionCount), purpose: purpose,
        member: distribution.local.lowerBound + m, cycle: cycle, sequence: sequence,
        forecasts: forecasts(sequence: sequence))
    }
  }

  /// Takes for a member's uniform numbers where it stands in a normal law of the ensemble's mean and spread.
  private func placeAmongMembers(_ m: Int, sequence: Int) {
    let first = sequence * actionCount
    let own = rows.start + (m * sequences + sequence) * actionCount
    for i in 0..<actionCount {
      let deviation = own[i] - mean.start[first + i]
      // Within what single precision can draw.
      let z = deviation == 0 ? 0 : min(max(deviation / spread.start[first + i], -6), 6)
      uniforms.start[i] = StandardNormal.upperTail(-z)
    }
  }

  /// Moves the actions drawn last (`[control][cell]`) to where the linear invariants are those of the base forecast
  /// (`[layout.count]`). The environment's part, not the policy's: densities are those of the draw.
  func conserve(_ actions: UnsafeMutablePointer<Double>, base: UnsafePointer<Double>) {
    invariants.project(actions, scales: scales.start, base: base)
  }

  /// Replaces the controls of a base forecast (`[layout.count]`) by the actions drawn last (`[control][cell]`), with
  /// the linear invariants conserved.
  func apply(_ actions: UnsafePointer<Double>, to state: UnsafeMutablePointer<Double>) {
    let n = cells
    admissible.copy(from: actions)
    conserve(admissible.start, base: state)
    for (k, v) in settings.controls.enumerated() {
      (state + layout.offsets[v]).update(from: admissible.start + k * n, count: n)
    }
  }
}
