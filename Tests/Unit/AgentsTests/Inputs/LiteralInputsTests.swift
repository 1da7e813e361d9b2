import DaunceAgents
import DaunceNetworks
import DaunceState
import Testing

/// The paper's list of inputs, by hand: two variables on ten cells.
@Suite struct LiteralInputsTests {
  private let layout = StateLayout(
    ring: 10, length: 1,
    fields: [
      Field(name: "q", longName: "unbounded", scale: 0.5),
      Field(name: "a", longName: "bounded", scale: 0.2, lowerBound: 1e-3),
    ])

  @Test func everyInputIsWhatThePaperLists() {
    let inputs = LiteralInputs(AgentGrid(layout, grid: 0, window: 3))
    #expect(inputs.count == 2 * (3 + 2) + 2)
    let now = (0..<20).map { Double($0 * $0) / 100 }
    let before = (0..<20).map { Double($0) / 10 }
    let long = (0..<20).map { _ in 0.25 }
    // Rows of sixteen: two whole vectors; what is beyond the tenth cell stays.
    var tile = [Float](repeating: 7, count: 12 * 16)
    var row = [Float](repeating: 0, count: 10)
    inputs.fill(&tile, stride: 16, state: now, previous: before, beforePrevious: long, time: 250, row: &row)
    func input(_ i: Int, _ c: Int) -> Float { tile[16 * i + c] }
    for (v, scale) in [(0, 0.75), (1, 0.3)] {
      for c in 0..<10 {
        let (left, right) = (v * 10 + (c + 9) % 10, v * 10 + (c + 1) % 10)
        let i = v * 10 + c
        #expect(input(5 * v, c) == Float(now[left] * (1 / scale)), "left of cell \(c)")
        #expect(input(5 * v + 1, c) == Float(now[i] * (1 / scale)))
        #expect(input(5 * v + 2, c) == Float(now[right] * (1 / scale)), "right of cell \(c)")
        #expect(abs(input(5 * v + 3, c) - Float((now[i] - before[i]) * 4 / scale)) < 1e-5)
        #expect(abs(input(5 * v + 4, c) - Float((before[i] - 0.25) * 4 / scale)) < 1e-5)
      }
    }
    for c in 0..<10 {
      #expect(input(10, c) == 0.25)
      #expect(abs(input(11, c) - Float(c - 5) / 5) < 1e-6)
    }
    for i in 0..<12 { #expect((10..<16).allSatisfy { input(i, $0) == 7 }) }
  }

  /// A policy fits these settings only with that many inputs, whatever else the model offers.
  @Test(arguments: [(3, 12), (5, 16), (9, 24)])
  func policiesHaveThatManyInputs(window: Int, count: Int) throws {
    let settings = AgentSettings(
      base: .persistence, inputs: .literal, target: .reference, draws: .independent, bounds: .truncated,
      controls: [0, 1], observed: [.init(field: 1, of: layout, errorVariance: 0.01)], window: window, hidden: [5])
    for inputs in [count - 1, count, count + 1] {
      let sizes = [inputs, 5, 4]
      let parameters = [Float](repeating: 0, count: (inputs + 1) * 5 + 6 * 4)
      let policy = try #require(Network(sizes: sizes, parameters: parameters))
      #expect(settings.fits(policy, layout: layout, auxiliary: 3) == (inputs == count))
    }
  }
}
