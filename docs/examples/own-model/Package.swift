// swift-tools-version: 6.1
import PackageDescription

// A program with a model and a filter of its own: everything else is daunce-mpi's.
let package = Package(
  name: "own-model",
  dependencies: [
    // From another place: .package(url: "https://example.org/daunce-mpi", from: "0.1.0")
    .package(name: "daunce-mpi", path: "../../..")
  ],
  targets: [
    .executableTarget(name: "own-model", dependencies: [.product(name: "Daunce", package: "daunce-mpi")])
  ],
  swiftLanguageModes: [.v6]
)
