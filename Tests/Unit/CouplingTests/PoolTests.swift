import DaunceCoupling
import Foundation
import Glibc
import Testing

extension CouplingTests {
  /// Several programs side by side.
  @Suite struct PoolTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// A program that notes its beginning and its end.
    private func noting(_ seconds: Double) -> ProcessCommand {
      var command = shell("echo + >> log; sleep \(seconds); echo - >> log", in: folder)
      (command.outputFile, command.errorFile) = (nil, nil)
      return command
    }

    /// The most that have run at a time.
    private var most: Int {
      var (count, most) = (0, 0)
      for line in folder.text("log").split(separator: "\n") {
        count += line == "+" ? 1 : -1
        most = max(most, count)
      }
      return count == 0 ? most : -1
    }

    @Test(arguments: [1, 3]) func limitHolds(limit: Int) throws {
      let pool = ProcessPool(limit: limit)
      var jobs: Set<Int> = []
      pool.run((0..<8).map { _ in noting(0.1) }) { completion in
        #expect(completion.outcome.isSuccess && completion.outcome.seconds >= 0.1)
        jobs.insert(completion.job)
        return nil
      }
      #expect(jobs == Set(0..<8) && pool.isEmpty)
      #expect(most == limit)
    }

    @Test func orderOfCompletion() throws {
      var order: [Int] = []
      let begin = Date()
      ProcessPool(limit: 4).run([0.6, 0.2, 0.4, 0].map(noting)) { completion in
        order.append(completion.job)
        return nil
      }
      #expect(order == [3, 1, 2, 0])
      #expect(Date().timeIntervalSince(begin) < 1.1)
    }

    @Test func failedJobsAreRunAgain() throws {
      var endings: [Int: [ProcessEnding]] = [:]
      let commands = (0..<3).map { job in
        shell("echo x >> tries-\(job); [ $(wc -l < tries-\(job)) -gt \(job) ] || exit 5", in: folder)
      }
      ProcessPool(limit: 2).run(commands) { completion in
        endings[completion.job, default: []].append(completion.outcome.ending)
        return completion.outcome.isSuccess ? nil : completion.outcome.command
      }
      #expect(endings == [0: [.exited(0)], 1: [.exited(5), .exited(0)], 2: [.exited(5), .exited(5), .exited(0)]])
    }

    @Test func oneThatCannotStartIsAnOutcome() throws {
      var endings: [Int: ProcessEnding] = [:]
      let missing = ProcessCommand(["no-such-program"], in: folder.path, environment: ["PATH": "/bin"])
      ProcessPool(limit: 1).run([missing, shell("exit 0", in: folder), missing]) { completion in
        endings[completion.job] = completion.outcome.ending
        return nil
      }
      let reason = ProcessEnding.notStarted("No such file or directory")
      #expect(endings == [0: reason, 1: .exited(0), 2: reason])
    }

    @Test func cancellation() throws {
      let pool = ProcessPool(limit: 2)
      for job in 0..<4 { pool.add(shell("echo $$ >> pids; sleep 100", in: folder), job: job) }
      #expect(pool.next(within: 0.3) == nil && pool.runningCount == 2 && !pool.isEmpty)
      let numbers = folder.numbers("pids", count: 2)
      let begin = Date()
      pool.cancel()
      var endings: [Int: ProcessEnding] = [:]
      while let completion = pool.next() { endings[completion.job] = completion.outcome.ending }
      #expect(endings == [0: .cancelled, 1: .cancelled, 2: .cancelled, 3: .cancelled])
      #expect(Date().timeIntervalSince(begin) < 2 && numbers.count == 2 && haveEnded(numbers))
    }

    @Test func anErrorOfTheCallerEndsAll() throws {
      struct Enough: Error {}
      let script = "echo $$ >> pids; [ $(wc -l < pids) -lt 3 ] || exit 0; sleep 100"
      #expect(throws: Enough.self) {
        try ProcessPool(limit: 3).run((0..<3).map { _ in shell(script, in: folder) }) { _ in throw Enough() }
      }
      let numbers = folder.numbers("pids", count: 3)
      #expect(numbers.count == 3 && haveEnded(numbers, within: 1))
    }

    @Test func slotsOfTwoProcesses() throws {
      let probes = try (0..<2).map { index in
        var command = ProcessCommand(
          [probe, "busy", folder.path, "3", "5", "echo + >> log; sleep 0.1; echo - >> log"], in: folder.path,
          environment: ProcessEnvironment.current)
        command.outputFile = "probe-\(index)"
        return try MemberProcess(command)
      }
      for (index, process) in probes.enumerated() {
        #expect(process.wait().isSuccess)
        #expect(folder.text("probe-\(index)") == String(repeating: "exit code 0\n", count: 5))
      }
      #expect(most == 3)
    }

    @Test func slotsComeBackByThemselves() throws {
      let path = folder.path + "/slots"
      let slots = try NodeSlots(folder: path, count: 2)
      let holder = try MemberProcess(
        ProcessCommand([probe, "slot", path, "2"], in: folder.path, environment: ProcessEnvironment.current),
        input: .pipe)
      while folder.text("stdout.txt").isEmpty { MemberProcess.serve([holder], within: 1) }
      let own = try slots.take()
      #expect(try own != nil && slots.take() == nil)
      own?.release()
      var again = try slots.take()
      #expect(again != nil)
      // Nothing is free until the other one is killed, while a program of this process is served.
      let program = try MemberProcess(shell("sleep 0.2; echo done", in: folder))
      var turns = 0
      let none = try slots.wait(within: 0.4) { time in
        MemberProcess.serve([program], within: time)
        turns += 1
        // It returns at once when nothing runs any more.
        if program.outcome != nil { usleep(UInt32(time * 1e6)) }
      }
      #expect(none == nil && program.outcome?.lastOutput == "done" && turns < 60)
      kill(holder.number, SIGKILL)
      #expect(holder.wait().ending == .killed(SIGKILL))
      let other = try slots.take()
      #expect(try other != nil && slots.take() == nil)
      again = nil
      #expect(try slots.wait(within: 1) != nil)
      #expect(throws: NodeSlotsError.self) { try NodeSlots(folder: "/proc/none", count: 1) }
    }
  }
}
