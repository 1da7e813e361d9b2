/// How a training went, agent by agent.
///
///     dimensions:
///       common_step = 200 ; member = 10 ; round = 2 ; step = 200 ; iteration = 40 ; constraint = 1 ; evaluation = 2 ;
///     variables:
///       int64 common_step(common_step) ;  double common_loss(common_step) ;
///       int member(member) ;  int64 step(step) ;  int64 iteration(iteration) ;
///       char constraint_name(constraint, ...) ;
///       double warm_start_loss(round, member, step) ;
///       double reward(iteration, member) ;
///       double multiplier(iteration, member, constraint) ;  double deviation(iteration, member, constraint) ;
///       double evaluation_reward(evaluation, member) ;
///       char review_stage(review, ...) ;  int64 review_step(review) ;  double review_loss(review) ;
///       double review_error(review) ;  double review_crps(review) ;  double review_in_band(review, constraint) ;
///       double teacher_error ;  double teacher_crps ;
///
/// Reviews are looks at the agents on truths held back, the teacher is the filter that they learn from, on the same truths;
/// errors and scores are over the fields' scales, not-a-number where a method failed.
///
/// A training without a common part, a warm start, without PPO or without constraints lacks what belongs to it.
public struct TrainingFile: Sendable, Hashable {
  public var memberCount: Int
  /// Names of the constraints that have a multiplier.
  public var constraints: [String]
  /// Steps of the common training up to and with each point of its losses, and the losses.
  public var commonSteps: [Int] = []
  public var commonLoss: [Double] = []
  /// Steps of a warm-start round up to and with each point of its losses.
  public var steps: [Int] = []
  /// Losses (`[round]` of `[member][step]`).
  public var warmStartLoss: [[Double]] = []
  /// Rewards of PPO's iterations (`[iteration][member]`).
  public var reward: [Double] = []
  /// Multipliers after each iteration, and deviations that moved them (`[iteration][member][constraint]`).
  public var multiplier: [Double] = []
  public var deviation: [Double] = []
  /// A look at the agents on the way.
  public struct Review: Sendable, Hashable {
    public var stage: String
    /// Of the stage.
    public var step: Int
    public var loss, error, crps: Double?
    /// Share of member-cycles in each constraint's band.
    public var inBands: [Double]

    /// A review; see the properties.
    public init(stage: String, step: Int, loss: Double?, error: Double?, crps: Double?, inBands: [Double]) {
      (self.stage, self.step, self.loss, self.error, self.crps) = (stage, step, loss, error, crps)
      self.inBands = inBands
    }
  }

  /// In their order.
  public var reviews: [Review] = []
  /// Error and CRPS of the filter that agents learn from.
  public var teacher: (error: Double, crps: Double)? {
    get { teacherScores.isEmpty ? nil : (teacherScores[0], teacherScores[1]) }
    set { teacherScores = newValue.map { [$0.error, $0.crps] } ?? [] }
  }
  private var teacherScores: [Double] = []
  /// Rewards on fixed rollouts before and after PPO (`[2][member]`).
  public var evaluation: [Double] = []

  /// An empty record of so many agents, with a multiplier for each of the named constraints.
  public init(memberCount: Int, constraints: [String]) {
    self.memberCount = memberCount
    self.constraints = constraints
  }

  /// Writes the file. Throws if a part has not the size that the others ask for.
  @discardableResult
  public func write(to path: String, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let member = try writer.defineMembers(memberCount)
    if !commonLoss.isEmpty { try writeCommon(writer) }
    if !warmStartLoss.isEmpty { try writeWarmStart(writer, member) }
    let constraint = try writeConstraints(writer)
    if !reward.isEmpty { try writeIterations(writer, member, constraint) }
    if !reviews.isEmpty { try writeReviews(writer, constraint) }
    return try writer.finish()
  }

  private func writeConstraints(_ writer: DatasetWriter) throws(ArchiveError) -> DatasetWriter.Dimension? {
    guard !constraints.isEmpty, !(reward.isEmpty && reviews.isEmpty) else { return nil }
    let constraint = try writer.dimension("constraint", length: constraints.count)
    try writer.write(
      texts: constraints, as: "constraint_name", over: constraint,
      attributes: [Attribute("long_name", "function held in a band")])
    return constraint
  }

  private func writeReviews(
    _ writer: DatasetWriter, _ constraint: DatasetWriter.Dimension?
  ) throws(ArchiveError) {
    let review = try writer.dimension("review", length: reviews.count)
    try writer.write(
      texts: reviews.map(\.stage), as: "review_stage", over: review,
      attributes: [Attribute("long_name", "stage of the training that was looked at")])
    try writer.write(
      reviews.map { Int64($0.step) },
      to: writer.variable(
        "review_step", of: Int64.self, over: [review], attributes: notes("step of the stage")))
    let numbers: [(name: String, words: String, value: (Review) -> Double?)] = [
      ("review_loss", "loss since the review before, minus the reward in PPO", { $0.loss }),
      ("review_error", "error of the ensemble mean on truths held back, over the fields' scales", { $0.error }),
      ("review_crps", "continuous ranked probability score on truths held back, over the fields' scales", { $0.crps }),
    ]
    for number in numbers {
      try writer.write(
        reviews.map { number.value($0) ?? .nan },
        to: writer.variable(number.name, over: [review], attributes: notes(number.words)))
    }
    if let teacher {
      let scores = [
        ("error", "error of the ensemble mean", teacher.error), ("crps", "continuous ranked probability score", teacher.crps),
      ]
      for (name, words, value) in scores {
        try writer.write(
          [value],
          to: writer.variable(
            "teacher_\(name)", over: [], attributes: notes("\(words) of the filter that agents learn from, on the same truths")))
      }
    }
    if let constraint {
      try writer.write(
        reviews.flatMap { $0.inBands + [Double](repeating: .nan, count: constraints.count - $0.inBands.count) },
        to: writer.variable(
          "review_in_band", over: [review, constraint],
          attributes: notes("share of member-cycles in the band") + [Attribute("coordinates", "constraint_name")]))
    }
  }

  private func writeCommon(_ writer: DatasetWriter) throws(ArchiveError) {
    let step = try writer.dimension("common_step", length: commonSteps.count)
    try writer.write(
      commonSteps.map { Int64($0) },
      to: writer.variable(
        "common_step", of: Int64.self, over: [step], attributes: notes("optimisation step of the common training")))
    try writer.write(
      commonLoss,
      to: writer.variable(
        "common_loss", over: [step],
        attributes: notes("negative log-likelihood per action, mean over the steps since the point before")))
  }

  private func writeWarmStart(_ writer: DatasetWriter, _ member: DatasetWriter.Dimension) throws(ArchiveError) {
    let round = try writer.dimension("round", length: warmStartLoss.count)
    let step = try writer.dimension("step", length: steps.count)
    try writer.write(
      steps.map { Int64($0) },
      to: writer.variable(
        "step", of: Int64.self, over: [step], attributes: notes("optimisation step of a warm-start round")))
    try writer.write(
      warmStartLoss.flatMap { $0 },
      to: writer.variable(
        "warm_start_loss", over: [round, member, step],
        attributes: notes("negative log-likelihood per action, mean over the steps since the point before")))
  }

  private func writeIterations(
    _ writer: DatasetWriter, _ member: DatasetWriter.Dimension, _ constraint: DatasetWriter.Dimension?
  ) throws(ArchiveError) {
    let count = reward.count / max(memberCount, 1)
    let iteration = try writer.dimension("iteration", length: count)
    try writer.write(
      (0..<count).map { Int64($0 + 1) },
      to: writer.variable(
        "iteration", of: Int64.self, over: [iteration], attributes: notes("iteration of PPO")))
    try writer.write(
      reward,
      to: writer.variable(
        "reward", over: [iteration, member], attributes: notes("reward per cell and step, without penalty")))
    if let constraint {
      let place = [iteration, member, constraint]
      let coordinates = [Attribute("coordinates", "constraint_name")]
      try writer.write(
        multiplier,
        to: writer.variable(
          "multiplier", over: place, attributes: notes("Lagrange multiplier after the iteration") + coordinates))
      try writer.write(
        deviation,
        to: writer.variable(
          "deviation", over: place,
          attributes: notes("mean deviation from the middle of the band, over the tolerance") + coordinates))
    }
    let evaluation = try writer.dimension("evaluation", length: 2)
    try writer.write(
      self.evaluation,
      to: writer.variable(
        "evaluation_reward", over: [evaluation, member],
        attributes: notes("reward per cell and step on fixed rollouts before and after PPO")))
  }

  private func notes(_ longName: String) -> [Attribute] { [Attribute("long_name", longName), Attribute("units", "1")] }
}
