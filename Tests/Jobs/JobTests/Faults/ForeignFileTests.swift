import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Files that other programs wrote.
  @Suite struct ForeignFileTests {
    private func assimilate(
      _ method: [String], observations: String, initial: String = "plain", to name: String, ranks: Int
    ) throws -> (result: JobResult, analysis: AnalysisFile) {
      let workshop = try workshop()
      let result = try workshop.job(
        ranks,
        [
          "assimilate", "--initial", "foreign/\(initial)-initial.nc", "--observations", observations, "--output", name,
          "--config", "small.yaml", "--quiet", "--method",
        ] + method)
      try #require(result.status == 0, "\(result.stderr)")
      let path = workshop.folder.appending(path: name).path
      return (result, try AnalysisFile(path: path, clock: ModelClock(hours: 1440)))
    }

    private func prepare(_ variant: String) throws -> String {
      let workshop = try workshop()
      try FileManager.default.createDirectory(
        at: workshop.folder.appending(path: "foreign"), withIntermediateDirectories: true)
      for initial in ["plain", "model-unit"] {
        try workshop.foreign("initial", "made/initial.nc", "foreign/\(initial)-initial.nc", initial)
      }
      try workshop.foreign("observations", "made/observations.nc", "foreign/\(variant).nc", variant)
      return "foreign/\(variant).nc"
    }

    @Test(arguments: [("three-times", 3), ("float-fill", 20), ("points", 19), ("five-hundred-times", 500)])
    func agentsReadThem(variant: String, times: Int) throws {
      let observations = try prepare(variant)
      let (_, analysis) = try assimilate(
        ["rl", "--agents", "made/agents"], observations: observations, to: "foreign/rl-\(variant).nc", ranks: 10)
      #expect(analysis.times.count == times)
      #expect(analysis.fields == ["K", "R", "Z", "a", "MJO"])
      for field in analysis.fields {
        #expect(try analysis.mean(of: field).allSatisfy(\.isFinite), "\(field)")
        #expect(try analysis.spread(of: field).allSatisfy { $0.isFinite && $0 >= 0 }, "\(field)")
      }
      // Sane where nothing was observed, too: positive, below what the model ever reaches, and not certain.
      let (mean, spread) = (try analysis.mean(of: "a"), try analysis.spread(of: "a"))
      for i in mean.indices where 10..<20 ~= i % 64 {
        #expect(mean[i] >= 1e-4 && mean[i] < 4, "\(mean[i]) at \(i)")
        #expect(spread[i] > 0, "at \(i)")
      }
    }

    /// Nothing to learn is no error: one note, and the same as without observations.
    @Test func withoutAnObservationTheAnalysisIsTheForecast() throws {
      let observations = try prepare("all-missing")
      let workshop = try workshop()
      func means(_ method: String) throws -> ([Double], String) {
        let name = "foreign/nothing-\(method).nc"
        let result = try workshop.daunce(
          2, "assimilate", "--initial", "foreign/plain-initial.nc", "--observations", observations, "--output", name,
          "--config", "small.yaml", "--method", method)
        try #require(result.status == 0, "\(result.stderr)")
        let file = try AnalysisFile(
          path: workshop.folder.appending(path: name).path, clock: ModelClock(hours: 1440))
        return (try file.mean(of: "K"), result.stderr)
      }
      let (analysis, words) = try means("floored-eakf")
      #expect(words.contains("no usable observation"), "\(words)")
      #expect(try analysis == means("free").0)
    }

    /// The same observations in any form give the same analyses.
    @Test func formsAreEquivalent() throws {
      let method = ["constrained-eakf"]
      let grid = try assimilate(
        method, observations: try prepare("gappy"), to: "foreign/grid.nc", ranks: 3).analysis
      let points = try assimilate(
        method, observations: try prepare("points"), to: "foreign/points-filter.nc", ranks: 3).analysis
      #expect(grid.times.count == 20 && points.times.count == 19)
      // The time without any observation is not in the list, so its analysis is not written, but the others are equal.
      let (a, b) = (try grid.mean(of: "a"), try points.mean(of: "a"))
      #expect(Array(a[..<128]) == Array(b[..<128]))
      #expect(Array(a[192...]) == Array(b[128...]))
    }

    /// Dates and the model's unit are the same times.
    @Test func unitsAreEquivalent() throws {
      let method = ["floored-eakf"]
      let dates = try assimilate(method, observations: try prepare("gappy"), to: "foreign/dates.nc", ranks: 2).analysis
      for initial in ["plain", "model-unit"] {
        let numbers = try assimilate(
          method, observations: try prepare("model-unit"), initial: initial, to: "foreign/numbers.nc", ranks: 2
        ).analysis
        #expect(try dates.mean(of: "a") == numbers.mean(of: "a"), "\(initial)")
        #expect(zip(dates.times, numbers.times).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(numbers.times.count == 20 && abs(numbers.times[0] - 20.02) < 1e-12)
      }
    }

    /// A filter knows less where it sees less.
    @Test func missingCellsAreLessCertain() throws {
      let analysis = try assimilate(
        ["floored-eakf"], observations: try prepare("float-fill"), to: "foreign/spread.nc", ranks: 2).analysis
      let spread = try analysis.spread(of: "a")
      func mean(_ cells: Range<Int>) -> Double {
        // The first times still have the initial spread.
        let values = (10..<20).flatMap { time in cells.map { spread[time * 64 + $0] } }
        return values.reduce(0, +) / Double(values.count)
      }
      #expect(mean(12..<18) > 1.2 * mean(30..<60), "\(mean(12..<18)) against \(mean(30..<60))")
    }
  }
}
