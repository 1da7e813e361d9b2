/// Spans of arrays that are stored in objects, whose lifetime the compiler cannot follow outside a scope.
extension [Double] {
  @inline(__always)
  func withSpan<Result>(_ body: (Span<Double>) -> Result) -> Result {
    body(span)
  }

  @inline(__always)
  mutating func withMutableSpan<Result, Failure: Error>(
    _ body: (inout MutableSpan<Double>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var target = mutableSpan
    return try body(&target)
  }
}
