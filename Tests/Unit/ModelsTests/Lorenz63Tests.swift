import DaunceModels
import DaunceNumerics
import DaunceState
import Foundation
import Testing

@Suite struct Lorenz63Tests {
  /// (1, 2, 20), carried to t = 1 by scipy's DOP853 with a tolerance of 1e-13.
  private let known = [-2.049896883729518, -3.7058556901385966, 10.764499883239617]

  @Test func runsAreTheKnownOnesToFourthOrder() throws {
    let errors = try [400, 800, 1600].map { steps in
      let model = try Lorenz63(timeStep: 1 / Double(steps))
      return distance(model.after(steps, from: [1, 2, 20]), known)
    }
    #expect(errors[2] < 1e-8)
    for i in 0..<2 { #expect(abs(log2(errors[i] / errors[i + 1]) - 4) < 0.3) }
  }

  /// Both wings' centres, (+-sqrt(b (r - 1)), the same, r - 1), are left alone.
  @Test func steadyStatesStay() throws {
    let x = 72.0.squareRoot()
    for side in [-1.0, 1] {
      let state = [side * x, side * x, 27]
      #expect(distance(try Lorenz63().after(100, from: state), state) < 1e-12)
    }
  }

  @Test func fieldsKnowTheirClimate() throws {
    let model = try Lorenz63()
    var state = model.after(2_000, from: model.initialState(RandomStream(seed: 1, purpose: .test)))
    var (sums, squares) = (SIMD3<Double>.zero, SIMD3<Double>.zero)
    let count = 100_000
    for _ in 0..<count {
      state = model.after(10, from: state)
      let x = SIMD3(state[0], state[1], state[2])
      (sums, squares) = (sums + x, squares + x * x)
    }
    for (i, field) in model.layout.fields.enumerated() {
      let mean = sums[i] / Double(count)
      #expect(abs(mean - field.reference) < 0.2, "\(field.name)")
      #expect(abs((squares[i] / Double(count) - mean * mean).squareRoot() - field.scale) < 0.1, "\(field.name)")
    }
  }

  /// The coarse step is a few long ones, none of them beyond 0.05.
  @Test func coarseForecastsStayOnTheAttractor() throws {
    let start = try Lorenz63().after(2_000, from: [1, 1, 20])
    #expect(try Lorenz63().coarselyAfter(25, from: start) == Lorenz63(timeStep: 0.05).after(5, from: start))
    #expect(try Lorenz63().coarselyAfter(0, from: start) == start)
  }

  @Test func unusableStepsAreNamed() {
    let error = #expect(throws: ModelError.self) { try Lorenz63(timeStep: 0.1) }
    #expect(error.map { "\($0)".contains("'time_step' is 0.1; expected a number above 0, at most 0.05") } == true)
  }
}
