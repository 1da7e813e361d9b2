import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

@Suite struct Lorenz96Tests {
  /// x_i = 8 + 3 sin(2 pi i / 40), carried to t = 1 by scipy's DOP853 with a tolerance of 1e-13: the first eight
  /// variables.
  private let known: [Double] = [
    7.784666608487947, 0.5465481284665707, 3.0926171267430638, 6.492225310015616,
    9.54199952821335, 9.34574757074153, 6.656349943194292, 5.522318815140411,
  ]

  @Test func runsAreTheKnownOnesToFourthOrder() throws {
    let start = (0..<40).map { 8 + 3 * sin(2 * .pi * Double($0) / 40) }
    let errors = try [40, 80, 160].map { steps in
      let model = try Lorenz96(timeStep: 1 / Double(steps))
      return distance(model.after(steps, from: start)[..<8], known)
    }
    #expect(errors[2] < 1e-3)
    for i in 0..<2 { #expect(abs(log2(errors[i] / errors[i + 1]) - 4) < 0.3) }
  }

  @Test func climatologyIsTheFieldsOne() throws {
    let model = try Lorenz96()
    var state = model.after(400, from: model.initialState(RandomStream(seed: 1, purpose: .test)))
    var sum = SIMD2<Double>.zero
    for _ in 0..<4_000 {
      state = model.after(1, from: state)
      for x in state { sum += SIMD2(x, x * x) }
    }
    sum /= 160_000
    #expect(abs(sum.x - 2.34) < 0.1)
    #expect(abs((sum.y - sum.x * sum.x).squareRoot() - model.layout.fields[0].scale) < 0.1)
  }

  @Test func coarseForecastIsOneStep() throws {
    let model = try Lorenz96(timeStep: 0.01)
    let start = model.after(2_000, from: model.initialState(RandomStream(seed: 2, purpose: .test)))
    let coarse = model.coarselyAfter(5, from: start)
    #expect(try Lorenz96(timeStep: 0.05).after(1, from: start) == coarse)
    #expect(distance(coarse, model.after(5, from: start)) < 0.02)
    #expect(model.after(0, from: start) == start)
  }

  @Test func energyHasItsGradient() throws {
    let energy = try Lorenz96().energies[0]
    let state = [1.0, -2, 3]
    var gradient = [0.0, 0, 0]
    var span = gradient.mutableSpan
    energy.gradient(of: state.span, into: &span)
    #expect(abs(energy.value(of: state.span) - 14.0 / 6) < 1e-15)
    #expect(distance(gradient, [1.0 / 3, -2.0 / 3, 1]) < 1e-15)
  }

  @Test func unusableSettingsAreNamed() {
    #expect(throws: ModelError.self) { try Lorenz96(cells: 3) }
    #expect(throws: ModelError.self) { try Lorenz96(forcing: .nan) }
    let error = #expect(throws: ModelError.self) { try Lorenz96(timeStep: 0.5) }
    #expect(error?.key == "time_step")
    #expect(error?.found == "0.5")
  }

  @Test func observedEverywhereAtEveryStep() throws {
    let model = try Lorenz96()
    #expect(model.observing == ObservingSystem(variable: 0, errorVariance: 1, law: .gaussian, stepsBetween: 1))
    #expect(model.layout.count == 40)
  }
}
