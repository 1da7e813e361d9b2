import Ensemble
import MPI
import Randomness
import StateSpace

/// The agents' step that training and assimilation share: base forecasts, one reduction for the ensemble's mean and
/// spread, inputs, policy, draw. A batch holds `sequences` independent ensembles; an assimilation has one.
final class PolicyRunner {
  let settings: AgentSettings
  let layout: StateLayout
  let distribution: Distribution
  let base: any BaseForecast
  let features: Features
  let head: PolicyHead
  var vectors: Int { head.vectors }
  let draws: Draws
  let sequences: Int
  /// Mean and standard deviation over members of the base forecast: `[sequence][control][cell]`.
  let mean: Workspace<Double>
  let spread: Workspace<Double>
  private let statistics: EnsembleStatistics
  /// Controls' base forecasts of the local members, `[local member][sequence][control][cell]`.
  private let rows: Workspace<Double>
  /// `[local member][sequence]`.
  private let places: [[Draws.Places]]
  /// Scales of the laws that were drawn from last, `[control][cell]`.
  private let scales: Workspace<Double>
  private let admissible: Workspace<Double>
  private let invariants: InvariantProjection

  /// Elements that an agent sets in one state: `[control][cell]`.
  let actionCount: Int

  init(
    settings: AgentSettings, base: any BaseForecast, distribution: Distribution, communicator: Communicator,
    seed: UInt64, sequences: Int, memory: Int
  ) {
    self.settings = settings
    self.base = base
    self.distribution = distribution
    self.sequences = sequences
    layout = base.layout
    features = Features(settings: settings, base: base)
    head = PolicyHead(settings: settings, layout: base.layout)
    let count = settings.controls.count * layout.grid.cells
    actionCount = count
    draws = Draws(
      members: distribution.members, seed: seed, kind: settings.draws, memory: memory, count: count)
    places = distribution.local.map { _ in (0..<sequences).map { _ in Draws.Places(count: count) } }
    mean = Workspace(repeating: 0, count: sequences * actionCount)
    spread = Workspace(repeating: 0, count: sequences * actionCount)
    scales = Workspace(repeating: 0, count: actionCount)
    admissible = Workspace(repeating: 0, count: actionCount)
    invariants = InvariantProjection(invariants: base.invariants, layout: base.layout, controls: settings.controls)
    let width = sequences * actionCount
    rows = Workspace(repeating: 0, count: distribution.local.count * width)
    let units = (0..<sequences).flatMap { _ in
      settings.controls.flatMap { [Double](repeating: base.layout.variables[$0].scale, count: base.layout.grid.cells) }
    }
    statistics = EnsembleStatistics(
      width: width, distribution: distribution, communicator: communicator, units: units)
  }

  /// Takes in the base forecast (`[variable][cell]`) of local member `m` in one sequence, for `assembleMoments`.
  func present(_ forecast: UnsafePointer<Double>, member m: Int, sequence: Int) {
    guard settings.inputs == .ensemble else { return }
    let n = layout.grid.cells
    let row = rows.start + (m * sequences + sequence) * actionCount
    for (k, v) in settings.controls.enumerated() {
      (row + k * n).update(from: forecast + v * n, count: n)
    }
  }

  /// Assembles `mean` and `spread` of the forecasts presented by every rank, by one reduction; nothing for agents
  /// that see only their own member.
  func assembleMoments() throws {
    guard settings.inputs == .ensemble else { return }
    try statistics.reduce(flat: Span(_unsafeStart: UnsafePointer(rows.start), count: rows.count))
    statistics.mean.withUnsafeBufferPointer { if let start = $0.baseAddress { mean.copy(from: start) } }
    statistics.spread.withUnsafeBufferPointer { if let start = $0.baseAddress { spread.copy(from: start) } }
  }

  /// Fills `tile.input` for one member of one sequence and runs its policy.
  ///
  /// - Parameter time: observation times since the start, this one included.
  func evaluate(
    _ policy: Network, tile: Activations, forecast: UnsafePointer<Double>, observation: UnsafePointer<Double>,
    previous: UnsafePointer<Double>, beforePrevious: UnsafePointer<Double>, time: Int,
    sequence: Int
  ) {
    let view = Features.View(
      forecast: forecast, observation: observation, mean: mean.start + sequence * actionCount,
      spread: spread.start + sequence * actionCount, previous: previous, beforePrevious: beforePrevious,
      time: time)
    features.fill(tile.input, view, vectors: vectors)
    policy.forward(tile)
  }

  /// Writes what the policy's increments are added to: the ensemble mean of the base forecast or the member's own
  /// (`[control][cell]`).
  func anchors(
    _ anchors: UnsafeMutablePointer<Double>, forecast: UnsafePointer<Double>, sequence: Int
  ) {
    let n = layout.grid.cells
    for (k, v) in settings.controls.enumerated() {
      for c in 0..<n {
        anchors[k * n + c] =
          settings.inputs == .ensemble
          ? mean.start[sequence * actionCount + k * n + c] : forecast[v * n + c]
      }
    }
  }

  /// Draws the actions of local member `m` from the policy outputs in `tile` (`[control][cell]`).
  func draw(
    _ actions: UnsafeMutablePointer<Double>, anchors: UnsafePointer<Double>, tile: Activations, purpose: Purpose,
    member m: Int, cycle: Int, sequence: Int
  ) {
    let n = layout.grid.cells
    draws.refresh(
      places[m][sequence], purpose: purpose, member: distribution.local.lowerBound + m, cycle: cycle,
      sequence: sequence)
    let uniforms = places[m][sequence].uniforms.start
    for k in settings.controls.indices {
      head.sample(
        k, into: actions + k * n, scales: invariants.equations > 0 ? scales.start + k * n : nil,
        anchors: anchors + k * n, tile, uniforms: uniforms + k * n)
    }
  }

  /// Moves the actions drawn last (`[control][cell]`) to where the linear invariants are those of the base forecast
  /// (`[variable][cell]`). The environment's part, not the policy's: densities are those of the draw.
  func conserve(_ actions: UnsafeMutablePointer<Double>, base: UnsafePointer<Double>) {
    invariants.project(actions, scales: scales.start, base: base)
  }

  /// Replaces the controls of a base forecast (`[variable][cell]`) by the actions drawn last (`[control][cell]`), with
  /// the linear invariants conserved.
  func apply(_ actions: UnsafePointer<Double>, to state: UnsafeMutablePointer<Double>) {
    let n = layout.grid.cells
    admissible.copy(from: actions)
    conserve(admissible.start, base: state)
    for (k, v) in settings.controls.enumerated() {
      (state + v * n).update(from: admissible.start + k * n, count: n)
    }
  }
}
