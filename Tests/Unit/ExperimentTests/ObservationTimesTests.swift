import DaunceArchive
import DaunceExperiment
import DaunceModels
import DaunceNumerics
import DaunceObservations
import DaunceSettings
import DaunceState
import Foundation
import Testing

/// Observations of files on their way to an experiment.
@Suite struct ObservationTimesTests {
  private let layout = StateLayout(ring: 8, length: 4, fields: [Field(name: "a"), Field(name: "b")])
  private var quantities: [ObservedQuantity] {
    get throws {
      let networks = "observations: {networks: [{field: b, function: square, every: 1, sd: 1}]}"
      return try Configuration(yaml: networks, source: "test").makeNetworks(
        in: layout, natural: .init(variable: 0, errorVariance: 1, law: .gaussian, stepsBetween: 1)
      ).0.quantities
    }
  }

  private func read(_ text: String, _ known: [ObservedQuantity]? = nil) throws -> ObservationTimes {
    let file = FileManager.default.temporaryDirectory.appending(path: "times-\(UUID().uuidString).csv")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try ObservationTimes(
      path: file.path, layout: layout, quantities: try known ?? quantities, clock: ModelClock())
  }

  @Test func timesAreSortedAndValuesInterpolated() throws {
    let found = try read(
      """
      time,x,variable,value,error_variance
      2,0.25,a,5,0.5
      1,3.5,b,7,2
      1,0.5,a,6,1
      2,1,square_b,9,4
      """)
    #expect(found.times == [1, 2] && found.count == 4)
    #expect(found.sets[0].values == [6, 7] && found.sets[0].errorVariances == [1, 2])
    #expect(found.sets[0].network.kinds == [0, 1])
    #expect(found.sets[1].network.kinds == [0, 2])
    let state = (0..<16).map(Double.init)
    // Half way between a's cells 0 and 1, and the square of b's cell 2.
    #expect(found.sets[1].network.rows.value(0, of: state.span) == 0.5)
    #expect(found.sets[1].network.rows.value(1, of: state.span) == 100)
  }

  @Test func whatCannotBeUsedIsCounted() throws {
    let found = try read(
      """
      time,x,variable,value,error_variance
      1,0,a,5,1
      1,0,a,5,1
      2,1,a,,1
      ,1,a,3,1
      """)
    #expect(found.times == [1, 2] && found.count == 1 && found.sets[1].count == 0)
    #expect(found.flagCounts.first { $0.flag == .duplicate }?.count == 1)
    #expect(found.flagCounts.first { $0.flag == .missing }?.count == 2)
    #expect(found.flagCounts.first { $0.flag == .used }?.count == 1)
  }

  /// Means of cells come back from a file as networks made them: the same rows in the same order.
  @Test func footprintsAreMadeAgain() throws {
    let networks = try Configuration(
      yaml: "observations: {networks: [{field: b, footprint: 4, every: 2, sd: 1}, {field: b, every: 4, sd: 1}]}",
      source: "test"
    ).makeNetworks(in: layout, natural: .init(variable: 0, errorVariance: 1, law: .gaussian, stepsBetween: 1)).0
    let state = (0..<16).map { Double($0 * $0 % 7) }
    let seen = networks.observe(state.span, time: 1) { RandomStream(seed: 1, purpose: .test, member: $0) }
    let names = seen.network.kinds.map { networks.quantities[Int($0)].name }
    #expect(Set(names) == ["mean_4_b", "b"])
    // Kind by kind, as fields are read.
    let lines = seen.values.indices.sorted { names[$0] < names[$1] }.map {
      "1,\(seen.network.places[$0].coordinates.x),\(names[$0]),\(seen.values[$0]),1\n"
    }
    let text = "time,x,variable,value,error_variance\n" + lines.joined()
    let found = try read(text, networks.quantities).sets[0]
    #expect(found.network.kinds == seen.network.kinds && found.values == seen.values)
    #expect(found.network.places.map(\.coordinates.x) == seen.network.places.map(\.coordinates.x))
    for k in 0..<seen.count {
      #expect(found.network.rows.value(k, of: state.span) == seen.network.rows.value(k, of: state.span))
    }
  }

  @Test func timesWithTheSamePlacesShareANetwork() throws {
    let found = try read(
      "time,x,variable,value,error_variance\n1,0,a,5,1\n2,0,a,6,1\n3,1,a,5,1\n")
    #expect(found.sets[0].network === found.sets[1].network && found.sets[1].network !== found.sets[2].network)
  }

  @Test(arguments: [
    ("time,x,variable,value,error_variance\n1,0,c,5,1\n", "observations of c"),
    ("x,variable,value,error_variance\n0,a,5,1\n", "times of the observations: none"),
    ("time,variable,value,error_variance\n1,a,5,1\n", "coordinate x: no coordinates"),
    ("time,x,variable,value,error_variance\n", "no observations; expected at least one"),
  ]) func mistakesAreNamed(text: String, message: String) {
    do {
      _ = try read(text)
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains(message), "\(error)")
    }
  }
}
