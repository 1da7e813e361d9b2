package import DaunceNetworks
import DaunceNumerics

extension PolicyHead {
  /// Draws control `k` at every cell from the policy outputs in `tile`: normal and truncated normal laws by
  /// `TruncatedNormalSampler`, the others cell by cell; above an upper bound they are moved to it.
  ///
  /// - Parameters:
  ///   - actions: `[cell]`, as everything else.
  ///   - scales: filled with the laws' scales, in the variable's unit; `nil` where nobody needs them.
  ///   - anchors: what the policy's increments are added to.
  ///   - uniforms: in (0, 1); the draw increases with them.
  package func sample(
    _ k: Int, into actions: UnsafeMutablePointer<Double>, scales: UnsafeMutablePointer<Double>?,
    anchors: UnsafePointer<Double>, _ tile: Activations, uniforms: UnsafePointer<Double>
  ) {
    switch laws[k] {
    case .normal:
      sampleNormals(k, lower: -.infinity, into: actions, scales: scales, anchors: anchors, tile, uniforms: uniforms)
    case .truncated(let lower):
      sampleNormals(k, lower: lower, into: actions, scales: scales, anchors: anchors, tile, uniforms: uniforms)
    case .clipped, .softplus:
      for c in 0..<cells {
        let (m, s) = law(k, anchor: anchors[c], outputs: outputs(tile, k, c))
        let action = laws[k].sample(location: m, scale: s, uniform: uniforms[c])
        actions[c] = action > upperBounds[k] ? upperBounds[k] : action
        scales?[c] = s
      }
    }
  }

  /// The laws of `law(_:anchor:outputs:)` in units of the variable's scale and relative to the anchor.
  private func sampleNormals(
    _ k: Int, lower: Double, into actions: UnsafeMutablePointer<Double>, scales: UnsafeMutablePointer<Double>?,
    anchors: UnsafePointer<Double>, _ tile: Activations, uniforms: UnsafePointer<Double>
  ) {
    let (unit, upper) = (self.scales[k], upperBounds[k])
    let inverse = 1 / unit
    let range = (Float(Self.logScaleRange.lowerBound), Float(Self.logScaleRange.upperBound))
    guard let output = UnsafePointer(tile.output.baseAddress) else { return }
    let raw = output + 2 * k * vectors
    let (least, most) = (SIMD8<Double>(repeating: lower), SIMD8<Double>(repeating: upper))
    for vector in 0..<vectors {
      let anchor = load(anchors, vector)
      let uniform = load(uniforms, vector)
      let bound = Lanes((lower - anchor) * inverse)
      let scale = exponential(
        atMost(range.1, atLeast(range.0, raw[vectors + vector] + Float(Self.initialLogScale))))
      // Six scales below the bound nothing but the bound's own neighbourhood is left of a truncated law.
      let limit = bound - 6 * scale
      let location = raw[vector].replacing(with: limit, where: raw[vector] .< limit)
      let draw = location
        + scale * TruncatedNormalSampler.draw(from: (bound - location) / scale, Lanes(uniform), Lanes(1 - uniform))
      let action = anchor + unit * SIMD8<Double>(draw)
      // Rounding may leave it below; a not-a-number stays.
      let admissible = action.replacing(with: most, where: action .> most).replacing(with: least, where: action .< least)
      store(admissible, vector, in: actions)
      if let scales { store(unit * SIMD8<Double>(scale), vector, in: scales) }
    }
  }

  /// The other way round: eight cells' numbers, as far as there are cells.
  @inline(__always)
  private func store(_ values: SIMD8<Double>, _ v: Int, in row: UnsafeMutablePointer<Double>) {
    let start = v * Lanes.scalarCount
    guard start + Lanes.scalarCount > cells else {
      return UnsafeMutableRawPointer(row + start).storeBytes(of: values, as: SIMD8<Double>.self)
    }
    for lane in 0..<cells - start { row[start + lane] = values[lane] }
  }
}
