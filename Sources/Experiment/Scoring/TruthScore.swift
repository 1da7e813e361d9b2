import DaunceConstraints
import DaunceEnsemble
import DaunceModels
import DaunceNumerics
import DaunceState

/// Scores of one method on one truth, over the cycles after the filter's spin-up. Kept on rank 0.
struct TruthScore: Codable {
  /// One variable's or derived field's scores.
  struct Field: Codable {
    /// RMSE over x divided by the truth's standard deviation over x at that time (4.10).
    var normalisedRMSE: RunningScore
    /// Pattern correlation (4.11).
    var correlation: RunningScore
    /// RMSE over x in the field's own unit.
    var error: RunningScore
    var squareError: RunningRootMeanSquare
    /// Mean over x of (mean - truth), in the field's own unit.
    var bias: RunningScore
    var spread: RunningRootMeanSquare
    var crps: RunningScore
    var ranks: RankHistogram
    /// The truth's own values at these times.
    var truth = RunningDeviation()
    /// Standard deviation of the truth over space and time, in the field's own unit.
    var truthDeviation: Double { truth.value ?? .nan }
  }

  let seed: UInt64
  var fields: [Field]
  /// Smallest value of each field with a lower bound, over all members and cycles, those of the spin-up too.
  var smallest: [Double]
  /// Largest change of each linear invariant of any member since its initial state, relative to the sum of the sizes of
  /// its terms, over all cycles.
  var invariantErrors: [Double]
  /// Member-cycles after spin-up, and those with their energy in the band.
  var memberCycles = 0
  var inBand = 0
  /// Wall seconds of the measured cycles after spin-up, forecast and update.
  var seconds = RunningMedian()
  var failure: Int?
  /// Observed fields at their observed cells and elsewhere.
  var places: [ObservedPlaces]
  /// What updates changed of each of the model's budgets (`[budget]`), over the forecast's amount: of the members' mean,
  /// and in the mean over members the change's size.
  var budgetChanges: [RunningScore]
  var budgetChangeSizes: [RunningScore]
  /// Forecasts that failed.
  var events = MemberEvents()
}

/// Scores a method's analyses of one truth as they come.
final class Scorer {
  private(set) var score: TruthScore
  private let context: ExperimentContext
  private let band: Band?
  private let truth: TrajectoryStream
  private let spinUp: Int
  private var crpsField: CRPSField
  private var crpsMembers: Int
  /// Invariants of the initial members, `[member][invariant]`.
  private var initialInvariants: [Double] = []

  init(_ context: ExperimentContext, truth: TrajectoryStream, band: Band?) {
    self.context = context
    self.band = band
    self.truth = truth
    spinUp = context.configuration.truths.spinupCycles
    crpsMembers = context.configuration.members
    crpsField = CRPSField(members: crpsMembers)
    let diagnostics = context.traits.diagnostics
    let spinUp = spinUp
    let members = context.configuration.members
    let changes = context.traits.budgetNames.map { _ in RunningScore(skipping: spinUp) }
    score = TruthScore(
      seed: truth.seed,
      fields: (0..<context.layout.fields.count + diagnostics.count).map { _ in
        TruthScore.Field(
          normalisedRMSE: RunningScore(skipping: spinUp), correlation: RunningScore(skipping: spinUp),
          error: RunningScore(skipping: spinUp), squareError: RunningRootMeanSquare(skipping: spinUp),
          bias: RunningScore(skipping: spinUp),
          spread: RunningRootMeanSquare(skipping: spinUp), crps: RunningScore(skipping: spinUp),
          ranks: RankHistogram(members: members, skipping: spinUp))
      }, smallest: context.layout.fields.filter { $0.lowerBound != nil }.map { _ in .infinity }, invariantErrors: context.traits.invariants.map { _ in 0 },
      places: ObservedPlaces.all(in: context), budgetChanges: changes, budgetChangeSizes: changes)
  }

  /// The truth's variables and derived fields at a cycle, each `[cell]`.
  private func truthFields(_ cycle: Int) -> [[Double]] {
    let state = truth.state(of: cycle)
    let variables = context.layout.fields.indices.map { Array(state[context.layout.range($0)]) }
    return variables + context.traits.diagnostics.map { $0.compute(state.span) }
  }

  /// Adds to a snapshot what the scores of later cycles need.
  func save(into snapshot: inout Snapshot) throws {
    try snapshot.encode("score", score)
    snapshot.set("initial_invariants", initialInvariants)
  }

  func restore(from snapshot: Snapshot) throws {
    score = try snapshot.decode("score")
    initialInvariants = try snapshot.values("initial_invariants")
  }

  /// Takes the initial ensemble on rank 0: what the members' invariants have to stay.
  func begin(_ summary: AnalysisSummary) {
    initialInvariants = members(summary).flatMap { state in context.traits.invariants.map { $0.value(of: state.span) } }
  }

  private func members(_ summary: AnalysisSummary) -> [[Double]] {
    let count = context.layout.count
    return summary.numbers.indices.map { Array(summary.members[$0 * count..<($0 + 1) * count]) }
  }

  private func compareInvariants(_ summary: AnalysisSummary) {
    let invariants = context.traits.invariants
    guard !invariants.isEmpty else { return }
    for (m, state) in members(summary).enumerated() {
      for (k, invariant) in invariants.enumerated() {
        let size = zip(invariant.coefficients, state).reduce(0) { $0 + abs($1.0 * $1.1) }
        let change = abs(invariant.value(of: state.span) - initialInvariants[summary.numbers[m] * invariants.count + k])
        score.invariantErrors[k] = max(score.invariantErrors[k], change / size)
      }
    }
  }

  /// Takes what the next cycle's update changed of each budget, on rank 0.
  func add(_ changes: [UpdateChanges.Change]) {
    for (b, change) in changes.enumerated() {
      score.budgetChanges[b].add(change.mean)
      score.budgetChangeSizes[b].add(change.size)
    }
  }

  /// Takes the analysis of `cycle` on rank 0, and the wall seconds of the cycle if they were measured.
  func add(_ summary: AnalysisSummary, cycle: Int, seconds: Double?) {
    let count = context.layout.count
    let members = summary.numbers.count
    let isWhole = members == context.configuration.members
    if members != crpsMembers { (crpsMembers, crpsField) = (members, CRPSField(members: members)) }
    for (f, t) in truthFields(cycle).enumerated() {
      let (n, first) = (t.count, summary.offsets[f])
      if cycle > spinUp { for value in t { score.fields[f].truth.add(value) } }
      let mean = Array(summary.mean[first..<first + n])
      score.fields[f].normalisedRMSE.add(normalisedRMSE(mean, truth: t))
      score.fields[f].correlation.add(patternCorrelation(mean, truth: t))
      let error = rootMeanSquareError(mean, truth: t)
      score.fields[f].error.add(error)
      score.fields[f].squareError.add(error)
      score.fields[f].bias.add(zip(mean, t).reduce(0) { $0 + ($1.0 - $1.1) } / Double(n))
      var variance = 0.0
      for c in 0..<n { variance += summary.spread[first + c] * summary.spread[first + c] }
      score.fields[f].spread.add((variance / Double(n)).squareRoot())
      let variables = context.layout.fields.count
      guard f < variables else {
        let stride = (summary.offsets[summary.names.count] - count)
        let values = summary.derived.span.extracting(droppingFirst: first - count)
        score.fields[f].crps.add(crpsField.sum(values, stride: stride, truth: t.span) / Double(n))
        continue
      }
      let values = summary.members.span.extracting(droppingFirst: first)
      // Ranks among fewer members are others.
      if isWhole { score.fields[f].ranks.add(values, stride: count, truth: t.span) }
      let crps = crpsField.sum(values, stride: count, truth: t.span)
      score.fields[f].crps.add(crps / Double(n))
      for p in score.places.indices where score.places[p].field == f {
        score.places[p].add(summary, truth: t, crps: crps, members: members, stride: count)
      }
    }
    let bounded = context.layout.fields.indices.filter { context.layout.fields[$0].lowerBound != nil }
    for (b, v) in bounded.enumerated() {
      for m in 0..<members {
        for i in context.layout.range(v) { score.smallest[b] = min(score.smallest[b], summary.members[m * count + i]) }
      }
    }
    compareInvariants(summary)
    guard cycle > spinUp else { return }
    if let band {
      score.memberCycles += members
      for e in summary.energy where e >= band.lower && e <= band.upper { score.inBand += 1 }
    }
    if let seconds { score.seconds.add(seconds) }
  }

  /// Takes what became of the members' forecasts in a cycle, and in the one before.
  func add(_ status: [MemberStatus], before: [MemberStatus]) { score.events.add(status, before: before) }

  /// Notes that the method failed at `cycle`.
  func fail(at cycle: Int) { score.failure = cycle }
}
