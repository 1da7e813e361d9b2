/// Programs that run side by side, at most so many at a time; each is started as soon as there is room for it.
///
/// Programs begin in the order in which they were added and are handed back in the order in which they end. One thread
/// uses one object.
package final class ProcessPool {
  /// A program that has ended.
  package struct Completion {
    /// The number that it was added with.
    package let job: Int
    /// What it left behind, its seconds among that.
    package let outcome: ProcessOutcome
  }

  private struct Running {
    let job: Int
    let process: MemberProcess
    /// Its place on this node, which is given back with it.
    let slot: NodeSlot?
  }

  /// The most programs at a time.
  package let limit: Int
  private let slots: NodeSlots?
  private var waiting: [(job: Int, command: ProcessCommand)] = []
  private var running: [Running] = []
  private var completed: [Completion] = []
  private var isCancelled = false

  /// A pool for at most `limit` programs at a time, 1 at least.
  ///
  /// - Parameter slots: where other processes of this node start programs too; each program needs a slot of its own.
  package init(limit: Int, slots: NodeSlots? = nil) {
    self.limit = max(1, limit)
    self.slots = slots
  }

  /// How many programs run.
  package var runningCount: Int { running.count }

  /// Whether nothing runs, waits or is still to be handed back.
  package var isEmpty: Bool { waiting.isEmpty && running.isEmpty && completed.isEmpty }

  /// Adds a program, a second time too if it has failed.
  package func add(_ command: ProcessCommand, job: Int) {
    if isCancelled { return completed.append(Completion(job: job, outcome: ProcessOutcome(command, .cancelled))) }
    waiting.append((job, command))
    startWaiting()
  }

  /// Waits for the next program that ends, `seconds` at most.
  ///
  /// - Returns: `nil` if there is none by then, or nothing to wait for (``isEmpty``).
  package func next(within seconds: Double = .infinity) -> Completion? {
    let end = secondsNow() + seconds
    var pause = 0.01
    while true {
      startWaiting()
      if !completed.isEmpty { return completed.removeFirst() }
      if isEmpty { return nil }
      let rest = max(0, end - secondsNow())
      // Nobody tells when another process gives a slot back.
      let time = slots != nil && !waiting.isEmpty && running.count < limit ? min(rest, pause) : rest
      if running.isEmpty {
        MemberProcess.pause(time)
      } else {
        MemberProcess.serve(running.map(\.process), within: time)
      }
      pause = min(2 * pause, 0.1)
      collect()
      if rest == 0, completed.isEmpty { return nil }
    }
  }

  /// Runs `commands`, whose jobs are their indices, to the last end.
  ///
  /// - Parameter body: called for each end, in the order of ends; what it returns is run too, as the same job. If it throws,
  ///   all that runs is ended before this function throws the same.
  package func run(
    _ commands: [ProcessCommand], _ body: (Completion) throws -> ProcessCommand? = { _ in nil }
  ) rethrows {
    for (job, command) in commands.enumerated() { add(command, job: job) }
    do {
      while let completion = next() {
        if let again = try body(completion) { add(again, job: completion.job) }
      }
    } catch {
      cancel()
      while next() != nil {}
      throw error
    }
  }

  /// Asks all that runs to end, for good: what waits or is added later is handed back as cancelled. `next` hands back the
  /// programs as they end.
  package func cancel() {
    isCancelled = true
    for entry in running { entry.process.stop() }
    for (job, command) in waiting {
      completed.append(Completion(job: job, outcome: ProcessOutcome(command, .cancelled)))
    }
    waiting = []
  }

  private func startWaiting() {
    while running.count < limit, let (job, command) = waiting.first {
      let slot: NodeSlot?
      do {
        slot = try slots?.take()
        if slots != nil, slot == nil { return }
        waiting.removeFirst()
      } catch {
        waiting.removeFirst()
        completed.append(Completion(job: job, outcome: ProcessOutcome(command, .notStarted("\(error)"))))
        continue
      }
      do {
        running.append(Running(job: job, process: try MemberProcess(command), slot: slot))
      } catch {
        completed.append(Completion(job: job, outcome: error))
      }
    }
  }

  private func collect() {
    completed += running.compactMap { entry in
      entry.process.outcome.map { Completion(job: entry.job, outcome: $0) }
    }
    running.removeAll { $0.process.outcome != nil }
  }
}
