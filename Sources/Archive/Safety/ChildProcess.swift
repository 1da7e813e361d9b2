import Glibc

/// Another process with a file at its standard input, whose standard output is read here.
///
/// Started with `posix_spawn`, which calls no fork handlers and copies no memory, as MPI libraries want it.
enum ChildProcess {
  /// How a process ended.
  enum Ending {
    case exited(Int32)
    case killed(Int32)
  }

  /// Runs `executable`, the file `path` at its standard input, its error output thrown away.
  ///
  /// - Returns: all that it wrote, and how it ended.
  static func run(
    _ executable: String, _ arguments: [String], input path: String
  ) throws(ArchiveError) -> (output: FileContents, ending: Ending) {
    var ends: [Int32] = [-1, -1]
    // A pair of sockets and not a pipe: only these are closed in another thread's children from the start.
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw failure(path, errno) }
    let child: pid_t
    do throws(ArchiveError) {
      child = try start(executable, arguments, input: path, output: ends[1])
    } catch {
      for end in ends { close(end) }
      throw error
    }
    close(ends[1])
    let output = contents(of: ends[0])
    // Whatever the process would still write, nobody waits for it.
    close(ends[0])
    let ending = wait(for: child)
    guard let output else { throw failure(path, ENOMEM) }
    return (output, ending)
  }

  private static func failure(_ path: String, _ code: Int32) -> ArchiveError {
    let error = systemError(path: path, doing: "cannot run the process that reads it", code)
    return ArchiveError(error.problem, path: path, found: error.found, expected: SandboxedReader.classicAdvice)
  }

  private static func start(
    _ executable: String, _ arguments: [String], input path: String, output: Int32
  ) throws(ArchiveError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    // A signal that this thread blocks would be blocked in the child too, whose limits could not end it.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var words = ([executable] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let status = posix_spawn(&child, executable, &actions, &attributes, &words, environ)
    guard status == 0 else { throw failure(path, status) }
    return child
  }

  /// All bytes up to the end; `nil` if there is no memory for them.
  private static func contents(of descriptor: Int32) -> FileContents? {
    var (size, capacity) = (0, 1 << 16)
    guard var memory = malloc(capacity) else { return nil }
    while true {
      if size == capacity {
        guard let larger = realloc(memory, 2 * capacity) else {
          free(memory)
          return nil
        }
        (memory, capacity) = (larger, 2 * capacity)
      }
      let count = read(descriptor, memory + size, min(capacity - size, 1 << 30))
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return FileContents(owning: memory, size: size) }
      size += count
    }
  }

  private static func wait(for child: pid_t) -> Ending {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      // Where children are nobody's to wait for (SIGCHLD ignored), how it ended is not to be known.
      guard errno == EINTR else { return .exited(-1) }
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal)
  }
}
