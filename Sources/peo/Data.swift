import ArgumentParser
import Datasets
import Experiments
import Foundation

/// `peo data`
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "List, fetch and describe the data sets that a configuration can name.",
        discussion: """
            Examples:
              peo data list
              peo data fetch mnist a9a
              peo data info fashion-mnist

            A file is taken from the folders in PEO_DATA (DATASET/FILE, compressed or not), then from the cache, and is
            else downloaded into the cache, resumed where it was cut and checked against its published checksum. Data of
            your own (CSV, LIBSVM, IDX…) need no fetching: see peo list datasets.
            """,
        subcommands: [DataList.self, DataFetch.self, DataInfo.self])
}

/// `peo data list`
struct DataList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the data sets, and which are on this machine.")

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func run() throws {
        let states = DatasetCatalogue.published.map { DataState($0, DataLocations()) }
        if json { return try Output.writeJSON(["datasets": states]) }
        let name = (states.map(\.name.count).max() ?? 0) + 2
        let place = (states.map(\.availability.count).max() ?? 0) + 2
        try Output.write(
            states.map { state in
                state.name.padded(name) + state.availability.padded(place) + state.summary
            }.joined(separator: "\n"))
    }
}

/// `peo data fetch`
struct DataFetch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch", abstract: "Download data sets where they are not at hand, and check them.")

    @Argument(help: ArgumentHelp("The data sets.", valueName: "name"))
    var names: [String]

    @Flag(name: .long, help: "Print one JSON object, and no progress.")
    var json = false

    func run() throws {
        // A misspelt name is told before anything is downloaded.
        let entries = try names.map(DatasetCatalogue.published(named:))
        let isQuiet = json
        let told = DownloadNotes()
        let locations = DataLocations(
            downloader: Downloader { progress in if !isQuiet { told.note(progress) } })
        for entry in entries {
            // Loading checks every file.
            let data = try entry.load(from: locations)
            if !isQuiet {
                Output.note("\(entry.name): \(data.train.count) + \(data.test.count) examples, checked")
            }
        }
        let states = entries.map { DataState($0, locations) }
        if json { return try Output.writeJSON(["datasets": states]) }
        let paths = states.flatMap { $0.files.compactMap(\.path) }
        if !paths.isEmpty { try Output.write(paths.joined(separator: "\n")) }
    }
}

/// `peo data info`
struct DataInfo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Describe one data set: counts, classes, files, source, licence.")

    @Argument(help: ArgumentHelp("The data set.", valueName: "name"))
    var name: String

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func run() throws {
        let state = DataState(try DatasetCatalogue.published(named: name), DataLocations())
        try json ? Output.writeJSON(state) : Output.write(state.text)
    }
}
