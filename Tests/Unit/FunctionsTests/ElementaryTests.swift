import DaunceNumerics
import Foundation
import Testing

/// Against the C library's functions, whose errors are below a unit in the last place.
@Suite struct ElementaryTests {
  private func lanes(_ x: Double) -> SIMD4<Double> { SIMD4(x, 0.5 * x, 0.999 * x, x) }

  @Test func exponentialsAreExponentials() {
    for n in -700...700 {
      let x = lanes(Double(n) + 0.37)
      let y = exponential(x)
      for lane in 0..<4 { #expect(abs(y[lane] / exp(x[lane]) - 1) < 1e-14 + 1e-16 * abs(x[lane])) }
    }
    #expect(exponential(0) == 1)
  }

  @Test func logarithmsAreLogarithms() {
    for n in -300...300 {
      let x = lanes(1.37 * pow(10, Double(n)))
      let y = logarithm(x)
      for lane in 0..<4 { #expect(abs(y[lane] - log(x[lane])) <= 4e-16 * max(abs(log(x[lane])), 0.7)) }
    }
    #expect(logarithm(SIMD4(repeating: 1)) == .zero)
    // Close to 1 the error is relative too.
    let near = SIMD4(1 + 1e-9, 1 - 1e-9, 1.01, 0.99)
    for lane in 0..<4 { #expect(abs(logarithm(near)[lane] / log(near[lane]) - 1) < 1e-15) }
  }

  @Test func powersArePowers() {
    for (x, a) in [(0.7, 0.3994), (1.02, 2.5037), (3e-6, 0.875), (2.5e-3, 0.1346), (250.0, 1.81)] {
      #expect(abs(power(x, a) / pow(x, a) - 1) < 1e-14)
      #expect(power(SIMD4(repeating: x), a)[2] == power(x, a))
    }
    #expect(power(1, 2.5037) == 1)
    #expect(power(0, 1.25) == 0)
    #expect(power(SIMD4(1, .nan, 2, 3), 0.5)[1].isNaN)
  }
}
