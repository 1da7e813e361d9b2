import DaunceAgents
import DaunceAssimilation
import DaunceEnsemble
import DaunceExperiment
import Foundation
import DaunceModels
import DaunceNumerics
import DaunceObservations
import DaunceState

/// The kernels of a cycle beside what this core and its memory allow (a roofline: Williams, Waterman & Patterson 2009).
struct KernelTimer {
  /// One kernel on one rank.
  struct Kernel {
    let name: String
    /// Additions, multiplications, divisions and square roots that the method asks for.
    let operations: Double
    /// Bytes that have to come from and go to memory if nothing of it is in a cache: what is read and what is written,
    /// once each.
    let bytes: Double
    let seconds: Double
    /// Most operations a second: of the arithmetic, and of the memory at this kernel's operations a byte.
    let arithmeticLimit: Double
    let memoryLimit: Double

    var rate: Double { operations / seconds }
    var share: Double { rate / min(arithmeticLimit, memoryLimit) }

    var json: JSON {
      .object([
        "operations": .number(operations), "bytes": .number(bytes), "seconds": .number(seconds),
        "gflops": .number(1e-9 * rate), "arithmetic_limit_gflops": .number(1e-9 * arithmeticLimit),
        "memory_limit_gflops": .number(1e-9 * memoryLimit), "share_of_limit": .number(share),
      ])
    }

    var row: [String] {
      [name, String(format: "%.0f", operations), String(format: "%.0f", bytes), String(format: "%.2e", seconds)]
        + [rate, arithmeticLimit, memoryLimit].map { String(format: "%.1f", 1e-9 * $0) }
        + [String(format: "%.0f %%", 100 * share)]
    }
  }

  static let header = [
    "kernel", "operations", "bytes", "seconds", "GFLOP/s", "arithmetic limit", "memory limit", "of the lower limit",
  ]

  let context: ExperimentContext
  let limits: MachineLimits

  /// Times a time step of the model, an EAKF's analysis of a whole ensemble, and the policy's pass over a state, each
  /// on data that lie in a cache, as they do in a cycle.
  func measure(truth: Trajectory, inference: NetworkSpeed?) throws -> [Kernel] {
    var kernels: [Kernel] = []
    if let operations = context.traits.operationsPerStep {
      kernels.append(
        Kernel(
          name: "model step", operations: Double(operations), bytes: 16 * Double(context.layout.count),
          seconds: try stepSeconds(truth), arithmeticLimit: limits.operations,
          memoryLimit: limits.bytes * Double(operations) / (16 * Double(context.layout.count))))
    }
    kernels.append(try update(truth))
    if let inference {
      let cells = context.layout.cells
      let operations = 2 * Double(inference.operationsPerCell * cells)
      // Inputs in, outputs out, single precision.
      let bytes = 4 * Double(inference.valuesPerCell * cells)
      kernels.append(
        Kernel(
          name: "inference", operations: operations, bytes: bytes, seconds: operations / (2 * inference.reached),
          arithmeticLimit: 2 * inference.peak, memoryLimit: limits.bytes * operations / bytes))
    }
    return kernels
  }

  private func stepSeconds(_ truth: Trajectory) throws -> Double {
    var state = Array(truth.states.prefix(context.layout.count))
    let steps = 50
    var least = Double.infinity
    for run in 0..<40 {
      let before = Usage.now.wall
      var span = state.mutableSpan
      try context.model.forecast(
        &span, from: 0, steps: steps, noise: RandomStream(seed: 1, purpose: .natureSpinUp, cycle: run))
      least = min(least, (Usage.now.wall - before) / Double(steps))
    }
    return least
  }

  private func update(_ truth: Trajectory) throws -> Kernel {
    let eakf = try EAKF(layout: context.layout, localization: context.localization)
    let (n, members, observations) = (context.layout.count, context.configuration.members, truth.observations[0])
    let start = (0..<members).flatMap { m -> [Double] in
      let stream = RandomStream(seed: 1, purpose: .initialEnsemble, member: m)
      return (0..<n).map { truth.states[$0] * (1 + 0.01 * stream.normal(at: $0)) }
    }
    var states = start
    var least = Double.infinity
    for _ in 0..<40 {
      for i in states.indices { states[i] = start[i] }
      let before = Usage.now.wall
      var span = states.mutableSpan
      try eakf.analyse(&span, members: members, local: 0..<members, observations: observations, cycle: 1)
      least = min(least, Usage.now.wall - before)
    }
    // An observation: the variance, and for each element in reach its regression over the members, the mean's increment
    // and the members' adjustment.
    let reached = Double(try eakf.elementsInReach(of: observations.network))
    let update = 2 * Double(members * observations.count) + reached * (4 * Double(members) + 4)
    // Splitting the ensemble into mean and anomalies, and putting it together again.
    let operations = update + 3 * Double(members * n)
    let bytes = 16 * Double(members * n)
    return Kernel(
      name: "EAKF update", operations: operations, bytes: bytes, seconds: least, arithmeticLimit: limits.operations,
      memoryLimit: limits.bytes * operations / bytes)
  }
}
