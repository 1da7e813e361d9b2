import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

@Suite struct MJOSettingsTests {
  @Test func unusableSettingsAreNamed() {
    let spoilt: [(key: String, spoil: (inout MJOConfiguration) -> Void)] = [
      ("cells", { $0.cells = 7 }), ("length", { $0.length = 0 }), ("time_step", { $0.timeStep = -1 }),
      ("time_step", { $0.timeStep = 2 }), ("time_step", { $0.timeStep = .nan }),
      ("noise_amplitude", { $0.noiseAmplitude = -0.1 }), ("floor", { $0.floor = 0 }), ("floor", { $0.floor = 0.05 }),
      ("observation_variance", { $0.observationVariance = .infinity }),
      ("steps_between_observations", { $0.stepsBetweenObservations = 0 }),
    ]
    for (key, spoil) in spoilt {
      var configuration = MJOConfiguration(.paper)
      spoil(&configuration)
      let error = #expect(throws: ModelError.self) { try MJOSkeleton(configuration) }
      #expect(error?.key == key)
      #expect(error?.description.contains(key) == true)
    }
  }

  @Test func presetsAreThoseOfTheLiterature() throws {
    let paper = try MJOSkeleton(preset: .paper)
    #expect(paper.layout.fields.map(\.name) == ["K", "R", "Z", "a"])
    #expect(paper.layout.fields.map(\.lowerBound) == [nil, nil, nil, 1e-4])
    #expect(paper.layout.cells == 64)
  #expect(paper.layout.geometry.axes == [Axis(name: "x", period: 8.0 / 3)])
    #expect(
      paper.observing == ObservingSystem(variable: 3, errorVariance: 0.0063, law: .lognormal, stepsBetween: 20))
    let standard = try MJOSkeleton(preset: .standard)
    // 28.8 h between observations, as nearly as whole steps allow.
    let hours = Double(standard.observing.stepsBetween) * standard.timeStep * 8.33
    #expect(abs(hours - 28.8) < 0.5 * standard.timeStep * 8.33)
  }

  @Test(arguments: MJOConfiguration.Background.allCases)
  func runsStartNearRest(background: MJOConfiguration.Background) throws {
    let model = try MJOSkeleton(preset: .paper, background: background)
    let n = model.layout.cells
    let state = model.initialState(RandomStream(seed: 1, purpose: .test))
    #expect(state == model.initialState(RandomStream(seed: 1, purpose: .test)))
    #expect(state != model.initialState(RandomStream(seed: 2, purpose: .test)))
    for v in 0..<3 { #expect(abs(mean(state[model.layout.range(v)])) < 1e-16) }
    for i in 0..<n {
      let ratio = state[3 * n + i] / (model.source[i] / MJOConstants.heatingRate)
      #expect((0.5...2).contains(ratio))
    }
    // Without noise the rest state itself stays.
    var rest = [Double](repeating: 0, count: 4 * n)
    for i in 0..<n { rest[3 * n + i] = model.source[i] / MJOConstants.heatingRate }
    #expect(distance(model.coarselyAfter(20, from: rest), rest) < 1e-15)
  }

  @Test func auxiliaryFieldsAreNormalised() throws {
    let model = try MJOSkeleton(preset: .paper, background: .warmPool)
    let n = model.layout.cells
    var state = model.initialState(RandomStream(seed: 1, purpose: .test))
    (state[3], state[n + 3], state[2 * n + 3], state[3 * n + 3]) = (0.01, 0.02, -0.087, 0.25)
    var fields = [Double](repeating: .nan, count: model.auxiliaryNames.count * n)
    var span = fields.mutableSpan
    model.auxiliaryFields(of: state.span, into: &span)
    // Q = -0.087 + 0.9 * 0.03 = -0.06
    #expect(abs(fields[3] + 1) < 1e-13)
    #expect(abs(fields[n + 3] - 0.015.squareRoot()) < 1e-13)
    #expect(abs(fields[2 * n] + 0.6) < 1e-13)
    #expect(abs(fields[2 * n + n / 2] - 0.6) < 1e-13)
    state[3 * n + 3] = -0.1
    span = fields.mutableSpan
    model.auxiliaryFields(of: state.span, into: &span)
    #expect(fields[n + 3] == 0)
  }
}
