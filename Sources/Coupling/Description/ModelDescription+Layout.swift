package import DaunceModels
package import DaunceState

extension ModelDescription {
  /// Numbers that the description refers to by a name: `array` of a name and a length.
  package typealias Arrays = (_ name: String, _ count: Int) throws -> [Double]

  /// The state, and behind it what the model observes of it.
  ///
  /// - Throws: what `arrays` throws, and `CouplingError` for coordinates that do not ascend or descend.
  package func makeLayout(of model: String, arrays: Arrays) throws -> StateLayout {
    let geometry = Geometry(
      axes: axes.map { Axis(name: $0.name, units: $0.units, period: $0.period) }, sphereRadius: sphere)
    var dimensions: [String: Grid.Dimension] = [:]
    for one in self.dimensions { dimensions[one.name] = try dimension(one, of: model, arrays) }
    let described = grids.isEmpty ? [wholeGrid] : grids
    let made = try described.map { grid -> Grid in
      let own = grid.dimensions.compactMap { dimensions[$0] }
      guard let name = grid.places else { return Grid(own) }
      let cells = own.reduce(1) { $0 * $1.length }
      let numbers = try arrays(name, cells * axes.count)
      return Grid(own, places: (0..<cells).map { Place(Array(numbers[$0 * axes.count..<($0 + 1) * axes.count])) })
    }
    let fields = (self.fields + observed).map { field in
      Field(
        name: field.name, longName: field.longName, standardName: field.standardName, units: field.units,
        reference: field.reference, scale: field.scale, lowerBound: field.lower, upperBound: field.upper,
        grid: field.grid.flatMap { name in described.firstIndex { $0.name == name } } ?? 0)
    }
    return StateLayout(geometry: geometry, grids: made, fields: fields)
  }

  /// One grid of all dimensions.
  private var wholeGrid: DescribedGrid {
    var grid = DescribedGrid()
    grid.dimensions = dimensions.map(\.name)
    return grid
  }

  private func dimension(_ one: DescribedDimension, of model: String, _ arrays: Arrays) throws -> Grid.Dimension {
    let length = one.length ?? one.coordinates?.count ?? 0
    guard let axis = axes.firstIndex(where: { $0.name == one.axis ?? one.name }) else {
      return Grid.Dimension(name: one.name, length: length)
    }
    if let given = one.coordinates { return Grid.Dimension(name: one.name, axis: axis, coordinates: given) }
    if let name = one.array {
      let coordinates = try arrays(name, length)
      guard Self.isMonotonic(coordinates) else {
        throw CouplingError(
          model, "array \(name)", found: "coordinates that neither ascend nor descend", expected: "one after the other")
      }
      return Grid.Dimension(name: one.name, axis: axis, coordinates: coordinates)
    }
    let spacing = one.spacing ?? axes[axis].period.map { $0 / Double(length) } ?? 1
    return Grid.Dimension(name: one.name, axis: axis, coordinates: (0..<length).map { one.from + spacing * Double($0) })
  }

  /// The conserved functions: weighted means over the cells of fields.
  ///
  /// - Throws: what `arrays` throws.
  package func makeInvariants(in layout: StateLayout, arrays: Arrays) throws -> [LinearInvariant] {
    try invariants.map { one in
      let ranges = (one.fields ?? []).compactMap { layout.fieldIndex($0) }.map { layout.range($0) }
      let cells = ranges.reduce(0) { $0 + $1.count }
      let weights = try one.weights.map { try arrays($0, cells) } ?? [Double](repeating: 1 / Double(cells), count: cells)
      var coefficients = [Double](repeating: 0, count: layout.count)
      for (element, weight) in zip(ranges.joined(), weights) { coefficients[element] = weight }
      return LinearInvariant(name: one.name, coefficients: coefficients)
    }
  }

  /// How truths are observed unless a configuration says otherwise.
  package func makeObserving(in layout: StateLayout) -> ObservingSystem {
    let variable = observing.field.flatMap { layout.fieldIndex($0) } ?? 0
    let sd = observing.sd ?? 0.1 * layout.fields[variable].scale
    return ObservingSystem(
      variable: variable, errorVariance: sd * sd,
      law: ErrorLaw(rawValue: observing.law.rawValue) ?? .gaussian,
      stepsBetween: observing.interval)
  }
}
