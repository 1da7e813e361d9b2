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

/// `y = W x + b`, four outputs of two groups of samples at a time, inputs ascending: eight sums at once, as many as
/// hide the latency of an addition and leave vector registers for the operands.
///
/// Where fewer outputs or groups are left, the last one is computed more than once.
@inline(__always)
private func affine(
  weights w: UnsafePointer<Float>, inputs: Int, outputs: Int, _ x: UnsafePointer<Lanes>,
  _ y: UnsafeMutablePointer<Lanes>, vectors: Int
) {
  let b = w + inputs &* outputs
  let last = outputs &- 1
  for o0 in stride(from: 0, to: outputs, by: 4) {
    let (o1, o2, o3) = (min(o0 &+ 1, last), min(o0 &+ 2, last), min(o0 &+ 3, last))
    let (w0, w1, w2, w3) = (w + o0 &* inputs, w + o1 &* inputs, w + o2 &* inputs, w + o3 &* inputs)
    for v in stride(from: 0, to: vectors, by: 2) {
      let next = v &+ 1 < vectors ? 1 : 0
      var (s0, s1) = (Lanes(repeating: b[o0]), Lanes(repeating: b[o1]))
      var (s2, s3) = (Lanes(repeating: b[o2]), Lanes(repeating: b[o3]))
      var (t0, t1, t2, t3) = (s0, s1, s2, s3)
      var input = x + v
      for i in 0..<inputs {
        let (xs, xt) = (input[0], input[next])
        s0 += w0[i] * xs
        t0 += w0[i] * xt
        s1 += w1[i] * xs
        t1 += w1[i] * xt
        s2 += w2[i] * xs
        t2 += w2[i] * xt
        s3 += w3[i] * xs
        t3 += w3[i] * xt
        input += vectors
      }
      let output = y + v
      (output[o0 &* vectors &+ next], output[o0 &* vectors]) = (next == 1 ? t0 : s0, s0)
      (output[o1 &* vectors &+ next], output[o1 &* vectors]) = (next == 1 ? t1 : s1, s1)
      (output[o2 &* vectors &+ next], output[o2 &* vectors]) = (next == 1 ? t2 : s2, s2)
      (output[o3 &* vectors &+ next], output[o3 &* vectors]) = (next == 1 ? t3 : s3, s3)
    }
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
