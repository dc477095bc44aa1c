import Foundation
import PerturbedEquations
import Safetensors
import Training

extension RunIndex {
    /// How the index calls the run in a directory: by the folder if it is below it, so that the folder may be moved; else by
    /// its full path.
    func key(of url: URL) -> String {
        let path = url.resolved.path
        let base = folder.resolved.path + "/"
        return path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
    }

    /// The directory of a run.
    public func url(of run: String) -> URL {
        run.hasPrefix("/") ? URL(fileURLWithPath: run) : folder.appendingPathComponent(run)
    }

    /// A run's path as a user in the working directory would write it.
    public func shown(_ run: String) -> String {
        guard run.hasPrefix("/") else { return folder.appendingPathComponent(run).relativePath }
        let base = URL(fileURLWithPath: ".").resolved.path + "/"
        return run.hasPrefix(base) ? String(run.dropFirst(base.count)) : run
    }

    /// The run that a user names: by its path, or by its path below the folder of runs.
    ///
    /// - Throws: `FileError` (`missing`) with the nearest name.
    public func find(_ name: String) throws -> RunRecord {
        let here = URL(fileURLWithPath: name)
        let below = folder.appendingPathComponent(name)
        for place in [here, below] where RunDirectory.isRun(place) {
            return RunRecord(of: place, run: key(of: place))
        }
        let known = try records()
        // Its directory is gone, or is no run any more.
        for place in [here, below] {
            if let record = known.first(where: { $0.run == key(of: place) }) { return record }
        }
        let hint =
            nearestName(to: name, among: known.flatMap { [$0.run, shown($0.run)] })
            .map { "; did you mean '\($0)'?" } ?? " (peo runs lists those that there are)"
        throw FileError(
            path: name, operation: .open, reason: .missing, detail: "no run is there\(hint)")
    }
}

extension URL {
    /// The path without links and dots; where it does not exist, its folder's.
    var resolved: URL {
        if let path = realpath(path, nil) {
            defer { free(path) }
            return URL(fileURLWithPath: String(cString: path))
        }
        let name = standardizedFileURL.lastPathComponent
        let parent = standardizedFileURL.deletingLastPathComponent()
        return parent.path == path ? standardizedFileURL : parent.resolved.appendingPathComponent(name)
    }
}
