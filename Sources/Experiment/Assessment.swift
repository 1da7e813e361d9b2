import Ensemble
import MPI
import StateSpace

extension Setup {
  /// Runs one method over all test truths and scores it; goes on where a checkpoint left it.
  ///
  /// - Parameters:
  ///   - make: the method for a truth.
  ///   - recorder: takes every analysis, on rank 0 only.
  /// - Returns: a score a truth on rank 0, nothing elsewhere.
  func assess(
    _ name: String, truths: [Twin], band: Band?, recorder: AnalysisRecorder?,
    make: (Twin) throws -> AssimilationMethod
  ) throws -> [TruthScore] {
    let summary = AnalysisSummary(self)
    var passage = Passage(name)
    var scores: [TruthScore] = []
    var saved = try passage.takeUp(checkpoints, recorder: recorder)
    if let saved, communicator.isRoot { scores = try saved.decode("scores") }
    progress.begin(name, total: truths.count)
    for (k, truth) in truths.enumerated().dropFirst(passage.truth) {
      let method = try make(truth)
      var ensemble = makeInitialEnsemble(around: truth)
      let scorer = communicator.isRoot ? Scorer(self, truth: truth, band: band) : nil
      if let saved {
        try method.restore(&ensemble, from: saved)
        try scorer?.restore(from: saved)
      } else {
        try summary.summarise(ensemble)
        scorer?.begin(summary)
      }
      let first = saved == nil ? 0 : passage.cycle
      saved = nil
      let failure = try assimilate(
        method, &ensemble, observations: truth.observations, after: first, place: "truth \(k + 1) by \(name)"
      ) { cycle, ensemble, seconds in
        try summary.summarise(ensemble)
        scorer?.add(summary, cycle: cycle, seconds: seconds)
        try recorder?.add(summary, truth: k)
        // The other ranks would do their next forecasts while rank 0 scores, and its clock would show less than a cycle.
        try communicator.barrier()
      } save: { cycle, ensemble in
        var snapshot = Snapshot()
        method.save(ensemble, into: &snapshot)
        try scorer?.save(into: &snapshot)
        try snapshot.encode("scores", scores)
        (passage.truth, passage.cycle) = (k, cycle)
        passage.keep(&snapshot, in: self, recorder: recorder)
      }
      if let scorer {
        if let failure {
          scorer.fail(at: failure)
          progress.note("\(name): failed at cycle \(failure) of truth \(truth.seed)")
        }
        scores.append(scorer.score)
        if failure != nil { try recorder?.giveUp(truth: k) }
      }
      progress.advance(to: k + 1)
    }
    progress.end()
    passage.forget(checkpoints)
    return scores
  }
}
