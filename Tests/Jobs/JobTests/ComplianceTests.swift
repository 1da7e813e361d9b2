import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Every NetCDF file of every command against the CF conventions, by the compliance checker of IOOS.
  @Suite(
    .enabled(
      if: checker != nil,
      "compliance-checker is neither in PATH nor $DAUNCE_COMPLIANCE_CHECKER; launch/compliance-checker installs it"))
  struct ComplianceTests {
    /// What the checker says of one file.
    struct Report {
      var errors: Set<String> = []
      var warnings: Set<String> = []
    }

    /// What is left, and why it is left: circles are no longitudes although they are the axis X; members stand right of
    /// times, since files grow in time.
    static func isLeft(_ warning: String) -> Bool {
      warning == "longitude variable 'x' should define valid units for longitude"
        || warning.contains(" are not in the recommended order T, Z, Y, X ") && warning.contains(" time (T), member (U)")
    }

    /// Everything that jobs have written below `folder`: paths and reports.
    private func reports(_ folder: String, without exempt: Set<String> = []) throws -> [String: Report] {
      let workshop = try workshop()
      let files = try workshop.contents(folder).keys.filter { $0.hasSuffix(".nc") && !exempt.contains($0) }.sorted()
      let root = workshop.folder.appending(path: folder)
      let result = try run(
        command: [try #require(checker), "--test", "cf:1.10", "--format", "json_new", "--output", "cf.json"] + files,
        in: root, timeout: 300)
      // 1: there is something to say.
      try #require([0, 1].contains(result.status), "\(result.stdout)\(result.stderr)")
      let data = try Data(contentsOf: root.appending(path: "cf.json"))
      let parsed = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: [String: Any]]])
      #expect(parsed.keys.sorted() == files)
      return try parsed.mapValues { file in
        let cf = try #require(file["cf:1.10"])
        func messages(_ priority: String) throws -> Set<String> {
          let sections = try #require(cf["\(priority)_priorities"] as? [[String: Any]])
          return Set(sections.flatMap { $0["msgs"] as? [String] ?? [] })
        }
        return Report(
          errors: try messages("high"), warnings: try messages("medium").union(try messages("low")))
      }
    }

    private func job(_ command: String, _ arguments: [String]) throws {
      let result = try workshop().job(1, [command] + arguments + ["--quiet"])
      try #require(result.status == 0, "\(command): \(result.stderr)")
    }

    private static let agents = (0..<2).map { "agents/agent-000\($0).nc" }

    @Test func everyFileOfTheSkeletonModel() throws {
      let settings = ["--config", "small.yaml", "--members", "2"]
      try job(
        "run",
        settings + [
          "--output", "cf/run", "--set", "output.members=true", "--set", "methods=[rl, rl-unconstrained, free]",
        ])
      // Two networks of one variable give observations a variance for each.
      let networks = "[{field: a, cells: [0, 8], sd: 0.1}, {field: a, cells: [3], sd: 0.2}]"
      try job(
        "simulate",
        [
          "--members", "2", "--cycles", "60", "--output", "cf/two", "--set", "observations.networks=\(networks)", "--set",
          "methods=[eakf]",
        ])
      for stage in ["simulate", "train"] { try job(stage, settings + ["--output", "cf/one"]) }
      for (method, more) in [("rl", ["--agents", "cf/one/agents"]), ("floored-eakf", [])] {
        try job(
          "assimilate",
          settings + more + [
            "--method", method, "--initial", "cf/one/initial.nc", "--observations", "cf/one/observations.nc", "--output",
            "cf/one",
          ])
      }
      let folder = try workshop().folder
      try workshop().write("variable,x,value,error_variance\na,0.5,0.2,0.01\n", to: "cf/obs.csv")
      try FileManager.default.copyItem(
        at: folder.appending(path: "cf/one/initial.nc"), to: folder.appending(path: "cf/ensemble.nc"))
      try job(
        "analyze",
        [
          "--method", "letkf", "--ensemble", "cf/ensemble.nc", "--observations", "cf/obs.csv", "cf/one/observations.nc",
          "--output", "cf/analyzed", "--set", "filter.half_width=0.5", "--set", "state.periodic=[x]",
        ])

      let reports = try reports("cf", without: ["ensemble.nc", "analyzed/ensemble.nc"])
      let expected =
        ["nature", "observations", "scores", "training", "training-unconstrained"].map { "run/\($0).nc" }
        + ["rl", "rl-unconstrained", "free"].map { "run/analysis-\($0).nc" }
        + Self.agents.map { "run/\($0)" } + Self.agents.map { "run/\($0)" }
          .map { $0.replacingOccurrences(of: "agents/", with: "agents-unconstrained/") }
        + ["nature", "observations", "initial", "training", "analysis-rl", "analysis-floored-eakf"].map { "one/\($0).nc" }
        + Self.agents.map { "one/\($0)" } + ["observations", "increments"].map { "analyzed/\($0).nc" }
        + ["nature", "observations", "initial"].map { "two/\($0).nc" }
      #expect(reports.keys.sorted() == expected.sorted())
      for (file, report) in reports.sorted(by: { $0.key < $1.key }) {
        #expect(report.errors == [], "\(file)")
        #expect(report.warnings.filter { !Self.isLeft($0) } == [], "\(file)")
      }
    }

    /// A model whose unit of time is none of nature's has times that are no dates. That is all CF has against it; the
    /// checker also takes names in capitals for the same as others.
    @Test func aModelWithoutDatesFailsInThatAlone() throws {
      try job(
        "run",
        [
          "--members", "3", "--output", "cf-lorenz", "--cycles", "10", "--set", "model.name=lorenz96", "--set",
          "methods=[eakf]", "--set", "truths.test=1", "--set", "truths.spinup_cycles=2",
        ])
      for (file, report) in try reports("cf-lorenz") {
        #expect(
          report.errors == (file == "scores.nc"
            ? []
            : [
              "time does not have correct time units",
              "Coordinate variable 'time' should have standard_name='time', found: 'None'",
            ]), "\(file)")
        let known: Set = [
          "Time coordinate variable \"time\" should have a string valued attribute \"calendar\"",
          "Variables are not case sensitive. Duplicate variables named: x",
        ]
        #expect(report.warnings.filter { !Self.isLeft($0) }.isSubset(of: known), "\(file)")
      }
    }
  }
}

/// The checker: the one that is named, the one in PATH, or the one that `launch/compliance-checker` has installed.
private let checker: String? = {
  if let named = ProcessInfo.processInfo.environment["DAUNCE_COMPLIANCE_CHECKER"] { return named }
  if isInstalled("compliance-checker") { return "compliance-checker" }
  let own = sourceFolder.appending(path: ".build/compliance-checker/bin/compliance-checker").path
  return FileManager.default.isExecutableFile(atPath: own) ? own : nil
}()
