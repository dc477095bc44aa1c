import Datasets
import Torch
import TorchNN

/// A kind of model and its settings, as a configuration writes them. One file each; `ModelCatalogue` lists them.
///
/// Its `init(from:)` reads every key with `decodeIfPresent`, so that a missing key means the default and a
/// strict decoder learns which keys there are.
public protocol ModelArchitecture: Codable, Sendable {
    /// What `peo list models` prints, and the name that configurations use.
    static var entry: ModelEntry { get }

    /// Whether the model is made from a file, without which its defaults build nothing.
    static var needsFile: Bool { get }

    /// All defaults.
    init()

    /// A new model for examples of one kind.
    ///
    /// Its weights depend on `seed` alone. It takes a batch as the kind's `InputKind` says, and gives scores as its
    /// `TargetKind` says. `ExampleKind.numbers(for:)` and its neighbours read what a model takes, and refuse the rest.
    /// - Throws: `ModelError` where the settings do not fit the examples; `TorchError` where there is no memory.
    func build(for kind: ExampleKind, seed: UInt64) throws -> any Module

    /// The same settings with full paths, so that they can be built from anywhere.
    func resolved() -> Self
}

extension ModelArchitecture {
    public static var needsFile: Bool { false }
    public func resolved() -> Self { self }

    /// A new model for numbers of one shape (without the batch's dimension), each example in one of `classes` classes.
    public func build(input shape: [Int], classes: Int, seed: UInt64) throws -> any Module {
        try build(for: .numbers(shape, classes: classes), seed: seed)
    }
}

/// The facts about a kind of model that `peo list models` prints.
public struct ModelEntry: Sendable, Hashable {
    /// One setting.
    public struct Parameter: Sendable, Hashable {
        public var name: String
        /// Such as `number` or `list of whole numbers`.
        public var type: String
        /// As it is written in a configuration.
        public var defaultValue: String
        public var allowed: String
        public var meaning: String

        public init(_ name: String, type: String, default: String, allowed: String, meaning: String) {
            self.name = name
            self.type = type
            defaultValue = `default`
            self.allowed = allowed
            self.meaning = meaning
        }
    }

    public var name: String
    /// One line.
    public var summary: String
    public var equation: String
    public var parameters: [Parameter]
    public var source: String

    public init(name: String, summary: String, equation: String, parameters: [Parameter], source: String) {
        self.name = name
        self.summary = summary
        self.equation = equation
        self.parameters = parameters
        self.source = source
    }
}

/// Settings that do not fit the data.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name for a kind of failure, for programs to branch on.
    public enum Code: String, Sendable {
        /// The input is not of the kind that the model takes, such as an image.
        case inputShape
        /// The image is too small for the model's pooling.
        case imageTooSmall
        /// There are too few classes to tell apart.
        case classes
        /// The model does not answer what the data asks, such as a class at each token.
        case target
        /// The model's settings contradict each other or the data, such as a width that its heads do not divide.
        case settings
        /// The model's own file cannot be used.
        case file
        /// The model's output is not one score per class.
        case outputShape
        /// The model's output is not finite.
        case notFinite
    }

    public let code: Code
    /// Names the model, the value, and what is allowed.
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
