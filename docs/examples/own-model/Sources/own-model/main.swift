import DaunceExperiment
import DaunceProgram

// A model and a filter by name, then the whole program: run, simulate, train, assimilate, score, benchmark, analyze.
ModelEntry.registry.register(
  ModelEntry("lorenz63", "Lorenz (1963), three numbers", cells: 1) { _ in Lorenz63() })
MethodEntry.registry.register(
  MethodEntry("optimal-interpolation", "fixed weights for the members' own elements") {
    OptimalInterpolation(layout: $0.layout, share: 0.1)
  })
Program.main()
