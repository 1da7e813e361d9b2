/// A program that is to be run: its words, where, with what around it, and within which limits.
package struct ProcessCommand: Sendable, Hashable {
  /// The program and its arguments. A program without a slash is looked for in `PATH` of `environment`; a path that does
  /// not begin with a slash is as seen from `folder`.
  package var words: [String]
  /// Working folder, which must exist.
  package var folder: String
  /// All variables that the program finds, see ``ProcessEnvironment``.
  package var environment: [String: String]
  /// What the program may use.
  package var limits: ProcessLimits
  /// File for its standard output, as seen from `folder`; `nil` for none. What was there is written over.
  package var outputFile: String?
  /// File for its standard error; the same name as `outputFile` gives one file with both in their order.
  package var errorFile: String?

  /// The program `words` in `folder`.
  package init(
    _ words: [String], in folder: String, environment: [String: String], limits: ProcessLimits = ProcessLimits(),
    outputFile: String? = "stdout.txt", errorFile: String? = "stderr.txt"
  ) {
    self.words = words
    self.folder = folder
    self.environment = environment
    self.limits = limits
    self.outputFile = outputFile
    self.errorFile = errorFile
  }

  /// The words as a shell would take them, not more than 300 characters.
  package var text: String {
    let safe: (Character) -> Bool = { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) }
    let quoted = words.map { word in
      !word.isEmpty && word.allSatisfy(safe) ? word : "'" + word.split(
        separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
    let line = quoted.joined(separator: " ")
    return line.count <= 300 ? line : line.prefix(297) + "..."
  }

  /// A path as this process sees it of one that is seen from `folder`.
  func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }
}

/// What a program may use before it is ended.
package struct ProcessLimits: Sendable, Hashable {
  /// Seconds on the clock from its start, or from a request to a worker; `nil` for no limit.
  package var seconds: Double?
  /// Seconds between the signal that asks it and all that it has started to end (SIGTERM) and the one that ends them
  /// (SIGKILL).
  package var grace: Double
  /// Bytes of addresses (RLIMIT_AS) for each process of it; `nil` for no limit of ours. Programs that reserve more than
  /// they use, such as Java and Julia, need far more than their memory.
  package var memory: Int?
  /// A process whose cores it may have, in place of those that this one is bound to; `nil` for these.
  package var coresOf: Int32?
  /// Bytes in each file of its output, at least 256: beyond these its middle is left out.
  package var keptBytes: Int

  /// Limits; without arguments a mebibyte of each output and nothing else.
  package init(seconds: Double? = nil, grace: Double = 5, memory: Int? = nil, coresOf: Int32? = nil, keptBytes: Int = 1 << 20) {
    self.seconds = seconds
    self.grace = grace
    self.memory = memory
    self.coresOf = coresOf
    self.keptBytes = keptBytes
  }
}
