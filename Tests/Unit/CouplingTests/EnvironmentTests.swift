import DaunceCoupling
import Foundation
import Testing

extension CouplingTests {
  /// The variables that programs find.
  @Suite struct EnvironmentTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// A user's variables.
    private let own = ["PATH": "/bin", "LD_PRELOAD": "", "MPI_HOME": "/opt/mpi", "MPICH_VERSION": "4", "EMPTY": ""]

    @Test func ranksVariablesGo() {
      let names = [
        "OMPI_COMM_WORLD_RANK", "OMPI_MCA_orte_hnp_uri", "OMPI_MCA_ess", "OMPI_MCA_pmix", "OMPI_UNIVERSE_SIZE",
        "OMPI_MCA_initial_wdir", "PMIX_RANK", "PMI_RANK", "PMI_FD", "PRTE_MCA_prte_ess_uri", "MPI_LOCALRANKID",
        "I_MPI_HYDRA_HOST_FILE", "HYDRA_LAUNCHER", "HYDI_CONTROL_FD", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_ID",
        "SLURM_STEPID", "SLURM_STEP_NODELIST", "OMPI_MCA_mpi_yield_when_idle",
      ]
      let all = own.merging(names.map { ($0, "1") }) { $1 }
      #expect(ProcessEnvironment.cleaned(all) == own)
      let kept = ProcessEnvironment.cleaned(all, keepsMPISettings: true)
      #expect(kept == own.merging(["I_MPI_HYDRA_HOST_FILE": "1"]) { $1 })
    }

    @Test func settingsStayWhereTheyAreAskedFor() {
      let settings = ["OMPI_MCA_btl": "self,tcp", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"]
      let permissions = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
      let all = own.merging(settings) { $1 }.merging(permissions) { $1 }
      #expect(ProcessEnvironment.cleaned(all) == own.merging(permissions) { $1 })
      #expect(ProcessEnvironment.cleaned(all, keepsMPISettings: true) == all)
    }

    @Test func allocationIsAChoice() {
      let job = ["SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-2]", "PBS_NODEFILE": "/n"]
      let all = own.merging(job) { $1 }
      #expect(ProcessEnvironment.cleaned(all) == all)
      #expect(ProcessEnvironment.cleaned(all, keepsAllocation: false) == own)
    }

    @Test func coresAndOwnVariables() {
      let made = ProcessEnvironment.cleaned(
        ["OMP_NUM_THREADS": "8", "A": "1"], cores: 2, adding: ["MKL_NUM_THREADS": "1", "PMIX_RANK": "mine"])
      #expect(made["OMP_NUM_THREADS"] == "2" && made["OPENBLAS_NUM_THREADS"] == "2" && made["A"] == "1")
      #expect(made["MKL_NUM_THREADS"] == "1" && made["PMIX_RANK"] == "mine")
      #expect(ProcessEnvironment.cleaned(["OMP_NUM_THREADS": "8"]) == ["OMP_NUM_THREADS": "8"])
    }

    @Test func thisProcess() {
      setenv("DAUNCE_SET_LATER", "a=b", 1)
      defer { unsetenv("DAUNCE_SET_LATER") }
      #expect(ProcessEnvironment.current["DAUNCE_SET_LATER"] == "a=b")
      #expect(ProcessEnvironment.atStart["DAUNCE_SET_LATER"] == nil)
      #expect(ProcessEnvironment.atStart["PATH"] == ProcessEnvironment.current["PATH"])
    }

    @Test func programFindsThem() throws {
      let command = ProcessCommand(["/usr/bin/env"], in: folder.path, environment: ["A": "1", "B": "x=y z"])
      let lines = try MemberProcess(command).wait().lastOutput.split(separator: "\n")
      // And the mark by which all that belongs to it is found.
      #expect(Set(lines.filter { !$0.hasPrefix("DAUNCE_PROCESS=") }) == ["A=1", "B=x=y z"] && lines.count == 3)
    }

    private static let hasLauncher = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].contains {
      FileManager.default.isExecutableFile(atPath: $0)
    }

    /// A rank starts an mpirun of its own.
    @Test(.enabled(if: hasLauncher, "mpirun is not where it is looked for"))
    func launcherWithinARank() throws {
      let settings = [
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "PRTE_ALLOW_RUN_AS_ROOT": "1",
        "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
      ]
      let inner = ["mpirun", "-np", "2", "sh", "-c", "echo rank $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"]
      let command = ProcessCommand(
        ["mpirun", "-np", "1", probe, "run", folder.path] + inner, in: folder.path,
        environment: ProcessEnvironment.current.merging(settings) { $1 }, limits: ProcessLimits(seconds: 60),
        outputFile: "outer", errorFile: "outer")
      let outcome = try MemberProcess(command).wait()
      #expect(outcome.isSuccess, "\(outcome)")
      #expect(folder.text("outer").contains(": exit code 0 after"), "\(outcome)")
      let lines = Set(folder.text("stdout.txt").split(separator: "\n"))
      #expect(lines == ["rank 0 of 2", "rank 1 of 2"], "\(outcome)")
    }
  }
}
