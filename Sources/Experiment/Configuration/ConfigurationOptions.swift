public import DaunceSettings

// Keys with an option of their own on the command line.

extension ConfigurationOverride {
  /// `--members`: the number of ensemble members.
  public static func members(_ count: Int) -> Self {
    Self(option: "--members", key: "members", value: String(count))
  }
  /// `--cycles`: the length of each test truth.
  public static func cycles(_ count: Int) -> Self {
    Self(option: "--cycles", key: "truths.cycles", value: String(count))
  }
  /// `--seed`: the experiment's seed.
  public static func seed(_ seed: UInt64) -> Self {
    Self(option: "--seed", key: "seed", value: String(seed))
  }
}
