import Foundation
import TestSupport
import Testing

/// Start and end of jobs.
@Suite(.serialized) struct EnvironmentTests {
  @Test func startsWithoutMPIRun() throws {
    let job = try run(executable: "MPIProbe", arguments: ["environment"])
    #expect(job.status == 0, "\(job.stderr)")
    #expect(job.lines.prefix(3) == ["launched: false", "size: 1", "local: 0 of 1"])
    #expect(job.value("library")?.hasPrefix("Open MPI v") == true)
    #expect(job.value("hostname")?.isEmpty == false)
    #expect(job.value("yield") == "unset")
  }

  @Test func yieldsOnlyWithoutACoreToSpare() throws {
    let few = try mpirun(ranks: 1, executable: "MPIProbe", arguments: ["environment"])
    #expect(few.status == 0, "\(few.stderr)")
    #expect(few.lines.prefix(3) == ["launched: true", "size: 1", "local: 0 of 1"])
    let cores = try #require(few.value("cores").flatMap(Int.init))
    #expect(few.value("yield") == (cores > 1 ? "unset" : "1"))
    // On large machines the job would only be slow.
    if cores > 16 { return }
    for ranks in [cores, cores + 1] {
      let many = try mpirun(ranks: ranks, executable: "MPIProbe", arguments: ["environment"])
      #expect(many.value("yield") == "1")
    }
    let chosen = try mpirun(
      ranks: cores + 1, executable: "MPIProbe", arguments: ["environment"],
      environment: ["OMPI_MCA_mpi_yield_when_idle": "0"])
    #expect(chosen.value("yield") == "0")
  }

  /// What counts is what the job may use: an allocation of one core on a machine of many has one core.
  @Test func coresAreThoseThatTheJobMayUse() throws {
    let core = try #require(firstAllowedCore())
    let path = buildFolder.appending(path: "MPIProbe").path
    func probe(_ command: String...) throws -> JobResult {
      let job = try run(
        command: ["taskset", "--cpu-list", core] + command + [path, "environment"],
        environment: mpirunSettings)
      try #require(job.status == 0, "\(job.stderr)")
      return job
    }
    let two = try probe("mpirun", "-np", "2")
    #expect(two.value("cores") == "1" && two.value("yield") == "1")
    #expect(try probe("mpirun", "-np", "1").value("yield") == "1")
    #expect(try probe().value("cores") == "1")
  }

  /// Two ranks that are bound to a core each have two cores, though each may use but one.
  @Test func bindingIsNoLackOfCores() throws {
    let free = try mpirun(ranks: 1, executable: "MPIProbe", arguments: ["environment"])
    guard let cores = free.value("cores").flatMap(Int.init), cores >= 2 else { return }
    let bound = try mpirun(
      ranks: 2, executable: "MPIProbe", arguments: ["environment"],
      environment: [
        "OMPI_MCA_hwloc_base_binding_policy": "core", "OMPI_MCA_rmaps_base_oversubscribe": "0",
        "PRTE_MCA_hwloc_default_binding_policy": "core", "PRTE_MCA_rmaps_default_mapping_policy": "",
      ])
    #expect(bound.value("yield") == (cores > 2 ? "unset" : "1"))
    #expect(bound.value("cores") == "\(cores)", "\(bound.stderr)")
  }

  /// Number of one core that this process may use.
  private func firstAllowedCore() -> String? {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    return line.map { String($0.drop { !$0.isNumber }.prefix { $0.isNumber }) }
  }

  @Test(arguments: ["fail-alone", "fail-alike"])
  func anUncaughtErrorEndsTheJob(exercise: String) throws {
    let job = try mpirun(ranks: 3, executable: "MPIProbe", arguments: [exercise], timeout: 30)
    #expect(job.status == 65, "\(job.stderr)")
    #expect(job.stderr.split(separator: "\n").count { $0.contains("no temperature") } == 1, "\(job.stderr)")
    let processes = try #require(job.value("processes")).split { !$0.isNumber }.compactMap { Int($0) }
    #expect(processes.count == 3)
    // mpirun may be gone a moment before the last rank is.
    for _ in 0..<20 where processes.contains(where: { isRunning($0) }) { usleep(100_000) }
    for process in processes { #expect(!isRunning(process)) }
  }

  @Test func aLoneProcessReportsItsError() throws {
    let job = try run(executable: "MPIProbe", arguments: ["fail-alone"])
    #expect(job.status == 65)
    #expect(job.stderr.contains("MPIProbe: member 3 has no temperature"))
  }

  /// MPICH's mpirun tells its ranks their number by PMI_SIZE, and Open MPI takes each for a job of its own.
  @Test func ranksOfAnotherMPIAreRefused() throws {
    let job = try run(
      executable: "MPIProbe", arguments: ["environment"], environment: ["PMI_SIZE": "2", "PMI_RANK": "1"])
    #expect(job.status == 65)
    #expect(job.stderr.contains("MPIProbe: 2 processes were started that do not know of each other"), "\(job.stderr)")
  }

  @Test func aJobThatHangsIsEnded() throws {
    let job = try mpirun(ranks: 2, executable: "MPIProbe", arguments: ["hang"], timeout: 3)
    #expect(job.status == 124)
  }
}
