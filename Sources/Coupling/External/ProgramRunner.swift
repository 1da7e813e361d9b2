import Glibc

/// What a program is asked for.
struct ProgramRequest {
  /// The command, or the request to a worker.
  let words: [String]
  /// The member's folder.
  let folder: String
}

/// Pieces of work that programs do, numbered from 0.
protocol ProgramWork: AnyObject {
  var count: Int { get }
  /// Makes ready for a piece and says what the program is asked for; `nil` where nothing is to be done.
  func prepare(_ piece: Int) throws -> ProgramRequest?
  /// A piece has ended after so many seconds; with an error where the program failed.
  ///
  /// - Returns: whether it is to be done again.
  func end(_ piece: Int, seconds: Double, error: (any Error)?) -> Bool
}

/// Does work by programs, as many at a time as may be.
protocol ProgramRunner: AnyObject {
  /// Does all pieces; each is ended before this returns.
  func run(_ work: any ProgramWork)
}

/// What every program finds.
struct ProgramSurroundings {
  let environment: [String: String]
  let limits: ProcessLimits
  /// The most programs of this process at a time, and places that it shares with the node's others.
  let atOnce: Int
  let slots: NodeSlots?
}

/// A program for every piece of work.
final class ProgramPool: ProgramRunner {
  private let surroundings: ProgramSurroundings

  init(_ surroundings: ProgramSurroundings) { self.surroundings = surroundings }

  func run(_ work: any ProgramWork) {
    let pool = ProcessPool(limit: surroundings.atOnce, slots: surroundings.slots)
    func begin(_ piece: Int) {
      var again = true
      while again {
        again = false
        do {
          if let request = try work.prepare(piece) {
            pool.add(
              ProcessCommand(
                request.words, in: request.folder, environment: surroundings.environment, limits: surroundings.limits),
              job: piece)
          } else {
            again = work.end(piece, seconds: 0, error: nil)
          }
        } catch {
          again = work.end(piece, seconds: 0, error: error)
        }
      }
    }
    func end(_ completion: ProcessPool.Completion) {
      let outcome = completion.outcome
      if work.end(completion.job, seconds: outcome.seconds, error: outcome.isSuccess ? nil : outcome) { begin(completion.job) }
    }
    for piece in 0..<work.count {
      begin(piece)
      // What runs already is not left alone while others are made ready.
      while let completion = pool.next(within: 0) { end(completion) }
    }
    while let completion = pool.next() { end(completion) }
  }
}

/// Programs that stay alive and do one piece after the other.
final class WorkerPool: ProgramRunner {
  private let surroundings: ProgramSurroundings
  private let words: () -> [String]
  private let folders: MemberFolders
  private var idle: [Worker] = []

  private struct Worker {
    let process: WorkerProcess
    /// Of its own.
    let folder: MemberFolder
  }

  private struct Busy {
    let worker: Worker
    let piece: Int
    let begin: Double
    let slot: NodeSlot?
  }

  /// - Parameter words: how a worker is started.
  init(_ surroundings: ProgramSurroundings, folders: MemberFolders, words: @escaping () -> [String]) {
    (self.surroundings, self.folders, self.words) = (surroundings, folders, words)
  }

  deinit { for worker in idle { _ = worker.process.stop(within: 1) } }

  func run(_ work: any ProgramWork) {
    var (busy, waiting): ([Busy], [Int]) = ([], Array((0..<work.count).reversed()))
    while !waiting.isEmpty || !busy.isEmpty {
      var isHeldUp = false
      while let piece = waiting.last, busy.count < surroundings.atOnce {
        do {
          let slot = try surroundings.slots?.take()
          if surroundings.slots != nil, slot == nil {
            isHeldUp = true
            break
          }
          waiting.removeLast()
          if let request = try work.prepare(piece) {
            let worker = try takeWorker()
            try worker.process.begin(request.words)
            busy.append(Busy(worker: worker, piece: piece, begin: secondsNow(), slot: slot))
          } else if work.end(piece, seconds: 0, error: nil) {
            waiting.append(piece)
          }
        } catch {
          if work.end(piece, seconds: 0, error: error) { waiting.append(piece) }
        }
      }
      // Nobody tells when another process gives a place back.
      let pause = isHeldUp ? 0.005 : Double.infinity
      if !busy.isEmpty { WorkerProcess.serve(busy.map(\.worker.process), within: pause) } else if isHeldUp {
        MemberProcess.pause(pause)
      }
      let before = busy
      busy = []
      for one in before {
        switch end(one, work) {
        case nil: busy.append(one)
        case true?: waiting.append(one.piece)
        case false?: break
        }
      }
    }
  }

  /// - Returns: whether the piece is to be done again; `nil` while it is not done.
  private func end(_ busy: Busy, _ work: any ProgramWork) -> Bool? {
    var failure: (any Error)?
    do {
      guard try busy.worker.process.answer() != nil else { return nil }
    } catch {
      failure = error
    }
    busy.slot?.release()
    if busy.worker.process.outcome == nil { idle.append(busy.worker) }
    return work.end(busy.piece, seconds: secondsNow() - busy.begin, error: failure)
  }

  /// A worker that has nothing to do. Those that have ended meanwhile are left.
  private func takeWorker() throws -> Worker {
    while let worker = idle.popLast() { if worker.process.outcome == nil { return worker } }
    let folder = try folders.makeNext("worker")
    let command = ProcessCommand(
      words(), in: folder.path, environment: surroundings.environment, limits: surroundings.limits)
    return Worker(process: try WorkerProcess(command), folder: folder)
  }
}
