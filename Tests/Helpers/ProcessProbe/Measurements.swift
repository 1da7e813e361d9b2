import DaunceCoupling
import Glibc

/// Prints the open files before and after hundreds of runs of every kind, and how many children are left.
func reportLeaks(in folder: String) throws {
  func round() throws {
    _ = try MemberProcess(shell("echo out; echo err >&2; exit 3", in: folder)).wait()
    _ = try? MemberProcess(ProcessCommand(["/nonexistent"], in: folder, environment: [:])).wait()
    _ = try MemberProcess(shell("exec sleep 30", in: folder, limits: ProcessLimits(seconds: 0.002))).wait()
    // One that is forgotten while it runs.
    _ = try MemberProcess(shell("exec sleep 30", in: folder), input: .pipe)
    let worker = try WorkerProcess(shell("read x; echo ok; read x", in: folder))
    _ = try worker.ask(["a"])
    _ = worker.stop()
    _ = try NodeSlots(folder: folder + "/slots", count: 2).take()
  }
  try round()
  let before = entries(of: "/proc/self/fd")
  for _ in 0..<100 { try round() }
  print("files: \(before) \(entries(of: "/proc/self/fd"))")
  var (children, status) = (0, Int32(0))
  while waitpid(-1, &status, WNOHANG) > 0 { children += 1 }
  print("zombies: \(children)")
}

/// Prints what a gigabyte of output does to this process's memory.
func reportFlood(in folder: String) throws {
  func peak() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
  let before = peak()
  let command = ProcessCommand(
    ["sh", "-c", "echo first; yes | head -c 1000000000; echo last"], in: folder,
    environment: ProcessEnvironment.current, limits: ProcessLimits(keptBytes: 100_000))
  let outcome = try MemberProcess(command).wait()
  print("ending: \(outcome.ending)")
  print("kibibytes: \(peak() - before)")
  print("last: \(outcome.lastOutput.suffix(4))")
}

/// Prints what a start and a round trip cost.
func measure(in folder: String) throws {
  func seconds(_ count: Int, _ work: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let begin = clock.now
    for _ in 0..<count { try work() }
    return (clock.now - begin) / .seconds(count)
  }
  let program = ProcessCommand(
    ["/bin/true"], in: folder, environment: ProcessEnvironment.current, outputFile: nil, errorFile: nil)
  _ = try MemberProcess(program).wait()
  print("run of /bin/true:", try seconds(500) { _ = try MemberProcess(program).wait() } * 1e3, "ms")
  var direct = program
  direct.limits.memory = 1 << 30
  print("with a memory limit:", try seconds(500) { _ = try MemberProcess(direct).wait() } * 1e3, "ms")
  print("bare posix_spawn and waitpid:", seconds(500) { spawn("/bin/true") } * 1e3, "ms")
  let script = "while read -r line; do echo \"ok $line\"; done"
  for (name, words) in [("sh", ["sh", "-c", script]), ("awk", ["mawk", "-W", "interactive", "{ print \"ok\", $0 }"])] {
    var command = program
    command.words = words
    guard let worker = try? WorkerProcess(command), (try? worker.ask(["1"])) == ["1"] else { continue }
    print("round trip of \(name):", try seconds(20_000) { _ = try worker.ask(["forecast", "7"]) } * 1e3, "ms")
    _ = worker.stop()
  }
}

/// The least that a start can cost.
private func spawn(_ path: String) {
  var words = [strdup(path), nil]
  defer { free(words[0]) }
  var (child, status) = (pid_t(0), Int32(0))
  if posix_spawn(&child, path, nil, nil, &words, environ) == 0 { waitpid(child, &status, 0) }
}
