import DaunceAssimilation
import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceObservations
import DaunceState

/// The optimal proposal on two elements with correlated noise, the sum of both and the first by itself observed.
struct ProposalExercise {
  let world: Communicator
  let members: Int
  /// Q = L L^T by its columns.
  static let directions = [[0.6, 0.4], [0, 0.3]]

  /// Prints a digest of the analysis, and means and covariances of a large one.
  func run() throws {
    let ring = (0..<2).map(Double.init)
    let layout = StateLayout(
      geometry: Geometry(axes: [Axis(name: "x", period: nil)]),
      grids: [Grid([.init(name: "x", axis: 0, coordinates: ring)])], fields: [Field(name: "v")])
    var rows = ObservationRows()
    let operation = ObservationOperator(fields: [0])
    rows.append([(elements: [0, 1], weights: [1, 1])], by: operation)
    rows.append([(elements: [0], weights: [1])], by: operation)
    let network = ObservationNetwork(rows: rows, kinds: [0, 0], places: [Place([0]), Place([0])])
    let observations = ObservationSet(network, values: [1.6, 0.9], errorVariances: [0.3, 0.5])
    let noise = OptimalProposal.Noise {
      for (i, direction) in Self.directions.enumerated() {
        let draw = $1.normal(at: i)
        for j in $0.indices { $0[j] += draw * direction[j] }
      }
    } directions: {
      Self.directions
    }
    let filter = OptimalProposal(noise: noise, layout: layout, seed: 3)
    let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
    var ensemble = DistributedEnsemble(layout: layout, distribution: distribution, communicator: world)
    // Half of the forecasts are at (0, 0), the others at (1.5, 1); in turn, equal steps would take either only.
    ensemble.states = distribution.local.map { $0 < members / 2 ? [0, 0] : [1.5, 1] }
    try filter.update(&ensemble, observations: observations, cycle: 1)
    let all = GatheredEnsemble(width: 2, distribution: distribution, communicator: world)
    try all.gather(ensemble.states)
    guard world.isRoot else { return }
    let states = (0..<members).map { Array(all.row(of: $0)) }
    let mean = (0..<2).map { i in states.reduce(0) { $0 + $1[i] } / Double(members) }
    func covariance(_ i: Int, _ j: Int) -> Double {
      states.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / Double(members - 1)
    }
    print("digest: \(digest(all.members))")
    print("moments: \((mean + [covariance(0, 0), covariance(0, 1), covariance(1, 1)]).map { "\($0)" }.joined(separator: " "))")
  }
}
