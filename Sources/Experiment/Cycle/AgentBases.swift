import DaunceAgents
import DaunceConstraints
import DaunceEnsemble
import DaunceModels
import DaunceNumerics
import DaunceState

extension ExperimentContext {
  /// What agents of the given kind correct.
  ///
  /// - Parameter origin: time before the first cycle, in time steps.
  /// - Throws: `ExperimentError` for a model that cannot do it, or agents that would set fields of several grids.
  func makeBase(_ kind: AgentSettings.Base, band: Band?, origin: Int = 0) throws -> any BaseForecast {
    let grids = Set(controls.map { layout.fields[$0].grid })
    guard grids.count == 1 else {
      let names = controls.map { layout.fields[$0].name }
      throw ExperimentError(
        .data, "key agents.controls", found: "\(names.joined(separator: ", ")) on \(grids.count) grids",
        expected: "variables of one grid")
    }
    return kind == .analysis ? try FilteredBase(self, band: band, origin: origin) : try CoarseBase(self, origin: origin)
  }

  /// Refuses agents that the model has no base for, before anything takes time.
  func checkBase() throws { _ = try makeBase(agentSettings.base, band: nil) }
}

/// The full model's forecast and the analysis of it by the filter `agents.filter`.
final class FilteredBase: AnalysisBase {
  private let context: ExperimentContext
  private let model: any ForecastModel
  private let renewal: Renewal?
  private let informing: (any InformingModel)?
  private let band: Band?
  private let origin: Int
  let invariants: [LinearInvariant]

  init(_ context: ExperimentContext, band: Band?, origin: Int) throws {
    (self.context, self.band, self.origin) = (context, band, origin)
    model = try context.modelInstance()
    renewal = try Renewal(of: model)
    informing = context.model as? any InformingModel
    invariants = context.configuration.constraints.invariants ? context.traits.invariants : []
  }

  var layout: StateLayout { context.layout }
  var auxiliaryCount: Int { context.traits.auxiliaryNames.count }
  var interval: Double { context.interval }
  var functions: [any StateFunction] { context.traits.energies }

  func forecast(_ state: inout MutableSpan<Double>, cycle: Int, noise: RandomStream) throws {
    let steps = context.observing.stepsBetween
    try renewal?.renew()
    try model.forecast(&state, from: origin + (cycle - 1) * steps, steps: steps, noise: noise)
  }

  func makeFilter(seed: UInt64) throws -> any EnsembleUpdate {
    try AssimilationMethod.makeUpdate(context.configuration.agents.filter, context: context, seed: seed, band: band)
  }

  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {
    informing?.auxiliaryFields(of: state, into: &fields)
  }
}

/// The model's coarse step over one observation interval, as agents correct it.
final class CoarseBase: BaseForecast {
  private let model: any CoarseModel
  private let renewal: Renewal?
  private let informing: (any InformingModel)?
  private let origin, steps: Int
  let auxiliaryCount: Int
  let functions: [any StateFunction]
  let invariants: [LinearInvariant]

  /// - Throws: `ExperimentError` for a model without a coarse step, or agents that would set fields of several grids.
  init(_ context: ExperimentContext, origin: Int) throws {
    guard let model = try context.modelInstance() as? any CoarseModel, model.hasCoarseForecast else {
      throw ExperimentError(
        .data, "key methods", found: "agents for \(context.model.name), which has no coarse step",
        expected: "agents that correct a filter's analysis (agents.base: analysis), or a model with a coarse forecast")
    }
    (self.model, self.origin) = (model, origin)
    renewal = try Renewal(of: model)
    informing = context.model as? any InformingModel
    steps = context.observing.stepsBetween
    auxiliaryCount = context.traits.auxiliaryNames.count
    functions = context.traits.energies
    invariants = context.configuration.constraints.invariants ? context.traits.invariants : []
  }

  var layout: StateLayout { model.layout }

  func advance(_ state: inout MutableSpan<Double>, cycle: Int) throws {
    try renewal?.renew()
    try model.coarseForecast(&state, from: origin + (cycle - 1) * steps, steps: steps)
  }

  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {
    informing?.auxiliaryFields(of: state, into: &fields)
  }
}
