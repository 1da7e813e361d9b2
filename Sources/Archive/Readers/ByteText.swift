import Glibc

/// A text file's bytes, and ranges of them read as words and numbers without copying: files have millions of fields.
struct ByteText {
  private let contents: FileContents?
  private let bytes: UnsafeRawBufferPointer

  init(_ contents: FileContents?) {
    self.contents = contents
    bytes = contents.map { UnsafeRawBufferPointer($0.bytes) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// A text that is no file's.
  init(copying text: [UInt8]) {
    let memory = malloc(max(text.count, 1))
    if let memory {
      UnsafeMutableRawBufferPointer(start: memory, count: text.count).copyBytes(from: text)
    }
    self.init(memory.map { FileContents(owning: $0, size: text.count) })
  }

  var count: Int { bytes.count }

  /// The byte at `i`, 0 beyond the end.
  subscript(i: Int) -> UInt8 { i >= 0 && i < bytes.count ? bytes[i] : 0 }

  /// All lines.
  var lines: Lines { Lines(text: self) }

  /// Lines one by one, without their ends (LF or CR LF), and without a byte order mark.
  struct Lines {
    let text: ByteText
    private var offset: Int
    /// Number of the last line that was given, from 1.
    private(set) var number = 0

    fileprivate init(text: ByteText) {
      self.text = text
      offset = text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF ? 3 : 0
    }

    /// The next line, or `nil` at the end.
    mutating func next() -> Range<Int>? {
      guard offset < text.count else { return nil }
      let start = offset
      var end = start
      while end < text.count, text.bytes[end] != UInt8(ascii: "\n") { end += 1 }
      offset = end + 1
      number += 1
      if end > start, text.bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      return start..<end
    }

    /// The next line that is not blank, without blanks around it.
    mutating func nextFilled() -> Range<Int>? {
      while let line = next() {
        let words = text.trimmed(line)
        if !words.isEmpty { return words }
      }
      return nil
    }
  }

  // MARK: Words

  /// Without spaces and tabs around it.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, isBlank(self[start]) { start += 1 }
    while end > start, isBlank(self[end - 1]) { end -= 1 }
    return start..<end
  }

  func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

  /// The next word from `offset` on, which moves behind it; `nil` where there is none.
  func word(from offset: inout Int, to end: Int) -> Range<Int>? {
    while offset < end, isBlank(self[offset]) { offset += 1 }
    guard offset < end else { return nil }
    let start = offset
    while offset < end, !isBlank(self[offset]) { offset += 1 }
    return start..<offset
  }

  func string(_ range: Range<Int>) -> String {
    let range = range.clamped(to: 0..<count)
    return String(decoding: bytes[range], as: UTF8.self)
  }

  /// For messages: in quotation marks, and not longer than a line.
  func quoted(_ range: Range<Int>) -> String {
    let text = string(range.lowerBound..<min(range.upperBound, range.lowerBound + 60))
    let clean = String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
    return "\"\(clean)\(range.count > 60 ? "..." : "")\""
  }

  func equals(_ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    for (i, offset) in range.enumerated() where self[offset] != word.utf8Start[i] { return false }
    return true
  }

  func equal(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
    guard a.count == b.count else { return false }
    for i in 0..<a.count where self[a.lowerBound + i] != self[b.lowerBound + i] { return false }
    return true
  }

  // MARK: Numbers

  private static let powers: [Double] = (0...22).map { power in (0..<power).reduce(1.0) { value, _ in value * 10 } }

  /// The number that a range spells, correctly rounded; Fortran's `1.5D+02` too. Not a number for the words nan and NA;
  /// `nil` for anything else.
  func number(_ range: Range<Int>) -> Double? {
    var (i, end) = (range.lowerBound, range.upperBound)
    var isNegative = false
    if i < end, self[i] == UInt8(ascii: "-") || self[i] == UInt8(ascii: "+") {
      isNegative = self[i] == UInt8(ascii: "-")
      i += 1
    }
    var (mantissa, digits, significant, exponent) = (UInt64(0), 0, 0, 0)
    var isFraction = false
    while i < end {
      let byte = self[i]
      if byte >= 0x30, byte <= 0x39 {
        digits += 1
        if significant < 19 {
          mantissa = mantissa * 10 + UInt64(byte - 0x30)
          if mantissa > 0 { significant += 1 }
          if isFraction { exponent -= 1 }
        } else {
          significant += 1
          if !isFraction { exponent += 1 }
        }
      } else if byte == UInt8(ascii: "."), !isFraction {
        isFraction = true
      } else {
        break
      }
      i += 1
    }
    guard digits > 0 else { return isMissingWord(range) ? .nan : nil }
    if i < end {
      guard let power = power(i..<end) else { return nil }
      exponent += power
      end = i
    }
    if significant <= 19, mantissa <= 1 << 53, abs(exponent) <= 22 {
      let value =
        exponent < 0 ? Double(mantissa) / Self.powers[-exponent] : Double(mantissa) * Self.powers[exponent]
      return isNegative ? -value : value
    }
    return Double(String(decoding: range.map { self[$0] | 0x20 == 0x64 ? 0x65 : self[$0] }, as: UTF8.self))
  }

  /// The exponent that starts with a letter.
  private func power(_ range: Range<Int>) -> Int? {
    guard [0x45, 0x65, 0x44, 0x64].contains(self[range.lowerBound]) else { return nil }
    var i = range.lowerBound + 1
    let isNegative = self[i] == UInt8(ascii: "-")
    if i < range.upperBound, isNegative || self[i] == UInt8(ascii: "+") { i += 1 }
    guard i < range.upperBound else { return nil }
    var power = 0
    while i < range.upperBound {
      guard self[i] >= 0x30, self[i] <= 0x39 else { return nil }
      power = min(power * 10 + Int(self[i] - 0x30), 100_000)
      i += 1
    }
    return isNegative ? -power : power
  }

  private func isMissingWord(_ range: Range<Int>) -> Bool {
    guard range.count <= 4 else { return false }
    return ["nan", "-nan", "na"].contains(string(range).lowercased())
  }

  /// The whole number that a range spells; `nil` for anything else.
  func integer(_ range: Range<Int>) -> Int? {
    guard let value = number(range), let whole = Int(exactly: value), abs(value) <= 0x1p53 else { return nil }
    return whole
  }
}
