import Foundation
import TestSupport
import Testing

extension JobTests {
  /// The contract of models, held against built-in ones, examples, faulty ones and new skeletons.
  @Suite struct ContractTests {
    private struct Line: Decodable {
      let name, found, verdict: String
    }

    private struct Report: Decodable {
      let holds: Bool
      let rows: [Line]
    }

    private func check(_ settings: [String]) throws -> (JobResult, Report) {
      let words = settings.flatMap { ["--set", $0] }
      let result = try run(
        executable: "daunce-mpi", arguments: ["check-model", "--json", "--quiet"] + words, in: JobTests.workshop().folder)
      return (result, try JSONDecoder().decode(Report.self, from: Data(result.stdout.utf8)))
    }

    @Test(arguments: [
      ["model.name=mjo-skeleton"], ["model.name=lorenz96"], ["model.name=lorenz63", "filter.half_width=null", "agents.window=1"],
      ["model.name=advection1d"], ["model.name=convection", "model.cells=32", "model.levels=16"],
    ])
    func builtInModelsKeepIt(settings: [String]) throws {
      let (result, report) = try check(settings)
      #expect(result.status == 0 && report.holds, "\(result.stdout)\(result.stderr)")
      #expect(report.rows.count { $0.verdict == "holds" } >= 10)
    }

    @Test(.enabled(if: ModelLibraries.canBeBuilt), arguments: ["liblorenz96.so", "libtracer.so", "libadams_bashforth.so"])
    func examplesKeepIt(library: String) throws {
      let path = try ModelLibraries.examples(JobTests.workshop()).appending(path: library).path
      let (result, report) = try check(["model.name=plugin", "model.library=\(path)"])
      #expect(result.status == 0 && report.holds, "\(result.stdout)\(result.stderr)")
      let names = report.rows.map(\.name)
      #expect(names.contains("invariant mass") == (library == "libtracer.so"))
      #expect(names.contains("memory: saved and restored") == (library == "libadams_bashforth.so"))
      #expect(names.contains("coarse forecast: same bits") == (library == "liblorenz96.so"))
    }

    @Test(.enabled(if: ModelLibraries.canBeBuilt), arguments: [
      (3, "forecast", "found nan in cell 2 of u"), (4, "memory of the process", "1008 bytes more after every forecast"),
      (1, "forecast", "crashed (Segmentation fault)"), (12, "forecast: same seed, same bits", "a difference of"),
      (13, "nothing is kept besides the state", "a difference of"), (14, "forecast: numbers", "-1.0 in cell 0 of u"),
      (15, "invariant mean", "changes by"), (16, "initial state: same seed, same bits", "a difference of"),
    ])
    func faultsAreFound(fault: Int, line: String, found: String) throws {
      let library = try ModelLibraries.faulty(JobTests.workshop(), "-DCONTRACT")
      let (result, report) = try check([
        "model.name=plugin", "model.library=\(library.path)", "model.parameters.fault=\(fault)",
      ])
      #expect(result.status == 65 && !report.holds)
      let broken = report.rows.filter { $0.verdict == "broken" }
      #expect(broken.contains { $0.name == line && $0.found.contains(found) }, "\(broken)")
    }

    @Test func oneRankIsEnough() throws {
      let result = try JobTests.workshop().daunce(2, "check-model", "--set", "model.name=lorenz96")
      #expect(result.status == 65 && result.stderr.contains("check-model: found 2 ranks; expected one"), "\(result.stderr)")
    }
  }

  /// Skeletons of new models do what their READMEs say.
  @Suite struct NewModelTests {
    private func make(_ words: String...) throws -> JobResult {
      try run(executable: "daunce-mpi", arguments: ["new-model"] + words, in: JobTests.workshop().folder)
    }

    @Test(.enabled(if: ModelLibraries.canBeBuilt), arguments: ["c", "fortran"])
    func librariesAreBuiltAndTried(language: String) throws {
      let folder = try JobTests.workshop().folder.appending(path: "new-\(language)")
      let made = try make("new-\(language)", "--kind", "plugin", "--language", language)
      try #require(made.status == 0, "\(made.stderr)")
      let test = try run(
        command: ["make", "test", "DAUNCE=\(buildFolder.appending(path: "daunce-mpi").path)"], in: folder, timeout: 120)
      #expect(test.status == 0, "\(test.stdout)\(test.stderr)")
      #expect(test.stdout.contains("the model keeps its contract") && test.stdout.contains("\nletkf "))
      #expect(try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8).hasPrefix("# new-\(language)\n"))
      #expect(
        try Data(contentsOf: folder.appending(path: "daunce_model.h"))
          == Data(contentsOf: sourceFolder.appending(path: "Sources/CDaunceModel/include/daunce_model.h")))
    }

    @Test(.enabled(if: ExternalPrograms.canBeBuilt), arguments: ["c", "python"])
    func programsAreBuiltAndTried(language: String) throws {
      guard language == "c" || isInstalled("python3") else { return }
      let folder = try JobTests.workshop().folder.appending(path: "new-program-\(language)")
      let made = try make("new-program-\(language)", "--kind", "external", "--language", language)
      try #require(made.status == 0, "\(made.stderr)")
      let test = try run(
        command: ["make", "all", "test", "DAUNCE=\(buildFolder.appending(path: "daunce-mpi").path)"], in: folder, timeout: 120)
      #expect(test.status == 0, "\(test.stdout)\(test.stderr)")
      #expect(test.stdout.contains("the model keeps its contract") && test.stdout.contains("\nletkf "))
      let readme = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
      #expect(readme.hasPrefix("# new-program-\(language)\n") && readme.contains("`model.\(language == "c" ? "c" : "py")`"))
    }

    /// The skeleton's sources against this build's modules: the package of docs/examples has been built as a whole.
    @Test func aSwiftPackageCompiles() throws {
      let folder = try JobTests.workshop().folder.appending(path: "new-swift")
      let made = try make("new-swift", "--kind", "swift")
      try #require(made.status == 0, "\(made.stderr)")
      let maps = ["COpenBLAS", "COpenMPI", "CNetCDF", "CNLopt", "CLinux"].flatMap {
        ["-Xcc", "-fmodule-map-file=\(sourceFolder.path)/Sources/\($0)/module.modulemap"]
      }
      let headers = try ["ompi-c", "openblas", "netcdf", "nlopt"].flatMap { library in
        let flags = try run(command: ["pkg-config", "--cflags", library])
        return flags.stdout.split(whereSeparator: \.isWhitespace).flatMap { ["-Xcc", String($0)] }
      }
      let check = try run(
        command: [
          "swiftc", "-swift-version", "6", "-typecheck", "-I", buildFolder.appending(path: "Modules").path, "-I",
          sourceFolder.appending(path: "Sources/CDaunceModel/include").path, "-I",
          sourceFolder.appending(path: ".build/checkouts/Yams/Sources/CYaml/include").path,
        ] + maps + headers + ["main.swift", "OwnModel.swift"].map { folder.path + "/Sources/new-swift/\($0)" }, timeout: 120)
      #expect(check.status == 0, "\(check.stdout)\(check.stderr)")
      let package = try String(contentsOf: folder.appending(path: "Package.swift"), encoding: .utf8)
      #expect(package.contains("path: \"\(sourceFolder.path)\"") && package.contains("name: \"new-swift\""))
      #expect(FileManager.default.isExecutableFile(atPath: folder.path + "/test"))
    }

    @Test func nothingIsOverwrittenAndNamesAreChecked() throws {
      let first = try make("taken", "--kind", "plugin")
      let second = try make("taken", "--kind", "swift")
      #expect(first.status == 0 && second.status == 74, "\(second.stderr)")
      #expect(second.stderr.contains("taken: found something of that name here; expected a new name"))
      for words in [["a/b", "--kind", "plugin"], ["1a", "--kind", "plugin"], ["ok", "--kind", "swift", "--language", "fortran"], ["ok", "--kind", "java"], ["ok", "--kind", "external", "--language", "fortran"], ["ok", "--kind", "plugin", "--language", "python"]] {
        let result = try run(executable: "daunce-mpi", arguments: ["new-model"] + words, in: JobTests.workshop().folder)
        #expect(result.status == 64, "\(words): \(result.stderr)")
      }
    }
  }

  /// The example in two dimensions against its own known answers.
  @Suite(.enabled(if: ModelLibraries.canBeBuilt && FileManager.default.fileExists(atPath: "/usr/include/fftw3.h")))
  struct QuasiGeostrophicTests {
    @Test func knownAnswersAndTheContract() throws {
      let folder = try JobTests.workshop().folder.appending(path: "quasi-geostrophic")
      try FileManager.default.copyItem(at: sourceFolder.appending(path: "docs/examples/quasi-geostrophic"), to: folder)
      let headers = sourceFolder.appending(path: "Sources/CDaunceModel/include").path
      let made = try run(command: ["make", "check", "INCLUDE=\(headers)"], in: folder, timeout: 180)
      #expect(made.status == 0 && made.stdout.contains("\n0 failed"), "\(made.stdout)\(made.stderr)")
      let result = try run(
        executable: "daunce-mpi",
        arguments: [
          "check-model", "--quiet", "--set", "model.name=plugin", "--set", "model.library=./libquasi_geostrophic.so", "--set",
          "model.parameters={n: 32, length: 800}",
        ], in: folder, timeout: 120)
      #expect(result.status == 0 && result.stdout.contains("psi1 (32 x 32), psi2 (32 x 32)"), "\(result.stdout)\(result.stderr)")
    }
  }
}
