internal import DaunceObservations

/// `Nudging` of a part of the state: members move by a share of the localized mean of their own innovations,
///
///     x_i = x_i + strength * (sum_k rho_ik (y_k - h_k(x))) / (sum_k rho_ik)
///
/// over the observations of the element's own field.
final class NudgingKernel: RowKernel {
  private let observed: ObservedEnsemble
  private let strength: Double
  /// The field that observations of a kind are values of, -1 for functions (`[kind]`).
  private let fields: [Int]

  init(_ observed: ObservedEnsemble, strength: Double, operators: [ObservationOperator]) {
    (self.observed, self.strength) = (observed, strength)
    fields = operators.map { $0.fields.count == 1 && $0.function == .identity && $0.summed.isEmpty ? $0.fields[0] : -1 }
  }

  private func field(of k: Int) -> Int {
    let kind = Int(observed.kinds[k])
    return kind < fields.count ? fields[kind] : -1
  }

  func update(_ group: RowGroup) {
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      let near = zip(group.ids[r], group.weights[r]).filter { field(of: Int($0.0)) == group.field }
      let total = near.reduce(0) { $0 + $1.1 }
      guard total > 0 else { continue }
      for (id, weight) in near {
        let (k, share) = (Int(id), strength * weight / total)
        Lanes4.add(-share, observed.anomalies + k * observed.stride, to: row, observed.stride)
        group.shift(r, by: share * (observed.values[k] - observed.mean[k]))
      }
    }
  }
}
