import DaunceArchive
import DaunceState
import DaunceUncertainty

/// Predictive laws of all elements of a state, on rank 0.
struct FieldLaws {
  let layout: StateLayout
  let residuals: ResidualLaw
  let probabilities: [Double]
  private let contents: FieldPredictionContents

  init(_ contents: FieldPredictionContents, _ residuals: ResidualLaw) {
    (self.contents, self.residuals) = (contents, residuals)
    (layout, probabilities) = (contents.layout, contents.probabilities)
  }

  /// The law of one element.
  struct Element {
    let variance: VarianceBySource
    private let parts: PairedVariance.Parts
    private let law: ResidualLaw.Law
    private let lower, upper: Double

    init(_ parts: PairedVariance.Parts, _ law: ResidualLaw.Law, _ field: Field) {
      (self.parts, self.law) = (parts, law)
      (lower, upper) = (field.lowerBound ?? -.infinity, field.upperBound ?? .infinity)
      variance = parts.bySource(law)
    }

    /// The value that is not exceeded with a probability.
    func quantile(_ probability: Double) -> Double {
      min(max(parts.mean + parts.square.squareRoot() * law.quantile(probability), lower), upper)
    }

    /// Quantiles in even steps.
    func quantiles(_ count: Int) -> [Double] { (0..<count).map { quantile((Double($0) + 0.5) / Double(count)) } }
  }

  /// The law of element `element` of field `v`.
  func law(_ rows: ElementRows, _ v: Int, _ element: Int) -> Element {
    let (field, parts) = (layout.fields[v], rows.parts(element))
    return Element(parts, residuals.law(field: v, variance: parts.square / (field.scale * field.scale)), field)
  }

  /// Fills a record, but for the truth. Samples are quantiles in the order that the members they follow have (ensemble copula
  /// coupling: Schefzik et al. 2013): each has the law of its element, together they are as smooth as members are.
  func fill(_ record: inout FieldPredictionRecord, from rows: ElementRows) {
    let (samples, count) = (contents.samples, layout.count)
    for v in layout.fields.indices {
      for element in layout.range(v) {
        let own = law(rows, v, element)
        record.mean[element] = Float(own.variance.mean)
        record.variance[element] = Float(own.variance.total)
        record.interaction[element] = Float(own.variance.interaction)
        for (s, part) in own.variance.parts.enumerated() { record.bySource[s * count + element] = Float(part) }
        for (k, probability) in probabilities.enumerated() {
          record.quantile[element * probabilities.count + k] = Float(own.quantile(probability))
        }
        let followed = Array(rows.followed(element))
        let order = followed.indices.sorted { (followed[$0], $0) < (followed[$1], $1) }
        for (place, draw) in order.enumerated() {
          record.sample[element * samples + draw] = Float(own.quantile((Double(place) + 0.5) / Double(samples)))
        }
      }
    }
  }
}
