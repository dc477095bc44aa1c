import Foundation

/// The image files below a folder, in the order of their classes' and their own names.
struct LabelledFiles {
    let folder: String
    let classes: [String]
    let files: [(url: URL, label: Int)]

    private static let endings: Set<String> = ["png", "jpg", "jpeg"]

    /// - Parameter classes: what the folders must be called; nil: whatever they are.
    /// - Throws: ``DatasetError`` where there is no such folder, a class is unknown, or has no image.
    init(folder: String, classes wanted: [String]?) throws {
        func names(_ path: String) throws -> [String] {
            do {
                return try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
                    .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            } catch {
                throw DatasetError(
                    .missing, "the folder \(path) cannot be read: \(error.localizedDescription)")
            }
        }
        func isFolder(_ path: String) -> Bool {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }
        let found = try names(folder).filter { isFolder("\(folder)/\($0)") }
        let classes = wanted ?? found
        guard classes.count >= 2 else {
            throw DatasetError(
                .format,
                "\(folder) has \(classes.count) folders (\(classes.joined(separator: ", "))); expected one for each of 2 or "
                    + "more classes, with PNG and JPEG files in it")
        }
        if let stranger = found.first(where: { !classes.contains($0) }) {
            throw DatasetError(
                .value,
                "\(folder)/\(stranger) is a class that the training images do not have; allowed: "
                    + classes.joined(separator: ", "))
        }
        var files: [(url: URL, label: Int)] = []
        for (label, name) in classes.enumerated() {
            let path = "\(folder)/\(name)"
            let own = try names(path).filter {
                Self.endings.contains(($0 as NSString).pathExtension.lowercased())
            }
            guard !own.isEmpty else { throw DatasetError(.format, "\(path) has no PNG or JPEG file") }
            files += own.map { (URL(fileURLWithPath: "\(path)/\($0)"), label) }
        }
        self.folder = folder
        self.classes = classes
        self.files = files
    }
}
