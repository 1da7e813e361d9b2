// By hand: what a call of the library costs beside the same update in daunce-mpi. Both in one process, in turn.
//
//     mpirun -np 2 HostedProbe [METHOD] [CELLS] [MEMBERS] [CALLS]

import DaunceExperiment
import DaunceMPI
import DaunceCoupling
import DaunceEnsemble
import DaunceNumerics
import DaunceObservations
import DaunceSettings
import Foundation

func measure(_ environment: DaunceMPI.Environment) throws {
  let words = Array(CommandLine.arguments.dropFirst())
  func word(_ k: Int, _ fallback: String) -> String { k < words.count ? words[k] : fallback }
  let (name, cells, members, calls) = (word(0, "letkf"), Int(word(1, "40")) ?? 40, Int(word(2, "20")) ?? 20, Int(word(3, "400")) ?? 400)
  let world = environment.world
  let yaml = "{name: ring, time_step: 1, axes: [{name: x, period: \(cells)}], dimensions: [{name: x, length: \(cells)}], fields: [{name: u, scale: 3}]}"
  let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)

  var settings = HostedSettings()
  (settings.description, settings.method, settings.members) = (yaml, name, distribution.local.count)
  settings.text = "{members: \(members), filter: {half_width: 4, inflation: 1.05}}"
  let hosted = try HostedAnalysis(settings, communicator: world, notes: SilentProgress())

  let model = try HostModel(ModelDescription(yaml: yaml, source: "ring"), arrays: [:], coarse: nil)
  var configuration = try Configuration(yaml: settings.text ?? "", source: "text")
  configuration.model = try Configuration(yaml: "{model: {name: lorenz96}}", source: "text").model
  let context = try ExperimentContext(configuration: configuration, communicator: world, model: model)
  let method = try AssimilationMethod.filter(.init(name), context: context, seed: 1, band: nil)
  var ensemble = DistributedEnsemble(layout: model.layout, distribution: distribution, communicator: world)

  let elements = Array(stride(from: 0, to: cells, by: 4))
  let values = elements.map { sin(Double($0)) }
  let observations = ObservationSet(
    ObservationNetwork(elements: elements, layout: model.layout), values: values, errorVariances: elements.map { _ in 1 })
  let batch = HostedBatch(
    quantity: "u", cells: elements.map(Int64.init), places: [], values: values, deviations: elements.map { _ in 1 })
  let forecasts = distribution.local.map { member in
    var state = [Double](repeating: 0, count: cells)
    var span = state.mutableSpan
    RandomStream(seed: 1, purpose: .test, member: member).normals(into: &span)
    return state
  }
  let block = UnsafeMutablePointer<Double>.allocate(capacity: cells * forecasts.count)
  let states = forecasts.indices.map { block + $0 * cells }

  var seconds: [[Double]] = [[], []]
  for call in 1...calls {
    for (m, state) in forecasts.enumerated() { states[m].update(from: state, count: cells) }
    ensemble.states = forecasts
    for m in ensemble.states.indices { ensemble.states[m][0] += 0 }
    try world.barrier()
    let start = DispatchTime.now().uptimeNanoseconds
    try hosted.assimilate(time: Double(call), states: states, batches: [batch])
    let middle = DispatchTime.now().uptimeNanoseconds
    _ = try method.cycle(&ensemble, observations: observations, number: call)
    var votes = [context.isSound(ensemble) ? 0.0 : 1, 0, 0]
    try world.allreduce(&votes, .max)
    let end = DispatchTime.now().uptimeNanoseconds
    seconds[0].append(Double(middle - start) * 1e-9)
    seconds[1].append(Double(end - middle) * 1e-9)
    let same = ensemble.states.indices.allSatisfy { m in (0..<cells).allSatisfy { ensemble.states[m][$0] == states[m][$0] } }
    guard same else { throw HostedError(.bug, "call \(call): found other analyses; expected the same bits") }
  }
  guard world.isRoot else { return }
  let medians = seconds.map { $0.sorted()[$0.count / 2] * 1e6 }
  print(
    String(
      format: "%@, %d cells, %d members, %d ranks: %.1f us by the library, %.1f us in daunce-mpi, ratio %.3f", name, cells, members,
      world.size, medians[0], medians[1], medians[0] / medians[1]))
}

LinearAlgebra.useOneThread()
do {
  let environment = try DaunceMPI.Environment()
  try measure(environment)
  try environment.finalize()
} catch {
  DaunceMPI.Environment.abort(code: 65) { FileHandle.standardError.write(Data("HostedProbe: \(error)\n".utf8)) }
}
