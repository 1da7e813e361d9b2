import DaunceState

/// Coordinates that every file shares, with the attributes that CF and plotting programs look for.
extension DatasetWriter {
  /// Dimension and coordinate `x`: centres of the cells, in the model's unit of length.
  func defineGrid(_ grid: CircleGrid) throws(ArchiveError) -> Dimension {
    let x = try dimension("x", length: grid.cells)
    let coordinate = try variable(
      "x", over: [x],
      attributes: [
        Attribute("long_name", "distance along the circle, in the model's unit of length"), Attribute("units", "1"),
        Attribute("axis", "X"), Attribute("length", grid.length),
      ])
    try write(grid.coordinates, to: coordinate)
    return x
  }

  /// Dimension and coordinate `member`, numbered from 0.
  func defineMembers(_ count: Int) throws(ArchiveError) -> Dimension {
    let member = try dimension("member", length: count)
    let coordinate = try variable(
      "member", of: Int32.self, over: [member],
      attributes: [
        Attribute("standard_name", "realization"), Attribute("long_name", "ensemble member"), Attribute("units", "1"),
        Attribute("axis", "E"),
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
  func defineTime(_ length: Int?) throws(ArchiveError) -> (dimension: Dimension, coordinate: Variable<Double>) {
    let time = try dimension("time", length: length)
    let coordinate = try variable(
      "time", over: [time], chunks: length == nil ? [1024] : nil,
      attributes: [
        Attribute("long_name", "time in the model's unit"), Attribute("units", "1"), Attribute("axis", "T"),
      ])
    return (time, coordinate)
  }
}

extension Variable {
  /// What a file says about this field; `kind` is appended to the long name: `analysis mean`.
  func attributes(_ kind: String? = nil) -> [Attribute] {
    var attributes = [
      Attribute("long_name", kind.map { "\(longName), \($0)" } ?? longName), Attribute("units", "1"),
    ]
    if kind == nil, let lowerBound { attributes.append(Attribute("valid_min", lowerBound)) }
    return attributes
  }
}

extension DatasetReader {
  /// Checks that the file's cells are those of `grid`: number of cells, and their places where the file has them.
  func checkGrid(_ grid: CircleGrid) throws(ArchiveError) {
    let cells = try length(of: "x")
    guard cells == grid.cells else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension x", found: "\(cells) cells", expected: "\(grid.cells) cells")
    }
    guard find("x") != nil else { return }
    try variable("x", over: [("x", cells)])
    let places = try field("x")
    let width = grid.length / Double(cells)
    for (cell, place) in grid.coordinates.enumerated() where !(abs(places[cell] - place) <= 1e-6 * width) {
      throw ArchiveError(
        .wrongPosition, path: path, object: "variable x", found: "\(places[cell]) at cell \(cell)",
        expected: "\(place) (\(grid.cells) cells on a circle of length \(grid.length))")
    }
  }

  /// The time coordinate: finite and ascending. `upToMissing`: without the missing times at its end, if there are any.
  func times(upToMissing: Bool = false) throws(ArchiveError) -> [Double] {
    let count = try length(of: "time")
    try variable("time", over: [("time", count)])
    var times = try field("time")
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

  /// A field over (time, x), or one truth of a field over (truth, time, x), as `[time][cell]`.
  func series(_ name: String, truth: Int?, times: Int, cells: Int) throws(ArchiveError) -> [Double] {
    let declared = try variable(name)
    guard declared.dimensions.first == "truth" else {
      let variable = try variable(name, over: [("time", times), ("x", cells)])
      return try field(variable, start: [0, 0], count: [times, cells])
    }
    let truths = try length(of: "truth")
    let variable = try variable(name, over: [("truth", truths), ("time", times), ("x", cells)])
    return try field(variable, start: [truth ?? 0, 0, 0], count: [1, times, cells])
  }
}
