import Glibc

/// The words of a command or of a request, with places for what differs from one to the next: `./model {input} {to}`.
///
/// Words end at spaces; quotes and backslashes keep spaces as in a shell, which is not asked.
struct RequestLine {
  /// What can stand between braces.
  enum Place: String, CaseIterable {
    /// Files with the state before and after.
    case input, output
    /// Times in the model's unit, and time steps between.
    case from, to, steps
    /// 64 bits for the model's noise.
    case seed
    /// The member's folder.
    case folder
    /// Cores of the program.
    case cores
  }

  private enum Piece {
    case text(String)
    case place(Place)
  }

  private var words: [[Piece]] = []

  /// - Parameter key: of the configuration, for messages.
  /// - Throws: `CouplingError` for quotes that do not end, and places that nobody knows.
  init(_ text: String, key: String) throws(CouplingError) {
    for word in try Self.split(text, key) {
      var (pieces, rest): ([Piece], Substring) = ([], word[...])
      while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
        let name = String(rest[rest.index(after: open)..<close])
        guard let place = Place(rawValue: name) else {
          throw CouplingError(
            "external model", "key \(key)", found: "{\(name)}",
            expected: "one of \(Place.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", "))")
        }
        if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
        pieces.append(.place(place))
        rest = rest[rest.index(after: close)...]
      }
      if !rest.isEmpty || pieces.isEmpty { pieces.append(.text(String(rest))) }
      words.append(pieces)
    }
    guard !words.isEmpty else {
      throw CouplingError("external model", "key \(key)", found: "no words", expected: "a program and its arguments")
    }
  }

  /// The words with their places filled in.
  func filled(_ value: (Place) -> String) -> [String] {
    words.map { pieces in
      pieces.map { piece in
        switch piece {
        case .text(let text): text
        case .place(let place): value(place)
        }
      }.joined()
    }
  }

  /// Whether a place stands in it.
  func has(_ place: Place) -> Bool {
    words.joined().contains { if case .place(place) = $0 { true } else { false } }
  }

  /// The same where words that name a file of the working folder, and none of a folder's that is looked into first, are
  /// its path: a program that is started elsewhere finds it then.
  func located(from folder: String, unlessIn template: String?) -> RequestLine {
    var line = self
    for (w, pieces) in words.enumerated() {
      guard case .text(let word)? = pieces.first, pieces.count == 1, !word.hasPrefix("/"), w > 0 || word.contains("/") else {
        continue
      }
      let isOfTemplate = template.map { access("\($0)/\(word)", F_OK) == 0 } ?? false
      var status = stat()
      guard !isOfTemplate, stat("\(folder)/\(word)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      line.words[w] = [.text("\(folder)/\(word.hasPrefix("./") ? String(word.dropFirst(2)) : word)")]
    }
    return line
  }

  private static func split(_ text: String, _ key: String) throws(CouplingError) -> [String] {
    var (words, word, quote): ([String], String?, Character?) = ([], nil, nil)
    var characters = text.makeIterator()
    while let character = characters.next() {
      switch (quote, character) {
      case (let open?, _) where character == open: quote = nil
      case ("'", _): word?.append(character)
      case (_, "\\"): word = (word ?? "") + (characters.next().map(String.init) ?? "\\")
      case ("\"", _): word?.append(character)
      case (_, "'"), (_, "\""): (quote, word) = (character, word ?? "")
      case (_, " "), (_, "\t"), (_, "\n"):
        if let done = word { words.append(done) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    if let quote {
      throw CouplingError("external model", "key \(key)", found: "an opening \(quote) alone", expected: "a closing one")
    }
    return words + (word.map { [$0] } ?? [])
  }
}
