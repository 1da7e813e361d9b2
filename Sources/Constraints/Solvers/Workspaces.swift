/// How much memory a solver takes beforehand. Its matrices grow with what an analysis asks for; up to this size they
/// are there from the start, so that a cycle allocates nothing.
enum Workspaces {
  /// Doubles in a matrix that is made as large as it can ever become: 1 MiB, enough for 64 cells of four fields.
  private static let largest = 1 << 17

  /// Rows of `order` elements to have room for.
  static func rows(of order: Int) -> Int { min(512, largest / max(order, 1)) }
}
