import DaunceCoupling
import Foundation
import Glibc
import Testing

extension CouplingTests {
  /// How programs end.
  @Suite struct EndingTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    @Test func exitCode() throws {
      let outcome = try run("echo wrong >&2; exit 7", in: folder)
      #expect(outcome.ending == .exited(7))
      #expect(!outcome.isSuccess)
      #expect("\(outcome)".contains("in \(folder.path): exit code 7 after "))
      #expect("\(outcome)".hasSuffix("its last lines:\nwrong"))
      #expect(try run("exit 0", in: folder).isSuccess)
    }

    @Test func signal() throws {
      #expect(try run("kill -SEGV $$", in: folder).ending == .killed(SIGSEGV))
      #expect(try "\(run("kill -SEGV $$", in: folder))".contains("signal 11 (Segmentation fault)"))
    }

    @Test func startFails() throws {
      func reason(_ words: [String], in path: String? = nil, file: String = "out") -> String {
        let command = ProcessCommand(
          words, in: path ?? folder.path, environment: ["PATH": "/usr/bin:/bin:\(folder.path)"], outputFile: file)
        do throws(ProcessOutcome) {
          _ = try MemberProcess(command)
          return "started"
        } catch {
          guard case .notStarted(let reason) = error.ending else { return "\(error)" }
          return reason
        }
      }
      try folder.write("data", "1 2 3")
      try folder.write("script", "echo hello\n", mode: 0o755)
      try folder.write("interpreted", "#!/nonexistent\n", mode: 0o755)
      #expect(reason(["/bin/true"]) == "started")
      #expect(reason(["no-such-program"]) == "No such file or directory")
      #expect(reason(["./no-such-program"]) == "No such file or directory")
      #expect(reason(["data"]) == "Permission denied")
      #expect(reason(["./data"]) == "Permission denied")
      #expect(reason(["./script"]).hasPrefix("Exec format error: ./script is no program"))
      #expect(reason(["./interpreted"]).hasPrefix("No such file or directory: the interpreter"))
      #expect(reason(["true"], in: "/nonexistent") == "folder /nonexistent: No such file or directory")
      #expect(reason(["true"], in: "/dev/null") == "folder /dev/null: Not a directory")
      #expect(reason(["true"], file: "no/out") == "file \(folder.path)/no/out: No such file or directory")
      #expect(reason(["true", "a\0b"]).hasPrefix("Invalid argument"))
      #expect(reason([]) == "there is no program to start")
    }

    @Test func programIsFoundAndWorksInItsFolder() throws {
      try folder.write("model", "#!/bin/sh\npwd -P\ncat\necho $NAME \"$1\"\n", mode: 0o755)
      var command = ProcessCommand(["./model", "a b"], in: folder.path, environment: ["NAME": "seven"])
      let real = URL(filePath: folder.path).resolvingSymlinksInPath().path
      #expect(try MemberProcess(command).wait().lastOutput == "\(real)\nseven a b")
      command.words[0] = "model"
      command.environment["PATH"] = "/bin:"
      #expect(try MemberProcess(command).wait().isSuccess)
      #expect(folder.text("stdout.txt") == "\(real)\nseven a b\n")
    }

    @Test func timeLimitEndsGrandchildrenToo() throws {
      // The child obeys SIGTERM; a grandchild of it ignores it, and so does one in a session of its own.
      let script = """
        (trap '' TERM; echo $(exec sh -c 'echo $PPID') >> pids; while :; do sleep 0.1; done) &
        setsid sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.1; done' &
        echo $$ >> pids
        wait
        """
      let limits = ProcessLimits(seconds: 0.5, grace: 0.4)
      let outcome = try run(script, in: folder, limits)
      guard case .timedOut(let seconds) = outcome.ending else {
        Issue.record("\(outcome)")
        return
      }
      #expect((0.5..<0.8).contains(seconds))
      #expect((0.9..<2).contains(outcome.seconds))
      let numbers = folder.numbers("pids", count: 3)
      #expect(numbers.count == 3)
      #expect(haveEnded(numbers, within: 1))
    }

    @Test func graceIsGiven() throws {
      let script = "trap 'sleep 0.3; echo saved; exit 0' TERM; while :; do sleep 0.05; done"
      let outcome = try run(script, in: folder, ProcessLimits(seconds: 0.2, grace: 10))
      guard case .timedOut = outcome.ending else {
        Issue.record("\(outcome)")
        return
      }
      #expect(outcome.lastOutput == "saved")
      #expect(outcome.seconds < 3)
    }

    @Test func nothingIsLeftInTheBackground() throws {
      let outcome = try run("sleep 100 & echo $! > pids; exit 0", in: folder)
      #expect(outcome.isSuccess && outcome.seconds < 5)
      let numbers = folder.numbers("pids", count: 1)
      #expect(numbers.count == 1 && haveEnded(numbers, within: 1))
    }

    @Test func memoryLimit() throws {
      // The shell takes a line into memory.
      let script = "sleep 0.1; x=$(head -c 200000000 /dev/zero | tr '\\0' a); echo ${#x}"
      #expect(try run(script, in: folder).lastOutput == "200000000")
      let limited = try run(script, in: folder, ProcessLimits(memory: 100 << 20))
      #expect(!limited.isSuccess && limited.lastOutput.isEmpty, "\(limited)")
    }

    @Test func programDiesWithItsParent() throws {
      // Three that ignore SIGTERM, the last one in a session of its own, and a fourth that takes its time to save.
      // Nobody reads what the shell says of the children that it has lost.
      let script = """
        exec 2> /dev/null
        (trap 'sleep 0.3; echo saved > saved; exit' TERM; while :; do sleep 0.05; done) & saving=$!
        trap '' TERM
        (sleep 100; sleep 100) & first=$!
        setsid sh -c 'echo $$ >> pids; sleep 100; sleep 100' &
        echo $$ $saving $first >> pids
        wait; wait
        """
      let parent = try MemberProcess(
        ProcessCommand([probe, "parent", folder.path, script], in: folder.path, environment: ProcessEnvironment.current))
      let numbers = folder.numbers("pids", count: 4)
      #expect(numbers.count == 4 && numbers.allSatisfy(isRunning))
      kill(parent.number, SIGKILL)
      #expect(parent.wait().ending == .killed(SIGKILL))
      #expect(haveEnded(numbers))
      #expect(folder.text("saved") == "saved\n")
    }
  }
}
