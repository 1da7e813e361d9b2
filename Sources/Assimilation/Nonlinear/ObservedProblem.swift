internal import DaunceEnsemble

/// A few observations and what every member says of them: all that a nonlinear update knows.
///
/// The likelihood is that of the observations' errors in h(x), whatever h is, to the power of their tapers.
public final class ObservedProblem {
  /// Number of members.
  public let members: Int
  /// Doubles from one observation's members to the next; what lies behind the members is zero.
  public let stride: Int
  /// Number of observations.
  public private(set) var count = 0
  /// Deviations of h(x) from its mean (`[count][stride]`).
  public private(set) var anomalies: UnsafeMutablePointer<Double>
  /// Observed minus mean h(x) (`[count]`).
  public private(set) var innovations: [Double] = []
  /// Errors (`[count]`).
  public private(set) var errors: [ObservationError] = []
  private var capacity = 0

  /// Room for problems of so many members.
  public init(members: Int) {
    self.members = members
    stride = PartialEnsemble.stride(of: members)
    anomalies = .allocate(capacity: 1)
  }

  deinit { anomalies.deallocate() }

  /// Takes no observation.
  public func removeAll() {
    count = 0
    innovations.removeAll(keepingCapacity: true)
    errors.removeAll(keepingCapacity: true)
  }

  /// Adds an observation.
  ///
  /// - Parameter row: deviations of h(x) from their mean (`[stride]`, zero behind the members).
  public func add(_ row: UnsafePointer<Double>, innovation: Double, error: ObservationError) {
    if count == capacity { grow() }
    (anomalies + count * stride).update(from: row, count: stride)
    innovations.append(innovation)
    errors.append(error)
    count += 1
  }

  private func grow() {
    let larger = max(4, 2 * capacity)
    let size = larger * stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 64)
      .bindMemory(to: Double.self, capacity: size)
    memory.initialize(repeating: 0, count: size)
    memory.update(from: anomalies, count: count * stride)
    anomalies.deallocate()
    (anomalies, capacity) = (memory, larger)
  }

  /// Deviations of an observation's h(x) from their mean (`[stride]`).
  @inline(__always)
  public func row(_ k: Int) -> UnsafeMutablePointer<Double> { anomalies + k &* stride }

  /// log p(y | x_m) of every member, but for a constant (`[members]`).
  public func addLogLikelihood(to sums: inout [Double]) {
    for k in 0..<count {
      let (row, y, error) = (row(k), innovations[k], errors[k])
      for m in 0..<members { sums[m] += error.logLikelihood(departure: y - row[m]) }
    }
  }
}
