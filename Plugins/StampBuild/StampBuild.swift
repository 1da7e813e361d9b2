import Foundation
import PackagePlugin

/// Writes the commit and the compiler into the executable, for `--version` and for the files that it makes.
///
/// A manifest could ask for the commit as well, but its answer is cached until Package.swift itself changes. Here Git's
/// own log of commits is an input of the build, so every commit renews the stamp. Without that log (an unpacked archive, a
/// linked worktree) the commit is "unknown" rather than an old one.
@main
struct StampBuild: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root = context.package.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "Build.swift")
    let commits = root.appending(path: ".git/logs/HEAD")
    let hasCommits = FileManager.default.fileExists(atPath: commits.path)
    let script = """
      commit=unknown
      if [ "$1" = true ]; then commit=$(git -C "$2" rev-parse --short=12 HEAD 2>/dev/null || echo unknown); fi
      compiler=$("$3" --version 2>/dev/null | sed -n 's/.*\\(Swift version [^ ]*\\).*/\\1/p' | head -n 1)
      cat > "$4" <<END
      /// How this executable was built.
      enum Build {
        static let commit = "$commit"
        static let compiler = "${compiler:-unknown}"
      }
      END
      """
    return [
      .buildCommand(
        displayName: "Stamping commit and compiler", executable: URL(filePath: "/bin/sh"),
        arguments: [
          "-c", script, "sh", String(hasCommits), root.path, try context.tool(named: "swiftc").url.path, output.path,
        ],
        inputFiles: hasCommits ? [commits] : [], outputFiles: [output])
    ]
  }
}
