import DaunceAgents
import DaunceConstraints
import DaunceEnsemble
public import DaunceExperiment
import DaunceSettings
public import Foundation
import DaunceMPI
import DaunceState

/// Seconds of a cycle of every method, side by side in one job, and where they go.
public struct BenchmarkStage {
  /// What is timed.
  public struct Inputs {
    /// By name, in the order of the table.
    public var methods: [Configuration.Method]
    /// Folder of trained agents; `nil`: agents of a short training in the same job.
    public var agents: URL?
    /// Timed cycles of a method whose constrained analysis is SLSQP's.
    public var slowCycles: Int
    /// How often whole cycles are run; the fastest run counts.
    public var repeats: Int
    /// Whether collectives are timed by message length.
    public var collectives: Bool
    /// Ensemble sizes whose analyses are timed with members gathered and with moments reduced.
    public var reductions: [Int]
    /// Whether kernels are compared with the limits of the machine.
    public var kernels: Bool
    /// Number of heap allocations of this process so far, where they are counted.
    public var allocations: (() -> Int)?

    /// - Parameter slowCycles: timed cycles of a method whose constrained analysis is SLSQP's.
    public init(
      methods: [Configuration.Method], agents: URL?, slowCycles: Int, repeats: Int = 3, collectives: Bool = false,
      reductions: [Int] = [], kernels: Bool = false, allocations: (() -> Int)? = nil
    ) {
      self.methods = methods
      self.agents = agents
      self.slowCycles = slowCycles
      self.repeats = repeats
      self.collectives = collectives
      self.reductions = reductions
      self.kernels = kernels
      self.allocations = allocations
    }
  }

  /// What was measured.
  public struct Report {
    let context: ExperimentContext
    let timings: [MethodTiming]
    /// Of the agents' policy networks; `nil` where no method has agents.
    let arithmetic: NetworkSpeed?

    let collectives: [CollectiveTimer.Point]
    let reductions: [ReductionTimer.Point]
    let limits: MachineLimits?
    let kernels: [KernelTimer.Kernel]

    private var rl: MethodTiming? { timings.first { $0.method == .rl } }

    /// Lines of equal columns, and one on the agents' networks.
    public var table: String {
      var parts = [alignedColumns([MethodTiming.header] + timings.map { $0.row(relativeTo: rl) })]
      if !reductions.isEmpty { parts.append(alignedColumns([ReductionTimer.header] + reductions.map(\.row))) }
      if !collectives.isEmpty {
        let rows = collectives.map {
          ["\($0.operation) (\($0.path))", "\($0.bytes)", String(format: "%.2e", $0.seconds)]
        }
        parts.append(alignedColumns([["collective", "bytes a rank", "seconds"]] + rows))
      }
      if let limits {
        parts.append(alignedColumns([KernelTimer.header] + kernels.map(\.row)))
        parts.append(
          String(
            format: "this core: %.1f GFLOP/s in double precision, %.1f GB/s from memory (triad)",
            1e-9 * limits.operations, 1e-9 * limits.bytes))
      }
      if let arithmetic {
        parts.append(
          String(
            format: "policy network: %d multiply-adds a cell, %.1f GFLOP/s; "
              + "this core's peak %.1f GFLOP/s, %.1f times that",
            arithmetic.operationsPerCell, 2e-9 * arithmetic.reached, 2e-9 * arithmetic.peak,
            arithmetic.peak / arithmetic.reached))
      }
      return parts.joined(separator: "\n")
    }

    /// The contents of benchmark.json.
    public func json() throws -> String {
      let entries = timings.map { ($0.method.rawValue, $0.json(relativeTo: rl)) }
      var report: [String: JSON] = [
        "members": .integer(context.configuration.members),
        "ranks": .integer(context.communicator.size),
        "cores": .integer(ProcessInfo.processInfo.activeProcessorCount),
        "cells": .integer(context.layout.cells),
        "cycles": .integer(context.configuration.truths.cycles - context.configuration.truths.spinupCycles),
        "seed": .unsigned(context.configuration.seed),
        "methods": .object(Dictionary(uniqueKeysWithValues: entries)),
      ]
      if let arithmetic {
        report["policy_network"] = .object([
          "multiply_adds_per_cell": .integer(arithmetic.operationsPerCell),
          "gflops": .number(2e-9 * arithmetic.reached),
          "peak_gflops": .number(2e-9 * arithmetic.peak),
          "peak_ratio": .number(arithmetic.peak / arithmetic.reached),
        ])
      }
      if !collectives.isEmpty { report["collectives"] = .array(collectives.map(\.json)) }
      if !reductions.isEmpty { report["reductions"] = .array(reductions.map(\.json)) }
      if let limits {
        report["machine"] = .object([
          "peak_gflops_double": .number(1e-9 * limits.operations),
          "triad_gbytes_per_second": .number(1e-9 * limits.bytes),
        ])
        report["kernels"] = .object(Dictionary(uniqueKeysWithValues: kernels.map { ($0.name, $0.json) }))
      }
      return try JSON.object(report).text()
    }
  }

  let context: ExperimentContext
  let inputs: Inputs

  /// - Parameter inputs: what is timed.
  public init(_ context: ExperimentContext, inputs: Inputs) {
    self.context = context
    self.inputs = inputs
  }

  /// Times every method on the first test truth and writes benchmark.json. Collective.
  ///
  /// - Returns: what was measured; it means something on rank 0 only.
  public func run(output: OutputFolder) throws -> Report {
    let loaded = try inputs.agents.map { try AgentStore(context: context).load(from: $0) }
    let truths = context.configuration.truths
    context.progress.begin("nature runs", total: 2)
    let truth = try context.simulateTruths([context.testSeeds[0]], cycles: truths.cycles)[0]
    context.progress.advance(to: 1)
    let needsAgents = inputs.methods.contains { $0.isAgents }
    let needsTraining = needsAgents || context.energy != nil
    let training = needsTraining ? try context.simulateTruths(context.trainingSeeds, cycles: truths.trainingCycles) : []
    context.progress.end()
    let band = try context.energyBand(from: training)
    let trained = try loaded ?? (needsAgents ? trainBriefly(Array(training.prefix(2)), band: band) : nil)

    let timer = CycleTimer(context, truth: truth, output: output, allocations: inputs.allocations)
    let timings = try inputs.methods.map { try time($0, timer, truth: truth, band: band, trained: trained) }
    let arithmetic = trained.map { NetworkSpeed(of: $0.agents[0].policy, cells: context.layout.cells) }
    let limits = inputs.kernels ? MachineLimits() : nil
    let report = Report(
      context: context, timings: timings, arithmetic: arithmetic,
      collectives: inputs.collectives ? try CollectiveTimer.measure(context.communicator) : [],
      reductions: try ReductionTimer.measure(context, truth: truth, sizes: inputs.reductions), limits: limits,
      kernels: try limits.map { try KernelTimer(context: context, limits: $0).measure(truth: truth, inference: arithmetic) }
        ?? [])
    try context.communicator.collectively {
      if context.communicator.isRoot { try output.write(try report.json(), to: "benchmark.json") }
    }
    return report
  }

  private func time(
    _ method: Configuration.Method, _ timer: CycleTimer, truth: Trajectory, band: Band?, trained: TrainedAgents?
  ) throws -> MethodTiming {
    let seed = truth.seed
    if let trained, method.isAgents {
      let agents = try AssimilationMethod.agents(
        trained, name: method.rawValue, context: context, seed: seed, band: band)
      let measured = try timer.measure(
        agents, skipping: context.configuration.truths.spinupCycles, repeats: inputs.repeats)
      guard let measured else { throw failed(method) }
      return MethodTiming(
        method: method, solver: nil, isFloored: false, members: context.configuration.members, measurement: measured)
    }
    // The constrained EnKF stands for the method of the paper's timing, a general solver.
    let solver = method == .constrainedEnKF ? .slsqp : context.configuration.filter.solver
    let isConstrained = method.isConstrained
    let isSlow = isConstrained && solver == .slsqp
    func measure(_ kind: Configuration.Method) throws -> CycleMeasurement? {
      let filter = try AssimilationMethod.filter(kind, context: context, seed: seed, band: band, solver: solver)
      return isSlow
        ? try timer.measure(filter, skipping: 1, limit: inputs.slowCycles, repeats: 1)
        : try timer.measure(
          filter, skipping: context.configuration.truths.spinupCycles, repeats: inputs.repeats)
    }
    var measured = try measure(method)
    let isFloored = measured == nil && method == .eakf
    if isFloored { measured = try measure(.flooredEAKF) }
    guard let measured else { throw failed(method) }
    return MethodTiming(
      method: method, solver: isConstrained ? solver : nil, isFloored: isFloored,
      members: context.configuration.members, measurement: measured)
  }

  private func failed(_ method: Configuration.Method) -> ExperimentError {
    ExperimentError(
      .data,
      "\(method.rawValue) failed within the cycles to be timed: a member is negative where it must not be, not finite, "
        + "or beyond a hundred climatological standard deviations; expected methods that come through them")
  }

  /// Agents whose states stay plausible. Their cost doesn't depend on what they have learnt, so this is a short warm
  /// start on few truths without PPO.
  private func trainBriefly(_ truths: [Trajectory], band: Band?) throws -> TrainedAgents {
    var configuration = context.configuration
    configuration.agents.warmStart.steps = 300
    configuration.agents.ppo.iterations = 0
    let brief = try ExperimentContext(
      configuration: configuration, communicator: context.communicator, progress: context.progress)
    brief.climatology = context.climatology
    return try brief.train(truths, band: band, alsoUnconstrained: false).agents
  }
}
