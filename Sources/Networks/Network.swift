public import DaunceNumerics

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
  package let offsets: [Int]

  /// A network with normal weights scaled by the layers' sizes (Glorot & Bengio 2010) and zero biases; the output
  /// layer is scaled by `outputGain`, so that a small gain starts near zero output.
  public init(sizes: [Int], outputGain: Float, stream: RandomStream) {
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

/// A gradient in the making: sums over a minibatch's samples, every lane's by themselves until all tiles are in.
public final class GradientSums {
  /// One a parameter.
  let lanes: Workspace<Lanes>

  /// Zero sums for the parameters of `network`.
  public init(_ network: Network) { lanes = Workspace(repeating: .zero, count: network.parameters.count) }

  /// Number of parameters.
  public var count: Int { lanes.count }

  /// Starts anew.
  public func reset() { lanes.start.update(repeating: .zero, count: lanes.count) }

  /// Writes the sums over lanes, one a parameter.
  public func write(to gradient: inout [Float]) {
    precondition(gradient.count == lanes.count)
    gradient.withUnsafeMutableBufferPointer { if let start = $0.baseAddress { write(to: start) } }
  }

  /// The same to a place for `count` numbers.
  package func write(to gradient: UnsafeMutablePointer<Float>) {
    for k in 0..<lanes.count { gradient[k] = lanes.start[k].sum() }
  }
}

extension Network {
  /// Computes `tile.output` from `tile.input`.
  public func forward(_ tile: Activations) {
    if let input = tile.input.baseAddress { forward(tile, input: input) }
  }

  /// Computes `tile.output` from an input elsewhere, `[input][vector]`.
  package func forward(_ tile: Activations, input: UnsafePointer<Lanes>) {
    parameters.withUnsafeBufferPointer { p in
      guard let base = p.baseAddress else { return }
      var x = input
      for l in 0..<layers {
        guard let y = tile.values[l + 1].baseAddress else { return }
        affine(
          weights: base + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, y, vectors: tile.vectors)
        if l < layers - 1 {
          for k in 0..<sizes[l + 1] * tile.vectors { y[k] = tanh(y[k]) }
        }
        x = UnsafePointer(y)
      }
    }
  }

  /// Adds to `gradient` the derivative by the parameters of a loss whose derivative by the output is
  /// `tile.outputSlope`, for the tile last passed through `forward`.
  public func backward(_ tile: Activations, into gradient: GradientSums) {
    if let input = tile.input.baseAddress { backward(tile, input: input, into: gradient) }
  }

  /// The same for an input elsewhere.
  package func backward(_ tile: Activations, input: UnsafePointer<Lanes>, into gradient: GradientSums) {
    parameters.withUnsafeBufferPointer { p in
      guard let p = p.baseAddress else { return }
      for l in stride(from: layers - 1, through: 0, by: -1) {
        guard let values = tile.values[l].baseAddress, let dx = tile.slopes[l].baseAddress,
          let dy = tile.slopes[l + 1].baseAddress
        else { return }
        let x = l > 0 ? UnsafePointer(values) : input
        accumulate(
          gradient: gradient.lanes.start + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, dy,
          vectors: tile.vectors)
        if l > 0 {
          propagate(
            weights: p + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, dx, dy, vectors: tile.vectors)
        }
      }
    }
  }
}
