import Glibc
public import Randomness

/// Eight samples side by side: the unit in which networks compute, whatever the machine's vector width.
public typealias Lanes = SIMD8<Float>

/// A fully connected network with tanh hidden layers and a linear output, in Float.
///
/// Samples come in tiles: a feature is one row of `vectors` groups of eight samples, `[feature][vector]`. One model
/// state is one tile, a cell a sample. Sums run over inputs and over lanes in a fixed order.
public struct Network: Sendable, Hashable {
  /// Layer sizes, input first.
  public let sizes: [Int]
  /// Weights `[output][input]` then biases `[output]`, layer by layer.
  public var parameters: [Float]
  /// First parameter of every layer.
  let offsets: [Int]

  /// A network with normal weights scaled by the layers' sizes (Glorot & Bengio 2010) and zero biases; the output
  /// layer is scaled by `outputGain`, so that a small gain starts near zero output.
  public init(sizes: [Int], outputGain: Float, stream: Stream) {
    precondition(sizes.count >= 2 && sizes.allSatisfy { $0 > 0 })
    self.sizes = sizes
    var offsets = [0]
    for l in 0..<sizes.count - 1 { offsets.append(offsets[l] + (sizes[l] + 1) * sizes[l + 1]) }
    self.offsets = offsets
    parameters = [Float](repeating: 0, count: offsets[sizes.count - 1])
    for l in 0..<sizes.count - 1 {
      let gain = l == sizes.count - 2 ? outputGain : 1
      let deviation = gain * (2 / Float(sizes[l] + sizes[l + 1])).squareRoot()
      for k in 0..<sizes[l] * sizes[l + 1] {
        parameters[offsets[l] + k] = deviation * Float(stream.normal(at: offsets[l] + k))
      }
    }
  }

  /// A network with given parameters; `nil` when their number does not fit the sizes.
  public init?(sizes: [Int], parameters: [Float]) {
    guard sizes.count >= 2, sizes.allSatisfy({ $0 > 0 }) else { return nil }
    var offsets = [0]
    for l in 0..<sizes.count - 1 { offsets.append(offsets[l] + (sizes[l] + 1) * sizes[l + 1]) }
    guard parameters.count == offsets[sizes.count - 1] else { return nil }
    self.sizes = sizes
    self.offsets = offsets
    self.parameters = parameters
  }

  var layers: Int { sizes.count - 1 }
}

/// Memory for one tile's way through a network and back.
public final class Activations {
  /// Groups of eight samples in a tile.
  public let vectors: Int
  let sizes: [Int]
  /// Values of every layer, input first: `[feature][vector]`.
  let values: [UnsafeMutableBufferPointer<Lanes>]
  /// Derivatives of the loss by every layer's pre-activation; none for the input.
  let slopes: [UnsafeMutableBufferPointer<Lanes>]

  /// Memory for tiles of `vectors` groups of eight samples through networks of the same sizes as `network`.
  public init(network: Network, vectors: Int) {
    self.vectors = vectors
    sizes = network.sizes
    values = network.sizes.map { Self.allocate($0 * vectors) }
    slopes = network.sizes.map { Self.allocate($0 * vectors) }
  }

  deinit {
    for buffer in values + slopes { buffer.deallocate() }
  }

  /// The tile's input, to be filled before `forward`: `[input][vector]`.
  public var input: UnsafeMutableBufferPointer<Lanes> { values[0] }
  /// The network's output after `forward`: `[output][vector]`.
  public var output: UnsafeMutableBufferPointer<Lanes> { values[sizes.count - 1] }
  /// Derivative of the loss by the output, to be filled before `backward`: `[output][vector]`.
  public var outputSlope: UnsafeMutableBufferPointer<Lanes> { slopes[sizes.count - 1] }

  private static func allocate(_ count: Int) -> UnsafeMutableBufferPointer<Lanes> {
    let buffer = UnsafeMutableBufferPointer<Lanes>.allocate(capacity: count)
    buffer.initialize(repeating: .zero)
    return buffer
  }
}

extension Network {
  /// Computes `tile.output` from `tile.input`.
  public func forward(_ tile: Activations) {
    parameters.withUnsafeBufferPointer { p in
      for l in 0..<layers {
        guard let base = p.baseAddress, let x = tile.values[l].baseAddress,
          let y = tile.values[l + 1].baseAddress
        else { return }
        affine(
          weights: base + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, y, vectors: tile.vectors)
        if l < layers - 1 {
          for k in 0..<sizes[l + 1] * tile.vectors { y[k] = tanh(y[k]) }
        }
      }
    }
  }

  /// Adds to `gradient` the derivative by the parameters of a loss whose derivative by the output is
  /// `tile.outputSlope`, for the tile last passed through `forward`.
  public func backward(_ tile: Activations, gradient: inout [Float]) {
    parameters.withUnsafeBufferPointer { p in
      gradient.withUnsafeMutableBufferPointer { g in
        guard let p = p.baseAddress, let g = g.baseAddress else { return }
        for l in stride(from: layers - 1, through: 0, by: -1) {
          guard let x = tile.values[l].baseAddress, let dx = tile.slopes[l].baseAddress,
            let dy = tile.slopes[l + 1].baseAddress
          else { return }
          accumulate(
            gradient: g + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, dy,
            vectors: tile.vectors)
          if l > 0 {
            propagate(
              weights: p + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, dx, dy,
              vectors: tile.vectors)
          }
        }
      }
    }
  }
}

/// `y = W x + b`, four outputs at a time.
@inline(__always)
private func affine(
  weights w: UnsafePointer<Float>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ y: UnsafeMutablePointer<Lanes>, vectors: Int
) {
  let b = w + inputs * outputs
  var o = 0
  while o + 4 <= outputs {
    let (w0, w1, w2, w3) = (
      w + o * inputs, w + (o + 1) * inputs, w + (o + 2) * inputs, w + (o + 3) * inputs
    )
    for v in 0..<vectors {
      var s0 = Lanes(repeating: b[o])
      var s1 = Lanes(repeating: b[o + 1])
      var s2 = Lanes(repeating: b[o + 2])
      var s3 = Lanes(repeating: b[o + 3])
      for i in 0..<inputs {
        let xi = x[i * vectors + v]
        s0 += w0[i] * xi
        s1 += w1[i] * xi
        s2 += w2[i] * xi
        s3 += w3[i] * xi
      }
      y[o * vectors + v] = s0
      y[(o + 1) * vectors + v] = s1
      y[(o + 2) * vectors + v] = s2
      y[(o + 3) * vectors + v] = s3
    }
    o += 4
  }
  while o < outputs {
    for v in 0..<vectors {
      var s = Lanes(repeating: b[o])
      for i in 0..<inputs { s += w[o * inputs + i] * x[i * vectors + v] }
      y[o * vectors + v] = s
    }
    o += 1
  }
}

/// `dW += dy x'`, `db += dy`, summed over the tile's samples.
@inline(__always)
private func accumulate(
  gradient g: UnsafeMutablePointer<Float>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ dy: UnsafePointer<Lanes>, vectors: Int
) {
  let b = g + inputs * outputs
  for o in 0..<outputs {
    let d = dy + o * vectors
    var bias = Lanes.zero
    for v in 0..<vectors { bias += d[v] }
    b[o] += bias.sum()
    for i in 0..<inputs {
      let xi = x + i * vectors
      var s = Lanes.zero
      for v in 0..<vectors { s += d[v] * xi[v] }
      g[o * inputs + i] += s.sum()
    }
  }
}

/// `dx = (W' dy) (1 - x^2)` through the tanh that made `x`.
@inline(__always)
private func propagate(
  weights w: UnsafePointer<Float>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ dx: UnsafeMutablePointer<Lanes>, _ dy: UnsafePointer<Lanes>, vectors: Int
) {
  for i in 0..<inputs {
    for v in 0..<vectors {
      var s = Lanes.zero
      for o in 0..<outputs { s += w[o * inputs + i] * dy[o * vectors + v] }
      let t = x[i * vectors + v]
      dx[i * vectors + v] = s * (1 - t * t)
    }
  }
}

/// Hyperbolic tangent of eight numbers, `1 - 2 / (exp(2|x|) + 1)` with the sign of `x`; absolute error below 2e-7.
@inline(__always)
func tanh(_ x: Lanes) -> Lanes {
  let magnitude = x.replacing(with: -x, where: x .< 0)
  // Beyond 9 the result rounds to 1.
  let clamped = pointwiseMin(magnitude, Lanes(repeating: 9))
  let t = 1 - 2 / (exponential(2 * clamped) + 1)
  return t.replacing(with: -t, where: x .< 0)
}

/// `exp(x)` for `0 <= x < 80`: `2^k` times the Taylor polynomial of the remainder, at most `log(2)/2`.
@inline(__always)
private func exponential(_ x: Lanes) -> Lanes {
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
  let shifted = x * 1.442_695_04 + 12_582_912
  let k = shifted - 12_582_912
  let r = x - k * 0.693_359_375 + k * 2.121_944_4e-4
  var p: Lanes = 1 / 5040 + r * (1 / 40320)
  p = 1 / 720 + r * p
  p = 1 / 120 + r * p
  p = 1 / 24 + r * p
  p = 1 / 6 + r * p
  p = 0.5 + r * p
  p = 1 + r * p
  p = 1 + r * p
  // Vectors of numbers have no bitPattern; both sides are eight lanes of 32 bits.
  let bits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self)
  let scale = unsafeBitCast((bits &+ 127) &<< 23, to: Lanes.self)
  return p * scale
}
