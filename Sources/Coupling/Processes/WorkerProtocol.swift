/// Requests and answers of workers, one line each.
///
/// A request is words with one space between. An answer is `ok` and words, or `error` and a text. Bytes that would end a
/// word are written as `%` and two hexadecimal digits: spaces, control characters and `%` itself. An empty word is nothing
/// between two spaces; answers may have more spaces than one, and have no empty words.
enum WorkerProtocol {
  /// An answer.
  enum Answer: Equatable {
    case success([String])
    case failure(String)
  }

  /// The line of a request, its end included.
  static func line(_ words: [String]) -> [UInt8] {
    var line: [UInt8] = []
    for (index, word) in words.enumerated() {
      if index > 0 { line.append(UInt8(ascii: " ")) }
      for byte in word.utf8 {
        if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "%") {
          line.append(UInt8(ascii: "%"))
          line.append(digit(byte >> 4))
          line.append(digit(byte & 15))
        } else {
          line.append(byte)
        }
      }
    }
    line.append(UInt8(ascii: "\n"))
    return line
  }

  /// The answer in a line without its end; `nil` if the line is something else.
  static func answer(in line: ArraySlice<UInt8>) -> Answer? {
    let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    if let rest = rest(of: line, after: "ok") {
      return .success(rest.split(separator: UInt8(ascii: " ")).map(text))
    }
    return rest(of: line, after: "error").map { .failure(text(of: $0)) }
  }

  /// What follows the word at the beginning of a line and a space; `nil` if the line does not begin with this word.
  private static func rest(of line: ArraySlice<UInt8>, after word: StaticString) -> ArraySlice<UInt8>? {
    let size = word.utf8CodeUnitCount
    guard line.count >= size, zip(line, 0..<size).allSatisfy({ $0 == word.utf8Start[$1] }) else { return nil }
    let rest = line.dropFirst(size)
    return rest.isEmpty || rest.first == UInt8(ascii: " ") ? rest.dropFirst() : nil
  }

  /// A word as it was before it was written; a `%` without digits is one.
  static func text(of word: ArraySlice<UInt8>) -> String {
    guard word.contains(UInt8(ascii: "%")) else { return String(decoding: word, as: UTF8.self) }
    var bytes: [UInt8] = []
    var rest = word
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
      if byte == UInt8(ascii: "%"), digits.count == 2 {
        bytes.append(UInt8(16 * digits[0] + digits[1]))
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }
}

/// Finds the answer in what a worker writes to its standard output; all else is ordinary output.
final class AnswerReader {
  /// Bytes of the longest line that is looked at: longer ones are ordinary output, or an answer that is refused.
  static let longest = 1 << 20

  /// Whether an answer is waited for. Without it no line is one.
  private(set) var isExpecting = false
  /// The answer, once it has come.
  private(set) var answer: WorkerProtocol.Answer?
  /// Called when it has come.
  var whenAnswered: () -> Void = {}
  /// A line that has not come to its end.
  private var partial: [UInt8] = []
  /// Whether the beginning of that line has been too long and is gone.
  private var isWithinLine = false
  private let keeper: OutputKeeper

  init(keeper: OutputKeeper) { self.keeper = keeper }

  /// From now on an answer is waited for.
  func expect() { (isExpecting, answer) = (true, nil) }

  /// Takes the next bytes of output.
  func receive(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      partial.append(contentsOf: rest[..<end])
      rest = rest[(end + 1)...]
      takeLine()
    }
    partial.append(contentsOf: rest)
    if partial.count > Self.longest {
      if isExpecting, !isWithinLine, WorkerProtocol.answer(in: partial.prefix(8)) != nil {
        take(.failure("an answer of more than \(Self.longest) bytes"))
      }
      keep()
      isWithinLine = true
    }
  }

  /// No more comes: what is left is ordinary output.
  func finish() { if !partial.isEmpty { keep() } }

  private func takeLine() {
    if isExpecting, !isWithinLine, let found = WorkerProtocol.answer(in: partial[...]) {
      take(found)
      return partial.removeAll(keepingCapacity: true)
    }
    partial.append(UInt8(ascii: "\n"))
    keep()
    isWithinLine = false
  }

  private func take(_ answer: WorkerProtocol.Answer) {
    (isExpecting, self.answer) = (false, answer)
    whenAnswered()
  }

  private func keep() {
    partial.withUnsafeBytes(keeper.receive)
    partial.removeAll(keepingCapacity: true)
  }
}
