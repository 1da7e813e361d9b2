import Glibc
import Synchronization

/// NetCDF-4 files of other programs, read by a process of their own.
///
/// HDF5 1.10 can crash, or read what is not its own, where a file's metadata are damaged. This program's own files are
/// checked by their seal before HDF5 sees them, and classic files by `ClassicHeader`; another program's NetCDF-4 file
/// has neither. So a child process lets HDF5 read all of it and hands it on in the classic format: HDF5 never sees such
/// a file in a rank, and its crash is one error like any other.
///
/// The executable has to offer the child: it calls `serve(_:)` with its arguments, which tells whether it is one, and `isolate()`
/// otherwise. Without that, as in a test, such files are read in the calling process.
public enum SandboxedReader {
  /// The only argument of the child process.
  public static let argument = "--read-foreign-file"

  /// The executable that is started as the child.
  private static let executable = Mutex<String?>(nil)

  /// From now on other programs' NetCDF-4 files are read by child processes: `executable` is started with `argument`.
  ///
  /// By default that is the running program itself, even if its file has been replaced meanwhile.
  public static func isolate(executable path: String = "/proc/self/exe") { executable.withLock { $0 = path } }

  /// What a child may use before the system ends it.
  public struct Limits: Sendable {
    /// Seconds of processor time, and more for each megabyte of the file.
    public var seconds = 30
    public var secondsPerMegabyte = 1
    /// Bytes of memory, and more for each byte of the file, as much as the strongest compression makes necessary; `nil`
    /// for no limit. Damaged lengths make HDF5 ask for gigabytes, which other ranks of the machine need.
    public var memory: Int? = 512 << 20
    public var memoryPerByte = 4 * 1100

    /// The limits that the properties show.
    public init() {}
  }

  // MARK: In the child

  /// Reads the file at standard input and writes its classic copy with a seal, or an error, to standard output.
  ///
  /// - Returns: exit code of the process.
  public static func serve(limits: Limits = Limits()) -> Int32 {
    serve(limits) { () throws(ArchiveError) in
      let copy = try DatasetReader(path: "/dev/stdin").classicCopy()
      return [copy, copy.withUnsafeBytes { ChecksumFooter(of: $0).bytes }]
    }
  }

  /// Writes what `work` makes of the file at standard input, or its error, to standard output.
  static func serve(_ limits: Limits, _ work: () throws(ArchiveError) -> [[UInt8]]) -> Int32 {
    do throws(ArchiveError) {
      var status = stat()
      fstat(STDIN_FILENO, &status)
      apply(limits, bytes: max(0, Int(status.st_size)))
      return try work().allSatisfy(write) ? 0 : 74
    } catch {
      let words = [error.problem.rawValue, error.object ?? "", error.found, error.expected ?? ""]
      return write(Array(words.joined(separator: "\0").utf8)) ? 65 : 74
    }
  }

  private static func apply(_ limits: Limits, bytes: Int) {
    func limit(_ resource: __rlimit_resource, _ value: Int) {
      // At the soft limit the kernel sends a signal that says which limit it was (SIGXCPU), at the hard one SIGKILL.
      var both = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value + 5))
      // Where a smaller limit holds already, that one stays.
      setrlimit(__rlimit_resource_t(resource.rawValue), &both)
    }
    // No memory dump is left behind by a crash that is expected.
    limit(RLIMIT_CORE, 0)
    limit(RLIMIT_CPU, limits.seconds + limits.secondsPerMegabyte * (bytes >> 20))
    if let memory = limits.memory { limit(RLIMIT_DATA, memory + limits.memoryPerByte * min(bytes, 1 << 40)) }
  }

  private static func write(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      while offset < bytes.count {
        let count = Glibc.write(
          STDOUT_FILENO, bytes.baseAddress?.advanced(by: offset), min(bytes.count - offset, 1 << 30))
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return false }
        offset += count
      }
      return true
    }
  }

  // MARK: In the parent

  /// The contents of a NetCDF-4 file in the classic format, as a child process reads them; `nil` where files are read
  /// in this process.
  ///
  /// - Throws: the child's error, or one that says how the child ended.
  static func classicCopy(of path: String) throws(ArchiveError) -> FileContents? {
    // Only a complete copy has a whole seal, however the process ended.
    let output = try run(argument, on: path) { bytes in if case .whole = ChecksumFooter.check(bytes) { true } else { false } }
    output?.removeLast(ChecksumFooter.size)
    return output
  }

  /// What a child process that is started with `argument` makes of a file; `nil` where files are read in this process.
  ///
  /// - Parameter isWhole: whether these bytes are all that a child writes that came to its end.
  /// - Throws: the child's error, or one that says how the child ended.
  static func run(
    _ argument: String, on path: String, isWhole: (UnsafeRawBufferPointer) -> Bool
  ) throws(ArchiveError) -> FileContents? {
    guard let executable = executable.withLock({ $0 }) else { return nil }
    let (output, ending) = try ChildProcess.run(executable, [argument], input: path)
    let bytes = UnsafeRawBufferPointer(output.bytes)
    if isWhole(bytes) { return output }
    switch ending {
    case .exited(65): throw error(from: bytes, path)
    case .exited(let code):
      throw ArchiveError(
        .ioFailure, path: path, found: "exit code \(code) of the process that reads it", expected: classicAdvice)
    case .killed(SIGXCPU):
      throw ArchiveError(
        .damaged, path: path, found: "contents that the HDF5 library does not finish reading", expected: wholeFile)
    case .killed(let signal):
      let name = strsignal(signal).map { String(cString: $0) } ?? "unknown"
      throw ArchiveError(
        .damaged, path: path, found: "contents on which the HDF5 library fails (signal \(signal): \(name))",
        expected: wholeFile)
    }
  }

  private static let wholeFile = "a complete NetCDF file: this one is truncated or damaged"
  static let classicAdvice = "a process of its own for HDF5, or a classic file (nccopy -k cdf5 OLD NEW)"

  private static func error(from bytes: UnsafeRawBufferPointer, _ path: String) -> ArchiveError {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: "\0", omittingEmptySubsequences: false)
    guard words.count == 4, let problem = ArchiveError.Problem(rawValue: String(words[0])) else {
      return ArchiveError(.damaged, path: path, found: "contents that cannot be read", expected: wholeFile)
    }
    return ArchiveError(
      problem, path: path, object: words[1].isEmpty ? nil : String(words[1]), found: String(words[2]),
      expected: words[3].isEmpty ? nil : String(words[3]))
  }
}
