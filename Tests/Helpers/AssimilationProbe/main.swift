// The program that tests run under mpirun: a few cycles of every filter on a distributed ensemble. It prints one
// number for each, made of all bits of all members, and the tests compare numbers of ranks.

import DaunceAssimilation
import DaunceConstraints
import DaunceEnsemble
import Foundation
import DaunceMPI
import DaunceNumerics
import DaunceObservations
import DaunceState

/// FNV-1a of the bits of all members.
func digest(_ members: [Double]) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for value in members { hash = (hash ^ value.bitPattern) &* 0x100_0000_01b3 }
  return String(hash, radix: 16)
}

/// A state of two variables, the second positive.
func state(of member: Int, layout: StateLayout) -> [Double] {
  let stream = RandomStream(seed: 5, purpose: .test, member: member)
  return (0..<layout.count).map { i in
    let value = stream.normal(at: i) + sin(Double(i))
    return i < layout.cells ? value : max(0, 0.3 + 0.3 * value)
  }
}

/// |u|, the speed of both fields between two cells, and a itself.
func functions(of layout: StateLayout) throws -> ObservationSet {
  var builder = RowBuilder(layout)
  var rows = ObservationRows()
  let operators = [
    ObservationOperator(fields: [0], function: .absolute), ObservationOperator(fields: [0, 1], combination: .norm),
    ObservationOperator(fields: [1]),
  ]
  let places = [Place([2.0 / 12]), Place([4.3 / 12]), Place([5.0 / 12])]
  for (operation, place) in zip(operators, places) {
    guard let found = builder.rows(of: operation, at: place) else { continue }
    rows.append(found, by: operation)
  }
  return ObservationSet(
    ObservationNetwork(rows: rows, kinds: [2, 3, 1], places: places), values: [0.4, 0.7, 0.2],
    errorVariances: [0.05, 0.02, 0.01])
}

func exercise(_ world: Communicator, members: Int) throws {
  let layout = StateLayout(
    ring: 12, length: 1,
    fields: [
      Field(name: "u", longName: "u", scale: 1), Field(name: "a", longName: "a", scale: 0.3, lowerBound: 0),
    ])
  let direct = ObservationSet(
    ObservationNetwork(elements: [13, 17], layout: layout), values: [0.05, 0.2], errorVariances: [0.01, 0.02])
  let constraints = ConstraintSet(
    layout: layout,
    invariants: [LinearInvariant(name: "u", coefficients: (0..<24).map { $0 < 12 ? 1 : 0 })])
  let networks = [direct, try functions(of: layout)]
  // Kinds: both fields, |u|, and the speed.
  let reach = DistanceLocalization.Reach.within([3.0 / 12])
  let localization = DistanceLocalization(
    reaches: [[DistanceLocalization.Reach]](repeating: [reach, reach], count: 4),
    observed: [[DistanceLocalization.Reach]](repeating: [reach, reach, reach, reach], count: 4))
  let inflation = try Inflation(factor: 1.05, relaxation: 0.2)
  let filters: [(String, any EnsembleUpdate)] = [
    ("eakf", try EAKF(layout: layout, localization: localization, inflation: inflation)),
    ("floored", try EAKF(layout: layout, localization: localization, floor: true)),
    ("enkf", try StochasticEnKF(layout: layout, localization: localization, seed: 3)),
    ("relaxed-enkf", try StochasticEnKF(layout: layout, localization: localization, inflation: inflation, seed: 3)),
    ("constrained-eakf", try ConstrainedEAKF(layout: layout, localization: localization, constraints: constraints)),
    (
      "constrained-enkf",
      try ConstrainedEnKF(layout: layout, localization: localization, constraints: constraints, seed: 3)
    ),
  ]
  let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
  if world.isRoot {
    print("plan: \(ReductionPlan.choose(members: members, stateElements: 24, observations: 2).rawValue)")
  }
  for (name, filter) in filters {
    var ensemble = DistributedEnsemble(layout: layout, distribution: distribution, communicator: world)
    ensemble.states = distribution.local.map { state(of: $0, layout: layout) }
    for cycle in 0..<4 { try filter.update(&ensemble, observations: networks[cycle % 2], cycle: cycle) }
    let all = GatheredEnsemble(width: layout.count, distribution: distribution, communicator: world)
    try all.gather(ensemble.states)
    if world.isRoot { print("\(name): \(digest(all.members))") }
    if name == "eakf" && world.isRoot {
      // The same in one memory, gathered, to compare with the other form.
      var flat = (0..<members).flatMap { state(of: $0, layout: layout) }
      let plain = try EAKF(layout: layout, localization: localization, inflation: inflation)
      for cycle in 0..<4 {
        var span = flat.mutableSpan
        try plain.analyse(&span, members: members, local: 0..<members, observations: networks[cycle % 2], cycle: cycle)
      }
      let difference = zip(flat, all.members).reduce(0) { max($0, abs($1.0 - $1.1)) }
      print("difference: \(difference)")
    }
  }
}

do {
  let environment = try Environment()
  let members = Int(CommandLine.arguments.last ?? "") ?? 6
  if CommandLine.arguments.contains("local") {
    try LocalExercise(environment.world, members: members).run()
  } else if CommandLine.arguments.contains("proposal") {
    try ProposalExercise(world: environment.world, members: members).run()
  } else if CommandLine.arguments.contains("agents") {
    try AgentExercise(world: environment.world, members: members).run()
  } else {
    try exercise(environment.world, members: members)
  }
  try environment.finalize()
} catch {
  Environment.abort(code: 65) { FileHandle.standardError.write(Data("AssimilationProbe: \(error)\n".utf8)) }
}
