import DaunceNumerics
import DaunceUncertainty
import Testing

@Suite struct PairedVarianceTests {
  /// Values that are sums of a normal number of the member, the training, the agent of the training, the member and agent together,
  /// the ensemble, and a draw.
  private func values(_ design: PairedDesign, together: Double, seed: UInt64) -> [Double] {
    func stream(_ kind: Int) -> RandomStream { RandomStream(seed: seed, purpose: .test, member: kind) }
    let n = design.members
    var values: [Double] = []
    for e in 0..<design.ensembles {
      let place = design.place(of: e)
      for m in 0..<n {
        let agent = place.training * n + design.agent(of: m, pairing: place.pairing)
        values.append(
          50 + stream(0).normal(at: m) + 2 * stream(1).normal(at: place.training) + 3 * stream(2).normal(at: agent)
            + together * stream(0).normal(at: m) * stream(2).normal(at: agent) + 2 * stream(3).normal(at: e)
            + stream(4).normal(at: values.count))
      }
    }
    return values
  }

  /// On average over many experiments every part is what it should be: what the members of an ensemble have in common is no
  /// source's.
  @Test(arguments: [(3, 4, 4), (4, 5, 2), (1, 4, 3)])
  func partsHaveNoBias(_ trainings: Int, _ members: Int, _ pairings: Int) {
    let design = PairedDesign(members: members, trainings: trainings, pairings: pairings, draws: 2)
    let variance = PairedVariance(design)
    var sum = PairedVariance.Parts()
    let count = 4000
    for k in 0..<count {
      let parts = values(design, together: 2, seed: UInt64(k)).withUnsafeBufferPointer { own in
        own.baseAddress.map { variance.take($0) } ?? PairedVariance.Parts()
      }
      sum.newInput += parts.newInput / Double(count)
      sum.trainingData += parts.trainingData / Double(count)
      sum.weights += parts.weights / Double(count)
      sum.interaction += parts.interaction / Double(count)
    }
    #expect(abs(sum.newInput - 1) < 0.2, "\(sum.newInput)")
    #expect(abs(sum.trainingData - (trainings > 1 ? 4 : 0)) < 0.5, "\(sum.trainingData)")
    #expect(abs(sum.weights / 9 - 1) < 0.08, "\(sum.weights)")
    #expect(abs(sum.interaction / 4 - 1) < 0.15, "\(sum.interaction)")
  }

  /// The parts of one experiment, each by going through all pairs of values.
  @Test func partsAreThoseOfAllPairs() {
    let design = PairedDesign(members: 4, trainings: 2, pairings: 3, draws: 2)
    let x = values(design, together: 1, seed: 7)
    let own = x.withUnsafeBufferPointer { $0.baseAddress.map { PairedVariance(design).take($0) } }
    guard let own else { return #expect(Bool(false)) }
    func mean(_ hold: (_ member: Bool, _ training: Bool, _ agent: Bool) -> Bool) -> Double {
      var (sum, count) = (0.0, 0.0)
      for i in x.indices {
        for j in x.indices {
          let (p, q) = (design.place(of: i / 4), design.place(of: j / 4))
          let agents = (design.agent(of: i % 4, pairing: p.pairing), design.agent(of: j % 4, pairing: q.pairing))
          guard p.draw != q.draw, hold(i % 4 == j % 4, p.training == q.training, agents.0 == agents.1) else { continue }
          sum += (x[i] - own.mean) * (x[j] - own.mean)
          count += 1
        }
      }
      return sum / count
    }
    let apart = mean { !$0 && !$1 && !$2 }
    let training = mean { !$0 && $1 && !$2 }
    #expect(abs(own.newInput - (mean { $0 && !$1 && !$2 } - apart)) < 1e-9)
    #expect(abs(own.trainingData - (training - apart)) < 1e-9)
    #expect(abs(own.weights - (mean { !$0 && $1 && $2 } - training)) < 1e-9)
    let all = mean { $0 && $1 && $2 } - apart
    #expect(abs(own.interaction - (all - own.newInput - own.trainingData - own.weights)) < 1e-9)
    let average = x.reduce(0, +) / Double(x.count)
    #expect(abs(own.mean - average) < 1e-12)
    #expect(abs(own.square - x.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(x.count)) < 1e-9)
  }

  /// Agents drive every member in turn, and no pairing twice.
  @Test func pairingsAreDifferent() {
    let design = PairedDesign(members: 10, trainings: 1, pairings: 5, draws: 2)
    for member in 0..<10 {
      let agents = Set((0..<5).map { design.agent(of: member, pairing: $0) })
      #expect(agents.count == 5 && agents.allSatisfy { (0..<10).contains($0) })
    }
    for pairing in 0..<5 { #expect(Set((0..<10).map { design.agent(of: $0, pairing: pairing) }).count == 10) }
    #expect((0..<10).allSatisfy { design.agent(of: $0, pairing: 0) == $0 })
  }
}
