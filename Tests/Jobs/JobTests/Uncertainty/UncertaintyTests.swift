import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Predictive laws of tables by the command `uncertainty`.
  @Suite struct UncertaintyTests {
    /// The file as the guide has it, its parts adding up, and the same bits at any number of ranks.
    @Test func partsAddUpAndRanksMakeNoDifference() throws {
      let workshop = try workshop()
      var known: [String: Data]?
      for ranks in [1, 2, 3] {
        let place = try TablePlace(workshop, "uncertainty-\(ranks)")
        let result = try place.job(ranks, ["--compare", "minimum", "bagging", "deep-ensemble", "mc-dropout", "importance", "tempered", "transport", "stein"])
        try #require(result.status == 0, "\(result.stderr)")
        let files = try workshop.contents("\(place.name)/out")
        #expect(Set(files.keys) == ["prediction.nc", "comparison.nc", "scores.json"])
        #expect(known == nil || known == files, "\(ranks) ranks")
        known = files
      }
      let file = try DatasetReader(path: workshop.folder.appending(path: "uncertainty-1/out/prediction.nc").path)
      for (name, shape) in [
        ("mean", [12, 1]), ("variance", [12, 1]), ("variance_by_source", [5, 12, 1]), ("interaction", [12, 1]),
        ("quantile", [12, 1, 9]), ("sample", [12, 1, 200]), ("pdf", [12, 1, 21]), ("x", [12]), ("w", [12]),
      ] { #expect(try file.variable(name).shape == shape, "\(name)") }
      #expect(try file.texts("source_name") == ["new input", "testing data", "training data", "weights", "function"])
      let (mean, variance) = (try file.field("mean"), try file.field("variance"))
      let (parts, interaction) = (try file.field("variance_by_source"), try file.field("interaction"))
      let (samples, quantiles) = (try file.field("sample"), try file.field("quantile"))
      var (drawn, taken) = (0.0, 0.0)
      for row in 0..<12 {
        let sum = (0..<5).reduce(interaction[row]) { $0 + parts[$1 * 12 + row] }
        #expect(abs(sum - variance[row]) <= 1e-12 * variance[row])
        for source in [0, 2, 3, 4] { #expect(parts[source * 12 + row] > -0.2 * variance[row]) }
        #expect(parts[4 * 12 + row] > 0.02)
        let own = samples[row * 200..<(row + 1) * 200]
        let average = own.reduce(0, +) / 200
        #expect(abs(average - mean[row]) < 5 * (variance[row] / 200).squareRoot())
        drawn += own.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 199
        taken += variance[row]
        #expect(zip(quantiles[row * 9..<row * 9 + 8], quantiles[row * 9 + 1..<row * 9 + 9]).allSatisfy { $0 < $1 })
      }
      // Samples and parts are made in different ways of the same draws.
      #expect(abs(drawn / taken - 1) < 0.2, "\(drawn / taken)")
      // The slope of x is 1, its error 0.2.
      let input = parts[..<12].reduce(0, +) / 12
      #expect(abs(input / 0.04 - 1) < 0.5, "\(input)")
    }

    /// What is exact has no part, and a stated law is the same as a column.
    @Test func exactTablesHaveOnlyWeightsAndFunction() throws {
      let place = try TablePlace(try workshop(), "uncertainty-exact")
      func parts(_ output: String, _ arguments: [String]) throws -> [Double] {
        let result = try place.job(2, ["--output", output] + arguments)
        try #require(result.status == 0, "\(result.stderr)")
        let path = place.workshop.folder.appending(path: "\(place.name)/\(output)/prediction.nc").path
        return try DatasetReader(path: path).field("variance_by_source")
      }
      func without(_ columns: Set<String>, _ file: String) throws {
        let text = try String(contentsOf: place.workshop.folder.appending(path: "\(place.name)/\(file)"), encoding: .utf8)
        let rows = text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
        let kept = rows[0].indices.filter { !columns.contains(rows[0][$0]) }
        try place.write(rows.map { row in kept.map { row[$0] }.joined(separator: ",") }.joined(separator: "\n") + "\n", file)
      }
      let columns = try parts("columns", [])
      for file in ["a.csv", "b.csv", "c.csv"] { try without(["x_error", "y_error"], file) }
      let stated = try parts("stated", ["--set", "errors=[{column: x, sd: 0.2}, {column: y, sd: 0.2}]"])
      #expect(columns == stated)
      let exact = try parts("exact", [])
      #expect(exact[..<36].allSatisfy { $0 == 0 })
      #expect(exact[36...].allSatisfy { $0 > 0 })
    }

    /// A job that is stopped and gone on with, on other numbers of ranks.
    @Test func goesOnToTheSameBits() throws {
      let place = try TablePlace(try workshop(), "uncertainty-resumed", new: 40)
      let command = [
        "uncertainty", "--training", "a.csv", "--testing", "b.csv", "--new", "c.csv", "--outputs", "y", "--compare", "bagging",
      ]
      let configuration = """
        networks: {training_draws: 4, each: 8, steps: 800, rounds: 2, hidden: [8]}
        prediction: {samples: 200, points: 21}
        """
      let whole = try InterruptedRun(place.workshop, place.name, command: command, configuration: configuration)
      let once = try whole.job(ranks: 2)
      try #require(once.status == 0, "\(once.stderr)")
      let reference = try place.workshop.contents("\(place.name)/out")
      try FileManager.default.removeItem(at: whole.folder.appending(path: "out"))
      #expect(try whole.interruptions(every: 3) > 1)
      let resumed = try place.workshop.contents("\(place.name)/out")
      #expect(differences(resumed, reference) == [])
    }

    /// The same tables as NetCDF give the same file.
    @Test func tablesMayBeNetCDF() throws {
      let place = try TablePlace(try workshop(), "uncertainty-netcdf")
      var tables: [String: String] = [:]
      for (table, name) in [("training", "a"), ("testing", "b"), ("new", "c")] {
        let source = place.workshop.folder.appending(path: "\(place.name)/\(name).csv")
        let rows = try String(contentsOf: source, encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",") }
        let writer = try DatasetWriter(
          path: source.deletingPathExtension().appendingPathExtension("nc").path,
          provenance: Provenance(title: name, version: "1", commit: "", history: "", seed: 1, configuration: ""))
        let row = try writer.dimension("row", length: rows.count - 1)
        for (column, name) in rows[0].enumerated() {
          try writer.write(
            rows.dropFirst().map { Double($0[column]) ?? .nan }, to: writer.variable(String(name), over: [row]))
        }
        try writer.finish()
        tables[table] = "\(name).nc"
      }
      var samples: [[Double]] = []
      for (tables, output) in [([:], "of-csv"), (tables, "of-netcdf")] {
        let result = try place.job(2, ["--output", output], tables: tables)
        try #require(result.status == 0, "\(result.stderr)")
        let path = place.workshop.folder.appending(path: "\(place.name)/\(output)/prediction.nc").path
        samples.append(try DatasetReader(path: path).field("sample"))
      }
      #expect(samples[0] == samples[1])
    }

    /// Several outputs, columns that are no numbers left aside.
    @Test func tablesOfSeveralOutputs() throws {
      let place = try TablePlace(try workshop(), "uncertainty-two")
      for (file, extra) in [("a.csv", true), ("b.csv", true), ("c.csv", false)] {
        let text = try String(contentsOf: place.workshop.folder.appending(path: "\(place.name)/\(file)"), encoding: .utf8)
        let rows = text.split(separator: "\n").enumerated().map { row, line -> String in
          let numbers = line.split(separator: ",")
          let second = row == 0 ? "v [m]" : "\(1 - (Double(numbers[3]) ?? 0))"
          return "\(row == 0 ? "name" : "row \(row)"),\(line)" + (extra ? ",\(second)" : "")
        }
        try place.write("# two outputs\n" + rows.joined(separator: "\n") + "\n", file)
      }
      let refused = try place.job(1, outputs: "y,v")
      #expect(refused.status == 65 && refused.stderr.contains("column name"), "\(refused.stderr)")
      let result = try place.job(2, ["--inputs", "x", "w"], outputs: "y,v")
      try #require(result.status == 0, "\(result.stderr)")
      let path = place.workshop.folder.appending(path: "\(place.name)/out/prediction.nc").path
      let file = try DatasetReader(path: path)
      #expect(try file.texts("output_name") == ["y", "v"])
      #expect(try file.texts("output_units") == ["", "m"])
      // v is 1 - y: the draws of both belong together.
      let samples = try file.field("sample")
      var product = 0.0
      for row in 0..<12 {
        for draw in 0..<200 {
          let mean = (0..<2).map { o in samples[(row * 2 + o) * 200..<(row * 2 + o + 1) * 200].reduce(0, +) / 200 }
          product += (samples[row * 400 + draw] - mean[0]) * (samples[row * 400 + 200 + draw] - mean[1])
        }
      }
      #expect(product < 0)
    }
  }
}
