/// Which version of the project this is.
public enum Release {
  /// As in the change log.
  public static let version = "0.1.0"
}
