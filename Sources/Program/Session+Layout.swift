import DaunceEnsemble
import DaunceExperiment
import Logging

extension Session {
  /// Says how the job lies on hosts and cores, for people alone: nothing with `--quiet`, nor above the level `notice`.
  func announce(_ layout: JobLayout) {
    if logger.logLevel <= .notice { progress.note("\(layout)") }
  }
}
