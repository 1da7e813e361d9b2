import Foundation

/// The files of a new model, as they are in this program.
struct ModelSkeleton {
  private struct File {
    let path: String
    let contents: String
    var isProgram = false
  }

  private var files: [File] = []

  /// The files of a kind of model, with its name in them.
  static func files(_ kind: NewModel.Kind, _ language: NewModel.Language, name: String) -> ModelSkeleton {
    var skeleton = ModelSkeleton()
    switch kind {
    case .plugin:
      let isFortran = language == .fortran
      skeleton.add("README.md", PackageResources.plugin_README_md, name, isFortran: isFortran)
      skeleton.add("Makefile", PackageResources.plugin_Makefile, name, isFortran: isFortran)
      skeleton.add("experiment.yaml", PackageResources.plugin_experiment_yaml, name)
      skeleton.add("daunce_model.h", PackageResources.daunce_model_h, "")
      if isFortran {
        skeleton.add("model.f90", PackageResources.plugin_model_f90, name)
      } else {
        skeleton.add("model.c", PackageResources.plugin_model_c, name)
      }
    case .external:
      let isPython = language == .python
      skeleton.add("README.md", PackageResources.external_README_md, name, source: isPython ? "model.py" : "model.c")
      skeleton.add("model.yaml", PackageResources.external_model_yaml, name)
      if isPython {
        skeleton.add("Makefile", PackageResources.external_python_Makefile, name)
        skeleton.add("experiment.yaml", PackageResources.external_python_experiment_yaml, name)
        skeleton.add("model.py", PackageResources.external_model_py, name)
      } else {
        skeleton.add("Makefile", PackageResources.external_Makefile, name)
        skeleton.add("experiment.yaml", PackageResources.external_experiment_yaml, name)
        skeleton.add("model.c", PackageResources.external_model_c, name)
      }
    case .swift:
      skeleton.add("README.md", PackageResources.swift_README_md, name)
      skeleton.add("Package.swift", PackageResources.swift_Package_swift_txt, name)
      skeleton.add("experiment.yaml", PackageResources.swift_experiment_yaml, name)
      skeleton.add("test", PackageResources.swift_test_sh, name, isProgram: true)
      skeleton.add("Sources/\(name)/OwnModel.swift", PackageResources.swift_Model_swift_txt, name)
      skeleton.add("Sources/\(name)/main.swift", PackageResources.swift_main_swift_txt, name)
    }
    return skeleton
  }

  /// What to do with a new model of a kind.
  static func next(_ kind: NewModel.Kind) -> String {
    switch kind {
    case .plugin, .external: "make builds it, make test tries it; README.md tells more"
    case .swift: "./test builds and tries it; README.md tells more"
    }
  }

  private mutating func add(
    _ path: String, _ bytes: [UInt8], _ name: String, source: String? = nil, isFortran: Bool = false, isProgram: Bool = false
  ) {
    var text = String(decoding: bytes, as: UTF8.self)
    if !name.isEmpty {
      text = text.replacing("NAME", with: name).replacing("PACKAGE", with: Self.package)
    }
    if let source { text = text.replacing("SOURCE", with: source) }
    if isFortran {
      text = text.replacing("libmodel.so: model.c daunce_model.h\n\t$(CC) $(CFLAGS) -ffp-contract=off -Wall -Wextra -fPIC -shared -o $@ model.c -lm", with: "libmodel.so: model.f90\n\t$(FC) $(FFLAGS) -ffp-contract=off -Wall -Wno-unused-dummy-argument -fPIC -shared -o $@ model.f90")
        .replacing("CFLAGS ?= -O3", with: "FC = gfortran\nFFLAGS ?= -O3").replacing("model.c", with: "model.f90")
    }
    files.append(File(path: path, contents: text, isProgram: isProgram))
  }

  /// Where this program's sources are, for packages that depend on them.
  private static var package: String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL.path
  }

  /// Writes all files into a new folder.
  ///
  /// - Throws: where the folder is there already, or cannot be written.
  func write(to folder: URL) throws {
    let manager = FileManager.default
    try manager.createDirectory(at: folder, withIntermediateDirectories: false)
    for file in files {
      let url = folder.appending(path: file.path)
      try manager.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(file.contents.utf8).write(to: url)
      if file.isProgram { try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path) }
    }
  }
}
