import DaunceAssimilation
import DaunceObservations
import DaunceState

/// The settings of localization brought to a state and its observations.
struct AnalysisLocalization {
  private let filter: AnalysisConfiguration.Filter
  private let layout: StateLayout
  private let observations: MatchedObservations

  /// The ensemble's files, for messages.
  private let files: [String]

  init(
    _ filter: AnalysisConfiguration.Filter, _ layout: StateLayout, _ observations: MatchedObservations, files: [String]
  ) {
    self.files = files
    self.filter = filter
    self.layout = layout
    self.observations = observations
  }

  /// - Throws: `ExperimentError` for widths that do not fit the geometry, and names that are not there.
  var localization: DistanceLocalization {
    get throws {
      let general = try filter.halfWidth.map { try reach($0.values, "filter.half_width") } ?? .everywhere
      let kinds = observations.kinds.indices
      var reaches = kinds.map { kind in
        layout.fields.indices.map { field in
          let fields = observations.operators[kind].fields
          // What only the files know the h(x) of may be of any field.
          return filter.update == .all || fields.isEmpty || fields.contains(field) ? general : .off
        }
      }
      for (number, pair) in filter.halfWidths.enumerated() {
        let key = "filter.half_widths[\(number)]"
        let chosen = try pair.halfWidth.map { try reach($0.values, key) } ?? .off
        let kindNumbers = try matches(pair.kind, observations.kinds, "\(key).kind", "kinds of the observations")
        let fields = try matches(pair.field, layout.fields.map(\.name), "\(key).field", "fields of the state")
        for kind in kindNumbers { for field in fields { reaches[kind][field] = chosen } }
      }
      let observed = kinds.map { kind in
        observations.operators.map { $0.fields.first.map { reaches[kind][$0] } ?? general }
      }
      return DistanceLocalization(reaches: reaches, observed: observed)
    }
  }

  private func matches(_ name: String?, _ names: [String], _ key: String, _ what: String) throws -> [Int] {
    guard let name else { return Array(names.indices) }
    guard let number = names.firstIndex(of: name) else {
      throw ExperimentError(
        .data, "key \(key)", found: name, expected: "one of the \(what) (\(names.joined(separator: ", ")))")
    }
    return [number]
  }

  private func reach(_ widths: [Double], _ key: String) throws -> DistanceLocalization.Reach {
    let directions = layout.geometry.directionNames
    guard !directions.isEmpty else {
      throw ExperimentError(
        .data, "key \(key)", found: "\(widths) for fields without coordinates",
        expected: "none, or coordinate variables in \(files.joined(separator: ", "))")
    }
    guard widths.count == 1 || widths.count == directions.count else {
      throw ExperimentError(
        .data, "key \(key)", found: "\(widths.count) numbers",
        expected: "one, or \(directions.count) (\(directions.joined(separator: ", ")))")
    }
    return .within(widths.count == 1 ? directions.map { _ in widths[0] } : widths)
  }
}
