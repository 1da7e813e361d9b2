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
    var (bound, u, v, draw) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for vector in 0..<vectors {
      let first = vector * Lanes.scalarCount
      let count = min(Lanes.scalarCount, cells - first)
      for lane in 0..<count {
        let uniform = uniforms[first + lane]
        bound[lane] = Float((lower - anchors[first + lane]) * inverse)
        u[lane] = Float(uniform)
        v[lane] = Float(1 - uniform)
      }
      let scale = exponential(
        atMost(range.1, atLeast(range.0, raw[vectors + vector] + Float(Self.initialLogScale))))
      // Six scales below the bound nothing but the bound's own neighbourhood is left of a truncated law.
      let limit = bound - 6 * scale
      let location = raw[vector].replacing(with: limit, where: raw[vector] .< limit)
      draw = location + scale * TruncatedNormalSampler.draw(from: (bound - location) / scale, u, v)
      for lane in 0..<count {
        let action = anchors[first + lane] + unit * Double(draw[lane])
        // Rounding may leave it below; a not-a-number stays.
        actions[first + lane] = action < lower ? lower : action > upper ? upper : action
      }
      if let scales {
        for lane in 0..<count { scales[first + lane] = unit * Double(scale[lane]) }
      }
    }
  }
}
