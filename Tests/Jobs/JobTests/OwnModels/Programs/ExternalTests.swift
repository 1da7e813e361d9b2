import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Models that are programs.
  @Suite(.enabled(if: ExternalPrograms.canBeBuilt)) struct ExternalTests {
    /// By NetCDF, doubles, workers and files of the model's own: the bits of the same model built in, at any number of ranks.
    @Test(arguments: [
      (1, ["model.command=./lorenz96 forecast {input} {output} {from} {to}", "model.format=netcdf"]),
      (3, ["model.command=./lorenz96 forecast {input} {output} {from} {to}", "model.format=netcdf"]),
      (1, ["model.command=./model forecast {input} {output} {from} {to}"]),
      (2, ["model.command=./model forecast \"{folder}/input.bin\" {output} {from} {to}", "model.at_once=1"]),
      (1, ["model.worker=./lorenz96 worker", "model.command=forecast {input} {output} {from} {to}", "model.format=netcdf"]),
      (3, ["model.worker=./lorenz96 worker", "model.command=forecast {input} {output} {from} {to}"]),
    ])
    func programsGiveTheBitsOfTheModelBuiltIn(ranks: Int, settings: [String]) throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "program-\(ranks)-\(abs(settings.hashValue))")
      let result = try programs.assimilate(ranks, settings)
      try #require(result.status == 0, "\(result.stderr)")
      #expect(try programs.values("X_mean") == programs.builtIn())
      #expect(try programs.values("member_status").allSatisfy { $0 == 0 })
      #expect(result.stderr.contains("letkf: 72 forecasts by programs, "), "\(result.stderr)")
    }

    /// A state in files of the model's own: a variable among others in NetCDF, which stay as they are, numbers as text.
    @Test func statesGoIntoFilesOfTheModelsOwn() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "named")
      let template = programs.folder.appending(path: "template")
      try FileManager.default.createDirectory(at: template, withIntermediateDirectories: true)
      // The restart file has one record of time, single precision, and another variable.
      let made = try run(
        executable: "ForeignWriter", arguments: ["restart", "40", "restart.nc", "plain"], in: template)
      try #require(made.status == 0, "\(made.stderr)")
      try Data("note\n".utf8).write(to: template.appending(path: "note.txt"))
      try programs.write(
        """
        #!/bin/sh
        # Carries X of restart.nc by a program that knows another form of file.
        set -e
        [ "$(cat note.txt)" = note ]
        "$HOME_OF_TESTS/lorenz96" forecast restart.nc after.nc "$1" "$2"
        """, to: "carry")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.folder.path + "/carry")
      let files = "model.files=[{field: X, file: restart.nc, output: after.nc}]"
      let result = try programs.assimilate(
        2, ["model.template=template", files, "model.command=./carry {from} {to}", "model.environment={HOME_OF_TESTS: \(programs.folder.path)}"])
      try #require(result.status == 0, "\(result.stderr)")
      // Single precision on the way to the program.
      let (found, expected) = (try programs.values("X_mean"), try programs.builtIn())
      let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .nan
      #expect(difference < 1e-3 && difference > 0)
      let reader = try DatasetReader(path: programs.folder.path + "/members/member-002/restart.nc")
      #expect(try reader.field("depth") == (0..<40).map(Double.init))
      var link = stat()
      #expect(lstat(programs.folder.path + "/members/member-002/note.txt", &link) == 0 && link.st_mode & S_IFMT == S_IFLNK)
      #expect(lstat(programs.folder.path + "/members/member-002/restart.nc", &link) == 0 && link.st_mode & S_IFMT == S_IFREG)
      // A program that ends well and has not touched the file that it is to carry on in place.
      let untouched = try programs.assimilate(
        1, ["model.template=template", "model.files=[{field: X, file: restart.nc}]", "model.command=true"], output: "untouched")
      #expect(untouched.status == 65 && untouched.stderr.contains("restart.nc: found the file that was handed over, unchanged"), "\(untouched.stderr)")
    }

    /// What members keep in files goes with them and into checkpoints: every third forecast of a member takes two steps.
    @Test func membersKeepFilesAndCheckpointsHaveThem() throws {
      let workshop = try JobTests.workshop()
      func make(_ place: String) throws -> InterruptedRun {
        let programs = try ExternalPrograms(workshop, place)
        let template = programs.folder.appending(path: "template")
        try FileManager.default.createDirectory(at: template, withIntermediateDirectories: true)
        try Data("0\n".utf8).write(to: template.appending(path: "count.txt"))
        try programs.write(
          """
          #!/bin/sh
          set -e
          count=$(($(cat count.txt) + 1))
          echo $count > count.txt
          case "$FAILS ${PWD##*-} $count" in "yes 001 4") [ -e ../tried ] || { : > ../tried; exit 3; } ;; esac
          [ $((count % 3)) != 0 ] || { "$0/../model" forecast input.bin twice.bin "$1" "$2"; mv twice.bin input.bin; }
          exec "${0%/*}/model" forecast input.bin output.bin "$1" "$2"
          """.replacing("\"$0/../model\"", with: "\"${0%/*}/model\""), to: "counting")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.folder.path + "/counting")
        return try InterruptedRun(
          workshop, place,
          configuration: """
            model:
              name: external
              description: model.yaml
              format: doubles
              template: template
              keeps: [count.txt]
              command: ./counting {from} {to}
              start: ./model start {output} {seed}
            members: 4
            methods: [letkf, free]
            nature: {spinup: 1}
            initial: {climatology_runs: 4}
            filter: {half_width: 4, inflation: 1.05}
            truths: {training: 1, training_cycles: 100, test: 1, cycles: 10, spinup_cycles: 2}
            """)
      }
      let whole = try make("keeps-whole")
      let reference = try whole.job(ranks: 2)
      try #require(reference.status == 0, "\(reference.stderr)")
      let stopped = try make("keeps-stopped")
      #expect(try stopped.interruptions(every: 1) > 1)
      #expect(try differences(whole.files(), stopped.files()) == [])
      // A forecast that is tried again begins with what the member had before it.
      let retried = try workshop.job(
        2, whole.arguments + ["--output", "retried", "--set", "forecasts.retries=1"], in: whole.place, environment: ["FAILS": "yes"])
      try #require(retried.status == 0, "\(retried.stderr)")
      let means: [[Double]] = try ["out", "retried"].map {
        try DatasetReader(path: whole.folder.path + "/\($0)/analysis-letkf.nc").values("X_mean")
      }
      #expect(means[0] == means[1] && FileManager.default.fileExists(atPath: whole.folder.path + "/members/tried"))
      let contract = try run(executable: "daunce-mpi", arguments: ["check-model", "--config", "tiny.yaml", "--quiet"], in: whole.folder)
      #expect(contract.status == 0 && contract.stdout.contains("ok  memory: saved and restored"), "\(contract.stdout)\(contract.stderr)")
      #expect(contract.stdout.contains("ok  memory: two members side by side"), "\(contract.stdout)")
    }

    /// Programs find no MPI variables of ours, but their cores, their own variables, and their folder; one with ranks of its own is
    /// started by mpirun within.
    @Test func programsFindNoneOfOurVariables() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "variables")
      try programs.write(
        """
        #!/bin/sh
        env | sort > found
        env -u OMP_NUM_THREADS nproc > cores
        ulimit -v >> found
        mpirun -np 2 sh -c 'echo "rank $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"' > ranks || exit 9
        exec "$@"
        """, to: "look")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.folder.path + "/look")
      let result = try programs.assimilate(
        2,
        [
          "model.command=./look ./model forecast {input} {output} {from} {to}", "model.cores=2", "model.memory=4",
          "model.environment={OWN: thing}",
        ],
        environment: ["OMPI_MCA_hwloc_base_binding_policy": "core", "PRTE_MCA_hwloc_default_binding_policy": "core"],
        more: ["--cycles", "3"])
      try #require(result.status == 0, "\(result.stderr)")
      let member = programs.folder.path + "/members/member-004/"
      let lines = try String(contentsOfFile: member + "found", encoding: .utf8).split(separator: "\n").map(String.init)
      #expect(lines.contains("OMP_NUM_THREADS=2") && lines.contains("OWN=thing") && lines.last == "3906250", "\(lines)")
      #expect(lines.contains("PWD=\(member.dropLast())"))
      for prefix in ["OMPI_COMM_", "PMIX_", "OMPI_UNIVERSE", "OMPI_MCA_ess"] {
        #expect(!lines.contains { $0.hasPrefix(prefix) }, "\(prefix)")
      }
      // A rank is bound to a core of its own; its programs are not.
      let cores = try run(command: ["env", "-u", "OMP_NUM_THREADS", "nproc"])
      #expect(try String(contentsOfFile: member + "cores", encoding: .utf8) == cores.stdout)
      let ranks = try String(contentsOfFile: member + "ranks", encoding: .utf8).split(separator: "\n").sorted()
      #expect(ranks == ["rank 0 of 2", "rank 1 of 2"])
    }

    /// Twin experiments, agents that correct a filter's analysis, and checkpoints to the same bits.
    @Test func experimentsWithAgentsAreResumedToTheSameBits() throws {
      let workshop = try JobTests.workshop()
      func make(_ place: String) throws -> InterruptedRun {
        _ = try ExternalPrograms(workshop, place)
        return try InterruptedRun(
          workshop, place,
          configuration: """
            model:
              name: external
              description: model.yaml
              format: doubles
              worker: ./lorenz96 worker
              command: forecast {input} {output} {from} {to}
            members: 4
            methods: [rl, letkf]
            nature: {spinup: 2}
            initial: {climatology_runs: 4}
            filter: {half_width: 4, inflation: 1.05}
            truths: {training: 1, training_cycles: 12, test: 1, cycles: 10, spinup_cycles: 2}
            agents:
              base: analysis
              filter: letkf
              warm_start: {steps: 4, batch: 2}
              ppo: {iterations: 1, horizon: 4, sequences: 2}
            """)
      }
      let whole = try make("program-whole")
      let reference = try whole.job(ranks: 2)
      try #require(reference.status == 0, "\(reference.stderr)")
      let stopped = try make("program-stopped")
      #expect(try stopped.interruptions(every: 2) > 2)
      #expect(try differences(whole.files(), stopped.files()) == [])
    }

    @Test(arguments: [
      (["model.description=none.yaml"], 74, "none.yaml: a file that cannot be read; expected the model's description"),
      (["model.command=./model {inptu}"], 65, "key model.command: found {inptu}; expected one of {input}, {output}, {from}, "),
      (["model.command=./model '{input}"], 65, "key model.command: found an opening ' alone; expected a closing one"),
      (["model.template=nowhere"], 65, "key model.template: found no folder nowhere; expected one"),
      (["model.files=[{field: Y, file: a.nc}]"], 65, "key model.files[0].field: found Y; expected one of X"),
      (["model.files=[{field: X, file: ../a.nc}]"], 65, "key model.files[0].file: found \"../a.nc\"; expected a name in the member's folder"),
      (["model.files=[{field: X, file: a.nc}]"], 65, "file a.nc: found none in a template"),
      (["model.folder=files"], 65, "key model.folder: found "),
      (["model.command=null"], 65, "expected a program that carries a state, or model.worker"),
      (["forecasts.least_members=7"], 65, "forecasts.least_members"),
      (["model.command=./nothing {input}"], 65, "could not be started: No such file or directory"),
    ])
    func mistakesAreNamedAtOnce(settings: [String], status: Int, message: String) throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "mistakes")
      defer { try? FileManager.default.removeItem(at: programs.folder) }
      let result = try programs.assimilate(2, settings)
      #expect(result.status == Int32(status) && result.stderr.contains(message), "\(result.status) \(result.stderr)")
      #expect(result.stderr.split(separator: "\n").count { $0.hasPrefix("daunce-mpi: ") } == 1, "\(result.stderr)")
    }

    /// Two jobs don't work in one folder.
    @Test func aFolderIsOneJobs() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "shared-folder")
      let first = try RunningJob(
        ranks: 1, executable: "daunce-mpi", arguments: programs.words([], output: "first"), in: programs.folder,
        environment: ["KIND": "slow", "NUMBERS": "000", "FROM": "any"])
      _ = first.launcher
      let member = programs.folder.path + "/members/member-000/output.bin"
      while first.isRunning, !FileManager.default.fileExists(atPath: member) { usleep(2000) }
      let second = try programs.assimilate(1, output: "second")
      #expect(second.status == 65 && second.stderr.contains("found one that another job works in"), "\(second.stderr)")
      #expect(try first.wait().status == 0)
    }
  }
}
