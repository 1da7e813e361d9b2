import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// `launch/figures` on what small jobs have written.
  @Suite(.enabled(if: canDraw, "no Python 3 here has xarray, netCDF4 and matplotlib"))
  struct FiguresTests {
    private func figures(_ arguments: String...) throws -> JobResult {
      try run(script: "launch/figures", arguments: arguments, in: workshop().folder)
    }

    private func names(_ folder: String) throws -> Set<String> {
      let path = try workshop().folder.appending(path: "\(folder)/figures").path
      return FileManager.default.fileExists(atPath: path) ? Set(try workshop().contents("\(folder)/figures").keys) : []
    }

    private func both(_ figures: [String]) -> Set<String> { Set(figures.flatMap { ["\($0).png", "\($0).pdf"] }) }

    @Test func aRunGivesEveryFigure() throws {
      let workshop = try workshop()
      for members in [2, 3] {
        let result = try workshop.job(
          2,
          [
            "run", "--config", "small.yaml", "--members", "\(members)", "--output", "drawn-\(members)", "--quiet",
            "--set", "methods=[rl, constrained-eakf, eakf]",
          ] + (members == 3 ? ["--set", "model.background=warm-pool"] : []))
        try #require(result.status == 0, "\(result.stderr)")
      }
      let all = try figures("drawn-3")
      #expect(all.status == 0)
      #expect(
        all.stderr.hasPrefix("launch/figures: drawn-3: no members: all results have the same number of members; "))
      #expect(all.stderr.split(separator: "\n").count == 1, "\(all.stderr)")
      let table: Set = ["table2.csv", "table2.md"]
      let expected = [
        "observations", "trajectories", "hovmoller-MJO", "hovmoller-a", "energy", "warm-pool", "table2", "multipliers",
        "training", "ranks",
      ]
      #expect(try names("drawn-3") == both(expected).union(table))
      #expect(all.lines == expected.map { "drawn-3/figures/\($0).png" })
      for (name, contents) in try workshop.contents("drawn-3/figures") where !table.contains(name) {
        let start = Array(contents.prefix(4))
        #expect(start == (name.hasSuffix(".png") ? [0x89, 0x50, 0x4E, 0x47] : Array("%PDF".utf8)), "\(name)")
        #expect(contents.count > 8000, "\(name)")
      }
      try checkTable("drawn-3")

      let together = try figures("--only", "profile", "--only", "members", "drawn-2", "drawn-3")
      #expect(together.status == 0)
      #expect(
        together.lines == ["drawn-2/figures/profile", "drawn-3/figures/warm-pool", "drawn-2/figures/members"].map {
          "\($0).png"
        })
      #expect(try names("drawn-2") == both(["profile", "members"]))
      // Skill over a warm pool is not that over the other background, and the user hears of it.
      #expect(
        together.stderr == "launch/figures: members: drawn-3 has other truths or times than drawn-2: "
          + "skill depends on them\n")
    }

    /// The table has the MJO's RMSE (4.10) of every method, truth and time that it shows, worked out here once more.
    private func checkTable(_ results: String) throws {
      let folder = try workshop().folder.appending(path: results)
      let text = try String(contentsOf: folder.appending(path: "figures/table2.csv"), encoding: .utf8)
      let lines = text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
      #expect(lines.first == ["score", "method", "truth", "time", "value"])
      // Two scores of two methods (the third fails at once) on two truths at four times.
      #expect(lines.count == 1 + 2 * 2 * 2 * 4)
      // The run's end: cycle 20 of 28.8 hours.
      let line = try #require(lines.first { $0.prefix(4) == ["rmse", "rl", "1", "24"] })
      let analysis = try DatasetReader(path: folder.appending(path: "analysis-rl.nc").path)
      let nature = try DatasetReader(path: folder.appending(path: "nature.nc").path)
      let mean = try analysis.values("MJO_mean", of: Double.self).suffix(64)
      let truth = try nature.values("MJO", of: Double.self).suffix(64)
      let centre = truth.reduce(0, +) / 64
      let error = zip(mean, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let variance = truth.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
      let value = try #require(Double(line[4]))
      #expect(abs(value - (error / variance).squareRoot()) < 1e-5 * value)
    }

    /// What train writes is enough for the figures of a training, and nothing else is asked for.
    @Test func aTrainingIsDrawnFromItsOwnFolder() throws {
      let trained = try workshop().daunce(
        2, "train", "--config", "small.yaml", "--output", "drawn-training", "--quiet")
      try #require(trained.status == 0, "\(trained.stderr)")
      let result = try figures("drawn-training")
      #expect(result.status == 0 && result.stderr.isEmpty, "\(result.stderr)")
      #expect(try names("drawn-training") == both(["multipliers", "training"]))
      let other = try figures("--only", "energy", "drawn-training")
      #expect(other.stderr.contains("no energy: train has written no nature run"), "\(other.stderr)")
    }

    /// Files of single stages: what can be drawn is, and a line says what cannot and which setting gives it.
    @Test func whatIsMissingIsNamed() throws {
      let result = try figures("made")
      #expect(result.status == 0)
      #expect(try names("made") == both(["observations", "multipliers", "training"]))
      let lines = result.stderr.split(separator: "\n")
      #expect(lines.count == 7, "\(result.stderr)")
      for figure in ["trajectories", "hovmoller", "energy", "profile", "table2", "ranks", "members"] {
        #expect(
          lines.count { $0.hasPrefix("launch/figures: made: no \(figure): ") && $0.contains("; ") } == 1, "\(figure)")
      }
      #expect(result.stderr.contains("scores.nc is missing; daunce-mpi run writes it"))
      // Other tests compare this folder.
      try FileManager.default.removeItem(at: workshop().folder.appending(path: "made/figures"))
    }

    /// Fields over height and x, and their errors with time; nothing of it for models on a line.
    @Test func aSquallLineIsDrawnOverHeightAndPlace() throws {
      let config = sourceFolder.appending(path: "docs/experiments/squall-line-small.yaml").path
      let settings = [
        "methods=[free, letkf]", "model.levels=8", "truths.test=1", "truths.cycles=2", "truths.spinup_cycles=1",
        "observations.networks=[{field: w, random: 20, interval: 5, sd: 0.2}]",
      ]
      let result = try workshop().job(
        1,
        ["run", "--config", config, "--members", "3", "--output", "line", "--quiet"]
          + settings.flatMap { ["--set", $0] })
      try #require(result.status == 0, "\(result.stderr)")
      let drawn = try figures("--only", "section", "line")
      #expect(drawn.status == 0 && drawn.stderr.isEmpty, "\(drawn.stderr)")
      #expect(try names("line") == both(["section-observed", "section-unobserved", "section-time"]))
    }

    @Test(arguments: [
      (["nowhere"], 66, "nowhere: found no such folder, expected one that daunce-mpi has written"),
      (["empty"], 65, "empty: found no nature.nc, expected the results of `daunce-mpi run`"),
      (["broken"], 65, "broken/nature.nc: cannot be read as NetCDF: "),
      (["made", "--truth", "1"], 64, "--truth: found 1, expected a number from 0 to 0 for made"),
    ])
    func wrongFoldersAreOneError(arguments: [String], status: Int, message: String) throws {
      let workshop = try workshop()
      for name in ["empty", "broken"] {
        try FileManager.default.createDirectory(
          at: workshop.folder.appending(path: name), withIntermediateDirectories: true)
      }
      try workshop.write("no NetCDF", to: "broken/nature.nc")
      let result = try run(script: "launch/figures", arguments: arguments, in: workshop.folder)
      #expect(result.status == Int32(status) && result.stdout.isEmpty)
      #expect(result.stderr.hasPrefix("launch/figures: \(message)"), "\(result.stderr)")
      #expect(result.stderr.split(separator: "\n").count == 1, "\(result.stderr)")
      for name in ["empty", "broken", "made"] { #expect(try self.names(name).isEmpty) }
    }
  }
}

/// Whether one of the interpreters that the script tries has the packages: it must not install any in a test.
private let canDraw: Bool = ["python3", "/usr/bin/python3"].contains { python in
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [python, "-c", "import matplotlib, netCDF4, xarray"]
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}
