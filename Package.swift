// swift-tools-version: 6.1
import PackageDescription

// Vectors of eight Floats need AVX2, which processors have had since 2013; DAUNCE_CPU=x86-64 builds for older ones, at
// less than half of the networks' speed. Multiplication and addition are never fused, so the numbers stay the same.
#if arch(x86_64)
  let instructionSet = ["-Xcc", "-march=\(Context.environment["DAUNCE_CPU"] ?? "x86-64-v3")"]
#else
  let instructionSet: [String] = []
#endif

/// One block of settings for every Swift target.
let settings: [SwiftSetting] = [
  // A square root is an instruction, not a call that may set errno: vectors have it too. It is rounded the same.
  .unsafeFlags(instructionSet + ["-Xcc", "-fno-math-errno"]),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: name, dependencies: dependencies,
    resources: fixtures ? [.copy("Fixtures")] : [], swiftSettings: settings)
}

let package = Package(
  name: "daunce-mpi",
  products: [.executable(name: "daunce-mpi", targets: ["daunce-mpi"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    .systemLibrary(name: "CNetCDF", pkgConfig: "netcdf", providers: [.apt(["libnetcdf-dev"])]),
    .systemLibrary(name: "CNLopt", pkgConfig: "nlopt", providers: [.apt(["libnlopt-dev"])]),

    room("StateSpace", []),
    room("Randomness", []),
    room("MPI", ["COpenMPI"]),
    room("LinearAlgebra", ["COpenBLAS"]),
    room("Ensemble", ["MPI", "StateSpace"]),
    room("Models", ["StateSpace", "Randomness"]),
    room("Assimilation", ["Ensemble", "StateSpace", "Randomness", "LinearAlgebra", "CNLopt"]),
    room("Agents", ["Ensemble", "StateSpace", "Randomness", "MPI"]),
    room("Archive", ["StateSpace", "CNetCDF"]),
    room("Scores", []),
    room("Experiment", [
      "MPI", "Ensemble", "StateSpace", "Randomness", "Models", "Assimilation", "Agents",
      "Archive", "Scores", "Yams", .product(name: "Logging", package: "swift-log"),
    ]),
    .executableTarget(
      name: "daunce-mpi",
      dependencies: [
        "Experiment", "Archive", "Assimilation", "Ensemble", "LinearAlgebra", "Models", "MPI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings, plugins: ["StampBuild"]),
    .plugin(name: "StampBuild", capability: .buildTool()),

    tests("RandomnessTests", ["Randomness"]),
    tests("LinearAlgebraTests", ["LinearAlgebra"]),
    tests(
      "AssimilationTests",
      ["Assimilation", "Models", "StateSpace", "Randomness", "TestSupport", "AssimilationProbe"], fixtures: true),
    tests("MPITests", ["TestSupport", "MPIProbe"]),
    tests("EnsembleTests", ["Ensemble", "Randomness", "TestSupport", "MPIProbe"]),

    tests("JobTests", ["Archive", "StateSpace", "TestSupport", "ForeignWriter", "CycleProbe", "daunce-mpi"]),
    .testTarget(
      name: "ClusterTests", dependencies: ["TestSupport", "daunce-mpi"], exclude: ["Helpers"],
      swiftSettings: settings),
    .executableTarget(
      name: "ForeignWriter", dependencies: ["CNetCDF"], path: "Tests/ForeignWriter", swiftSettings: settings),

    // For tests only, in no product: launching real jobs, and the program that they run.
    .target(
      name: "TestSupport", dependencies: ["Randomness"], path: "Tests/TestSupport", swiftSettings: settings),
    .executableTarget(
      name: "MPIProbe", dependencies: ["MPI", "Ensemble", "TestSupport"], path: "Tests/MPIProbe",
      swiftSettings: settings),
    .executableTarget(
      name: "AssimilationProbe", dependencies: ["Assimilation", "Ensemble", "MPI", "Randomness", "StateSpace"],
      path: "Tests/AssimilationProbe", swiftSettings: settings),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .executableTarget(
      name: "CycleProbe", dependencies: ["AllocationCounter", "Archive", "Experiment", "LinearAlgebra", "MPI"],
      path: "Tests/CycleProbe", swiftSettings: settings),
    tests("AgentsTests", ["Agents", "Ensemble", "MPI", "Randomness", "StateSpace"], fixtures: true),
    tests("ModelsTests", ["Models", "StateSpace", "Randomness"], fixtures: true),
    tests("ScoresTests", ["Scores"], fixtures: true),
    tests("ConfigurationTests", ["Agents", "Experiment", "StateSpace", "TestSupport", "daunce-mpi"]),
    tests("ArchiveTests", ["Archive", "StateSpace"], fixtures: true),
    .executableTarget(
      name: "FileFuzzer", dependencies: ["Archive", "CNetCDF", "Experiment", "MPI", "Models", "StateSpace"],
      path: "Tests/FileFuzzer", swiftSettings: settings),
    tests(
      "FuzzTests", ["Archive", "StateSpace", "TestSupport", "FileFuzzer", "ForeignWriter", "daunce-mpi"], fixtures: true),
  ],
  swiftLanguageModes: [.v6]
)
