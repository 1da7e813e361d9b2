import DaunceNumerics
import DaunceUncertainty
import Testing

@Suite struct CrossedDesignTests {
  /// Means that are sums of one normal number a draw of each source, with products of those of weights and new input, and of weights and
  /// training rows.
  private func design(_ levels: [Int], product: Double, nested: Double = 0, seed: UInt64) -> CrossedDesign {
    var design = CrossedDesign(levels: levels)
    let streams = (0..<4).map { RandomStream(seed: seed, purpose: .test, member: $0) }
    let sizes = [1.0, 2, 3, 4]
    var index = 0
    for a in 0..<levels[0] {
      for b in 0..<levels[1] {
        for c in 0..<levels[2] {
          for d in 0..<levels[3] {
            let z = zip([a, b, c, d], streams).map { $1.normal(at: $0) }
            design.means[index] = 100 + zip(z, sizes).reduce(0) { $0 + $1.0 * $1.1 } + product * z[0] * z[3]
              + nested * z[2] * z[3]
            design.variances[index] = 7
            index += 1
          }
        }
      }
    }
    return design
  }

  /// On average over many experiments with few draws each, every part is what it should be: no bias from few draws.
  @Test func partsHaveNoBias() {
    var (parts, interaction, total) = ([Double](repeating: 0, count: 5), 0.0, 0.0)
    let count = 3000
    for k in 0..<count {
      let variance = design([4, 4, 4, 4], product: 2, nested: 2, seed: UInt64(k)).decompose()
      for s in 0..<5 { parts[s] += variance.parts[s] / Double(count) }
      interaction += variance.interaction / Double(count)
      total += variance.total / Double(count)
    }
    for (s, exact) in [1.0, 4, 9, 20, 7].enumerated() {
      #expect(abs(parts[s] / exact - 1) < 0.12, "\(s): \(parts[s]) in place of \(exact)")
    }
    #expect(abs(interaction / 4 - 1) < 0.15, "\(interaction)")
    #expect(abs(total / 45 - 1) < 0.05, "\(total)")
  }

  /// A source with one draw has no part at all, and nothing is lost: all that varies is another's.
  @Test func aSingleDrawHasNoPart() {
    let variance = design([8, 1, 1, 6], product: 0, seed: 5).decompose()
    #expect(variance.parts[1] == 0 && variance.parts[2] == 0)
    #expect(variance.parts[0] > 0 && variance.parts[3] > 0 && abs(variance.parts[4] - 7) < 1e-12)
    #expect(abs(variance.interaction) < 1e-10)
    let exact = design([1, 1, 1, 1], product: 0, seed: 5).decompose()
    #expect(exact.parts == [0, 0, 0, 0, 7] && exact.interaction == 0 && exact.total == 7)
  }

  /// Draws that do not differ make a part of exactly nothing.
  @Test func equalDrawsMakeNothing() {
    var design = CrossedDesign(levels: [4, 2, 2, 2])
    for k in design.means.indices { design.means[k] = k % 2 == 0 ? 0.1 : 0.3 }
    let parts = design.decompose().parts
    for s in 0..<3 { #expect(abs(parts[s]) < 1e-15) }
    #expect(abs(parts[3] - 0.02) < 1e-12)
  }
}
