import DaunceNumerics
import Foundation
import TestSupport
import Testing

/// Tables of a known function in a folder of a workshop.
struct TablePlace {
  let workshop: Workshop
  let name: String
  private let stream = RandomStream(seed: 21, purpose: .test)

  /// Little to train.
  static let settings = [
    "networks.training_draws=4", "networks.each=4", "networks.steps=400", "networks.rounds=2", "networks.hidden=[8]",
    "networks.hidden_gain=0.5", "prediction.samples=200", "prediction.new_input_draws=8", "prediction.testing_draws=4",
    "prediction.points=21",
  ]

  /// Writes a.csv, b.csv and c.csv: y = x + 0.5 w^2 + 0.3 noise, w and y (and x, unless told otherwise) measured with
  /// errors; c.csv has exact outputs.
  init(_ workshop: Workshop, _ name: String, rows: Int = 80, new: Int = 12) throws {
    (self.workshop, self.name) = (workshop, name)
    try FileManager.default.createDirectory(at: workshop.folder.appending(path: name), withIntermediateDirectories: true)
    for (k, file) in ["a.csv", "b.csv", "c.csv"].enumerated() {
      try write(table(k, rows: k == 2 ? new : rows), file)
    }
  }

  private func table(_ number: Int, rows: Int) -> String {
    var lines = [number == 2 ? "x,x_error,w,y" : "x,x_error,w,y,y_error"]
    for row in 0..<rows {
      let z = (0..<5).map { stream.normal(at: (number * 10_000 + row) * 6 + $0) }
      let y = z[0] + 0.5 * z[1] * z[1] + 0.3 * z[2]
      let measured = [z[0] + 0.2 * z[3], 0.2, z[1]]
      let numbers = measured + (number == 2 ? [y] : [y + 0.2 * z[4], 0.2])
      lines.append(numbers.map { String(format: "%.6f", $0) }.joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  func write(_ text: String, _ file: String) throws { try workshop.write(text, to: "\(name)/\(file)") }

  /// The command on this folder's tables; what is given later counts.
  func job(_ ranks: Int, _ arguments: [String] = [], tables: [String: String] = [:], outputs: String = "y") throws -> JobResult {
    let files = ["training": "a.csv", "testing": "b.csv", "new": "c.csv"].merging(tables) { $1 }
    return try workshop.job(
      ranks,
      ["uncertainty", "--training", files["training"] ?? "", "--testing", files["testing"] ?? "", "--new", files["new"] ?? ""]
        + ["--outputs", outputs, "--output", "out", "--quiet"] + Self.settings.flatMap { ["--set", $0] } + arguments, in: name)
  }
}
