import ArgumentParser
import DaunceExperiment
import Foundation

struct NewModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new-model",
    abstract: "A working skeleton of a model of one's own, with build file, configuration, README and a test.")

  /// Ways to have a model.
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case plugin, external, swift
  }

  /// Languages of a plugin or program.
  enum Language: String, ExpressibleByArgument, CaseIterable {
    case c, fortran, python
  }

  @Argument(help: ArgumentHelp("Name of the model, and of the folder that is made here.", valueName: "name"))
  var name: String

  @Option(help: "plugin: a shared library; external: a program; swift: a program of one's own on top of this one.")
  var kind: Kind

  @Option(help: "Language of a plugin (c, fortran) or of a program (c, python).")
  var language = Language.c

  func validate() throws {
    let isName =
      name.first?.isLetter == true
      && name.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-") }
    guard isName else {
      throw ValidationError("NAME: found \(name), expected letters, digits and hyphens, a letter first.")
    }
    if kind == .swift, language != .c { throw ValidationError("--language has no meaning for --kind swift.") }
    if kind == .plugin, language == .python { throw ValidationError("--language: found python, expected c or fortran for --kind plugin.") }
    if kind == .external, language == .fortran {
      throw ValidationError("--language: found fortran, expected c or python for --kind external.")
    }
  }

  func run() throws {
    // Under mpirun one rank makes it.
    guard Launch.rank == 0 else { return }
    let folder = URL(filePath: name)
    guard !FileManager.default.fileExists(atPath: folder.path) else {
      throw ExperimentError(.inputOutput, "\(name): found something of that name here; expected a new name, for nothing is overwritten")
    }
    do {
      try ModelSkeleton.files(kind, language, name: name).write(to: folder)
    } catch {
      throw ExperimentError(.inputOutput, "\(name): cannot be made: \(error.localizedDescription)")
    }
    tell("\(name): \(ModelSkeleton.next(kind))", on: .standardOutput)
  }
}
