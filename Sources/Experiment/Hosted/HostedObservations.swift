import DaunceEnsemble
import DaunceNumerics
import DaunceObservations
import DaunceState

/// Observations of one quantity as a host hands them over.
public struct HostedBatch {
  /// Of a field or another quantity that networks of the configuration observe.
  public var quantity: String
  /// Cells of the quantity's first field, from 0 (`[count]`); `nil` where there are places.
  public var cells: [Int64]?
  /// Places, one after the other (`[count][axis]`).
  public var places: [Double]
  /// In the quantity's unit; not a number where missing (`[count]`).
  public var values: [Double]
  /// Standard deviations of the errors, in the same unit (`[count]`).
  public var deviations: [Double]

  /// Observations of a quantity, by cell or by place.
  public init(quantity: String, cells: [Int64]?, places: [Double], values: [Double], deviations: [Double]) {
    (self.quantity, self.cells, self.places) = (quantity, cells, places)
    (self.values, self.deviations) = (values, deviations)
  }
}

extension PackedBytes {
  init(_ batches: [HostedBatch]) {
    for batch in batches {
      put(batch.quantity)
      put(batch.cells == nil ? 0 : 1)
      put(batch.cells ?? [])
      put(batch.places)
      put(batch.values)
      put(batch.deviations)
    }
  }
}

extension UnpackedBytes {
  /// Batches to the end.
  mutating func batches() throws(SnapshotError) -> [HostedBatch] {
    var batches: [HostedBatch] = []
    while !isAtEnd {
      let (quantity, hasCells) = (try text(), try integer() == 1)
      let cells: [Int64] = try values()
      batches.append(
        HostedBatch(
          quantity: quantity, cells: hasCells ? cells : nil, places: try values(), values: try values(),
          deviations: try values()))
    }
    return batches
  }
}

/// Brings a host's observations of one time to the state: in the order of the first elements that they see, as files are.
final class HostedObservations {
  private let context: ExperimentContext
  private var builder: RowBuilder
  /// The last networks, so that updates find again what they have prepared for the same one.
  private var known: [(sight: [Sight], network: ObservationNetwork)] = []
  private static let mostKnown = 4
  /// What came last, where nothing of it was left out: hosts observe the same again and again.
  private var last: (places: [Batch], order: [Int], network: ObservationNetwork)?

  /// What and where a batch observes.
  private struct Batch: Equatable {
    let quantity: String
    let cells: [Int64]?
    let places: [Double]

    init(_ batch: HostedBatch) { (quantity, cells, places) = (batch.quantity, batch.cells, batch.places) }
  }

  /// What is observed, and where.
  private struct Sight: Hashable {
    let kind: Int32
    /// -1 for a place.
    let cell: Int
    let coordinates: SIMD4<UInt64>
  }

  private struct Found {
    let sight: Sight
    let place: Place
    let rows: [(elements: [Int], weights: [Double])]
    let value, variance: Double
  }

  init(_ context: ExperimentContext) {
    self.context = context
    builder = RowBuilder(context.layout)
  }

  /// The usable ones of some batches. Observations without a value, outside of the grid or given twice are left out, with a
  /// note.
  ///
  /// - Throws: `HostedError` for a quantity that there is not, a cell that there is not, or an error that is none.
  func makeSet(of batches: [HostedBatch], at time: Double) throws(HostedError) -> ObservationSet {
    if let same = sameAgain(batches) { return same }
    var found: [Found] = []
    var seen = Set<Sight>()
    var (missing, outside, twice) = (0, 0, 0)
    for batch in batches {
      let kind = try number(of: batch.quantity)
      for k in batch.values.indices {
        let deviation = batch.deviations[k]
        guard deviation > 0, deviation.isFinite else {
          throw HostedError(
            .badData, "observation \(k) of \(batch.quantity)", found: "an error of \(deviation)",
            expected: "a standard deviation above 0")
        }
        let (cell, place) = try place(of: batch, k, kind)
        guard batch.values[k].isFinite else { missing += 1; continue }
        guard let rows = rows(of: kind, cell: cell, place: place) else { outside += 1; continue }
        let bits = SIMD4((0..<4).map { $0 < 3 ? place.coordinates[$0].bitPattern : 0 })
        let sight = Sight(kind: Int32(kind), cell: cell ?? -1, coordinates: bits)
        guard seen.insert(sight).inserted else { twice += 1; continue }
        found.append(
          Found(sight: sight, place: place, rows: rows, value: batch.values[k], variance: deviation * deviation))
      }
    }
    if missing + outside + twice > 0 {
      context.progress.note(
        "time \(time): \(found.count) observations used; left out: \(missing) without a value, \(outside) outside of the "
          + "grid, \(twice) given twice")
    }
    let order = found.indices.sorted {
      (found[$0].rows.first?.elements.first ?? 0, $0) < (found[$1].rows.first?.elements.first ?? 0, $1)
    }
    let sorted = order.map { found[$0] }
    let network = network(of: sorted)
    last = missing + outside + twice == 0 ? (batches.map(Batch.init), order, network) : nil
    return ObservationSet(network, values: sorted.map(\.value), errorVariances: sorted.map(\.variance))
  }

  /// The set of batches that observe what the last ones did, each with a value and an error; `nil` for others.
  private func sameAgain(_ batches: [HostedBatch]) -> ObservationSet? {
    guard let last, last.places == batches.map(Batch.init) else { return nil }
    let (values, deviations) = (batches.flatMap(\.values), batches.flatMap(\.deviations))
    guard values.allSatisfy(\.isFinite), deviations.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    return ObservationSet(
      last.network, values: last.order.map { values[$0] },
      errorVariances: last.order.map { deviations[$0] * deviations[$0] })
  }

  private func network(of found: [Found]) -> ObservationNetwork {
    let sight = found.map(\.sight)
    if let same = known.first(where: { $0.sight == sight }) { return same.network }
    var rows = ObservationRows()
    for one in found { rows.append(one.rows, by: context.networks.quantities[Int(one.sight.kind)].operation) }
    let laws = context.networks.laws
    let network = ObservationNetwork(
      rows: rows, kinds: sight.map(\.kind), places: found.map(\.place), laws: sight.map { laws[Int($0.kind)] })
    known.append((sight, network))
    if known.count > Self.mostKnown { known.removeFirst() }
    return network
  }

  private func number(of quantity: String) throws(HostedError) -> Int {
    let quantities = context.networks.quantities
    let number = quantities.firstIndex { $0.name == quantity }
      ?? context.layout.fields.firstIndex { $0.standardName == quantity }
    guard let number else {
      throw HostedError(
        .badData, "observations of \(quantity)", found: "a quantity that the state does not have",
        expected: "one of \(quantities.map(\.name).joined(separator: ", "))")
    }
    return number
  }

  private func place(of batch: HostedBatch, _ k: Int, _ kind: Int) throws(HostedError) -> (cell: Int?, place: Place) {
    let layout = context.layout
    if let cells = batch.cells {
      let grid = layout.grid(context.networks.quantities[kind].operation.fields[0])
      let count = layout.range(context.networks.quantities[kind].operation.fields[0]).count
      guard (0..<Int64(count)).contains(cells[k]) else {
        throw HostedError(
          .badData, "observation \(k) of \(batch.quantity)", found: "cell \(cells[k])", expected: "cells from 0 to \(count - 1)")
      }
      return (Int(cells[k]), grid.place(of: Int(cells[k])))
    }
    let axes = layout.geometry.axes.count
    return (nil, Place(Array(batch.places[k * axes..<(k + 1) * axes])))
  }

  /// `nil` where a field that is observed has no cells at the place.
  private func rows(of kind: Int, cell: Int?, place: Place) -> [(elements: [Int], weights: [Double])]? {
    let operation = context.networks.quantities[kind].operation
    if let cell, operation == ObservationOperator(fields: [operation.fields[0]]) {
      return [(elements: [context.layout.offsets[operation.fields[0]] + cell], weights: [1])]
    }
    return builder.rows(of: operation, at: place)
  }
}
