import Glibc

/// The standard streams of a program: pipes whose other ends are here, and what is kept of its output.
final class ProgramStreams {
  /// The program's ends, until it has been started.
  private(set) var theirs: (input: Int32?, output: Int32?, errors: Int32?)
  /// Its standard input; `nil` where there is none, or no more.
  private(set) var input: Int32?
  /// Its standard output; `nil` after its end.
  private(set) var output: Int32?
  /// Its standard error; `nil` after its end, and where it goes the way of standard output.
  private(set) var errors: Int32?
  /// What standard output goes to.
  let keeper: OutputKeeper
  private let errorKeeper: OutputKeeper?
  /// Who takes standard output in the keeper's place.
  var receiver: AnswerReader?
  private var unsent: ArraySlice<UInt8> = []

  /// Files and pipes for a program that is to be started.
  ///
  /// - Throws: an outcome whose ending is ``ProcessEnding/notStarted(_:)``.
  init(of command: ProcessCommand, hasInput: Bool) throws(ProcessOutcome) {
    func keeper(_ name: String?) throws(ProcessOutcome) -> OutputKeeper {
      do {
        return try OutputKeeper(path: name.map(command.path), limit: command.limits.keptBytes)
      } catch {
        throw ProcessOutcome(command, .notStarted(command.reason(error.code, file: name)))
      }
    }
    let isOneFile = command.outputFile != nil && command.outputFile == command.errorFile
    self.keeper = try keeper(command.outputFile)
    errorKeeper = isOneFile ? nil : try keeper(command.errorFile)
    do throws(Errno) {
      if hasInput {
        let pipe = try Pipe()
        (theirs.input, input) = (pipe.reading, pipe.writing)
      }
      let pipe = try Pipe()
      (theirs.output, output) = (pipe.writing, pipe.reading)
      if isOneFile {
        theirs.errors = pipe.writing
      } else {
        let pipe = try Pipe()
        (theirs.errors, errors) = (pipe.writing, pipe.reading)
      }
    } catch {
      throw ProcessOutcome(command, .notStarted(systemText(error.code)))
    }
    for end in [input, output, errors] { if let end { Pipe.doNotWait(end) } }
  }

  deinit {
    closeTheirs()
    for end in [input, output, errors] { if let end { close(end) } }
  }

  /// The program has its ends.
  func closeTheirs() {
    for end in Set([theirs.input, theirs.output, theirs.errors]) { if let end { close(end) } }
    theirs = (nil, nil, nil)
  }

  /// The program has ended: what it has left is read, and all is closed.
  func finish() {
    readOutput(upTo: 1 << 22)
    readErrors(upTo: 1 << 22)
    receiver?.finish()
    for keeper in [keeper, errorKeeper] { keeper?.finish() }
    give(back: &input)
    give(back: &output)
    give(back: &errors)
  }

  // MARK: From the program

  /// The last lines of standard output so far.
  var lastOutput: String { keeper.lastLines }
  /// The last lines of standard error so far.
  var lastErrors: String { errorKeeper?.lastLines ?? "" }
  /// Why files are not whole, as an error number.
  var failure: Int32? { keeper.failure ?? errorKeeper?.failure }

  /// Reads what is there, and closes the stream at its end.
  func readOutput(upTo most: Int = 1 << 18) {
    read(&output, upTo: most) { [receiver, keeper] in
      if let receiver { receiver.receive($0) } else { keeper.receive($0) }
    }
  }

  /// The same of standard error.
  func readErrors(upTo most: Int = 1 << 18) {
    read(&errors, upTo: most) { [errorKeeper] in errorKeeper?.receive($0) }
  }

  private func read(_ descriptor: inout Int32?, upTo most: Int, _ receive: (UnsafeRawBufferPointer) -> Void) {
    guard let open = descriptor else { return }
    let isAtEnd = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      var rest = most
      while rest > 0 {
        let count = Glibc.read(open, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return count == 0 || errno != EAGAIN }
        receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        rest -= count
        // A pipe that had less than there was room for is empty now; its end is told by the next look.
        if count < buffer.count { return false }
      }
      return false
    }
    if isAtEnd { give(back: &descriptor) }
  }

  // MARK: To the program

  /// Whether something is left to be written.
  var isSending: Bool { input != nil && !unsent.isEmpty }

  /// Writes to its standard input, now as much as it takes and the rest while it is waited for.
  func send(_ bytes: [UInt8]) {
    unsent += bytes
    write()
  }

  /// Writes what is left, as much as it takes; where nobody reads any more, the stream is closed.
  func write() {
    guard let open = input else { return unsent = [] }
    while !unsent.isEmpty {
      let count = unsent.withUnsafeBytes { Pipe.write($0, to: open) }
      if count < 0, errno == EINTR { continue }
      if count < 0 {
        if errno != EAGAIN { give(back: &input) }
        return
      }
      unsent = unsent.dropFirst(count)
    }
    unsent = []
  }

  /// Closes its standard input: nothing more comes.
  func closeInput() { give(back: &input) }
}

/// Closes a descriptor that is open.
func give(back descriptor: inout Int32?) {
  if let open = descriptor { close(open) }
  descriptor = nil
}
