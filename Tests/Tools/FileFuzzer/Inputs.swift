import DaunceArchive
import Foundation

/// Makes input number i, whatever inputs there were before.
struct Inputs {
  let seeds: [Corpus.Seed]
  let seed: UInt64
  private let isolatedShare: Int
  private let files: [[UInt8]]
  private let texts: [[UInt8]]

  /// `isolatedShare`: one in so many inputs is another program's NetCDF-4 file, for which processes are started.
  init(corpus: URL, seed: UInt64, isolatedShare: Int) throws {
    self.isolatedShare = isolatedShare
    seeds = try Corpus.load(from: corpus)
    self.seed = seed
    files = seeds.filter { !$0.isText }.map(\.bytes)
    texts = seeds.filter(\.isText).map(\.bytes)
  }

  /// What an input is, for reports.
  struct Label {
    let kind: Kind
    let other: Kind
    /// `agent.nc, structure`.
    let name: String
  }

  /// Writes input number `index` to `path`.
  func write(_ index: Int, to path: String) throws -> Label {
    var chance = Chance(seed: seed, input: index)
    let isIsolated = chance.once(in: isolatedShare)
    // A fifth of the others are texts, of which there are few.
    let isText = !isIsolated && chance.once(in: 5)
    let seed = chance.pick(
      seeds.filter {
        $0.isText == isText && (isIsolated ? $0.form == .netCDF4 || $0.structure != nil : $0.form != .netCDF4)
      })
    let other = chance.pick(Kind.allCases)
    func label(_ how: String) -> Label { Label(kind: seed.kind, other: other, name: "\(seed.name), \(how)") }
    func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }
    if seed.isText {
      let isTable = seed.kind == .table
      try put((isTable ? TableDamage.damaged : TextDamage.damaged)(seed.bytes, texts, &chance))
      return label("text")
    }
    if let structure = seed.structure {
      if isIsolated {
        // Without its seal it is another program's file.
        try put(ByteDamage.damaged(seed.bytes.dropLast(32), files, &chance))
        return label("unsealed")
      }
      if chance.once(in: 8) {
        try put(ByteDamage.damaged(seed.bytes, files, &chance))
      } else {
        // What the library refuses to write is damaged otherwise.
        if (try? structure.write(to: path, &chance)) != nil { return label("structure") }
        try put(ByteDamage.damaged(seed.bytes, files, &chance))
      }
      return label("sealed")
    }
    try put(ByteDamage.damaged(seed.bytes, files, &chance))
    return label("bytes")
  }
}
