import DaunceAgents
import DaunceEnsemble
import DaunceNetworks
import DaunceNumerics
import DaunceState
import Testing

/// When a stage of a training ends, and whose agents it leaves.
@Suite struct CourseTests {
  /// Goes through a stage whose agents score `crps` at every review.
  private func course(
    _ course: inout Course, crps: (_ step: Int) -> Double?
  ) -> (reviewed: [Int], rates: [Double]) {
    var (done, reviewed, rates) = (0, [Int](), [Double]())
    while true {
      if course.isDue(done) {
        reviewed.append(done)
        course.take(crps(done), done: done, policies: [[Float(done)]])
      }
      guard done < course.end else { return (reviewed, rates) }
      rates.append(course.rate(at: done))
      done += 1
    }
  }

  @Test func aStageThatGetsBetterGoesToItsEnd() {
    var stage = Course("stage", steps: 100, reviews: ReviewSettings(times: 4, patience: 1))
    let (reviewed, rates) = course(&stage) { 1 / Double(1 + $0) }
    #expect(reviewed == [0, 25, 50, 75, 100])
    #expect(rates[0] == 1 && abs(rates[50] - 0.5) < 1e-12 && rates.count == 100)
    #expect(stage.better == nil)
  }

  /// The step size falls to zero in a tenth of the steps, and the best agents come back.
  @Test func aStageThatGetsNoBetterIsBroughtToItsEnd() throws {
    var stage = Course("stage", steps: 100, reviews: ReviewSettings(times: 10, patience: 2))
    let (reviewed, rates) = course(&stage) { $0 == 20 ? 0.5 : 1 }
    #expect(reviewed == [0, 10, 20, 30, 40, 50])
    #expect(rates.count == 50 && stage.end == 50)
    for (before, after) in zip(rates[40...], rates[41...]) { #expect(after < before) }
    #expect(abs(rates[40] - Course("stage", steps: 100, reviews: nil).rate(at: 40)) < 1e-12)
    #expect(abs(rates[49] - rates[40] / 10) < 1e-12)
    #expect(stage.isInLastTenth(40) && !stage.isInLastTenth(39))
    let better = try #require(stage.better)
    #expect(better.step == 20 && better.policies == [[20]])
  }

  @Test func aConstantStepSizeEndsAtOnceAndPatienceZeroNever() {
    var stage = Course("stage", steps: 100, hasConstantRate: true, reviews: ReviewSettings(times: 10, patience: 2))
    _ = course(&stage) { _ in 1 }
    #expect(stage.end == 20)
    var patient = Course("stage", steps: 100, reviews: ReviewSettings(times: 10, patience: 0))
    _ = course(&patient) { _ in 1 }
    #expect(patient.end == 100)
  }

  /// What only prepares for the next stage is left alone; agents that fail are never the best; a hundredth is no reason.
  @Test func whatIsKept() {
    var preparation = Course("stage", steps: 100, isPreparation: true, reviews: ReviewSettings(times: 10, patience: 2))
    _ = course(&preparation) { 1 + Double($0) }
    #expect(preparation.end == 100 && preparation.better == nil)
    // A loss that has fallen since is believed more than a review, but not than a much better one.
    for (share, step) in [(0.95, nil), (0.85, 50)] as [(Double, Int?)] {
      var falling = Course("stage", steps: 100, reviews: ReviewSettings(times: 10, patience: 0))
      for done in stride(from: 0, through: 100, by: 10) {
        falling.take(done == 50 ? share : 1, loss: 1 - Double(done) / 100, done: done, policies: [[Float(done)]])
      }
      #expect(falling.better?.step == step)
    }
    var failing = Course("stage", steps: 100, reviews: ReviewSettings(times: 10, patience: 0))
    _ = course(&failing) { $0 < 50 ? 1 : nil }
    #expect(failing.better?.step == 0)
    var close = Course("stage", steps: 100, reviews: ReviewSettings(times: 10, patience: 0))
    _ = course(&close) { $0 == 50 ? 0.995 : 1 }
    #expect(close.better == nil)
    var never = Course("stage", steps: 10, reviews: nil)
    #expect(course(&never) { _ in 1 }.reviewed.isEmpty && never.end == 10)
  }
}

/// Which inputs a network goes by.
@Suite struct InputImportanceTests {
  /// A network that answers its second group of inputs and no other; the truth is what that group says.
  @Test func onlyTheInputThatIsUsedMatters() throws {
    let layout = StateLayout(ring: 11, length: 11, fields: [Field(name: "u", scale: 2)])
    let settings = AgentSettings(
      base: .coarseStep, inputs: .member, target: .truth, draws: .independent, bounds: .truncated, controls: [0],
      observed: [], window: 3, hidden: [])
    // Three inputs: of 1, 1 and 1; outputs are a location of half the second input and a log-scale of 0.
    let policy = try #require(Network(sizes: [3, 2], parameters: [0, 0.5, 0, 0, 0, 0, 0, 0]))
    let vectors = 2
    let importance = InputImportance(policy, settings: settings, layout: layout, limit: 400)
    let anchors = [Double](repeating: 1, count: 11)
    for t in 0..<500 {
      let tile = Activations(network: policy, vectors: vectors)
      let stream = RandomStream(seed: 5, purpose: .test, cycle: t)
      var truth = anchors
      for i in 0..<3 {
        for c in 0..<11 { tile.input[i * vectors + c / 8][c % 8] = Float(stream.normal(at: 16 * i + c)) }
      }
      for c in 0..<11 { truth[c] += 2 * 0.5 * stream.normal(at: 16 + c) }
      importance.keep(tile, anchors: anchors, truth: truth)
    }
    let (loss, rises) = importance.losses(policy, groups: [1, 1, 1], stream: RandomStream(seed: 1, purpose: .test))
    // The scale of an untrained policy is 2 e^-2: log(2 e^-2) + log sqrt(2 pi).
    #expect(abs(loss - (-2 + 0.693147 + 0.918939)) < 1e-4)
    #expect(rises[0] == 0 && rises[2] == 0)
    // Half the difference of two standard normal numbers, in units of e^-2: half of its square is e^4 / 4 in the mean.
    #expect(abs(rises[1] / 13.65 - 1) < 0.15, "\(rises[1])")
  }
}
