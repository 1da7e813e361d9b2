import DaunceArchive
import Foundation
import TestSupport
import Testing

/// Programs that are models, as tests run them: Lorenz-96, with files of observations that the built-in model has made.
struct ExternalPrograms {
  let workshop: Workshop
  /// Folder with everything, in the workshop.
  let place: String

  static let canBeBuilt = isInstalled("make", "cc", "pkg-config")
  private static let built = Lock<Set<URL>>([])

  /// The experiment, whose model is Lorenz-96 of some kind.
  static let configuration = """
    members: 6
    truths: {test: 1, cycles: 12, spinup_cycles: 2}
    initial: {climatology_runs: 4}
    filter: {half_width: 4, inflation: 1.05}
    """

  /// What makes a program of doubles the model; the programs are started by `trouble`, which does nothing unless it is told.
  static let external = """
    model:
      name: external
      description: model.yaml
      format: doubles
      command: ./trouble ./model forecast {input} {output} {from} {to}
      start: ./model start {output} {seed}
    """

  /// Does something bad in place of a program: KIND, in the members' folders NUMBERS, at a time FROM, in variables.
  private static let trouble = """
    #!/bin/sh
    number=${PWD##*-}
    case ",$NUMBERS," in *",$number,"*) ;; *) exec "$@" ;; esac
    case "$KIND" in once-*) [ -e "$PWD/../tried-$number" ] && exec "$@" ;; esac
    [ "$FROM" = any ] || [ "$5" = "$FROM" ] || exec "$@"
    : > "$PWD/../tried-$number"
    echo "about to do it at $5"
    echo "trouble in $number" >&2
    case "${KIND#once-}" in
      hang) sleep 100 & sleep 100 ;;
      kill) kill -9 $$ ;;
      fail) exit 3 ;;
      nothing) exit 0 ;;
      half) "$@" && head -c $(($(wc -c < "$4") / 2)) "$4" > part && mv part "$4" ;;
      nan) "$@" && printf '\\377\\377\\377\\377\\377\\377\\377\\377' | dd of="$4" bs=8 seek=5 conv=notrunc 2> errors ;;
      grid) "$@" && cat "$4" "$4" > twice && mv twice "$4" ;;
      gigabyte) head -c 1000000000 /dev/zero | tr '\\0' x; exit 5 ;;
      full) "$@" && cat "$4" > /dev/full && exit 0; exit 4 ;;
      slow) sleep 0.3; exec "$@" ;;
      brief) sleep 0.02; exec "$@" ;;
    esac
    """

  /// Makes the programs and files in a place of its own.
  init(_ workshop: Workshop, _ place: String) throws {
    self.workshop = workshop
    self.place = try workshop.makePlace(place)
    let source = sourceFolder.path
    let folder = workshop.folder.appending(path: "programs")
    try Self.built.withLock { built in
      guard built.insert(folder).inserted else { return }
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let make = try run(command: ["make", "-C", source + "/docs/examples/external", "OUT=\(folder.path)"], timeout: 60)
      try #require(make.status == 0, "\(make.stdout)\(make.stderr)")
      let compiler = try run(
        command: [
          "cc", "-O2", "-ffp-contract=off", "-o", folder.path + "/model", source + "/Sources/Program/Templates/external/external-model.c",
          "-lm",
        ])
      try #require(compiler.status == 0, "\(compiler.stderr)")
      try workshop.write(Self.trouble, to: "programs/trouble")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path + "/trouble")
      try workshop.write(Self.configuration + "\nmodel: {name: lorenz96}\n", to: "programs/built-in.yaml")
      let simulation = try workshop.daunce(
        1, "simulate", "--config", "built-in.yaml", "--output", "files", "--quiet", in: "programs")
      try #require(simulation.status == 0, "\(simulation.stderr)")
    }
    for name in ["lorenz96", "model", "trouble", "files", "built-in.yaml"] {
      try FileManager.default.createSymbolicLink(
        at: self.folder.appending(path: name), withDestinationURL: folder.appending(path: name))
    }
    try FileManager.default.copyItem(
      at: sourceFolder.appending(path: "docs/examples/external/model.yaml"), to: self.folder.appending(path: "model.yaml"))
    try write(Self.configuration + "\n" + Self.external, to: "experiment.yaml")
  }

  var folder: URL { workshop.folder.appending(path: place) }

  func write(_ text: String, to name: String) throws { try workshop.write(text, to: "\(place)/\(name)") }

  /// Words that assimilate the files.
  func words(_ settings: [String], configuration: String = "experiment.yaml", output: String, method: String = "letkf") -> [String] {
    [
      "assimilate", "--config", configuration, "--method", method, "--initial", "files/initial.nc", "--observations",
      "files/observations.nc", "--output", output,
    ] + settings.flatMap { ["--set", $0] }
  }

  /// Assimilates the files.
  func assimilate(
    _ ranks: Int, _ settings: [String] = [], configuration: String = "experiment.yaml", output: String = "out",
    environment: [String: String] = [:], method: String = "letkf", more: [String] = []
  ) throws -> JobResult {
    try workshop.job(
      ranks, words(settings, configuration: configuration, output: output, method: method) + more, in: place, environment: environment)
  }

  /// Values of an analysis file.
  func values(_ name: String, of output: String = "out", _ method: String = "letkf") throws -> [Double] {
    try DatasetReader(path: folder.path + "/\(output)/analysis-\(method).nc").values(name)
  }

  /// What the built-in model gives.
  func builtIn(_ settings: [String] = []) throws -> [Double] {
    let output = "built-in-\(settings.count)"
    if !FileManager.default.fileExists(atPath: folder.path + "/\(output)/analysis-letkf.nc") {
      let result = try assimilate(1, settings, configuration: "built-in.yaml", output: output)
      try #require(result.status == 0, "\(result.stderr)")
    }
    return try values("X_mean", of: output)
  }
}
