import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Libraries that crash, end the process, leave what is no number, lose memory or are something else: each is named, and
  /// none takes results with it.
  @Suite(.enabled(if: ModelLibraries.canBeBuilt)) struct FaultyLibraryTests {
    private static let configuration = """
      members: 4
      model: {name: plugin}
      truths: {test: 1, cycles: 8, spinup_cycles: 1}
      initial: {climatology_runs: 4}
      filter: {half_width: 1}
      """

    private func files() throws -> (Workshop, String) {
      let workshop = try JobTests.workshop()
      let library = try ModelLibraries.faulty(workshop).path
      try workshop.write(Self.configuration, to: "faulty.yaml")
      if !FileManager.default.fileExists(atPath: workshop.folder.path + "/faulty/initial.nc") {
        let result = try workshop.daunce(
          1, "simulate", "--config", "faulty.yaml", "--set", "model.library=\(library)", "--output", "faulty", "--quiet")
        try #require(result.status == 0, "\(result.stderr)")
      }
      return (workshop, library)
    }

    private func assimilate(_ workshop: Workshop, _ library: String, ranks: Int, fault: Int, output: String) throws -> JobResult {
      try workshop.daunce(
        ranks, "assimilate", "--config", "faulty.yaml", "--method", "letkf", "--initial", "faulty/initial.nc",
        "--observations", "faulty/observations.nc", "--output", output, "--quiet", "--set", "model.library=\(library)",
        "--set", "model.parameters={fault: \(fault), at: 5}")
    }

    @Test(arguments: [
      (1, "crashed (Segmentation fault) in daunce_model_forecast (from time 5.0 to 6.0)"),
      (2, "ended the process with code 3 in daunce_model_forecast (from time 5.0 to 6.0)"),
      (3, "daunce_model_forecast from time 5.0 to 6.0: found nan in cell 2 of u; expected finite numbers"),
      (5, "crashed (Aborted) in daunce_model_forecast (from time 5.0 to 6.0)"),
      (6, "crashed (Segmentation fault) in daunce_model_forecast (from time 5.0 to 6.0)"),
      (7, "daunce_model_forecast failed (from time 5.0 to 6.0): the sea is too rough today"),
      (8, "crashed (Floating point exception) in daunce_model_forecast (from time 5.0 to 6.0)"),
    ])
    func faultsAreNamedAndAnalysesBeforeThemAreKept(fault: Int, message: String) throws {
      let (workshop, library) = try files()
      for ranks in [1, 3] {
        let output = "faulty-\(fault)-\(ranks)"
        let result = try assimilate(workshop, library, ranks: ranks, fault: fault, output: output)
        #expect(result.status == 65, "\(result.stderr)")
        #expect(
          result.stderr.contains("daunce-mpi: member 0, cycle 6: model library \(library): \(message); "), "\(result.stderr)")
        #expect(result.stderr.contains("\(output)/analysis-letkf.nc holds the analyses before it"))
        let file = try DatasetReader(path: workshop.folder.path + "/\(output)/analysis-letkf.nc")
        let mean: [Double] = try file.values("u_mean")
        #expect(mean.prefix(5 * 4).allSatisfy(\.isFinite) && mean.suffix(3 * 4).allSatisfy(\.isNaN))
      }
    }

    @Test func nothingIsChangedForOthersByTheLibrarysArithmetic() throws {
      let (workshop, library) = try files()
      let plain = try assimilate(workshop, library, ranks: 1, fault: 0, output: "arithmetic")
      let flushed = try assimilate(workshop, library, ranks: 1, fault: 9, output: "arithmetic-flushed")
      try #require(plain.status == 0 && flushed.status == 0, "\(plain.stderr)\(flushed.stderr)")
      let means: [[Double]] = try ["arithmetic", "arithmetic-flushed"].map {
        try DatasetReader(path: workshop.folder.path + "/\($0)/analysis-letkf.nc").values("u_mean")
      }
      #expect(means[0] == means[1])
    }

    @Test func lostMemoryIsTold() throws {
      let (workshop, library) = try files()
      var text: [Int: String] = [:]
      for fault in [0, 4] {
        let result = try workshop.daunce(
          2, "run", "--config", "faulty.yaml", "--output", "lost-\(fault)", "--set", "model.library=\(library)",
          "--set", "model.parameters={fault: \(fault)}", "--set", "methods=[free]", "--cycles", "200")
        #expect(result.status == 0, "\(result.stderr)")
        text[fault] = result.stderr
      }
      #expect(text[4]?.contains("model library \(library) loses 1008 bytes of memory in every forecast") == true, "\(text)")
      #expect(text[0]?.contains("loses") == false, "\(text)")
    }

    @Test(arguments: [
      (["-DVERSION=2"], "found version 2 of daunce_model.h; expected version 1"),
      (["-DNO_FORECAST"], "found no daunce_model_forecast; expected the functions of daunce_model.h"),
      (["-DBAD_DESCRIPTION"], "description:2: time_step: found -1, expected a number above 0"),
      (["-DBAD_DESCRIPTION"], "description:3: fields[0].scale: found big, expected a number above 0"),
      (["-DBAD_DESCRIPTION"], "description:3: fields[1].nome: found an unknown key, expected a known one; the nearest is fields[1].name"),
    ])
    func librariesThatAreSomethingElseAreRefused(flags: [String], message: String) throws {
      let workshop = try JobTests.workshop()
      let library = try ModelLibraries.faulty(workshop, flags[0])
      try workshop.write(Self.configuration, to: "faulty.yaml")
      let result = try workshop.daunce(
        2, "simulate", "--config", "faulty.yaml", "--output", "refused", "--set", "model.library=\(library.path)")
      #expect(result.status == 65 && result.stderr.contains("model library \(library.path): \(message)"), "\(result.stderr)")
      #expect(!FileManager.default.fileExists(atPath: workshop.folder.path + "/refused"))
    }

    /// A host with another version of the library.
    @Test func librariesThatDifferFromRankToRankAreRefused() throws {
      let workshop = try JobTests.workshop()
      let library = try ModelLibraries.faulty(workshop, "-DBY_RANK")
      try workshop.write(Self.configuration, to: "faulty.yaml")
      let result = try workshop.daunce(
        2, "simulate", "--config", "faulty.yaml", "--output", "by-rank", "--set", "model.library=\(library.path)")
      #expect(result.status == 64 && result.stderr.contains("the model"), "\(result.stderr)")
    }

    @Test(arguments: [
      (["model.library=./nothing.so"], "daunce-mpi: model library ./nothing.so: found nothing there; expected a shared library"),
      (["model.library=faulty.yaml"], "daunce-mpi: model library faulty.yaml: found ./faulty.yaml: "),
      ([], "model.name, model.library: found plugin and none, expected the file of a shared library"),
      (["model.library=LIBRARY", "model.parameters.fault=10"], "cannot make a model: the sea is too rough today"),
      (["model.library=LIBRARY", "model.parameters.fault=11"], "crashed (Segmentation fault) in daunce_model_create (making a model)"),
      (["model.library=LIBRARY", "model.cells=12"], "expected mjo-skeleton or lorenz96"),
      (["model.library=LIBRARY", "model.parameters.a={}"], "model.parameters.a: found a group of keys, expected a number, a word or a list of them"),
      (["model.library=LIBRARY", "methods=[rl]"], "found agents for faulty, which has no coarse step; expected agents that correct a filter's analysis"),
    ])
    func badSettingsAreNamed(settings: [String], message: String) throws {
      let (workshop, library) = try files()
      let words = settings.flatMap { ["--set", $0.replacingOccurrences(of: "LIBRARY", with: library)] }
      let result = try workshop.job(2, ["run", "--config", "faulty.yaml", "--output", "bad-settings"] + words)
      #expect(result.status == 65 || result.status == 64, "\(result.stderr)")
      #expect(result.stderr.contains(message), "\(result.stderr)")
    }
  }
}
