import DaunceAgents
import DaunceNetworks
import DaunceState
import TestSupport
import Testing

/// Agents that correct a filter's analysis.
@Suite struct AnalysisBaseTests {
  /// What a network says is a shift in units of the spread and a factor on anomalies, to what single precision draws; the
  /// factor has its limits; and the bits are the same on any number of ranks.
  @Test func outputsAreShiftsAndFactors() throws {
    var known: [String]?
    for ranks in 1...3 {
      let job = try mpirun(ranks: ranks, executable: "AssimilationProbe", arguments: ["agents", "7"])
      try #require(job.status == 0, "\(job.stderr)")
      for name in ["alone", "shifted", "limited"] {
        let difference = try #require(job.value(name).flatMap(Double.init))
        #expect(difference < 1e-5, "\(name)")
      }
      let digests = job.lines.filter { $0.contains("digest") }
      #expect(digests.count == 3)
      #expect(known == nil || digests == known, "\(ranks)")
      known = digests
    }
  }

  /// Slopes by a network's outputs are those of the likelihood, by finite differences, and vanish where a factor at its
  /// limit would go further.
  @Test func slopesMatchFiniteDifferences() throws {
    let layout = StateLayout(
      ring: 11, length: 11, fields: [Field(name: "u", scale: 3), Field(name: "q", scale: 0.2, lowerBound: 0)])
    let settings = AgentSettings(
      base: .analysis, inputs: .ensemble, target: .truth, draws: .anomalies, bounds: .truncated, controls: [0, 1],
      observed: [], window: 3, hidden: [])
    let head = PolicyHead(settings: settings, layout: layout)
    let network = try #require(Network(sizes: [2, 4], parameters: [Float](repeating: 0, count: 12)))
    let tile = Activations(network: network, vectors: head.vectors)
    for i in tile.input.indices {
      for lane in 0..<8 { tile.input[i][lane] = -1.5 + 0.11 * Float((3 * i + 5 * lane) % 11) }
    }
    let input = UnsafePointer(try #require(tile.input.baseAddress))
    let actions = (0..<22).map { 0.05 + 0.06 * Double(($0 * 7) % 11) }
    let anchors = (0..<22).map { 0.1 + 0.05 * Double(($0 * 5) % 11) }
    let outputs: [Float] = [0.3, 0.4, -0.2, 0.7]

    func density(_ outputs: [Float], slopesOf sums: ((Int, Float) -> Void)? = nil) -> Double {
      for k in 0..<4 {
        for v in 0..<head.vectors { tile.output[k * head.vectors + v] = Lanes(repeating: outputs[k]) }
      }
      head.scaleOutputs(tile, input: input)
      if let sums {
        var scores = [PolicyHead.Score](repeating: .zero, count: 2)
        for v in 0..<head.vectors {
          _ = head.logDensity(tile, vector: v, actions: actions, anchors: anchors, scores: &scores)
          for k in 0..<2 {
            head.setSlopes(
              tile, k, vector: v, score: scores[k], location: -head.presence(v) * scores[k].location,
              logScale: -head.presence(v) * scores[k].logScale)
          }
        }
        head.scaleSlopes(tile, input: input)
        for k in 0..<4 {
          sums(k, (0..<head.vectors).reduce(0) { $0 + tile.outputSlope[k * head.vectors + $1].sum() })
        }
      }
      return (0..<11).reduce(0) { $0 + head.logDensity(tile, cell: $1, actions: actions, anchors: anchors) }
    }
    var slopes = [Float](repeating: 0, count: 4)
    _ = density(outputs) { slopes[$0] = $1 }
    for k in 0..<4 {
      var (above, below) = (outputs, outputs)
      above[k] += 0.01
      below[k] -= 0.01
      let expected = -(density(above) - density(below)) / 0.02
      #expect(abs(Double(slopes[k]) - expected) < 2e-2 * max(1, abs(expected)), "output \(k)")
    }
    // Actions far from narrow laws ask for wider ones, and those near wide laws for narrower ones.
    _ = density([3, 9, 3, 9]) { slopes[$0] = $1 }
    #expect(slopes[1] != 0)
    _ = density([30, 9, 0, 0]) { slopes[$0] = $1 }
    #expect(slopes[1] == 0)
  }
}
