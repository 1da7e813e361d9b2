import DaunceNumerics
import Glibc

/// A pdf from samples: normal kernels of Silverman's width, on the working scale of the variable.
package struct KernelDensity {
  /// In the variable's own unit.
  package let values, density: [Double]

  /// - Parameters:
  ///   - samples: in the variable's own unit.
  ///   - points: of the pdf, evenly spaced on the working scale from 3 widths below the least to as much above the largest
  ///     thousandth of the samples.
  package init(_ samples: [Double], _ variable: Variable, points: Int) {
    let sorted = samples.map { variable.working($0) }.sorted()
    let n = Double(sorted.count)
    let mean = sorted.reduce(0, +) / n
    let deviation = (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
    let range = FundamentalEquation.quantile(sorted, 0.75) - FundamentalEquation.quantile(sorted, 0.25)
    let spread = range > 0 ? min(deviation, range / 1.34) : deviation
    let width = max(0.9 * spread * power(n, -0.2), 1e-9)
    let low = FundamentalEquation.quantile(sorted, 0.001) - 3 * width
    let high = FundamentalEquation.quantile(sorted, 0.999) + 3 * width
    var (values, density) = ([Double](), [Double]())
    for k in 0..<points {
      let x = low + (high - low) * Double(k) / Double(max(1, points - 1))
      var sum = 0.0
      for s in sorted where abs(x - s) < 8 * width {
        let z = (x - s) / width
        sum += exponential(-0.5 * z * z)
      }
      let value = variable.value(x)
      values.append(value)
      // dx / dvalue.
      let slope = variable.isLogarithmic ? 1 / (variable.unit * value) : 1 / variable.unit
      density.append(sum / (n * width * 2.506_628_274_631) * slope)
    }
    (self.values, self.density) = (values, density)
  }
}
