import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Models with the Basic Model Interface, by the example's plate.
  @Suite(.enabled(if: ModelLibraries.canBeBuilt)) struct BMITests {
    /// A folder with the example's configuration, its file and a library.
    private func makePlate(_ name: String, library: URL? = nil) throws -> (Workshop, String) {
      let workshop = try JobTests.workshop()
      let place = try workshop.makePlace(name)
      let folder = workshop.folder.appending(path: place)
      let built = try library ?? ModelLibraries.examples(workshop).appending(path: "libheat.so")
      let source = sourceFolder.appending(path: "docs/examples/models/bmi/heat.yaml")
      try? FileManager.default.removeItem(at: folder.appending(path: "libheat.so"))
      try FileManager.default.createSymbolicLink(at: folder.appending(path: "libheat.so"), withDestinationURL: built)
      try workshop.write(try String(contentsOf: source, encoding: .utf8), to: "\(place)/heat.yaml")
      try workshop.write("16 12\n", to: "\(place)/plate.txt")
      return (workshop, place)
    }

    @Test func temperatureAndDiffusivityAreEstimatedAtAnyNumberOfRanks() throws {
      var known: [String: Data]?
      for ranks in [1, 3] {
        let (workshop, place) = try makePlate("bmi-\(ranks)")
        let result = try workshop.job(ranks, ["run", "--config", "heat.yaml", "--output", "out", "--quiet"], in: place)
        try #require(result.status == 0, "\(result.stderr)")
        var files = try workshop.contents("\(place)/out")
        let removed = files.removeValue(forKey: "scores.json")
        let text = try #require(removed)
        let report = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let methods = try #require(report["methods"] as? [String: [String: Any]])
        let errors = methods.compactMapValues { $0["absolute_rmse"] as? [String: Double] }
        for (field, share) in [("temperature", 0.7), ("diffusivity", 0.4)] {
          let analysis = try #require(errors["letkf"]?[field])
          let free = try #require(errors["free"]?[field])
          #expect(analysis < share * free, "\(field): \(analysis), free \(free)")
        }
        if let known { #expect(differences(known, files).isEmpty) }
        known = files
      }
    }

    /// The plate depends on its clock, which cannot be restored: a line says so.
    @Test func whatCannotBeRestoredIsTold() throws {
      let (workshop, place) = try makePlate("bmi-resumed")
      let job = try RunningJob(
        ranks: 1, executable: "daunce-mpi", arguments: ["run", "--config", "heat.yaml", "--output", "out2", "--checkpoint-every", "1"],
        in: workshop.folder.appending(path: place))
      let manifests = workshop.folder.appending(path: "\(place)/out2/checkpoints")
      func isSaved() -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: manifests.path)) ?? []
        return names.count(where: { $0.hasPrefix("manifest") }) >= 2
      }
      while job.isRunning, !isSaved() { usleep(1000) }
      job.signalLauncher(SIGUSR1)
      let stopped = try job.wait()
      try #require(stopped.status == 75, "\(stopped.stderr)")
      let resumed = try workshop.job(1, ["run", "--config", "heat.yaml", "--output", "out2", "--resume"], in: place)
      #expect(resumed.status == 0, "\(resumed.stderr)")
      #expect(resumed.stderr.contains("heated-plate: nothing but the state can be restored"), "\(resumed.stderr)")
    }

    @Test func theContractHolds() throws {
      let (workshop, place) = try makePlate("bmi-contract")
      let result = try run(
        executable: "daunce-mpi", arguments: ["check-model", "--config", "heat.yaml", "--quiet"],
        in: workshop.folder.appending(path: place))
      #expect(result.status == 0, "\(result.stdout)\(result.stderr)")
      #expect(result.stdout.contains("temperature (12 x 16), diffusivity ()"), "\(result.stdout)")
    }

    @Test(arguments: [
      (["model.register=register_cold"], "found no function register_cold; expected the one that fills in the table"),
      (["model.config=nothing.txt"], "initialize failed with code 1 (with nothing.txt)"),
      (["model.config=null"], "initialize failed with code 1 (without a file)"),
      (["model.variables=[{variable: colour}]"], "get_var_grid failed with code 1 (colour)"),
      (["model.variables=[]"], "model.name, model.variables: found bmi and [], expected at least one prognostic variable"),
      (["model.register=null"], "model.name, model.register: found bmi and none, expected the name of the registering function"),
      (["model.library=nothing.so"], "BMI library nothing.so: found nothing there; expected a shared library"),
    ])
    func badSettingsAreNamed(settings: [String], message: String) throws {
      let (workshop, place) = try makePlate("bmi-bad")
      let words = settings.flatMap { ["--set", $0] }
      let result = try workshop.job(2, ["run", "--config", "heat.yaml", "--output", "out"] + words, in: place)
      #expect([64, 65].contains(result.status) && result.stderr.contains(message), "\(result.stderr)")
    }

    /// One that registers nothing, and one that crashes in the middle.
    @Test(arguments: [
      ("*model = (Bmi){0};", "found no initialize, update, finalize, get_component_name"),
      ("model->update = crash;", "crashed (Segmentation fault) in update (time step"),
      ("model->get_var_type = whole;", "variable plate_surface__temperature: found numbers of type int; expected double or float"),
      ("model->get_var_nbytes = little;", "variable plate_surface__temperature: found 8 bytes; expected 1536, for 192 cells of its grid"),
    ])
    func faultyLibrariesAreNamed(change: String, message: String) throws {
      let workshop = try JobTests.workshop()
      let library = workshop.folder.appending(path: "libheat-\(abs(change.hashValue)).so")
      let source = """
        #define register_heat register_good
        #include "heat.c"
        #undef register_heat
        static int crash(Bmi *self) { return *(volatile int *)0 + (self != 0); }
        static int whole(Bmi *self, const char *name, char *text) { return strcpy(text, "int"), 0; }
        static int little(Bmi *self, const char *name, int *size) { return *size = 8, 0; }
        Bmi *register_heat(Bmi *model) { register_good(model); \(change) return model; }
        """
      try workshop.write(source, to: "faulty-heat.c")
      let compiler = try run(
        command: [
          "cc", "-O1", "-w", "-fPIC", "-shared", "-I\(sourceFolder.path)/Sources/CDaunceModel/include",
          "-I\(sourceFolder.path)/docs/examples/models/bmi", "-o", library.path, "faulty-heat.c", "-lm",
        ], in: workshop.folder)
      try #require(compiler.status == 0, "\(compiler.stderr)")
      let (_, place) = try makePlate("bmi-faulty", library: library)
      let result = try workshop.job(2, ["run", "--config", "heat.yaml", "--output", "out"], in: place)
      #expect(result.status == 65 && result.stderr.contains("BMI library ./libheat.so: "), "\(result.stderr)")
      #expect(result.stderr.contains(message), "\(result.stderr)")
    }
  }
}
