import Ensemble
import MPI
import StateSpace

extension Setup {
  /// Runs one method over all test truths and scores it.
  ///
  /// - Parameters:
  ///   - make: the method for a truth.
  ///   - record: called with every summarised analysis, on rank 0 only.
  ///   - onEnd: called after each truth's last cycle or failure, on rank 0 only.
  /// - Returns: a score a truth on rank 0, nothing elsewhere.
  func assess(
    _ name: String, truths: [Twin], band: Band?, make: (Twin) throws -> AssimilationMethod,
    record: (_ truth: Int, _ cycle: Int, _ summary: AnalysisSummary) throws -> Void,
    onEnd: (_ truth: Int) throws -> Void
  ) throws -> [TruthScore] {
    let summary = AnalysisSummary(self)
    var scores: [TruthScore] = []
    progress.begin(name, total: truths.count)
    for (k, truth) in truths.enumerated() {
      let method = try make(truth)
      var ensemble = makeInitialEnsemble(around: truth)
      let scorer = communicator.isRoot ? Scorer(self, truth: truth, band: band) : nil
      try summary.summarise(ensemble)
      scorer?.begin(summary)
      let failure = try assimilate(method, &ensemble, observations: truth.observations) {
        cycle, ensemble, seconds in
        try summary.summarise(ensemble)
        scorer?.add(summary, cycle: cycle, seconds: seconds)
        if communicator.isRoot { try record(k, cycle, summary) }
        // The other ranks would do their next forecasts while rank 0 scores, and its clock would show less than a cycle.
        try communicator.barrier()
      }
      if let scorer {
        if let failure {
          scorer.fail(at: failure)
          progress.note("\(name): failed at cycle \(failure) of truth \(truth.seed)")
        }
        scores.append(scorer.score)
        try onEnd(k)
      }
      progress.advance(to: k + 1)
    }
    progress.end()
    return scores
  }
}
