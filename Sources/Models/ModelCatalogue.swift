import PerturbedEquations

/// Every kind of model that a configuration can name.
public enum ModelCatalogue {
    /// To add a model: its own file, and a line here.
    public static let all: [any ModelArchitecture.Type] = [
        MLP.self,
        CNN.self,
        ResNet.self,
        ViT.self,
        GPT.self,
        Transformer.self,
        LSTM.self,
        GRU.self,
        GPT2.self,
        TorchScriptModel.self,
    ]

    /// What `peo list models` prints.
    public static var entries: [ModelEntry] { all.map { $0.entry } }
}

/// A model of any kind, as a configuration writes it: `mlp`, or `{cnn: {channels: [32, 64]}}`.
public struct AnyModel: Codable, Sendable {
    public var architecture: any ModelArchitecture

    public init(_ architecture: any ModelArchitecture) { self.architecture = architecture }

    /// The same with full paths.
    public func resolved() -> AnyModel { AnyModel(architecture.resolved()) }

    /// The name in the catalogue.
    public var name: String { type(of: architecture).entry.name }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        let names = ModelCatalogue.entries.map(\.name)
        func refuse(_ problem: String) -> DecodingError {
            .dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "\(problem); allowed: \(names.joined(separator: ", "))"))
        }
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            guard let index = names.firstIndex(of: name) else {
                let hint = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
                throw refuse("there is no model '\(name)'\(hint)")
            }
            architecture = ModelCatalogue.all[index].init()
            return
        }
        let container = try decoder.container(keyedBy: Name.self)
        // Each name is asked for, so that a strict decoder knows them all.
        var found: [any ModelArchitecture] = []
        for (name, type) in zip(names, ModelCatalogue.all) {
            if let model = try container.decodeIfPresent(type, forKey: Name(name)) { found.append(model) }
        }
        guard found.count == 1 else {
            throw refuse(found.isEmpty ? "no known model is named here" : "more than one model is named here")
        }
        architecture = found[0]
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        try container.encode(architecture, forKey: Name(name))
    }
}
