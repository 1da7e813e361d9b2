import DaunceNetworks
import DaunceNumerics
import DaunceState

/// A function's value and gradient at a state, in memory that is used again.
struct StateGradient {
  /// Of the state looked at last (`[layout.count]`).
  private(set) var slopes: [Double]

  /// Memory for states of `count` elements.
  init(count: Int) { slopes = [Double](repeating: 0, count: count) }

  /// Takes the gradient at a state (`[layout.count]`) and returns the value there.
  mutating func take(_ function: any StateFunction, at state: UnsafePointer<Double>) -> Double {
    let count = slopes.count
    return slopes.withUnsafeMutableBufferPointer { slopes in
      let x = Span(_unsafeStart: state, count: count)
      var gradient = MutableSpan(_unsafeElements: slopes)
      function.gradient(of: x, into: &gradient)
      return function.value(of: x)
    }
  }
}
