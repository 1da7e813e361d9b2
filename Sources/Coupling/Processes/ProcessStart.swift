import CLinux
import Glibc

/// The start of a program with `posix_spawn`, which calls no fork handlers and copies no memory, as MPI libraries want it.
///
/// The program has no open files but the standard streams, default handling of all signals, and none of them blocked.
struct ProcessStart {
  /// The file that is run, and what it is told, its own name first.
  var path: String
  var words: [String]
  /// `NAME=value` each.
  var environment: [String]
  /// Working folder; `nil` for this process's own.
  var folder: String?
  /// Descriptors for the standard streams; `nil` for none: it reads nothing, and what it writes is thrown away.
  var (input, output, errors): (Int32?, Int32?, Int32?)
  /// A session of its own, which no terminal reaches, and not only a process group.
  var isSession = false

  /// Starts it as the leader of a process group.
  ///
  /// - Returns: its number, which is the group's too.
  func start() throws(Errno) -> pid_t {
    guard (words + environment + [path]).allSatisfy({ !$0.utf8.contains(0) }) else { throw Errno(EINVAL) }
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (stream, descriptor) in [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
      if let descriptor {
        posix_spawn_file_actions_adddup2(&actions, descriptor, stream)
      } else {
        posix_spawn_file_actions_addopen(
          &actions, stream, "/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0)
      }
    }
    if let folder { daunce_spawn_in_folder(&actions, folder) }
    daunce_spawn_close_from(&actions, STDERR_FILENO + 1)

    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let group = isSession ? daunce_spawn_session() : Int16(POSIX_SPAWN_SETPGROUP)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | group)

    var argv = words.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var child: pid_t = 0
    let status = posix_spawn(&child, path, &actions, &attributes, &argv, &envp)
    guard status == 0 else { throw Errno(status) }
    return child
  }
}

extension ProcessCommand {
  /// The file that `words` name: what a shell would find. If there is none, the word itself, for which the system then
  /// has an error.
  func executable() throws(Errno) -> String {
    guard let word = words.first, !word.isEmpty else { throw Errno(ENOENT) }
    if word.utf8.contains(UInt8(ascii: "/")) { return word }
    var code = ENOENT
    let folders = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    for place in folders.split(separator: ":", omittingEmptySubsequences: false) {
      // An empty entry is the working folder.
      let file = place.isEmpty ? "./\(word)" : "\(place)/\(word)"
      var status = stat()
      guard stat(path(file), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      if access(path(file), X_OK) == 0 { return file }
      code = EACCES
    }
    throw Errno(code)
  }

  /// Why it could not be started, of an error number: the folder, the program and its files have the same ones.
  ///
  /// - Parameter file: the file of its output that could not be written.
  func reason(_ code: Int32, file: String? = nil) -> String {
    guard let word = words.first, !word.isEmpty else { return "there is no program to start" }
    let text = systemText(code)
    if let problem = folderProblem { return "folder \(folder): \(systemText(problem))" }
    if let file { return "file \(path(file)): \(text)" }
    switch code {
    case ENOENT where (try? executable()).map { access(path($0), F_OK) == 0 } == true:
      return "\(text): the interpreter that the first line of \(word) names"
    case ENOEXEC: return "\(text): \(word) is no program, and a script begins with a line such as #!/bin/sh"
    case EINVAL: return "\(text): a zero byte in a word or a variable"
    case E2BIG: return "\(text) and variables together"
    default: return text
    }
  }

  /// Why nothing can work in the folder, as an error number.
  private var folderProblem: Int32? {
    var status = stat()
    if stat(folder, &status) != 0 { return errno }
    if status.st_mode & S_IFMT != S_IFDIR { return ENOTDIR }
    return access(folder, X_OK) == 0 ? nil : errno
  }
}
