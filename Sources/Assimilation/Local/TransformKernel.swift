internal import DaunceNumerics

/// Local transforms in the smaller of observation and ensemble space.
///
/// With a_k = sqrt(rho_k / (r_k (N - 1))), V the rows a_k y'_k (p x N), d the innovations a_k d_k and C = V V^T:
///
///     mean_x = mean_x + (x' V^T) (1 + C)^-1 d
///     x'     = x' - (x' V^T) f(C) V
///
/// with f(s) = 1 / ((1 + s) + sqrt(1 + s)) for the symmetric square root (1 + V^T V)^-1/2, f(s) = 1 / (2 (1 + s)) for
/// half of the gain; and with perturbed observations x = x + (x' V^T) (1 + C)^-1 D, D the members' own innovations. In
/// ensemble space the same with A = V^T V.
final class TransformKernel: RowKernel {
  private typealias Lanes = SIMD4<Double>

  private let observed: ObservedEnsemble
  /// What becomes of the anomalies.
  enum Form {
    /// The symmetric square root.
    case symmetric
    /// Half of the gain.
    case halfGain
    /// Perturbed observations.
    case perturbed
  }

  private let form: Form
  private let seed: UInt64
  private let rotates: Bool
  /// y + e_m - h(x_m) of every member (`[count][stride]`), for perturbed observations.
  private let memberInnovations: UnsafeMutablePointer<Double>?
  /// Random rotation that keeps the mean (`[members][members]`), or empty.
  private var rotation: [Double] = []
  private var eigen = LaneEigen()
  /// Observations and weights that `eigen` belongs to.
  private var known: (ids: [[Int32]], weights: [[Double]]) = ([[], [], [], []], [[], [], [], []])
  private var knownCount = 0
  private var inObservationSpace = true

  private var a: [[Double]] = [[], [], [], []]
  private var z: [Lanes] = []
  private var projected: [Lanes] = []
  private var innovations: [Lanes] = []
  /// Scratch: rows of members, and a matrix of them.
  private var row, before, gain, moved: [Double]
  private var gram: [Double]

  /// - Parameter observed: filled anew before each analysis, which `begin` announces.
  init(_ observed: ObservedEnsemble, form: Form, seed: UInt64, rotates: Bool) {
    self.observed = observed
    self.form = form
    self.seed = seed
    self.rotates = rotates
    row = [Double](repeating: 0, count: observed.stride)
    (before, gain, moved) = (row, row, row)
    gram = [Double](repeating: 0, count: observed.members * observed.stride)
    guard form == .perturbed else {
      memberInnovations = nil
      return
    }
    let size = max(1, observed.count * observed.stride)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 64)
      .bindMemory(to: Double.self, capacity: size)
    memory.initialize(repeating: 0, count: size)
    memberInnovations = memory
  }

  /// Another time's observations are there.
  func begin(cycle: Int) {
    knownCount = 0
    if rotates { rotation = RandomRotation.matrix(members: observed.members, seed: seed, cycle: cycle) }
    if let memberInnovations { perturb(into: memberInnovations, cycle) }
  }

  deinit { memberInnovations?.deallocate() }

  /// Perturbations have zero mean over the members and are keyed by member, cycle and the observation's number.
  private func perturb(into result: UnsafeMutablePointer<Double>, _ cycle: Int) {
    let stride = observed.stride
    for m in 0..<observed.members {
      let stream = RandomStream(seed: seed, purpose: .observationPerturbation, member: m, cycle: cycle)
      for k in 0..<observed.count { result[k * stride + m] = stream.normal(at: k) }
    }
    for k in 0..<observed.count {
      let row = result + k * stride
      _ = Lanes4.centre(row, members: observed.members)
      let deviation = observed.errorVariances[k].squareRoot()
      for m in 0..<observed.members {
        let value = observed.mean[k] + observed.anomalies[k * stride + m]
        row[m] = observed.values[k] + deviation * row[m] - value
      }
    }
  }

  func update(_ group: RowGroup) {
    if !isKnown(group) { decompose(group) }
    if inObservationSpace { updateInObservationSpace(group) } else { updateInEnsembleSpace(group) }
  }

  /// Whether the last decomposition is that of these observations: without localization it is always.
  private func isKnown(_ group: RowGroup) -> Bool {
    guard knownCount == group.count else { return false }
    for r in 0..<group.count where known.ids[r] != group.ids[r] || known.weights[r] != group.weights[r] { return false }
    return true
  }

  private func decompose(_ group: RowGroup) {
    let share = Double(observed.members - 1)
    var most = 0
    for r in 0..<group.count {
      a[r].removeAll(keepingCapacity: true)
      for (k, weight) in zip(group.ids[r], group.weights[r]) {
        a[r].append((weight / (observed.errorVariances[Int(k)] * share)).squareRoot())
      }
      most = max(most, group.ids[r].count)
    }
    inObservationSpace = most <= observed.members
    if inObservationSpace { gramOfObservations(group, order: most) } else { gramOfMembers(group) }
    eigen.decompose()
    for r in 0..<group.count {
      known.ids[r].removeAll(keepingCapacity: true)
      known.ids[r].append(contentsOf: group.ids[r])
      known.weights[r].removeAll(keepingCapacity: true)
      known.weights[r].append(contentsOf: group.weights[r])
    }
    knownCount = group.count
    let n = eigen.order
    if z.count < n {
      z = [Lanes](repeating: .zero, count: n)
      projected = z
      innovations = z
    }
  }

  /// C = V V^T.
  private func gramOfObservations(_ group: RowGroup, order: Int) {
    eigen.reset(order: order)
    let stride = group.stride
    for r in 0..<group.count {
      for (i, k) in group.ids[r].enumerated() {
        for (j, l) in group.ids[r][...i].enumerated() {
          let product = Lanes4.dot(observed.anomalies + Int(k) * stride, observed.anomalies + Int(l) * stride, stride)
          let value = a[r][i] * a[r][j] * product
          eigen.matrix[i * order + j][r] = value
          eigen.matrix[j * order + i][r] = value
        }
      }
    }
  }

  /// A = V^T V.
  private func gramOfMembers(_ group: RowGroup) {
    let n = group.members
    eigen.reset(order: n)
    for r in 0..<group.count {
      for i in gram.indices { gram[i] = 0 }
      gram.withUnsafeMutableBufferPointer { sum in
        guard let base = sum.baseAddress else { return }
        for (i, k) in group.ids[r].enumerated() {
          let y = observed.anomalies + Int(k) * group.stride
          let square = a[r][i] * a[r][i]
          // The lower triangle, in whole vectors.
          for m in 0..<n { Lanes4.add(square * y[m], y, to: base + m &* group.stride, (m | 3) &+ 1) }
        }
      }
      for i in 0..<n { for j in 0..<n { eigen.matrix[i * n + j][r] = gram[max(i, j) * group.stride + min(i, j)] } }
    }
  }

  private func updateInObservationSpace(_ group: RowGroup) {
    let (n, stride) = (eigen.order, group.stride)
    for i in 0..<n { (z[i], innovations[i]) = (.zero, .zero) }
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      for (i, k) in group.ids[r].enumerated() {
        let k = Int(k)
        z[i][r] = a[r][i] * Lanes4.dot(row, observed.anomalies + k &* stride, stride)
        innovations[i][r] = a[r][i] * (observed.values[k] - observed.mean[k])
      }
    }
    var increment = Lanes.zero
    eigen.vectors.withUnsafeBufferPointer { u in
      eigen.matrix.withUnsafeBufferPointer { matrix in
        for i in 0..<n {
          var (e, h) = (Lanes.zero, Lanes.zero)
          for k in 0..<n {
            e += u[k &* n &+ i] * z[k]
            h += u[k &* n &+ i] * innovations[k]
          }
          let s = matrix[i &* n &+ i]
          let q = 1 + s.replacing(with: 0, where: s .< 0)
          if form == .perturbed { projected[i] = e / q } else { increment += e * h / q }
          if form == .symmetric { projected[i] = e / (q + q.squareRoot()) }
          if form == .halfGain { projected[i] = e / (2 * q) }
        }
        for k in 0..<n {
          var sum = Lanes.zero
          for i in 0..<n { sum += u[k &* n &+ i] * projected[i] }
          z[k] = sum
        }
      }
    }
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      for (i, k) in group.ids[r].enumerated() {
        let factor = z[i][r] * a[r][i]
        if let memberInnovations {
          Lanes4.add(factor, memberInnovations + Int(k) &* stride, to: row, stride)
        } else {
          Lanes4.add(-factor, observed.anomalies + Int(k) &* stride, to: row, stride)
        }
      }
      group.shift(r, by: increment[r])
    }
  }

  private func updateInEnsembleSpace(_ group: RowGroup) {
    let (n, stride) = (eigen.order, group.stride)
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      // x' (1 + A)^-1, and x' times the transform of the anomalies.
      for m in 0..<n { (before[m], gain[m], moved[m]) = (row[m], 0, 0) }
      for i in 0..<n {
        var e = 0.0
        for m in 0..<n { e += eigen.vectors[m * n + i][r] * before[m] }
        let q = 1 + max(0, eigen.matrix[i * n + i][r])
        let factor = form == .symmetric ? 1 / q.squareRoot() : 0.5 + 0.5 / q
        for m in 0..<n {
          gain[m] += eigen.vectors[m * n + i][r] * (e / q)
          moved[m] += eigen.vectors[m * n + i][r] * (e * factor)
        }
      }
      if form != .perturbed { for m in 0..<n { row[m] = moved[m] } }
      var increment = 0.0
      for (i, k) in group.ids[r].enumerated() {
        let k = Int(k)
        let y = observed.anomalies + k * stride
        let weight = a[r][i] * a[r][i] * gain.withUnsafeBufferPointer { gain in
          gain.baseAddress.map { Lanes4.dot($0, y, stride) } ?? 0
        }
        if let memberInnovations {
          Lanes4.add(weight, memberInnovations + k * stride, to: row, stride)
        } else {
          increment += weight * (observed.values[k] - observed.mean[k])
        }
      }
      group.shift(r, by: increment)
    }
  }

  /// Rotates where asked.
  func finish(_ anomalies: UnsafeMutablePointer<Double>, members n: Int) {
    guard !rotation.isEmpty else { return }
    for j in 0..<n {
      var sum = 0.0
      for i in 0..<n { sum += anomalies[i] * rotation[i * n + j] }
      row[j] = sum
    }
    for j in 0..<n { anomalies[j] = row[j] }
  }
}
