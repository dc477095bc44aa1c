import Datasets

extension ExampleKind {
    /// The shape of an example of numbers.
    /// - Parameter model: the name that the error gives.
    /// - Throws: `ModelError` for tokens, and for sizes below 1.
    public func numbers(for model: String) throws(ModelError) -> [Int] {
        switch input {
        case .tokens(_, let length):
            throw ModelError(
                code: .inputShape,
                message:
                    "\(model): the input is \(length) tokens; allowed: numbers, such as images (try transformer)"
            )
        case .numbers(let shape):
            guard !shape.isEmpty, shape.allSatisfy({ $0 > 0 }) else {
                throw ModelError(
                    code: .inputShape,
                    message: "\(model): the input's shape is \(shape); allowed: one or more sizes above 0")
            }
            return shape
        }
    }

    /// The sizes of an example that is an image.
    /// - Throws: `ModelError` for anything else.
    public func image(for model: String) throws(ModelError) -> (channels: Int, height: Int, width: Int) {
        guard case .numbers(let shape) = input, shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
            let found = if case .tokens = input { "tokens" } else { "of shape \(inputShape)" }
            throw ModelError(
                code: .inputShape,
                message: "\(model): the input is \(found); allowed: an image [channels, height, width] (try "
                    + (found == "tokens" ? "transformer)" : "mlp)"))
        }
        return (shape[0], shape[1], shape[2])
    }

    /// The vocabulary and the length of an example that is tokens.
    /// - Throws: `ModelError` for numbers.
    public func tokens(for model: String) throws(ModelError) -> (vocabulary: Int, length: Int) {
        guard case .tokens(let vocabulary, let length) = input, vocabulary > 0, length > 0 else {
            throw ModelError(
                code: .inputShape,
                message:
                    "\(model): the input is of shape \(inputShape); allowed: tokens, such as a text's (try mlp or cnn)"
            )
        }
        return (vocabulary, length)
    }

    /// The classes of a target that is one for the whole example, and 1 for a number.
    /// - Throws: `ModelError` for a class per token, or no class.
    public func classes(for model: String) throws(ModelError) -> Int {
        guard !target.isPerToken else {
            throw ModelError(
                code: .target,
                message:
                    "\(model): the data asks for a class at each token; allowed: one class per example (try gpt)"
            )
        }
        let classes = target.classes
        guard classes > 0 else {
            throw ModelError(
                code: .classes, message: "\(model): the number of classes is \(classes); allowed: 1 or more")
        }
        return classes
    }
}
