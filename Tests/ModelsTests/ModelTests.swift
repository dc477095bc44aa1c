import Datasets
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct ModelTests {
    private func decode(_ json: String) throws -> AnyModel {
        try JSONDecoder().decode(AnyModel.self, from: Data(json.utf8))
    }

    private func floats(_ module: any Module) throws -> [[Float]] {
        try module.parameters.map { try $0.tensor.detached().array() }
    }

    @Test func theFashionNetworkHasItsSize() throws {
        let model = try CNN().build(input: [1, 28, 28], classes: 10, seed: 1)
        #expect(model.parameterCount == 421_642)
        #expect(
            model.parameters.map(\.name) == [
                "0.weight", "0.bias", "3.weight", "3.bias", "7.weight", "7.bias", "9.weight", "9.bias",
            ])
        #expect(model.forward(try .zeros([2, 1, 28, 28]), .evaluation).shape == [2, 10])
    }

    @Test func everySettingShows() throws {
        let cnn = try CNN(
            channels: [3], kernel: 5, hidden: 7, activation: .silu, dropout: 0.5, batchNorm: true
        )
        .build(input: [2, 8, 6], classes: 4, seed: 1)
        #expect(
            cnn.stateTensors.map(\.tensor.shape) == [
                [3, 2, 5, 5], [3], [3], [3], [3], [3], [], [7, 36], [7], [4, 7], [4],
            ])
        #expect(cnn.children.contains { ($0.module as? Activation) == .silu })
        #expect(cnn.children.contains { ($0.module as? Dropout)?.p == 0.5 })
        let mlp = try MLP(hidden: [5, 6], activation: .tanh, dropout: 0.25, batchNorm: true)
            .build(input: [1, 4, 4], classes: 3, seed: 1)
        #expect(
            mlp.parameters.map(\.tensor.shape) == [
                [5, 16], [5], [5], [5], [6, 5], [6], [6], [6], [3, 6], [3],
            ])
        #expect(mlp.children.count { ($0.module as? Dropout)?.p == 0.25 } == 2)
        let linear = try MLP(hidden: [], initialiser: .constant(0.5)).build(input: [4], classes: 2, seed: 1)
        #expect(try floats(linear) == [[Float](repeating: 0.5, count: 8), [0, 0]])
    }

    @Test func weightsDependOnTheSeedAlone() throws {
        for entry in ModelCatalogue.all where !entry.needsFile {
            let kind = Self.kind(for: entry)
            func build(_ seed: UInt64) throws -> [[Float]] {
                try floats(entry.init().build(for: kind, seed: seed))
            }
            #expect(try build(1) == build(1))
            #expect(try build(1) != build(2))
        }
        let twins = try floats(MLP(hidden: [8, 8]).build(input: [8], classes: 2, seed: 1))
        #expect(twins[0] != twins[2], "two layers of one size have the same weights")
    }

    /// Examples that a kind of model takes: images, or else tokens.
    private static func kind(for type: any ModelArchitecture.Type) -> ExampleKind {
        let image = ExampleKind.numbers([1, 8, 8], classes: 4)
        return (try? type.init().build(for: image, seed: 1)) == nil
            ? ExampleKind(.tokens(vocabulary: 11, length: 8), .oneClass(of: 4)) : image
    }

    /// Four samples, each of its own class, are learnt by heart by gradient descent.
    @Test func everyModelLearns() throws {
        for type in ModelCatalogue.all where !type.needsFile {
            let kind = Self.kind(for: type)
            let model = try type.init().build(for: kind, seed: 1)
            let isImage = if case .numbers = kind.input { true } else { false }
            let x =
                isImage
                ? try Tensor.normal([4] + kind.inputShape, seed: 2)
                : try Tensor((0..<32).map { ($0 / 8 + 1) * ($0 % 8) % 11 }, shape: [4, 8])
            let labels = try Tensor([0, 1, 2, 3] as [Int])
            let list = TensorList(model.parameters.map(\.tensor))
            for step in 0..<60 {
                list.zeroGradients()
                let context = ForwardContext(training: true, seed: UInt64(step))
                try model.forward(x, context).crossEntropy(labels).backward()
                withoutGradients {
                    for tensor in list.tensors {
                        // Embeddings and gates need larger steps where gradients are small.
                        let gradient = tensor.gradient!
                        tensor.addInPlace(isImage ? gradient : gradient.sign(), scale: isImage ? -0.1 : -2e-3)
                    }
                }
            }
            let scores = withoutGradients { model.forward(x, .evaluation) }
            #expect(scores.countCorrect(labels) == 4, "\(type.entry.name)")
        }
    }

    @Test func digitsTakeThreeBlocksAndNoMore() throws {
        _ = try CNN(channels: [2, 2, 2]).build(input: [1, 8, 8], classes: 10, seed: 1)
        let error = #expect(throws: ModelError.self) {
            try CNN(channels: [2, 2, 2, 2]).build(input: [1, 8, 8], classes: 10, seed: 1)
        }
        #expect(error?.code == .imageTooSmall)
        #expect(error?.message.contains("8×8") == true && error?.message.contains("at most 3") == true)
        let vector = #expect(throws: ModelError.self) { try CNN().build(input: [64], classes: 10, seed: 1) }
        #expect(vector?.code == .inputShape && vector?.message.contains("[64]") == true)
        #expect(throws: ModelError.self) { try MLP().build(input: [], classes: 10, seed: 1) }
        #expect(throws: ModelError.self) { try MLP().build(input: [64], classes: 0, seed: 1) }
    }

    @Test func aModelBeyondMemoryIsAnError() {
        let error = #expect(throws: TorchError.self) {
            try MLP(hidden: [1_000_000, 1_000_000]).build(input: [1_000_000], classes: 10, seed: 1)
        }
        #expect(error?.code == .outOfMemory)
    }

    @Test func configurationsAreRead() throws {
        #expect(try decode("\"mlp\"").architecture as? MLP == MLP())
        #expect(try decode("{\"cnn\": {}}").architecture as? CNN == CNN())
        let cnn = try decode(
            """
            {"cnn": {"channels": [8], "kernel": 5, "hidden": 16, "activation": "gelu", "dropout": 0.1,
                     "batchNorm": true, "initialiser": "kaimingNormal"}}
            """)
        let expected = CNN(
            channels: [8], kernel: 5, hidden: 16, activation: .gelu, dropout: 0.1, batchNorm: true,
            initialiser: .kaimingNormal)
        #expect(cnn.architecture as? CNN == expected && cnn.name == "cnn")
        let again = try decode(String(decoding: JSONEncoder().encode(cnn), as: UTF8.self))
        #expect(again.architecture as? CNN == expected)
    }

    @Test(arguments: [
        ("\"cmn\"", "did you mean 'cnn'"), ("{\"transfomer\": {}}", "allowed: mlp, cnn, resnet, vit"),
        ("{\"resnet\": {\"layers\": 19}}", "layers is 19; allowed: 18, 20, 32"),
        ("{\"resnet\": {\"width\": -1}}", "width is -1"),
        ("{\"vit\": {\"heads\": 3}}", "does not divide the width 64"),
        ("{\"vit\": {\"layers\": 0}}", "allowed: 1 to 1000"),
        ("{\"mlp\": {}, \"cnn\": {}}", "more than one"),
        ("{\"mlp\": {\"hidden\": [0]}}", "allowed: 1 to 1000000"),
        ("{\"mlp\": {\"dropout\": 1}}", "at least 0 and below 1"),
        ("{\"mlp\": {\"dropout\": -0.1}}", "dropout is -0.1"),
        ("{\"cnn\": {\"kernel\": 4}}", "kernel is 4; allowed: an odd number"),
        ("{\"cnn\": {\"channels\": []}}", "channels has 0 numbers"),
        ("{\"cnn\": {\"hidden\": -5}}", "hidden has the number -5"),
        ("{\"mlp\": {\"initialiser\": \"he\"}}", "there is no initialiser 'he'"),
    ])
    func badSettingsNameTheCulprit(json: String, words: String) {
        let error = #expect(throws: DecodingError.self) { try decode(json) }
        guard case .dataCorrupted(let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.debugDescription.contains(words), "\(context.debugDescription)")
    }

    /// What `peo list models` prints must be true: the settings that it names are the ones that are read.
    @Test func theCatalogueTellsTheTruth() throws {
        for type in ModelCatalogue.all where !type.needsFile {
            let data = try JSONEncoder().encode(AnyModel(type.init()))
            let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
            let settings = try #require(object[type.entry.name])
            #expect(Set(settings.keys) == Set(type.entry.parameters.map(\.name)))
            for parameter in type.entry.parameters {
                // Written back as its text says, the default changes nothing.
                let value =
                    parameter.type.hasPrefix("name")
                    ? "\"\(parameter.defaultValue)\"" : parameter.defaultValue
                let model = try decode("{\"\(type.entry.name)\": {\"\(parameter.name)\": \(value)}}")
                #expect(
                    try JSONEncoder.sorted.encode(model) == JSONEncoder.sorted.encode(AnyModel(type.init())))
            }
        }
    }
}

extension JSONEncoder {
    fileprivate static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}
