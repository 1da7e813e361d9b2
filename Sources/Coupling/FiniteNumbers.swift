package import DaunceState

extension StateLayout {
  /// Refuses a state with what is no number in it.
  ///
  /// - Throws: `CouplingError` with the first such element.
  package func requireFinite(_ x: UnsafePointer<Double>, of model: String, after call: @autoclosure () -> String) throws {
    guard !FiniteNumbers.areAll(x, count: count), let i = (0..<count).first(where: { !x[$0].isFinite }) else { return }
    let (field, cell) = cell(of: i)
    throw CouplingError(
      model, call(), found: "\(x[i]) in cell \(cell) of \(fields[field].name)", expected: "finite numbers")
  }
}

/// The check that every forecast of a user's model goes through.
package enum FiniteNumbers {
  /// Whether all numbers are finite; sixteen at a time.
  package static func areAll(_ x: UnsafePointer<Double>, count: Int) -> Bool {
    // 0 times a finite number is 0; times another it is not a number, and stays so in a sum.
    var (first, second) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    let bytes = UnsafeRawPointer(x)
    var i = 0
    while i + 16 <= count {
      first += 0 * bytes.loadUnaligned(fromByteOffset: 8 * i, as: SIMD8<Double>.self)
      second += 0 * bytes.loadUnaligned(fromByteOffset: 8 * i + 64, as: SIMD8<Double>.self)
      i += 16
    }
    var rest = 0.0
    while i < count {
      rest += 0 * x[i]
      i += 1
    }
    return (first + second).sum() + rest == 0
  }
}
