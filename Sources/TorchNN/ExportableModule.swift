import Foundation

/// A module that came from another program, and goes back to it in that program's own form.
public protocol ExportableModule: Module {
    /// What the export is called in a run's directory, such as `model.pt`.
    var exportName: String { get }

    /// Whether its weights must keep their types, since its operations are not ours. False by default.
    var keepsTypes: Bool { get }

    /// Writes the module with its present weights, as a file or a directory at `url`.
    /// - Throws: `FileError` where it cannot be written.
    func export(to url: URL) throws
}

extension ExportableModule {
    public var keepsTypes: Bool { false }
}
