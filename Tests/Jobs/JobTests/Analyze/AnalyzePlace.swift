import DaunceArchive
import Foundation
import TestSupport
import Testing

/// A folder of its own in which `analyze` works: `ensemble.nc` and `obs.nc` or `obs.csv` go in, `out` comes out.
struct AnalyzePlace {
  let workshop: Workshop
  let name: String

  init(_ workshop: Workshop, _ name: String) throws {
    self.workshop = workshop
    self.name = "analyze-\(name)"
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  var folder: URL { workshop.folder.appending(path: name) }
  func path(_ file: String) -> String { folder.appending(path: file).path }
  func bytes(_ file: String) throws -> Data { try Data(contentsOf: folder.appending(path: file)) }
  func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path(file)) }
  func write(_ text: String, to file: String) throws { try workshop.write(text, to: "\(name)/\(file)") }

  /// Everything below a folder; nothing where there is none.
  func contents(_ subfolder: String) throws -> [String: Data] {
    exists(subfolder) ? try workshop.contents("\(name)/\(subfolder)") : [:]
  }

  /// Names of what is in a folder; none where there is none.
  func names(_ subfolder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path(subfolder))) ?? []
  }

  /// The program's arguments; those of files are the usual ones where they are not among `arguments`.
  static func arguments(_ arguments: [String]) -> [String] {
    var all = ["analyze"] + arguments
    for (option, file) in [("--ensemble", "ensemble.nc"), ("--observations", "obs.nc"), ("--output", "out")]
    where !arguments.contains(option) { all += [option, file] }
    return all
  }

  func analyze(_ ranks: Int, _ arguments: [String], environment: [String: String] = [:]) throws -> JobResult {
    try workshop.job(ranks, Self.arguments(arguments), in: name, environment: environment)
  }

  /// An analysis that has to succeed.
  func analyzed(_ ranks: Int, _ arguments: [String]) throws -> JobResult {
    let result = try analyze(ranks, arguments)
    try #require(result.status == 0, "\(arguments): \(result.stderr)")
    return result
  }

  /// All of a variable; not a number where it is missing.
  func values(_ file: String, _ variable: String) throws -> [Double] {
    try DatasetReader(path: path(file)).field(variable)
  }

  /// All of a variable of doubles, bit for bit.
  func stored(_ file: String, _ variable: String) throws -> [Double] {
    try DatasetReader(path: path(file)).values(variable)
  }

  // MARK: Files to read

  static let provenance = Provenance(
    title: "a test", version: "0", commit: "none", history: "a test", seed: 1, configuration: "")

  /// Takes what this program ends its own files with away, so that a file is as a model's would be.
  func removeSeal(_ file: String) throws {
    let bytes = try bytes(file)
    if let seal = bytes.range(of: Data("daunce seal v1: ".utf8), options: .backwards) {
      try bytes[..<seal.lowerBound].write(to: folder.appending(path: file))
    }
  }

  /// `t` on a plane with a coordinate for each axis, over a dimension of members where a file is for several.
  ///
  /// - Parameter more: defines and writes further variables over the file's (member, y, x).
  func writeEnsemble(
    _ plane: Plane, to file: String = "ensemble.nc", members: Range<Int>? = nil, hasMembers: Bool = false,
    fill: Double? = nil,
    more: (DatasetWriter, [DatasetWriter.Dimension]) throws -> Void = { _, _ in }
  ) throws {
    let folder = folder.appending(path: file).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let writer = try DatasetWriter(path: path(file), provenance: Self.provenance)
    var dimensions: [DatasetWriter.Dimension] = []
    for (axis, name) in ["y", "x"].enumerated() {
      let dimension = try writer.dimension(name, length: plane.cells[axis])
      let variable = try writer.variable(name, over: [dimension], attributes: [Attribute("units", "km")])
      try writer.write(plane.coordinates(axis), to: variable)
      dimensions.append(dimension)
    }
    let members = members ?? 0..<plane.ensemble.count
    if hasMembers || members.count > 1 {
      dimensions.insert(try writer.dimension("member", length: members.count), at: 0)
    }
    let t = try writer.variable(
      "t", over: dimensions,
      attributes: [Attribute("units", "K")] + (fill.map { [Attribute("missing_value", $0)] } ?? []))
    try writer.write(members.flatMap { plane.ensemble[$0] }, to: t)
    try more(writer, dimensions)
    try writer.finish()
    try removeSeal(file)
  }

  /// Numbers over members alone: a model without space.
  func writeScalars(_ fields: [(name: String, values: [Double])], to file: String = "ensemble.nc") throws {
    let writer = try DatasetWriter(path: path(file), provenance: Self.provenance)
    let member = try writer.dimension("member", length: fields[0].values.count)
    for (name, values) in fields {
      try writer.write(values, to: try writer.variable(name, over: [member], attributes: [Attribute("units", "1")]))
    }
    try writer.finish()
    try removeSeal(file)
  }

  func writeCSV(_ observations: [Sighting], to file: String = "obs.csv") throws {
    // Swift's decimals give the same bits back.
    let lines = observations.map { "t,\($0.y),\($0.x),\($0.value),\($0.errorVariance),\($0.quality)" }
    try write((["variable,y,x,value,error_variance,quality"] + lines).joined(separator: "\n") + "\n", to: file)
  }

  func writeNetCDF(_ observations: [Sighting], to file: String = "obs.nc") throws {
    let writer = try DatasetWriter(path: path(file), provenance: Self.provenance)
    let obs = try writer.dimension("obs", length: observations.count)
    try writer.write(texts: observations.map { _ in "t" }, as: "variable", over: obs)
    for (name, column) in [
      ("x", observations.map(\.x)), ("y", observations.map(\.y)), ("value", observations.map(\.value)),
      ("error_variance", observations.map(\.errorVariance)),
    ] {
      try writer.write(column, to: try writer.variable(name, over: [obs]))
    }
    let quality = try writer.variable("quality", of: Int32.self, over: [obs])
    try writer.write(observations.map { Int32($0.quality) }, to: quality)
    try writer.finish()
  }
}

/// An ensemble of `t` on a plane (`ensemble[member][y * nx + x]`).
struct Plane {
  var cells: [Int]
  var spacing: [Double]
  var ensemble: [[Double]]

  func coordinates(_ axis: Int) -> [Double] { (0..<cells[axis]).map { Double($0) * spacing[axis] } }

  /// Waves that differ between members in height, length and phase.
  init(cells: [Int], spacing: [Double] = [1, 1], members: Int) {
    (self.cells, self.spacing) = (cells, spacing)
    ensemble = (0..<members).map { m in
      let phase = Double((m * 7 + 3) % 11)
      return (0..<cells[0] * cells[1]).map { i in
        let (y, x) = (Double(i / cells[1]), Double(i % cells[1]))
        return 280 + sin(0.4 * x + phase) + cos(0.3 * y * (1 + 0.05 * Double(m)) - phase)
      }
    }
  }

  init(cells: [Int], spacing: [Double], ensemble: [[Double]]) {
    (self.cells, self.spacing, self.ensemble) = (cells, spacing, ensemble)
  }
}

/// One observation of `t`.
struct Sighting {
  var y: Double
  var x: Double
  var value: Double
  var errorVariance = 0.5
  var quality = 0
}
