internal import DaunceObservations
internal import DaunceState

/// How observations of any kind become elements of an extended state, so that a filter meets nothing but elements.
///
/// An observation of a state element is that element. Any other is carried: it gets an element of its own behind the
/// state, which holds h(x) of every member and which the filter updates like the others (Anderson 2003, section 2).
struct StateExtension {
  let network: ObservationNetwork
  /// Elements of the state itself.
  let stateCount: Int
  /// Element of every observation in the extended state (`[observation]`).
  let elements: [Int]
  /// Numbers of the carried observations, in the order of their elements.
  let carried: [Int]
  /// Different observed elements, and the number of each observation's among them (`[observation]`).
  let columns: [Int]
  let columnOf: [Int]

  /// Elements of the extended state.
  var count: Int { stateCount + carried.count }

  init(_ network: ObservationNetwork, stateCount n: Int) {
    self.network = network
    stateCount = n
    var elements: [Int] = []
    var carried: [Int] = []
    for k in 0..<network.count {
      if let element = network.rows.element(k) {
        elements.append(element)
      } else {
        elements.append(n + carried.count)
        carried.append(k)
      }
    }
    var columns: [Int] = []
    var known: [Int: Int] = [:]
    columnOf = elements.map { element in
      if let column = known[element] { return column }
      known[element] = columns.count
      columns.append(element)
      return columns.count - 1
    }
    (self.elements, self.carried, self.columns) = (elements, carried, columns)
  }

  /// h(x) of the carried observations at a state (`[stateCount]`).
  @inline(__always)
  func forEachCarried(of state: Span<Double>, _ body: (_ element: Int, _ value: Double) -> Void) {
    for (q, k) in carried.enumerated() { body(stateCount + q, network.rows.value(k, of: state)) }
  }

  /// Values near the carried observations' means and magnitudes of their deviations, from those of the fields alone:
  /// what sums over ranks start from (`[count]` each).
  func magnitudes(_ layout: StateLayout) -> (reference: [Double], units: [Double]) {
    var reference = layout.spread(\.reference)
    var units = layout.spread(\.scale)
    let states = [0.0, 3, -3].map { step in layout.spread { $0.reference + step * $0.scale } }
    for k in carried {
      let values = states.map { network.rows.value(k, of: $0.span) }.filter(\.isFinite)
      let centre = values.first ?? 0
      let size = values.reduce(0) { max($0, abs($1 - centre)) }
      reference.append(centre)
      units.append(size > 0 ? size : max(1, abs(centre)))
    }
    return (reference, units)
  }
}
