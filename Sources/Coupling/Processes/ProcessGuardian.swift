import Glibc
import Synchronization

/// Ends what this process has started when this process ends in a way that it does not notice, such as SIGKILL.
///
/// A child that asks the kernel for that (PR_SET_PDEATHSIG) has to do so itself, between its start and the program's, and
/// the program's own children have nothing of it. So one small shell for all of this process's programs waits at a
/// pipe whose other end is here. It is told of each process group that begins and ends; when the pipe is closed, by
/// whatever end of this process, it asks the groups that are left to end, and two seconds later ends them and all
/// processes that have this process's mark, wherever they are. It is in a session of its own, so that no signal to a job
/// reaches it, and costs a write of some bytes for each program.
enum ProcessGuardian {
  /// Begins the marks of all programs that this process starts.
  static let mark = "\(getpid())-\(UInt64(secondsNow() * 1e6))."

  private struct State {
    var pipe: Int32?
    var groups: Set<pid_t> = []
  }
  private static let state = Mutex(State())

  /// Has it started if it is not: before a program is.
  static func prepare() throws(Errno) {
    try state.withLock { state throws(Errno) in
      if state.pipe == nil { state.pipe = try start() }
    }
  }

  /// From now on this group does not outlive this process.
  static func watch(_ group: pid_t) {
    state.withLock { state in
      state.groups.insert(group)
      tell("+ \(group)\n", &state)
    }
  }

  /// The group has ended. To be called before its number is free for another one.
  static func forget(_ group: pid_t) {
    state.withLock { state in
      state.groups.remove(group)
      tell("- \(group)\n", &state)
    }
  }

  private static func tell(_ line: String, _ state: inout State) {
    if let pipe = state.pipe, send(line, to: pipe) { return }
    // Somebody has ended the guardian: another one takes over all that runs.
    if let pipe = state.pipe { close(pipe) }
    state.pipe = try? start()
    guard let pipe = state.pipe else { return }
    for group in state.groups { _ = send("+ \(group)\n", to: pipe) }
  }

  private static func send(_ line: String, to pipe: Int32) -> Bool {
    Array(line.utf8).withUnsafeBytes { bytes in
      while true {
        let count = Pipe.write(bytes, to: pipe)
        if count < 0, errno == EINTR { continue }
        return count == bytes.count
      }
    }
  }

  private static func start() throws(Errno) -> Int32 {
    let pipe = try Pipe()
    defer { close(pipe.reading) }
    do {
      _ = try ProcessStart(
        path: "/bin/sh", words: ["/bin/sh", "-c", script, "daunce-guardian", "\(MarkedProcesses.name)=\(mark)"],
        environment: ["PATH=/usr/bin:/bin"], folder: "/", input: pipe.reading, output: nil, errors: nil,
        isSession: true
      ).start()
    } catch {
      close(pipe.writing)
      throw error
    }
    return pipe.writing
  }

  private static let script = """
    trap '' HUP INT TERM QUIT
    groups=' '
    while read -r change group; do
      case "$change$groups" in
        +*) groups="$groups$group " ;;
        -*" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;;
      esac
    done
    for group in $groups; do kill -s TERM -- -$group; kill -s CONT -- -$group; done
    turn=0
    while [ $turn -lt 20 ]; do
      left=
      for group in $groups; do if kill -s 0 -- -$group; then left=1; fi; done
      if [ -z "$left" ]; then break; fi
      sleep 0.1
      turn=$((turn + 1))
    done
    for group in $groups; do kill -s KILL -- -$group; done
    for turn in 1 2 3; do
      for file in $(grep -lszF -- "$1" /proc/[0-9]*/environ); do
        number=${file#/proc/}
        kill -s KILL ${number%/environ}
      done
    done
    """
}
