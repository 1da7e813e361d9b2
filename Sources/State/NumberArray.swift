/// Numbers of one of the types that files and checkpoints keep bit for bit.
public enum NumberArray: Sendable, Hashable {
  case doubles([Double])
  case floats([Float])
  case integers([Int64])
  case bytes([UInt8])

  /// How many there are.
  public var count: Int {
    switch self {
    case .doubles(let values): values.count
    case .floats(let values): values.count
    case .integers(let values): values.count
    case .bytes(let values): values.count
    }
  }
}
