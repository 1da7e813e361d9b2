import DaunceNumerics
import DaunceUncertainty
import Testing

@Suite struct RowPosteriorTests {
  /// A linear function: pairs have a normal posterior, whose moments regression gives.
  @Test func linearRowsHaveTheirKalmanPosterior() throws {
    // Inputs with variance 1 around 0, y = 2 z + noise 0.5; both measured with errors.
    let (n, slope, scatter, inputError, outputError) = (4000, 2.0, 0.5, 0.6, 0.8)
    let stream = RandomStream(seed: 7, purpose: .test)
    let z = (0..<n).map { stream.normal(at: $0) }
    let y = (0..<n).map { slope * z[$0] + scatter * stream.normal(at: 10_000 + $0) }
    let rows = MeasuredRows(
      inputs: 1, outputs: 1, x: (0..<n).map { z[$0] + inputError * stream.normal(at: 20_000 + $0) },
      xError: [Double](repeating: inputError, count: n),
      y: (0..<n).map { y[$0] + outputError * stream.normal(at: 30_000 + $0) },
      yError: [Double](repeating: outputError, count: n))
    let law = RowPosterior.Law { x, wantsSlopes in
      (
        x.map { slope * $0 }, [Double](repeating: scatter, count: n),
        wantsSlopes ? [Double](repeating: slope, count: n) : []
      )
    }
    let drawn = RowPosterior(rows).draw(law, stream: RandomStream(seed: 1, purpose: .trainingRows))

    // Posterior of z: prior precision 1 (as estimated, nearly), measurement 1/0.36, output 4 / (0.25 + 0.64).
    let precision = 1 + 1 / 0.36 + 4 / 0.89
    let (input, output) = ((1 / 0.36) / precision, (2 / 0.89) / precision)
    var (bias, spread, residuals, product) = (0.0, 0.0, 0.0, 0.0)
    for row in 0..<n {
      let expected = input * rows.x[row] + output * rows.y[row]
      let d = drawn.x[row] - expected
      bias += d / Double(n)
      spread += d * d / Double(n)
      let r = drawn.y[row] - slope * drawn.x[row]
      residuals += r * r / Double(n)
      product += r * drawn.x[row] / Double(n)
    }
    #expect(abs(bias) < 0.03)
    #expect(abs(spread * precision - 1) < 0.1, "\(spread * precision)")
    // Drawn pairs follow the law that measured ones are blurred of: scatter 0.25, uncorrelated with the input.
    #expect(abs(residuals / 0.25 - 1) < 0.1, "\(residuals)")
    #expect(abs(product) < 0.03, "\(product)")
    let variance = drawn.x.reduce(0) { $0 + $1 * $1 } / Double(n)
    #expect(abs(variance - 1) < 0.1, "\(variance)")
  }

  /// Exact numbers stay as they are.
  @Test func exactNumbersStay() {
    let rows = MeasuredRows(
      inputs: 2, outputs: 1, x: [0.1, 1, -0.4, 2, 0.7, -1], xError: [0.3, 0, 0.3, 0, 0.3, 0], y: [1, 2, 3], yError: [0, 0, 0])
    let law = RowPosterior.Law { x, wants in
      ([0, 0, 0], [1, 1, 1], wants ? [Double](repeating: 0.5, count: 6) : [])
    }
    let drawn = RowPosterior(rows).draw(law, stream: RandomStream(seed: 1, purpose: .trainingRows))
    #expect(drawn.y == rows.y)
    for k in [1, 3, 5] { #expect(drawn.x[k] == rows.x[k]) }
    for k in [0, 2, 4] { #expect(drawn.x[k] != rows.x[k]) }
  }

  /// Errors of logarithmic variables: a lognormal law with the true value as median.
  @Test func errorsOfLogarithmsAreLognormal() {
    let variable = Variable(name: "rate", values: [1, 2, 4, 8], isLogarithmic: true)
    let s = variable.workingDeviation(0.3, at: 1) * variable.unit
    let (m, stream) = (20_000, RandomStream(seed: 1, purpose: .test))
    var deviation = RunningDeviation()
    for k in 0..<m { deviation.add(DaunceNumerics.exponential(s * stream.normal(at: k))) }
    #expect(abs((deviation.value ?? 0) / 0.3 - 1) < 0.02)
    #expect(abs(variable.value(variable.working(3.7)) - 3.7) < 1e-12)
    #expect(Variable.suggestsLogarithm([1, 1.5, 2, 3, 5, 40]) && !Variable.suggestsLogarithm([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    #expect(!Variable.suggestsLogarithm([-1, 1.5, 2, 3, 5, 40]))
  }
}
