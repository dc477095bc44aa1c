import Datasets
import Foundation
import Safetensors
import Torch
import TorchNN

/// A network of one's own, written in Python and saved by `torch.jit.save(torch.jit.script(model), "model.pt")`.
///
/// It trains as it is, from the weights in the file; what has `requires_grad = False` stays. The run's `model.pt` is
/// the same network with the trained weights, for `torch.jit.load`. The file is code that runs: take it from
/// people you trust.
public struct TorchScriptModel: ModelArchitecture, Hashable {
    /// The path of the file.
    public var file: String

    public init(file: String) { self.file = file }
    public init() { self.init(file: "") }

    private enum CodingKeys: String, CodingKey { case file }

    public init(from decoder: any Decoder) throws {
        file = try Settings(decoder, keyedBy: CodingKeys.self).value(.file, default: "")
    }

    public static let needsFile = true

    public static let entry = ModelEntry(
        name: "torchScript", summary: "A network of your own, exported from Python as TorchScript",
        equation: "logits = forward(x)",
        parameters: [
            .init(
                "file", type: "path", default: "none",
                allowed: "a file of torch.jit.save, with at least one parameter that requires gradients",
                meaning: "the network and its weights, from which training goes on")
        ],
        source: "PyTorch's TorchScript, torch.jit")

    public func resolved() -> TorchScriptModel {
        file.isEmpty ? self : TorchScriptModel(file: URL(fileURLWithPath: file).standardizedFileURL.path)
    }

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        guard !file.isEmpty else {
            throw ModelError(
                code: .file,
                message: "torchScript: there is no file; allowed: model: {torchScript: {file: model.pt}}")
        }
        // Says what is wrong with the path better than libtorch does.
        _ = try MappedFile.contents(of: URL(fileURLWithPath: file))
        let module: ScriptModule
        do {
            module = ScriptModule(try Script(path: file), name: file)
        } catch {
            guard error.code != .outOfMemory else { throw error }
            throw ModelError(
                code: .file,
                message: "torchScript: \(file) cannot be loaded (\(error.essence)); allowed: a file of "
                    + "torch.jit.save (torch.save's own files hold no code)")
        }
        guard !module.ownParameters.isEmpty else {
            throw ModelError(
                code: .file,
                message: "torchScript: \(file) has no parameters to train; allowed: a module with parameters "
                    + "that require gradients (torch.jit.freeze makes constants of them)")
        }
        try check(module, kind)
        return module
    }

    /// Refuses a module that does not score two examples of the kind.
    private func check(_ module: ScriptModule, _ kind: ExampleKind) throws {
        let input: Tensor
        switch kind.input {
        case .numbers(let shape): input = try .zeros([2] + shape)
        case .tokens(_, let length): input = try .zeros([2, length], dtype: .int64)
        }
        let output: Tensor
        do throws(TorchError) {
            output = try withoutGradients { () throws(TorchError) in try module.scores(input, .evaluation) }
        } catch {
            guard error.code != .outOfMemory else { throw error }
            throw ModelError(
                code: .inputShape,
                message:
                    "torchScript: \(file) cannot take the data, \(input.dtype) of shape \(input.shape) for two "
                    + "examples: \(error.essence)")
        }
        let wanted = kind.target.isPerToken ? input.shape + [kind.target.classes] : [2, kind.target.classes]
        guard output.shape == wanted, output.dtype.isFloatingPoint else {
            throw ModelError(
                code: .outputShape,
                message:
                    "torchScript: \(file) returns the shape \(output.shape) of type \(output.dtype) for two "
                    + "examples; allowed: \(wanted) of a floating-point type, one score for each class")
        }
    }
}

/// A TorchScript module as one of ours.
struct ScriptModule: ExportableModule {
    private let script: Script
    private let name: String
    let ownParameters: [NamedTensor]
    let ownBuffers: [NamedTensor]
    let ownFrozen: [NamedTensor]

    init(_ script: Script, name: String) {
        self.script = script
        self.name = name
        ownParameters = script.parameters.map { NamedTensor($0.name, $0.tensor) }
        ownBuffers = script.buffers.map { NamedTensor($0.name, $0.tensor) }
        ownFrozen = script.frozen.map { NamedTensor($0.name, $0.tensor) }
    }

    func scores(_ x: Tensor, _ context: ForwardContext) throws(TorchError) -> Tensor {
        try script.forward(
            x, training: context.training, keepsBuffers: !(context.training && context.learnsStatistics),
            seed: context.seed)
    }

    /// A script that fails gives an empty tensor (`Libtorch.checkHeldFailure`): what it can take is not ours to know.
    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        do throws(TorchError) { return try scores(x, context) } catch {
            guard error.code != .outOfMemory else { return Tensor(holding: error) }
            return Tensor(
                holding: TorchError(
                    code: .script, operation: "torchScript",
                    message: "\(name) cannot take \(x.shape): \(error.essence)"))
        }
    }

    var exportName: String { "model.pt" }
    var keepsTypes: Bool { true }

    func export(to url: URL) throws {
        // libtorch writes by itself: to a file beside, which then takes the place in one step.
        let scratch = url.deletingLastPathComponent().appendingPathComponent(".peo-\(getpid())-script.tmp")
        defer { try? FileManager.default.removeItem(at: scratch) }
        do {
            try script.save(path: scratch.path)
        } catch {
            throw FileError(path: url.path, operation: .write, reason: .other, detail: error.essence)
        }
        try AtomicFile.write(MappedFile.contents(of: scratch), to: url)
    }
}

extension TorchError {
    /// The line that says what is wrong: the last of a script's traceback, the first of another message.
    fileprivate var essence: String {
        let lines = message.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        let line = message.contains("TorchScript") ? lines.last : lines.first
        return line ?? message
    }
}
