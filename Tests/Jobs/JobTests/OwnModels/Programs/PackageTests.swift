import DaunceArchive
import Foundation
import TestSupport
import Testing

/// The folder, if tests of packages are wanted.
private let environments = ProcessInfo.processInfo.environment["DAUNCE_TEST_PACKAGES"]

extension JobTests {
  /// Models from PyPI (docs/examples/packages), where DAUNCE_TEST_PACKAGES is a folder for their virtual environments: installing
  /// them takes a network and minutes.
  @Suite(.enabled(if: environments != nil, "DAUNCE_TEST_PACKAGES is not set to a folder for virtual environments"))
  struct PackageTests {
    /// The script's own exit code tells whether the contract holds and errors have fallen by the factor that it states; then a few
    /// cycles with the same bits at other numbers of ranks, and an error in Python, whose traceback is shown.
    @Test(arguments: [("qgs", ["psi", "temperature"]), ("landlab", ["depth", "rain"])])
    func packagesAreModels(name: String, fields: [String]) throws {
      let workshop = try JobTests.workshop()
      let place = "package-\(name)"
      let environment = try #require(environments) + "/" + name
      let program = buildFolder.appending(path: "daunce-mpi").path
      let result = try run(
        script: "docs/examples/packages/run", arguments: [name, place], in: workshop.folder, timeout: 1800,
        environment: mpirunSettings.merging(["DAUNCE": program, "DAUNCE_VENV": environment]) { $1 })
      guard result.status != 77 else { return print(result.stderr) }
      try #require(result.status == 0, "\(result.stdout)\(result.stderr)")
      #expect(result.stdout.contains("the model keeps its contract") && result.stdout.contains("smallest factor "))

      let path = environment + "/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
      func few(_ ranks: Int, _ more: [String]) throws -> JobResult {
        try mpirun(
          ranks: ranks, executable: "daunce-mpi",
          arguments: [
            "run", "--config", "experiment.yaml", "--output", "few-\(ranks)", "--cycles", "12", "--set", "truths.spinup_cycles=2",
            "--set", "truths.test=1", "--set", "methods=[letkf]",
          ] + more, in: workshop.folder.appending(path: place), timeout: 600, environment: ["PATH": path])
      }
      var means: [[[Double]]] = []
      for ranks in [1, 3] {
        let job = try few(ranks, [])
        try #require(job.status == 0, "\(job.stderr)")
        let reader = try DatasetReader(path: workshop.folder.path + "/\(place)/few-\(ranks)/analysis-letkf.nc")
        means.append(try fields.map { try reader.values("\($0)_mean") })
      }
      #expect(means[0] == means[1] && means[0][0].count > 100)

      let broken = try few(2, ["--set", "model.command=forecast {input} {output} {from} {to}"])
      #expect(broken.status == 65, "\(broken.status)")
      #expect(broken.stderr.contains("\nTypeError: forecast() missing 1 required positional argument: 'seed'"), "\(broken.stderr)")
    }
  }
}
