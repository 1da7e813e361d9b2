/// Spans of arrays that are stored in objects, whose lifetime the compiler cannot follow outside a scope.
extension [Double] {
  /// Copies as many numbers as there are, in place.
  @inlinable @inline(__always)
  package mutating func copy(_ other: [Double]) {
    precondition(other.count == count)
    withUnsafeMutableBufferPointer { target in
      other.withUnsafeBufferPointer { source in
        if let to = target.baseAddress, let from = source.baseAddress { to.update(from: from, count: target.count) }
      }
    }
  }

  /// Gives the numbers as a span.
  @inlinable @inline(__always)
  package func withSpan<Result>(_ body: (Span<Double>) -> Result) -> Result {
    body(span)
  }

  /// Gives the numbers as a span to be written to.
  @inlinable @inline(__always)
  package mutating func withMutableSpan<Result, Failure: Error>(
    _ body: (inout MutableSpan<Double>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var target = mutableSpan
    return try body(&target)
  }
}
