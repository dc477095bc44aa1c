/// What one example is: what a model reads, and what it is asked. Models are built from it.
public struct ExampleKind: Sendable, Hashable {
    public var input: InputKind
    public var target: TargetKind

    public init(_ input: InputKind, _ target: TargetKind) {
        self.input = input
        self.target = target
    }

    /// Numbers of one shape, such as [features] or an image's [channels, height, width], each in one of `classes` classes.
    public static func numbers(_ shape: [Int], classes: Int) -> ExampleKind {
        ExampleKind(.numbers(shape: shape), .oneClass(of: classes))
    }

    /// Numbers of one shape, each with a number to predict.
    public static func numbers(_ shape: [Int], predicting scale: TargetScale) -> ExampleKind {
        ExampleKind(.numbers(shape: shape), .number(scale))
    }

    /// The shape of one example's input.
    public var inputShape: [Int] {
        switch input {
        case .numbers(let shape): shape
        case .tokens(_, let length): [length]
        }
    }
}

/// What a model reads.
public enum InputKind: Sendable, Hashable {
    /// float32 numbers: a batch is [n, shape…].
    case numbers(shape: [Int])
    /// int64 tokens in 0 ..< `vocabulary`: a batch is [n, length].
    case tokens(vocabulary: Int, length: Int)
}

/// What a model is asked.
public enum TargetKind: Sendable, Hashable {
    /// One class of several for the whole example: targets [n], scores [n, classes].
    case oneClass(of: Int)
    /// One class of several at each token: targets [n, length], scores [n, length, classes].
    case classPerToken(of: Int)
    /// A number for the whole example, a regression: targets and predictions float32 [n, 1], both standardised.
    case number(TargetScale)

    /// The target of a token that is not asked for: neither loss nor accuracy sees it. PyTorch's `ignore_index`.
    public static let ignored: Int64 = -100

    /// How many classes there are to tell apart, and scores to give; 1 for a number.
    public var classes: Int {
        switch self {
        case .oneClass(let classes), .classPerToken(let classes): classes
        case .number: 1
        }
    }

    /// What a standardised number stands for; nil for classes.
    public var scale: TargetScale? { if case .number(let scale) = self { scale } else { nil } }

    /// Whether the model predicts tokens, so that its loss is also told as a perplexity.
    public var isPerToken: Bool { if case .classPerToken = self { true } else { false } }
}

/// What a number to predict stands for: y = mean + deviation·(standardised y).
public struct TargetScale: Sendable, Hashable {
    public var mean: Double
    /// More than 0.
    public var deviation: Double

    public init(mean: Double = 0, deviation: Double = 1) {
        self.mean = mean
        self.deviation = deviation
    }
}
