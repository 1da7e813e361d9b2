import DaunceEnsemble
import DaunceMPI
import DaunceUncertainty

/// What rank 0 needs of every element of the state to predict it: its moments and their parts, some of its members, and those of
/// the first ensemble. Computed by the ranks that have the elements, as single numbers, for files have no more digits.
final class ElementRows {
  /// Numbers of an element.
  let width: Int
  /// `[element][width]`, on rank 0.
  private(set) var all: [Float]
  /// Members that samples follow, evenly spread over the design (`[sample]`).
  private let followed: [Int]
  private let members: Int

  private let ensembles: AgentEnsembles
  private let communicator: Communicator
  private let variance: PairedVariance
  private var own: [Float]
  private let counts: [Int]

  /// - Parameter samples: at most as many as there are members in all ensembles.
  init(_ ensembles: AgentEnsembles, samples: Int, communicator: Communicator) {
    (self.ensembles, self.communicator) = (ensembles, communicator)
    let design = ensembles.design
    members = design.members
    followed = (0..<samples).map { $0 * design.count / samples }
    let width = PairedVariance.Parts.count + samples + members
    self.width = width
    variance = PairedVariance(design)
    counts = ensembles.parts.map { $0.count * width }
    own = [Float](repeating: 0, count: counts[communicator.rank])
    all = communicator.isRoot ? [Float](repeating: 0, count: counts.reduce(0, +)) : []
  }

  /// Fills rank 0's rows from what the ensembles are now. Collective.
  func gather() throws {
    let values = ensembles.values
    for (k, element) in values.elements.enumerated() {
      let row = values.row(element)
      var next = k * width
      func put(_ value: Double) {
        own[next] = Float(value)
        next += 1
      }
      for number in variance.take(row).numbers { put(number) }
      for place in followed { put(row[place]) }
      for m in 0..<members { put(row[m]) }
    }
    try communicator.gatherv(own, into: &all, counts: counts)
  }

  /// Takes rows that were gathered before an interruption.
  func replay(_ rows: ArraySlice<Float>) { all = Array(rows) }

  /// Moments and parts of an element.
  func parts(_ element: Int) -> PairedVariance.Parts {
    let first = element * width
    return PairedVariance.Parts(all[first..<first + PairedVariance.Parts.count].map { Double($0) }[...])
  }

  /// Members that samples follow.
  func followed(_ element: Int) -> ArraySlice<Float> {
    let first = element * width + PairedVariance.Parts.count
    return all[first..<first + followed.count]
  }

  /// The first ensemble's members, with equal weights.
  func members(_ element: Int) -> ArraySlice<Float> {
    let first = element * width + PairedVariance.Parts.count + followed.count
    return all[first..<first + members]
  }
}
