import DaunceArchive
import Foundation
import DaunceState
import TestSupport
import Testing

extension JobTests {
  /// What may happen to a job at night. Each leaves no process behind, ends in time, and loses nothing.
  @Suite struct FaultTests {
    /// Seconds that a job may take to end after a fault: mpirun itself gives the ranks one or two.
    static let grace = 5.0

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
      let start = ContinuousClock.now
      try body()
      return (ContinuousClock.now - start) / .seconds(1)
    }

    /// Goes on with a run on another number of ranks and compares what it leaves.
    private func finish(_ run: InterruptedRun, ranks: Int) throws -> [String] {
      let resumes = !run.checkpoints.isEmpty
      let result = try run.job(ranks: ranks, resumes: resumes, more: resumes ? ["--checkpoint-every", "0"] : [])
      try #require(result.status == 0, "\(result.stderr)")
      return differences(try run.files(), try InterruptedRun.reference(run.workshop))
    }

    /// Any rank, at any moment, by the signal that nobody can catch.
    @Test func killedRankEndsTheJobAndNothingIsLost() throws {
      let workshop = try workshop()
      _ = try InterruptedRun.reference(workshop)
      let failures = Lock<[String]>([])
      let resumed = Lock(0)
      // Most of the time mpirun waits for processes that it has told to end.
      DispatchQueue.concurrentPerform(iterations: 20) { seed in
        do {
          var random = SplitMix(state: UInt64(seed))
          let ranks = random.below(4) + 1
          let run = try InterruptedRun(workshop, "killed-\(seed)")
          let job = try run.start(ranks: ranks)
          run.waitForCheckpoint(random.below(40), of: job)
          usleep(UInt32(random.below(100_000)))
          var result: JobResult?
          let victim = random.below(ranks)
          var wasThere = job.signalRank(victim, SIGKILL)
          while !wasThere, job.isRunning { wasThere = job.signalRank(victim, SIGKILL) }
          let waited = try seconds { result = try job.wait() }
          let left = processesLeft(marked: job.mark).count
          let hadCheckpoint = !run.checkpoints.isEmpty
          if wasThere, hadCheckpoint { resumed.withLock { $0 += 1 } }
          let differing = try result?.status == 0 ? [] : finish(run, ranks: random.below(4) + 1)
          if (wasThere && (result?.status == 0 || waited > Self.grace)) || left > 0 || !differing.isEmpty {
            failures.withLock {
              $0.append("seed \(seed): status \(result?.status ?? -1), \(waited) s, \(left) left, \(differing)")
            }
          }
        } catch {
          failures.withLock { $0.append("seed \(seed): \(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
      // Most were killed at work, and not before or after it.
      #expect(resumed.withLock { $0 } > 10)
    }

    /// Small, fast and the same everywhere (Steele et al. 2014).
    private struct SplitMix {
      var state: UInt64

      mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
      }
    }

    /// All ranks wait for the slow one and come to the same results.
    @Test func slowRankChangesNothing() throws {
      let run = try InterruptedRun(try workshop(), "slow")
      let job = try run.start(ranks: 3)
      for round in 1...3 {
        run.waitForCheckpoint(4 * round, of: job)
        if job.signalRank(round % 3, SIGSTOP) {
          usleep(300_000)
          job.signalRank(round % 3, SIGCONT)
        }
      }
      let result = try job.wait()
      #expect(result.status == 0, "\(result.stderr)")
      #expect(differences(try run.files(), try InterruptedRun.reference(run.workshop)) == [])
    }

    @Test func removedFolderEndsTheJob() throws {
      let run = try InterruptedRun(try workshop(), "removed")
      let job = try run.start(ranks: 3)
      run.waitForCheckpoint(5, of: job)
      // A checkpoint may be made anew while the folder is being removed.
      var attempts = 0
      while FileManager.default.fileExists(atPath: run.folder.path + "/out"), attempts < 100 {
        try? FileManager.default.removeItem(atPath: run.folder.path + "/out")
        attempts += 1
      }
      try Data().write(to: run.folder.appending(path: "out"))
      var result: JobResult?
      let waited = try seconds { result = try job.wait() }
      #expect(result?.status == 74)
      let stderr = result?.stderr ?? ""
      let messages = stderr.split(separator: "\n").filter { $0.hasPrefix("daunce-mpi: ") }
      #expect(messages.count == 1 && messages[0].contains("/removed/out"), "\(stderr)")
      #expect(waited < 30)
      #expect(processesLeft(marked: job.mark).isEmpty)
    }

    @Test(.enabled(if: FullDiskTests.mayMount, "needs the right to mount a small file system"))
    func fullDiskLosesNothing() throws {
      let run = try InterruptedRun(try workshop(), "full")
      let disk = run.folder.appending(path: "out")
      try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
      try #require(mount("none", disk.path, "tmpfs", 0, "size=1200k") == 0)
      defer { umount(disk.path) }
      let result = try run.job(ranks: 3)
      #expect(result.status == 74, "\(result.stderr)")
      #expect(result.stderr.contains("No space left on device"), "\(result.stderr)")
      // Checkpoints that don't fit are told of and are no reason to stop.
      #expect(result.stderr.contains("no checkpoint at "), "\(result.stderr)")
      #expect(!run.checkpoints.isEmpty)
      try #require(mount("none", disk.path, "tmpfs", UInt(MS_REMOUNT), "size=64m") == 0)
      #expect(try finish(run, ranks: 2) == [])
    }

    /// One member, on the last of three ranks, that the model carries out of all bounds and then to not-a-number.
    @Test func rankThatComputesNaNEndsTheJob() throws {
      let workshop = try workshop()
      let place = try workshop.makePlace("nan")
      let settings = ["--set", "model.name=lorenz96", "--members", "6", "--set", "truths.spinup_cycles=0"]
      let simulated = try workshop.job(1, ["simulate", "--output", "made", "--cycles", "10"] + settings, in: place)
      try #require(simulated.status == 0, "\(simulated.stderr)")
      let layout = StateLayout(
        ring: 40, length: 40,
        fields: [Field(name: "X", longName: "Lorenz-96 variable", scale: 3.64)])
      let path = workshop.folder.appending(path: "\(place)/made/initial.nc").path
      var initial = try EnsembleFile.read(path, layout: layout, memberCount: 6)
      for c in 0..<40 { initial.members[5 * 40 + c] = c % 2 == 0 ? 1e200 : -1e200 }
      try initial.write(
        to: path, layout: layout,
        provenance: Provenance(title: "", version: "", commit: "", history: "", seed: 1, configuration: ""))
      let mark = UUID().uuidString
      let result = try workshop.job(
        3,
        ["assimilate", "--method", "eakf", "--initial", "made/initial.nc", "--observations", "made/observations.nc"]
          + settings, in: place, environment: ["DAUNCE_TEST_JOB": mark])
      #expect(result.status == 65)
      let messages = result.stderr.split(separator: "\n").filter { $0.hasPrefix("daunce-mpi: ") }
      #expect(messages.count == 1 && messages[0].contains("eakf failed at cycle 1 of 10: a member is"), "\(result.stderr)")
      #expect(processesLeft(marked: mark).isEmpty)
    }

    /// The program is a job of one rank by itself.
    @Test func programRunsWithoutMPIRun() throws {
      let run = try InterruptedRun(try workshop(), "alone")
      let result = try TestSupport.run(
        executable: "daunce-mpi", arguments: run.arguments, in: run.folder, environment: ["PATH": "/nowhere"])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(differences(try run.files(), try InterruptedRun.reference(run.workshop)) == [])
    }

    /// Where nothing can be installed, `launch/run` says what it misses, and starts nothing.
    @Test func missingMPIRunIsNamed() throws {
      let place = try workshop().folder.appending(path: "tools")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for tool in ["bash", "dirname", "git", "pkg-config"] {
        let path = ["/usr/bin/\(tool)", "/bin/\(tool)"].first { FileManager.default.fileExists(atPath: $0) }
        try FileManager.default.createSymbolicLink(
          atPath: place.appending(path: tool).path, withDestinationPath: try #require(path))
      }
      let result = try TestSupport.run(
        script: "launch/run", in: place, environment: ["PATH": place.path, "BASH_ENV": ""])
      #expect(result.status == 69, "\(result.stderr)")
      #expect(result.stderr.contains("daunce-mpi: missing: openmpi-bin (Debian's names)."), "\(result.stderr)")
    }
  }
}
