public import DaunceState

extension ObservationSet {
  /// Direct observations of state elements.
  public init(_ direct: Observations, layout: StateLayout) {
    self.init(
      ObservationNetwork(elements: direct.elements, layout: layout), values: direct.values,
      errorVariances: direct.errorVariances)
  }

  /// The same by state elements, `nil` where an observation is not one of an element alone.
  public var direct: Observations? {
    var elements: [Int] = []
    for k in 0..<count {
      guard let element = network.rows.element(k) else { return nil }
      elements.append(element)
    }
    return Observations(elements: elements, values: values, errorVariances: errorVariances)
  }
}
