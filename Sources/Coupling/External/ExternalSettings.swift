public import DaunceSettings

/// How a model is run that is a program: what the section `model` says for `external`.
public struct ExternalSettings: Sendable, Hashable {
  /// How a state is handed over, where no files of the model's own are named.
  public enum Format: String, ConfigurationChoice {
    /// A NetCDF file with a variable for each field (`StateFile`).
    case netcdf
    /// The numbers of the state one after the other, as doubles of this machine.
    case doubles
  }

  /// File that describes the model (`ModelDescription`).
  public var description: String?
  /// NetCDF file with the arrays that the description names.
  public var arrays: String?
  /// What carries a state; makes an initial one; carries it coarsely: commands, or requests to the worker.
  public var command, start, coarse: String?
  /// Program that stays alive and answers requests.
  public var worker: String?
  /// Folder of what every member's folder has.
  public var template: String?
  /// Patterns of the names in it that are copied and not linked.
  public var copied: [String] = []
  /// Folder that members have their folders in.
  public var folder = "members"
  /// Of the handed over state, where no files are named.
  public var format = Format.netcdf
  /// Fields in files of the model's own; empty: a file of ours.
  public var files: [FieldFile] = []
  /// Files of a member that it takes from one forecast to the next.
  public var keeps: [String] = []
  /// Longest time of a forecast.
  public var seconds: Double?
  /// Cores of a program.
  public var cores = 1
  /// Gigabytes of addresses of a process of a program.
  public var gigabytes: Double?
  /// Programs at a time on a node; `nil`: as many as there are cores for.
  public var atOnce: Int?
  /// Variables that programs find besides those of the job.
  public var environment = ParameterTable()
  /// Times that a program is run again after a failure.
  public var retries = 0
  /// Whether forecasts that a member's folder has finished already are taken from there.
  public var reusesFinished = false

  /// The defaults, which have no program yet.
  public init() {}
}

/// A field in a file of the model's own, as an element of `model.files`.
public struct FieldFile: ConfigurationGroup {
  @Key("field of the description")
  public var field = ""
  @Key("file in a member's folder that the model reads it from")
  public var file = ""
  @Key("file that the model writes it to; auto: the same")
  public var output: String?
  @Key("variable of a NetCDF file; auto: the field's name")
  public var variable: String?
  @Key("form of the file; auto: by its suffix: netcdf for .nc, text for .txt, .dat and .csv, otherwise doubles")
  public var form: Form?

  /// The defaults.
  public init() {}

  /// Forms of files of a model's own.
  public enum Form: String, ConfigurationChoice {
    /// A variable among others, which stay as they are.
    case netcdf
    /// Numbers with spaces, commas or ends of lines between, nothing else.
    case text
    /// Doubles of this machine, nothing else.
    case doubles
  }

  /// The form as it is, or by the file's name.
  var ownForm: Form {
    if let form { return form }
    let suffix = file.split(separator: "/").last.flatMap { $0.split(separator: ".").dropFirst().last }.map(String.init)
    switch suffix {
    case "nc", "nc4", "cdf": return .netcdf
    case "txt", "dat", "csv": return .text
    default: return .doubles
    }
  }
}
