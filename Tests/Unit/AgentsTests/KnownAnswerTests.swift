import DaunceAgents
import Testing

private struct AdvantageAnswers: Decodable {
  let rewards, values: [Float]
  let discount, gae_lambda: Float
  let advantages, returns: [Double]
}

@Test func advantagesKnownAnswers() throws {
  let known = try fixture("gae", as: AdvantageAnswers.self)
  let (advantages, returns) = generalisedAdvantages(
    rewards: known.rewards, values: known.values, discount: known.discount, lambda: known.gae_lambda)
  for t in known.rewards.indices {
    // Single precision: a dozen sums of numbers near one.
    #expect(agrees(Double(advantages[t]), known.advantages[t], 2e-6))
    #expect(agrees(Double(returns[t]), known.returns[t], 2e-6))
  }
}

@Test func advantagesDoNotCrossARestart() {
  let rewards: [Float] = [1, -2, 0.5, 3, -1]
  let values: [Float] = [0.3, -0.7, 2, 9, -4, 5]
  func advantages(_ range: Range<Int>, last: Float) -> [Float] {
    generalisedAdvantages(
      rewards: Array(rewards[range]), values: values[range] + [last], discount: 0.9, lambda: 0.8
    ).advantages
  }
  // Two sequences, each by itself; the first ends with the value of its own last step.
  let apart = advantages(0..<3, last: values[2]) + advantages(3..<5, last: values[5])
  let together = generalisedAdvantages(rewards: rewards, values: values, starts: [3], discount: 0.9, lambda: 0.8)
  #expect(together.advantages == apart)
  #expect(together.advantages != advantages(0..<5, last: values[5]))
}

private struct DualAnswers: Decodable {
  let violation: [Double]
  let tolerance, dual_rate, regularisation: Double
  let direct, reciprocal, regularised: [Double]
}

@Test(arguments: [MultiplierForm.direct, .reciprocal, .regularised, .printed])
func multipliersKnownAnswers(form: MultiplierForm) throws {
  let known = try fixture("dual_updates", as: DualAnswers.self)
  let expected: [Double]
  switch form {
  case .none, .pid: return
  case .direct: expected = known.direct
  case .reciprocal, .printed: expected = known.reciprocal
  case .regularised: expected = known.regularised
  }
  var multiplier = Multiplier(
    initial: 1, form: form, rate: known.dual_rate, regularisation: known.regularisation, floor: 1e-12)
  #expect(agrees(multiplier.value, expected[0], 1e-14))
  for (k, violation) in known.violation.enumerated() {
    multiplier.ascend(deviation: violation, tolerance: known.tolerance)
    #expect(agrees(multiplier.value, expected[k + 1], 1e-12), "step \(k)")
  }
}

/// The controller by hand: rate 0.1, K_P 2, K_D 3, from an integral of 1. With both factors 0 it is the direct form.
@Test func theControllerAnswersAtOnceAndDampsRises() {
  var multiplier = Multiplier(initial: 1, form: .pid, rate: 0.1)
  (multiplier.proportional, multiplier.derivative) = (2, 3)
  multiplier.ascend(deviation: 1.5, tolerance: 1)
  #expect(agrees(multiplier.value, 1.05 + 2 * 0.5, 1e-14))
  multiplier.ascend(deviation: 2, tolerance: 1)
  #expect(agrees(multiplier.value, 1.15 + 2 * 1 + 3 * 0.5, 1e-14))
  multiplier.ascend(deviation: 0.5, tolerance: 1)
  #expect(agrees(multiplier.value, 1.1 - 2 * 0.5, 1e-13))
  for _ in 0..<100 { multiplier.ascend(deviation: 0, tolerance: 1) }
  #expect(multiplier.value == 0 && multiplier.integral == 0)
  var (plain, direct) = (Multiplier(initial: 1, form: .pid, rate: 0.1), Multiplier(initial: 1, form: .direct, rate: 0.1))
  for deviation in [1.5, 3, 0.2, 0.9] {
    plain.ascend(deviation: deviation, tolerance: 1)
    direct.ascend(deviation: deviation, tolerance: 1)
    #expect(plain.value == direct.value)
  }
}

/// The penalty's derivative, against a difference.
@Test func slopesOfPenaltiesMatchDifferences() {
  for form in MultiplierForm.allCases {
    let multiplier = Multiplier(initial: 3, form: form, rate: 0.1)
    for deviation in [0.3, 0.9, 1.1, 4] {
      let (up, down) = (deviation + 1e-6, deviation - 1e-6)
      let difference = multiplier.penalty(deviation: up, tolerance: 1) - multiplier.penalty(deviation: down, tolerance: 1)
      #expect(abs(multiplier.slope(deviation: deviation) - difference / 2e-6) < 1e-6, "\(form) \(deviation)")
    }
  }
}

@Test func penaltyPunishesViolationsInEveryForm() {
  for form in [MultiplierForm.direct, .reciprocal, .regularised, .pid] {
    let multiplier = Multiplier(form: form, rate: 0.1)
    #expect(multiplier.penalty(deviation: 2, tolerance: 1) < 0)
    #expect(multiplier.penalty(deviation: 0.5, tolerance: 1) > 0)
    var raised = multiplier
    raised.ascend(deviation: 2, tolerance: 1)
    #expect(raised.value > multiplier.value)
    var lowered = multiplier
    for _ in 0..<1000 { lowered.ascend(deviation: 0.5, tolerance: 1) }
    #expect(lowered.value == 0)
  }
  let none = Multiplier(form: .none, rate: 0.1)
  #expect(none.value == 0 && none.penalty(deviation: 2, tolerance: 1) == 0)
}

/// The reward as (3.17) prints it, R - lambda zeta, against the three others, at dE = 2 and 1/2 with eps = 1: zeta is
/// -1/2 and 1.
@Test func thePrintedSignPaysForViolations() {
  func penalties(_ form: MultiplierForm) -> [Double] {
    let multiplier = Multiplier(initial: 3, form: form, rate: 0.1)
    return [2, 0.5].map { multiplier.penalty(deviation: $0, tolerance: 1) }
  }
  #expect(penalties(.direct) == [-3, 1.5])
  #expect(penalties(.reciprocal) == [-1.5, 3])
  #expect(penalties(.regularised) == [-1.5, 3])
  #expect(penalties(.printed) == [1.5, -3])
  // The multiplier still grows with the violation, and so does what a violation earns.
  var raised = Multiplier(initial: 3, form: .printed, rate: 0.1)
  raised.ascend(deviation: 2, tolerance: 1)
  #expect(raised.value == 3.05)
}
