/// Networks whose hidden units are in another order, or whose units have all signs turned, are the same function: tanh is odd.
/// What compares or averages parameters of several networks has to line up their units first.
extension Network {
  /// The same function with its hidden units in the order, and with the signs, in which their incoming weights are most like those of another
  /// network's: layer by layer, the most alike pair first.
  package func aligned(to other: Network) -> Network {
    precondition(sizes == other.sizes)
    var own = self
    for l in 0..<layers - 1 {
      let pairs = own.likeness(to: other, layer: l)
      own = own.reordered(layer: l, pairs)
    }
    return own
  }

  /// For every unit after layer `l` of the other network, the own unit that takes its place, and its sign.
  private func likeness(to other: Network, layer l: Int) -> [(unit: Int, sign: Float)] {
    let (inputs, units) = (sizes[l], sizes[l + 1])
    func incoming(_ network: Network, _ unit: Int, _ i: Int) -> Float {
      network.parameters[network.offsets[l] + (i < inputs ? unit * inputs + i : units * inputs + unit)]
    }
    var products: [(product: Float, place: Int, unit: Int)] = []
    for place in 0..<units {
      for unit in 0..<units {
        let product = (0...inputs).reduce(Float(0)) { $0 + incoming(other, place, $1) * incoming(self, unit, $1) }
        products.append((product, place, unit))
      }
    }
    products.sort { (abs($1.product), $0.place, $0.unit) < (abs($0.product), $1.place, $1.unit) }
    var found = [(unit: Int, sign: Float)?](repeating: nil, count: units)
    var isTaken = [Bool](repeating: false, count: units)
    for (product, place, unit) in products where found[place] == nil && !isTaken[unit] {
      found[place] = (unit, product < 0 ? -1 : 1)
      isTaken[unit] = true
    }
    return found.compactMap { $0 }
  }

  /// Puts units after layer `l` in an order, with signs.
  private func reordered(layer l: Int, _ order: [(unit: Int, sign: Float)]) -> Network {
    var own = self
    let (inputs, units, next) = (sizes[l], sizes[l + 1], sizes[l + 2])
    for (place, from) in order.enumerated() {
      for i in 0..<inputs {
        own.parameters[offsets[l] + place * inputs + i] = from.sign * parameters[offsets[l] + from.unit * inputs + i]
      }
      own.parameters[offsets[l] + units * inputs + place] = from.sign * parameters[offsets[l] + units * inputs + from.unit]
      for o in 0..<next {
        own.parameters[offsets[l + 1] + o * units + place] = from.sign * parameters[offsets[l + 1] + o * units + from.unit]
      }
    }
    return own
  }
}
