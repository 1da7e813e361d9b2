import Foundation
import TestSupport
import Testing

extension ClusterTests {
  /// Shell scripts as text.
  @Suite struct ScriptTests {
    @Test(.enabled(if: isInstalled("shellcheck"), "shellcheck is not installed"))
    func shellcheckFindsNothing() throws {
      let helpers = "Tests/Jobs/ClusterTests/Helpers"
      let folders = ["launch", "launch/slurm", "launch/pbs", helpers, "\(helpers)/pbs", ".ci"]
      let scripts = try folders.flatMap { folder in
        try FileManager.default.contentsOfDirectory(atPath: sourceFolder.appending(path: folder).path)
          .map { "\(folder)/\($0)" }
      }.filter { isShellScript($0) }
      #expect(scripts.count > 10)
      let result = try run(
        command: ["shellcheck", "--external-sources", "--source-path", sourceFolder.path] + scripts, in: sourceFolder)
      #expect(result.status == 0, "\(result.stdout)\(result.stderr)")
    }

    private func isShellScript(_ path: String) -> Bool {
      let text = try? String(contentsOf: sourceFolder.appending(path: path), encoding: .utf8)
      return text?.hasPrefix("#!/usr/bin/env bash\n") == true
    }
  }
}
