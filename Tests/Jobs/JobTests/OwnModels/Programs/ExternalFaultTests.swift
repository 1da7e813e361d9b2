import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Programs that fail in every way: each is named with its member, folder and last lines, and the analyses before are kept.
  @Suite(.enabled(if: ExternalPrograms.canBeBuilt)) struct ExternalFaultTests {
    /// The third member, at the seventh cycle.
    private func environment(_ kind: String) -> [String: String] { ["KIND": kind, "NUMBERS": "003", "FROM": "20.3", "DAUNCE_TEST_JOB": "fault-\(kind)"] }

    @Test(arguments: [
      ("hang", "ended at its time limit, after 1 s; its last lines:\ntrouble in 003\n"),
      ("kill", "signal 9 (Killed)"), ("fail", "exit code 3 after "), ("full", "exit code 4 after "),
      ("nothing", "/member-003/output.bin: found no such file after a run without an error; expected the state afterwards"),
      ("half", "/member-003/output.bin: 160 bytes; expected 320: 40 doubles"),
      ("nan", "/member-003/output.bin: number 5: NaN; expected finite numbers"),
      ("grid", "/member-003/output.bin: 640 bytes; expected 320: 40 doubles"),
      ("gigabyte", "exit code 5 after "),
    ])
    func faultsAreNamedAndAnalysesBeforeThemAreKept(kind: String, message: String) throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "fault-\(kind)")
      for ranks in kind == "fail" ? [1, 3] : [2] {
        let output = "out-\(ranks)"
        let result = try programs.assimilate(
          ranks, kind == "hang" ? ["model.time_limit=1"] : [], output: output, environment: environment(kind))
        #expect(result.status == 65, "\(result.status) \(result.stderr)")
        #expect(result.stderr.contains("member 3, cycle 7: ") && result.stderr.contains(message), "\(result.stderr)")
        #expect(result.stderr.contains("\(output)/analysis-letkf.nc holds the analyses before it"), "\(result.stderr)")
        if message.contains("exit code") {
          #expect(result.stderr.contains(" in \(programs.folder.path)/members/member-003: "), "\(result.stderr)")
          #expect(result.stderr.contains("its last lines:\ntrouble in 003\n"), "\(result.stderr)")
        }
        let mean = try programs.values("X_mean", of: output)
        #expect(mean.prefix(6 * 40).allSatisfy(\.isFinite) && mean.suffix(6 * 40).allSatisfy(\.isNaN))
      }
      let kept = programs.folder.appending(path: "members/member-003/stdout.txt")
      let size = try #require(try kept.resourceValues(forKeys: [.fileSizeKey]).fileSize)
      #expect(size > 10 && size < 2 << 20)
      #expect(processesLeft(marked: "fault-\(kind)").isEmpty)
    }

    /// NetCDF files that are damaged, of another grid, or without the field.
    @Test(arguments: [
      ("half", "truncated or damaged"),
      ("grid", "dimension x: 41 cells; expected 40 cells"),
      ("name", "variable X: no such variable"),
      ("nan", "variable X: a missing value or NaN at cell 7; expected finite numbers"),
      ("text", "output.nc: a file of another kind; expected a NetCDF file"),
    ])
    func filesAreChecked(kind: String, message: String) throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "netcdf-\(kind)")
      var command = "./lorenz96 forecast {input} {output} {from} {to}"
      if kind == "half" {
        try programs.write("#!/bin/sh\n./../../lorenz96 \"$@\" && head -c 300 output.nc > part && mv part output.nc\n", to: "wrong")
      } else if kind == "text" {
        try programs.write("#!/bin/sh\necho nothing > output.nc\n", to: "wrong")
      } else {
        let made = try run(
          executable: "ForeignWriter", arguments: ["restart", "40", "wrong.nc", kind], in: programs.folder)
        try #require(made.status == 0, "\(made.stderr)")
        try programs.write("#!/bin/sh\ncp ../../wrong.nc output.nc\n", to: "wrong")
      }
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.folder.path + "/wrong")
      command = command.replacing("./lorenz96", with: "./wrong")
      let result = try programs.assimilate(2, ["model.format=netcdf", "model.command=\(command)"])
      #expect(result.status == 65 && result.stderr.contains(message), "\(result.stderr)")
      #expect(result.stderr.contains("member 0, cycle 1: "), "\(result.stderr)")
    }

    /// A disk that has room for one member's files.
    @Test(.enabled(if: FullDiskTests.mayMount, "needs the right to mount a small file system"))
    func aDiskWithoutRoomIsNamed() throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "no-room")
      let disk = programs.folder.appending(path: "members")
      try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
      try #require(mount("none", disk.path, "tmpfs", 0, "size=8k") == 0)
      defer { umount(disk.path) }
      let result = try programs.assimilate(
        1, ["model.worker=./lorenz96 worker", "model.command=forecast {input} {output} {from} {to}", "model.at_once=1"])
      #expect(result.status == 74, "\(result.status) \(result.stderr)")
      #expect(
        result.stderr.contains("member 1, cycle 1: \(disk.path)/member-001/input.bin: cannot write: No space left on device"),
        "\(result.stderr)")
    }

    /// Workers that refuse, end, or don't answer.
    @Test(arguments: [
      ("refuse", "error on request `forecast "), ("end", "exit code 7"), ("silent", "ended at its time limit, after 1 s"),
    ])
    func workersThatFail(kind: String, message: String) throws {
      let programs = try ExternalPrograms(JobTests.workshop(), "worker-\(kind)")
      let deed = ["refuse": "echo error no time today", "end": "echo away >&2; exit 7", "silent": "sleep 50"][kind] ?? ""
      try programs.write("#!/bin/sh\nwhile read -r line; do \(deed); done\n", to: "worker")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.folder.path + "/worker")
      let result = try programs.assimilate(2, ["model.worker=./worker", "model.command=forecast {input} {output}", "model.time_limit=1"])
      #expect(result.status == 65 && result.stderr.contains(message), "\(result.stderr)")
      #expect(result.stderr.contains("external model in \(programs.folder.path)/members/member-000: "), "\(result.stderr)")
    }
  }
}
