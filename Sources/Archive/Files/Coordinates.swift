import DaunceState

/// Coordinates that every file shares, with the attributes that CF and plotting programs look for.
extension DatasetWriter {
  /// Dimensions of every grid of a layout, slowest first, with the cells' coordinates; grids share dimensions of one name.
  ///
  /// - Returns: by number of the grid.
  func defineGrids(_ layout: StateLayout) throws(ArchiveError) -> [[Dimension]] {
    var known: [String: Dimension] = [:]
    var grids: [[Dimension]] = []
    for grid in layout.grids {
      var own: [Dimension] = []
      for one in grid.dimensions {
        if let shared = known[one.name] {
          own.append(shared)
          continue
        }
        let dimension = try dimension(one.name, length: one.length)
        if let axis = one.axis {
          let coordinate = try variable(
            one.name, over: [dimension], attributes: layout.geometry.attributes(of: axis))
          try write(one.coordinates, to: coordinate)
        }
        known[one.name] = dimension
        own.append(dimension)
      }
      grids.append(own)
    }
    return grids
  }

  /// Dimension and coordinate `member`, numbered from 0.
  func defineMembers(_ count: Int) throws(ArchiveError) -> Dimension {
    let member = try dimension("member", length: count)
    let coordinate = try variable(
      "member", of: Int32.self, over: [member],
      attributes: [
        Attribute("standard_name", "realization"), Attribute("long_name", "ensemble member"), Attribute("units", "1"),
      ])
    try write((0..<count).map { Int32($0) }, to: coordinate)
    return member
  }

  /// Dimension `truth` with the seed of each truth.
  func defineTruths(_ seeds: [UInt64]) throws(ArchiveError) -> Dimension {
    let truth = try dimension("truth", length: seeds.count)
    // Signed with the same bits: unsigned 64-bit variables are beyond many readers.
    let seed = try variable(
      "seeds", of: Int64.self, over: [truth],
      attributes: [Attribute("long_name", "seed of each truth, as a signed 64-bit integer"), Attribute("units", "1")])
    try write(seeds.map { Int64(bitPattern: $0) }, to: seed)
    return truth
  }

  /// Dimension and coordinate `time`; `length` nil for one that grows.
  func defineTime(
    _ length: Int?, clock: ModelClock
  ) throws(ArchiveError) -> (dimension: Dimension, coordinate: Variable<Double>) {
    let time = try dimension("time", length: length)
    let coordinate = try variable(
      "time", over: [time], chunks: length == nil ? [1024] : nil, attributes: clock.attributes)
    return (time, coordinate)
  }
}

extension Geometry {
  /// What a file says about the coordinate along an axis.
  func attributes(of number: Int) -> [Attribute] {
    let axis = axes[number]
    let onSphere = sphereRadius != nil && number < 2
    var attributes: [Attribute] = []
    if onSphere {
      let name = number == 0 ? "longitude" : "latitude"
      attributes = [Attribute("standard_name", name), Attribute("long_name", name)]
    } else if let period = axis.period, axes.count == 1 {
      attributes = [
        Attribute("long_name", "distance along the circle, in the model's unit of length"),
        Attribute("length", period),
      ]
    } else {
      attributes = [Attribute("long_name", axis.name)]
      if let period = axis.period { attributes.append(Attribute("length", period)) }
    }
    attributes.insert(
      Attribute("units", onSphere ? (number == 0 ? "degrees_east" : "degrees_north") : axis.units), at: 1)
    attributes.insert(Attribute("axis", ["X", "Y", "Z"][number]), at: 2)
    return attributes
  }
}

extension Field {
  /// What a file says about this field; `kind` is appended to the long name: `analysis mean`.
  func attributes(_ kind: String? = nil) -> [Attribute] {
    var attributes = [
      Attribute("long_name", kind.map { "\(longName), \($0)" } ?? longName), Attribute("units", units),
    ]
    if kind == nil {
      if let standardName { attributes.append(Attribute("standard_name", standardName)) }
      if let lowerBound { attributes.append(Attribute("valid_min", lowerBound)) }
      if let upperBound { attributes.append(Attribute("valid_max", upperBound)) }
    }
    return attributes
  }
}

extension DatasetReader {
  /// Checks that the file's cells are those of `layout`: lengths of its dimensions, and coordinates where the file has
  /// them.
  func checkGrids(_ layout: StateLayout) throws(ArchiveError) {
    for one in layout.grids.flatMap(\.dimensions) {
      let cells = try length(of: one.name)
      guard cells == one.length else {
        throw ArchiveError(
          .wrongSize, path: path, object: "dimension \(one.name)", found: "\(cells) cells",
          expected: "\(one.length) cells")
      }
      guard let axis = one.axis, find(one.name) != nil else { continue }
      try variable(one.name, over: [(one.name, cells)])
      let places = try field(one.name)
      let period = layout.geometry.axes[axis].period
      let extent = period ?? abs((one.coordinates.last ?? 0) - (one.coordinates.first ?? 0))
      let width = extent > 0 ? extent / Double(cells) : 1
      for (cell, place) in one.coordinates.enumerated() where !(abs(places[cell] - place) <= 1e-6 * width) {
        throw ArchiveError(
          .wrongPosition, path: path, object: "variable \(one.name)", found: "\(places[cell]) at cell \(cell)",
          expected: "\(place) (\(cells) cells"
            + (period.map { " on a circle of length \($0))" } ?? " along \(one.name))"))
      }
    }
  }

  /// The time coordinate in the model's unit: finite and ascending. `upToMissing`: without the missing times at its
  /// end, if there are any.
  func times(_ clock: ModelClock, upToMissing: Bool = false) throws(ArchiveError) -> [Double] {
    let count = try length(of: "time")
    try variable("time", over: [("time", count)])
    var times = try clock.times("time", in: self)
    if upToMissing { while times.last?.isNaN == true { times.removeLast() } }
    try checkAscending(times, strictly: true)
    return times
  }

  func checkAscending(_ times: [Double], strictly: Bool) throws(ArchiveError) {
    for i in times.indices {
      guard times[i].isFinite else {
        throw ArchiveError(
          .notFinite, path: path, object: "variable time", found: "\(times[i]) at index \(i)",
          expected: "a finite number")
      }
      guard i == 0 || times[i] > times[i - 1] || !strictly && times[i] == times[i - 1] else {
        throw ArchiveError(
          .wrongOrder, path: path, object: "variable time", found: "\(times[i]) at index \(i) after \(times[i - 1])",
          expected: "ascending times")
      }
    }
  }

  /// Number of truths in the file; `nil` if it has no such dimension. Throws if `truth` is not one of them.
  func truthCount(choosing truth: Int?) throws(ArchiveError) -> Int? {
    guard dimensions.contains(where: { $0.name == "truth" }) else {
      guard truth ?? 0 == 0 else {
        throw ArchiveError(
          .missingDimension, path: path, object: "dimension truth", found: "a single truth",
          expected: "truth number \(truth ?? 0)")
      }
      return nil
    }
    let count = try length(of: "truth")
    guard 0..<count ~= truth ?? 0 else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension truth", found: "\(count) truths",
        expected: "one with number \(truth ?? 0), counted from 0")
    }
    return count
  }

  /// A field over (time, grid), or one truth of a field over (truth, time, grid), as `[time][cell]`.
  func series(_ name: String, truth: Int?, times: Int, grid: Grid) throws(ArchiveError) -> [Double] {
    let inner: [(name: String, length: Int?)] = grid.dimensions.map { ($0.name, $0.length) }
    let (starts, lengths) = (inner.map { _ in 0 }, grid.dimensions.map(\.length))
    let declared = try variable(name)
    guard declared.dimensions.first == "truth" else {
      let variable = try variable(name, over: [("time", times)] + inner)
      return try field(variable, start: [0] + starts, count: [times] + lengths)
    }
    let truths = try length(of: "truth")
    let variable = try variable(name, over: [("truth", truths), ("time", times)] + inner)
    return try field(variable, start: [truth ?? 0, 0] + starts, count: [1, times] + lengths)
  }
}
