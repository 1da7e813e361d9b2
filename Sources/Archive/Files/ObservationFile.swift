/// Observations as fields on the grid, as this program writes them; ``FieldsReader`` reads them, and every other format
/// has a reader of its own.
///
/// One or more of the model's variables, or functions of them, not a number where missing, with the error variance as an
/// attribute or as a variable of the same shape; several truths' along a leading dimension `truth`:
///
///     dimensions:
///       time = 400 ; x = 64 ;
///     variables:
///       double time(time) ;  double x(x) ;
///       double a(time, x) ;  a:error_variance = 0.0063 ;
///     or
///       double a(time, x) ;  double a_error_variance(time, x) ;
public enum ObservationFile {
  static let suffix = "_error_variance"

  /// Number of truths whose observations are in a file.
  public static func count(in path: String) throws(ArchiveError) -> Int {
    try DatasetReader(path: path).truthCount(choosing: nil) ?? 1
  }
}
