import DaunceCoupling
import DaunceModels
import DaunceNumerics
import DaunceState
import Foundation

/// What everything else here takes for granted of a model, tried out on one: of a built-in one, or of a user's.
public struct ModelContract {
  private let context: ExperimentContext
  private var report = ContractReport()

  /// Forecasts after each other whose memory is watched.
  private static let watched = 50

  /// - Parameter context: of the model, on one rank.
  public init(_ context: ExperimentContext) { self.context = context }

  private var layout: StateLayout { context.layout }
  private var steps: Int { context.observing.stepsBetween }

  /// Tries the contract line by line. A model that cannot go on ends it.
  public mutating func run() -> ContractReport {
    describe()
    attempt("initial state") { try $0.checkStart() }
    guard let state = attempt("spin-up", { try $0.spinUp() }) else { return report }
    attempt("forecast") { try $0.checkForecasts(from: state) }
    attempt("memory") { try $0.checkInstances(from: state) }
    attempt("coarse forecast") { try $0.checkCoarse(from: state) }
    attempt("speed") { try $0.measure(from: state) }
    return report
  }

  /// Runs a part; what it throws is a broken line.
  @discardableResult
  private mutating func attempt<Result>(_ name: String, _ part: (inout Self) throws -> Result) -> Result? {
    do {
      return try part(&self)
    } catch {
      report.check(name, false, found: "\(error)", expected: "no error")
      return nil
    }
  }

  // MARK: Layout

  private mutating func describe() {
    let fields = layout.fields.enumerated().map { k, field in
      "\(field.name) (\(layout.grid(k).dimensions.map { String($0.length) }.joined(separator: " x ")))"
    }
    report.tell("model", context.model.name)
    report.tell("fields", fields.joined(separator: ", "))
    report.tell("state", "\(layout.count) numbers, time step \(context.model.timeStep), \(steps) of them between observations")
    let strange = layout.fields.filter { !($0.scale > 0 && $0.scale.isFinite && $0.reference.isFinite) }.map(\.name)
    report.check(
      "scales", strange.isEmpty, found: strange.isEmpty ? "positive" : strange.joined(separator: ", "), expected: "positive, finite")
    let nowhere = (0..<layout.count).first { i in
      let place = layout.place(of: i)
      let axes = layout.geometry.axes.count
      return layout.grid(layout.cell(of: i).field).places.isEmpty ? false : (0..<axes).contains { !place.coordinates[$0].isFinite }
    }
    report.check(
      "places", nowhere == nil, found: nowhere.map { "element \($0) has none" } ?? "\(layout.grids.count) grids",
      expected: "finite coordinates")
  }

  // MARK: States

  private func makeTwin() throws -> any TwinModel {
    guard let twin = try makeModel() as? any TwinModel else {
      throw ExperimentError(.data, "\(context.model.name) has no initial state")
    }
    return twin
  }

  /// A model that has carried nothing yet.
  private func makeModel() throws -> any ForecastModel {
    guard let entry = context.configuration.modelEntry else { return context.model }
    return try entry.make(context.configuration)
  }

  private func noise(_ number: Int) -> RandomStream {
    RandomStream(seed: context.configuration.seed, purpose: .forecastNoise, cycle: number)
  }

  private mutating func checkStart() throws {
    func start(_ member: Int) throws -> [Double] {
      try makeTwin().initialState(
        RandomStream(seed: context.configuration.seed, purpose: .natureInitial, member: member))
    }
    let (first, again, other) = (try start(0), try start(0), try start(1))
    report.check(
      "initial state: same seed, same bits", first == again,
      found: first == again ? "the same" : difference(first, again), expected: "the same")
    report.tell("initial state: another seed", first == other ? "the same state" : "another state")
    checkSoundness("initial state", first)
  }

  private mutating func spinUp() throws -> [Double] {
    let state = try context.spunUp(seed: context.configuration.seed, member: 0)
    checkSoundness("after a spin-up of \(context.spinup)", state)
    let sizes = layout.fields.enumerated().map { k, field in
      let deviations = layout.range(k).map { (state[$0] - field.reference) / field.scale }
      return (field.name, (deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)).squareRoot())
    }
    let strange = sizes.contains { !(0.01...20).contains($0.1) }
    report.check(
      "scales: deviations from the reference", !strange,
      found: sizes.map { "\($0.0) \(String(format: "%.2g", $0.1))" }.joined(separator: ", "), expected: "about 1, in scales")
    return state
  }

  private mutating func checkSoundness(_ name: String, _ state: [Double]) {
    let bad = state.indices.first { !state[$0].isFinite }
    var words = bad.map { "\(state[$0]) in \(self.words(for: $0))" }
    for (k, field) in layout.fields.enumerated() where words == nil {
      let outside = layout.range(k).first { state[$0] < field.lowerBound ?? -.infinity || state[$0] > field.upperBound ?? .infinity }
      if let outside { words = "\(state[outside]) in \(self.words(for: outside))" }
    }
    report.check("\(name): numbers", words == nil, found: words ?? "finite, within bounds", expected: "finite, within bounds")
  }

  private func words(for element: Int) -> String {
    let (field, cell) = layout.cell(of: element)
    return "cell \(cell) of \(layout.fields[field].name)"
  }

  /// How far two states are apart, in scales.
  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    let scales = layout.spread(\.scale)
    let squares = a.indices.reduce(0.0) { $0 + ((a[$1] - b[$1]) / scales[$1]) * ((a[$1] - b[$1]) / scales[$1]) }
    return (squares / Double(max(1, a.count))).squareRoot()
  }

  private func difference(_ a: [Double], _ b: [Double]) -> String { String(format: "a difference of %.1e scales", distance(a, b)) }

  private func carried(
    _ state: [Double], by model: any ForecastModel, from start: Int = 0, steps: Int, _ number: Int = 1
  ) throws -> [Double] {
    var next = state
    var span = next.mutableSpan
    try model.forecast(&span, from: start, steps: steps, noise: noise(number))
    return next
  }

  // MARK: Forecasts

  private mutating func checkForecasts(from state: [Double]) throws {
    let first = try carried(state, by: makeModel(), steps: steps)
    let again = try carried(state, by: makeModel(), steps: steps)
    let other = try carried(state, by: makeModel(), steps: steps, 2)
    report.check(
      "forecast: same seed, same bits", first == again, found: first == again ? "the same" : difference(first, again),
      expected: "the same")
    report.tell("forecast: another seed", first == other ? "the same: no noise" : difference(first, other))
    report.tell("forecast: change over the interval", difference(state, first))
    checkSoundness("forecast", first)
    for (k, invariant) in context.traits.invariants.enumerated() {
      let (before, after) = (invariant.value(of: state.span), invariant.value(of: first.span))
      let size = zip(invariant.coefficients, state).reduce(0.0) { $0 + abs($1.0 * $1.1) }
      let change = abs(after - before) / (size > 0 ? size : 1)
      report.check(
        "invariant \(invariant.name.isEmpty ? "\(k)" : invariant.name)", change < 1e-10, found: String(format: "changes by %.1e", change),
        expected: "less than 1e-10 of its size")
    }
    if steps > 1 {
      let model = try makeModel()
      let halves = try carried(carried(state, by: model, steps: steps / 2), by: model, from: steps / 2, steps: steps - steps / 2)
      report.tell(
        "forecast: in two parts", halves == first ? "the same bits" : "\(difference(halves, first)) (noise counts twice)")
    }
    try checkPerturbed(state, first)
  }

  /// An analysis is no state of the model's own: it has to go on from one too.
  private mutating func checkPerturbed(_ state: [Double], _ unperturbed: [Double]) throws {
    var perturbed = state
    for (k, field) in layout.fields.enumerated() {
      for i in layout.range(k) {
        let value = state[i] + 0.01 * field.scale * noise(3).normal(at: i)
        perturbed[i] = min(max(value, field.lowerBound ?? -.infinity), field.upperBound ?? .infinity)
      }
    }
    let next = try carried(perturbed, by: makeModel(), steps: steps)
    checkSoundness("forecast of a perturbed state", next)
    let growth = distance(next, unperturbed) / distance(perturbed, state)
    report.tell("forecast: perturbations of 0.01 scales", String(format: "times %.3g over the interval", growth))
  }

  // MARK: Memory

  private mutating func checkInstances(from state: [Double]) throws {
    let other = try carried(state, by: makeModel(), steps: steps, 4)
    let instanced = (context.model as? any InstancedModel).flatMap { $0.keepsMemory ? $0 : nil }
    guard let instanced else {
      let model = try makeModel()
      let first = try carried(state, by: model, steps: steps)
      _ = try carried(other, by: model, from: 5 * steps, steps: 2 * steps, 5)
      let again = try carried(state, by: model, steps: steps)
      report.check(
        "nothing is kept besides the state", first == again, found: first == again ? "the same bits after another member" : difference(first, again),
        expected: "the same bits")
      return
    }
    let (one, two) = (try instanced.makeInstance(named: "first"), try instanced.makeInstance(named: "second"))
    var (a, b) = (state, other)
    for k in 0..<3 {
      a = try carried(a, by: one, from: k * steps, steps: steps, 6 + k)
      b = try carried(b, by: two, from: k * steps, steps: steps, 20 + k)
    }
    let memory = try one.save()
    report.tell(
      "memory", instanced.isRestoredWhole ? "\(memory.count) bytes beside the state" : "none that could be restored: named variables alone")
    let after = try carried(a, by: one, from: 3 * steps, steps: steps, 9)
    let third = try instanced.makeInstance(named: "third")
    try third.restore(memory)
    let restored = try carried(a, by: third, from: 3 * steps, steps: steps, 9)
    if instanced.isRestoredWhole {
      report.check(
        "memory: saved and restored", after == restored, found: after == restored ? "the same bits" : difference(after, restored),
        expected: "the same bits")
    } else {
      report.tell(
        "memory: a model that begins anew", after == restored ? "the same bits: it depends on nothing else" : difference(after, restored))
    }
    let alone = try instanced.makeInstance(named: "alone")
    var c = state
    for k in 0..<3 { c = try carried(c, by: alone, from: k * steps, steps: steps, 6 + k) }
    report.check(
      "memory: two members side by side", a == c, found: a == c ? "the same bits" : difference(a, c), expected: "the same bits")
  }

  // MARK: Coarse forecast

  private mutating func checkCoarse(from state: [Double]) throws {
    guard let coarse = try makeModel() as? any CoarseModel, coarse.hasCoarseForecast else {
      return report.tell("coarse forecast", "none: agents can correct a filter's analysis")
    }
    func carried(_ model: any CoarseModel) throws -> [Double] {
      var next = state
      var span = next.mutableSpan
      try model.coarseForecast(&span, from: 0, steps: steps)
      return next
    }
    let (first, again) = (try carried(coarse), try carried(coarse))
    report.check(
      "coarse forecast: same bits", first == again, found: first == again ? "the same" : difference(first, again), expected: "the same")
    checkSoundness("coarse forecast", first)
    let full = try self.carried(state, by: makeModel(), steps: steps)
    report.tell(
      "coarse forecast: error over the change",
      String(format: "%.2g", distance(first, full) / max(distance(state, full), .leastNormalMagnitude)))
    let seconds = (try seconds { _ = try carried(coarse) }, try seconds { _ = try self.carried(state, by: coarse, steps: steps) })
    report.tell("coarse forecast: time over the full one's", String(format: "%.2g", seconds.0 / seconds.1))
  }

  // MARK: Speed and memory

  private mutating func measure(from state: [Double]) throws {
    let model = try makeModel()
    // What takes its time once, such as a program's start, is not counted.
    _ = try carried(state, by: model, steps: steps)
    let time = try seconds { _ = try carried(state, by: model, steps: steps) }
    report.tell("speed", Self.text(time) + " for the interval, \(Self.text(time / Double(steps))) a time step")
    let count = max(5, min(Self.watched, Int(5 / max(time, 1e-9))))
    var (next, leaks, taken) = (state, 0, 0)
    for k in 0..<count {
      let before = HeapWatch.bytesInUse
      var span = next.mutableSpan
      try model.forecast(&span, from: k * steps, steps: steps, noise: noise(30 + k))
      let grown = HeapWatch.bytesInUse - before
      (leaks, taken) = (leaks + (grown > 0 ? 1 : 0), taken + grown)
    }
    report.check(
      "memory of the process", leaks < count,
      found: leaks < count ? "no growth in \(count) forecasts" : "\(taken / count) bytes more after every forecast",
      expected: "no growth")
    checkSoundness("after \(count) forecasts", next)
  }

  /// Wall seconds of the fastest of some runs.
  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    var (least, total) = (Double.infinity, 0.0)
    repeat {
      let start = DispatchTime.now().uptimeNanoseconds
      try body()
      let time = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
      (least, total) = (min(least, time), total + time)
    } while total < 0.1
    return least
  }

  private static func text(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: String(format: "%.3g microseconds", seconds * 1e6)
    case ..<1: String(format: "%.3g ms", seconds * 1e3)
    default: String(format: "%.3g s", seconds)
    }
  }
}
