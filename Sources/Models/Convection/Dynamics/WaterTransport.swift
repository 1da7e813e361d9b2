/// Water carried by the mean mass fluxes of the short steps, where there is any: clouds and precipitation fill few
/// levels.
extension LargeStep {
  /// Levels that a water field is not 0 in, by its number.
  struct CloudyLevels {
    var lowest, highest: InlineArray<5, Int>
  }

  /// Where each water field is not 0 at the beginning of the step.
  var cloudyLevels: CloudyLevels {
    var found = CloudyLevels(lowest: .init(repeating: 0), highest: .init(repeating: -1))
    for n in ConvectionField.water.indices {
      let q = start[n]
      var (lowest, highest) = (0, mesh.levels - 1)
      while lowest < mesh.levels, isClear(q[lowest]) { lowest += 1 }
      while highest > lowest, isClear(q[highest]) { highest -= 1 }
      if lowest < mesh.levels { (found.lowest[n], found.highest[n]) = (lowest, highest) }
    }
    return found
  }

  /// Whether a level has no water; not-a-numbers are some.
  private func isClear(_ row: Row) -> Bool {
    var i = 0
    while i < mesh.columns {
      if any(row.lanes(i) .!= 0) { return false }
      i &+= 4
    }
    return true
  }

  /// Levels that water number `n` can be in after stages that reach so many levels further; `nil` where there is none.
  private func levels(_ cloudy: CloudyLevels, _ n: Int, reach: Int) -> Range<Int>? {
    guard cloudy.highest[n] >= 0 else { return nil }
    return max(0, cloudy.lowest[n] - reach)..<min(mesh.levels, cloudy.highest[n] + 1 + reach)
  }

  /// Carries water over `dt` by the fluxes of `q`, without a limiter.
  func carry(_ q: Planes, into next: Planes, _ dt: Double, _ cloudy: CloudyLevels, reach: Int) {
    for n in ConvectionField.water.indices {
      let (start, out, before, after) = (start[n], next[n], startDensity, density)
      let range = levels(cloudy, n, reach: reach) ?? 0..<0
      transport.divergence(of: q[n], in: range, x: meanX, z: meanZ) { k, i, flux in
        let carried = before[k].lanes(i) * start[k].lanes(i) - dt * flux
        out[k].put(carried / after[k].lanes(i), i)
      }
      out.wrap(range)
      for k in 0..<mesh.levels where !range.contains(k) { out.clear(k) }
      out.mirror(0, to: -1)
      out.mirror(mesh.levels - 1, to: mesh.levels)
    }
  }

  /// Carries water over the whole step by the limited fluxes of `q`; the new values are in `start`.
  func finish(_ q: Planes, _ dt: Double, _ cloudy: CloudyLevels, reach: Int) {
    for n in ConvectionField.water.indices {
      guard let range = levels(cloudy, n, reach: reach) else { continue }
      transport.carryLimited(
        q[n], from: start[n], in: range, before: startDensity, after: density, x: meanX, z: meanZ,
        dt: dt)
    }
  }
}
