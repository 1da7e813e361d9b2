package import DaunceArchive
package import DaunceObservations
package import DaunceState

/// Observations of a file, brought to the state of an experiment and sorted by time.
package struct ObservationTimes {
  /// Times at which the file has observations, used or not, ascending, in the model's unit.
  package private(set) var times: [Double] = []
  /// The usable ones of each time, in the order of the first elements that they see; perhaps none (`[time]`).
  package private(set) var sets: [ObservationSet] = []
  /// Number of observations with each flag.
  package let flagCounts: [(flag: QualityFlag, count: Int)]

  /// Number of usable observations.
  package var count: Int { sets.reduce(0) { $0 + $1.count } }

  /// - Parameters:
  ///   - quantities: what can be observed; a field is found by its name or standard name too.
  ///   - laws: of the quantities' errors; `nil`: all are normal.
  ///   - clock: of the model's time.
  /// - Throws: `ArchiveError` for a file that cannot be read, has no times, or observes what is no quantity.
  package init(
    path: String, layout: StateLayout, quantities: [ObservedQuantity], laws: [ErrorLaw]? = nil, clock: ModelClock
  ) throws(ArchiveError) {
    let table = try ObservationReaders.read(path, known: layout.coordinates)
    guard table.count > 0 else {
      throw ArchiveError(.noObservations, path: path, found: "no observations", expected: "at least one")
    }
    guard !table.times.isEmpty else {
      throw ArchiveError(
        .missingVariable, path: path, object: "times of the observations", found: "none",
        expected: "a time for each observation")
    }
    var settings = AnalysisConfiguration.Observations()
    settings.operators = quantities.dropFirst(layout.fields.count).map { ObservedKind($0, layout) }
    let matched = try MatchedObservations([table], layout: layout, settings: settings)
    let kinds = matched.operators.map { operation in
      Int32(quantities.firstIndex { $0.operation == operation } ?? 0)
    }
    let clockTimes = try clock.times(of: table)
    times = Set(clockTimes.filter(\.isFinite)).sorted()
    let places = Dictionary(uniqueKeysWithValues: times.enumerated().map { ($1, $0) })
    // Of each time, which of the matched rows are its own.
    var rows = [[Int]](repeating: [], count: times.count)
    var timeless = 0
    for (row, number) in matched.candidates.enumerated() where matched.flags[number] == .used {
      if let place = places[clockTimes[number]] { rows[place].append(row) } else { timeless += 1 }
    }
    var networks: [Sight: ObservationNetwork] = [:]
    for own in rows {
      let ordered = own.sorted {
        (matched.rows.firstElement($0) ?? 0, $0) < (matched.rows.firstElement($1) ?? 0, $1)
      }
      let numbers = ordered.map { matched.candidates[$0] }
      let places = numbers.map { matched.places[$0] }
      let sight = Sight(
        kinds: numbers.map { kinds[Int(matched.kind[$0])] },
        coordinates: places.flatMap { place in (0..<3).map { place.coordinates[$0].bitPattern } })
      let network =
        networks[sight]
        ?? ObservationNetwork(
          rows: matched.rows.selecting(ordered), kinds: sight.kinds, places: places,
          laws: laws.map { laws in sight.kinds.map { laws[Int($0)] } })
      networks[sight] = network
      sets.append(
        ObservationSet(
          network, values: numbers.map { matched.values[$0] },
          errorVariances: numbers.map { matched.errorVariances[$0] }))
    }
    flagCounts = matched.flagCounts.compactMap { flag, count in
      let count = count + (flag == .missing ? timeless : flag == .used ? -timeless : 0)
      return count > 0 ? (flag, count) : nil
    }
  }

  /// What is observed at a time, and where; times with the same share a network.
  private struct Sight: Hashable {
    let kinds: [Int32]
    /// Bits of three for each place, for what is not a number is not equal to itself.
    let coordinates: [UInt64]
  }
}

extension ObservedKind {
  /// The settings that describe a quantity.
  fileprivate init(_ quantity: ObservedQuantity, _ layout: StateLayout) {
    self.init()
    kind = quantity.name
    fields = quantity.operation.fields.map { layout.fields[$0].name }
    combination = .init(rawValue: quantity.operation.combination.rawValue) ?? .sum
    function = .init(rawValue: quantity.operation.function.rawValue) ?? .identity
    footprint = quantity.operation.footprint
  }
}

extension StateLayout {
  /// Coordinates of all dimensions along an axis, by name.
  fileprivate var coordinates: [String: [Double]] {
    var known: [String: [Double]] = [:]
    for dimension in grids.flatMap(\.dimensions) where dimension.axis != nil { known[dimension.name] = dimension.coordinates }
    return known
  }
}
