// swift-tools-version: 6.1
import PackageDescription

// Where DAUNCE_CPU names a processor (launch/* set it: x86-64-v3, which processors have been since 2013), vectors of
// eight Floats are one instruction, and a square root is one too, not a call that may set errno. Unset, as in a package
// that depends on this one, there are no such flags, which SwiftPM refuses in a dependency: the same bits, at less than
// half of the speed. Multiplication and addition are never fused.
let processorFlags: [SwiftSetting] =
  Context.environment["DAUNCE_CPU"].map { cpu in
    #if arch(x86_64)
      let architecture = ["-Xcc", "-march=\(cpu)"]
    #else
      let architecture: [String] = []
    #endif
    return [.unsafeFlags(architecture + ["-Xcc", "-fno-math-errno"])]
  } ?? []

/// One block of settings for every Swift target.
let settings: [SwiftSetting] =
  processorFlags + [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]

/// Linker flags for a library that brings Swift's runtime and Foundation along and shows nothing but the functions of
/// exports.map: programs that use it need no Swift. LLVM's linker, which the toolchain has, hides all the rest.
let selfContained: [String] =
  ["-static-stdlib", "-use-ld=lld"]
  + ["-soname=libdaunce.so", "--version-script=\(Context.packageDirectory)/Sources/CDaunce/exports.map", "-z", "defs"]
  .flatMap { ["-Xlinker", $0] }
  + [
    "FoundationEssentials", "FoundationInternationalization", "CoreFoundation", "_FoundationCollections", "_FoundationCShims",
    "_FoundationICU",
  ].map { "-l\($0)" }

/// A module of the library, in a folder of its short name.
func room(
  _ name: String, _ dependencies: [Target.Dependency], embeds: [String] = [], plugins: [Target.PluginUsage] = []
) -> Target {
  .target(
    name: "Daunce\(name)", dependencies: dependencies, path: "Sources/\(name)",
    resources: embeds.map { .embedInCode($0) }, swiftSettings: settings, plugins: plugins)
}

/// Tests of a module by itself.
func unit(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/Unit/\(name)",
    resources: fixtures ? [.copy("Fixtures")] : [], swiftSettings: settings)
}

/// Tests that start whole jobs.
func jobs(
  _ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false, exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/Jobs/\(name)", exclude: exclude,
    resources: fixtures ? [.copy("Fixtures")] : [], swiftSettings: settings)
}

/// A program that tests start, in no product.
func helper(_ name: String, _ dependencies: [Target.Dependency], in folder: String = "Helpers") -> Target {
  .executableTarget(name: name, dependencies: dependencies, path: "Tests/\(folder)/\(name)", swiftSettings: settings)
}

let rooms = [
  "State", "Numerics", "Networks", "Observations", "MPI", "Constraints", "Ensemble", "Models", "Assimilation", "Agents",
  "Uncertainty", "Archive", "Settings", "Coupling", "Experiment", "Benchmark", "Program",
]

let package = Package(
  name: "daunce-mpi",
  products: [
    .executable(name: "daunce-mpi", targets: ["daunce-mpi"]),
    // For programs in C and Fortran, with everything inside and nothing but daunce.h outside.
    .library(name: "daunce", type: .dynamic, targets: ["DaunceLibrary"]),
    .library(name: "Daunce", targets: rooms.map { "Daunce\($0)" }),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    // For `swift package generate-documentation` alone: nothing is built from it otherwise, and a package that depends on
    // this one does not fetch it.
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    .systemLibrary(name: "CNetCDF", pkgConfig: "netcdf", providers: [.apt(["libnetcdf-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CNLopt", pkgConfig: "nlopt", providers: [.apt(["libnlopt-dev"])]),

    // What a user's model library exports, and guarded calls of it.
    .target(name: "CDaunceModel", path: "Sources/CDaunceModel"),
    // What libdaunce.so shows to other programs.
    .target(name: "CDaunce", path: "Sources/CDaunce", exclude: ["exports.map", "daunce.f90"]),

    room("State", []),
    room("Numerics", ["COpenBLAS"]),
    room("Networks", ["DaunceNumerics"]),
    room("Observations", ["DaunceState"]),
    room("MPI", ["COpenMPI"]),
    room("Constraints", ["DaunceState", "DaunceNumerics", "CNLopt"]),
    room("Ensemble", ["DaunceMPI", "DaunceObservations", "DaunceState"]),
    room("Models", ["DaunceState", "DaunceNumerics"]),
    room(
      "Assimilation",
      ["DaunceMPI", "DaunceConstraints", "DaunceEnsemble", "DaunceObservations", "DaunceState", "DaunceNumerics"]),
    room(
      "Agents",
      [
        "DaunceMPI", "DaunceConstraints", "DaunceEnsemble", "DaunceNetworks", "DaunceObservations", "DaunceState",
        "DaunceNumerics",
      ]),
    room("Uncertainty", ["DaunceMPI", "DaunceEnsemble", "DaunceNetworks", "DaunceNumerics"]),
    room("Archive", ["DaunceState", "DaunceObservations", "CNetCDF"]),
    room("Settings", ["Yams"]),
    room("Coupling", ["DaunceArchive", "DaunceModels", "DaunceSettings", "DaunceState", "DaunceNumerics", "CDaunceModel", "CLinux"]),
    room("Experiment", [
      "DaunceCoupling",
      "DaunceMPI", "DaunceEnsemble", "DaunceState", "DaunceObservations", "DaunceNumerics", "DaunceModels",
      "DaunceConstraints", "DaunceAssimilation", "DaunceAgents", "DaunceNetworks", "DaunceUncertainty", "DaunceArchive",
      "DaunceSettings",
    ]),
    room("Benchmark", [
      "DaunceExperiment", "DaunceSettings", "DaunceAgents", "DaunceAssimilation", "DaunceConstraints", "DaunceEnsemble",
      "DaunceModels", "DaunceMPI", "DaunceNetworks", "DaunceNumerics", "DaunceObservations", "DaunceState",
    ]),
    room(
      "Program",
      [
        "DaunceBenchmark", "DaunceCoupling", "DaunceExperiment", "DaunceSettings", "DaunceArchive", "DaunceAssimilation",
        "DaunceEnsemble", "DaunceNumerics", "DaunceModels", "DaunceMPI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], embeds: ["Templates"], plugins: ["StampBuild"]),
    .target(
      name: "DaunceLibrary", dependencies: ["DaunceExperiment", "DaunceMPI", "CDaunce"], path: "Sources/Library",
      swiftSettings: settings,
      linkerSettings: [.unsafeFlags(selfContained, .when(platforms: [.linux]))]),
    .executableTarget(name: "daunce-mpi", dependencies: ["DaunceProgram"], swiftSettings: settings),
    .plugin(name: "StampBuild", capability: .buildTool()),

    unit("StateTests", ["DaunceState"]),
    unit("ConstraintsTests", ["DaunceConstraints", "DaunceNumerics", "DaunceState"]),
    unit("ObservationsTests", ["DaunceObservations", "DaunceState"]),
    unit("RandomnessTests", ["DaunceNumerics"]),
    unit("FunctionsTests", ["DaunceNumerics"]),
    unit("NetworksTests", ["DaunceNetworks", "DaunceNumerics"]),
    unit("LinearAlgebraTests", ["DaunceNumerics"]),
    unit("ScoresTests", ["DaunceNumerics"], fixtures: true),
    jobs("MPITests", ["TestSupport", "MPIProbe"]),
    unit("EnsembleTests", ["DaunceEnsemble", "DaunceNumerics", "TestSupport", "MPIProbe"]),
    unit("ModelsTests", ["DaunceModels", "DaunceState", "DaunceNumerics"], fixtures: true),
    unit(
      "AssimilationTests",
      [
        "DaunceAssimilation", "DaunceConstraints", "DaunceEnsemble", "DaunceModels", "DaunceObservations",
        "DaunceState", "DaunceNumerics", "TestSupport", "AssimilationProbe",
      ], fixtures: true),
    unit(
      "AgentsTests",
      [
        "DaunceAgents", "DaunceConstraints", "DaunceEnsemble", "DaunceMPI", "DaunceNetworks", "DaunceNumerics",
        "DaunceObservations", "DaunceState", "TestSupport", "AssimilationProbe",
      ],
      fixtures: true),
    unit("UncertaintyTests", ["DaunceUncertainty", "DaunceNetworks", "DaunceNumerics"]),
    unit("ArchiveTests", ["DaunceArchive", "DaunceObservations", "DaunceState"], fixtures: true),
    unit("CouplingTests", ["DaunceCoupling", "DaunceModels", "DaunceSettings", "DaunceState", "ProcessProbe"]),
    unit(
      "ConfigurationTests",
      ["DaunceAgents", "DaunceExperiment", "DaunceSettings", "DaunceState", "TestSupport", "daunce-mpi"]),
    unit(
      "ExperimentTests",
      [
        "DaunceExperiment", "DaunceArchive", "DaunceEnsemble", "DaunceModels", "DaunceNumerics", "DaunceObservations",
        "DaunceSettings", "DaunceState",
      ]),
    jobs(
      "JobTests", ["DaunceArchive", "DaunceNumerics", "DaunceState", "TestSupport", "ForeignWriter", "CycleProbe", "daunce-mpi"]),
    jobs("ClusterTests", ["TestSupport", "daunce-mpi"], exclude: ["Helpers"]),
    jobs(
      "FuzzTests",
      ["DaunceArchive", "DaunceState", "TestSupport", "FileFuzzer", "ForeignWriter", "daunce-mpi"], fixtures: true),

    // For tests only, in no product: launching real jobs, and the programs that they run.
    .target(
      name: "TestSupport", dependencies: ["DaunceNumerics"], path: "Tests/Helpers/TestSupport", swiftSettings: settings),
    .target(name: "AllocationCounter", path: "Tests/Helpers/AllocationCounter"),
    helper("ForeignWriter", ["CNetCDF"]),
    helper("ProcessProbe", ["DaunceCoupling"]),
    helper(
      "HostedProbe",
      [
        "DaunceCoupling", "DaunceEnsemble", "DaunceExperiment", "DaunceMPI", "DaunceNumerics", "DaunceObservations",
        "DaunceSettings",
      ]),
    helper("MPIProbe", ["DaunceMPI", "DaunceEnsemble", "TestSupport"]),
    helper(
      "AssimilationProbe",
      [
        "DaunceAgents", "DaunceAssimilation", "DaunceConstraints", "DaunceEnsemble", "DaunceMPI", "DaunceNetworks",
        "DaunceNumerics", "DaunceObservations", "DaunceState",
      ]),
    helper(
      "CycleProbe",
      [
        "AllocationCounter", "DaunceArchive", "DaunceBenchmark", "DaunceExperiment", "DaunceNumerics", "DaunceMPI",
        "DaunceSettings",
      ]),
    helper(
      "FileFuzzer",
      [
        "DaunceArchive", "CNetCDF", "DaunceExperiment", "DaunceMPI", "DaunceModels", "DaunceObservations",
        "DaunceSettings", "DaunceState",
      ], in: "Tools"),
  ],
  swiftLanguageModes: [.v6]
)
