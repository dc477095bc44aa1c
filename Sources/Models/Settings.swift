import TorchNN

/// How a model reads its settings: missing keys mean defaults, and values out of range are refused where they
/// stand.
struct Settings<Key: CodingKey> {
    let container: KeyedDecodingContainer<Key>

    init(_ decoder: any Decoder, keyedBy key: Key.Type) throws {
        container = try decoder.container(keyedBy: key)
    }

    func value<Value: Decodable>(_ key: Key, default value: Value) throws -> Value {
        try container.decodeIfPresent(Value.self, forKey: key) ?? value
    }

    /// A number of units or channels.
    func size(_ key: Key, default value: Int) throws -> Int {
        let size = try self.value(key, default: value)
        try check(size, key)
        return size
    }

    /// A size, or 0, which lets the data or another setting say it.
    func sizeOrNone(_ key: Key, default value: Int) throws -> Int {
        let size = try self.value(key, default: value)
        return size == 0 ? 0 : try self.size(key, default: size)
    }

    func requireHeads(_ heads: Int, divide width: Int, _ key: Key) throws {
        guard width.isMultiple(of: heads) else {
            throw refuse(
                key, "heads is \(heads), which does not divide the width \(width); allowed: a divisor")
        }
    }

    func sizes(_ key: Key, default value: [Int], atLeast least: Int) throws -> [Int] {
        let sizes = try self.value(key, default: value)
        guard sizes.count >= least, sizes.count <= 100 else {
            throw refuse(
                key, "\(key.stringValue) has \(sizes.count) numbers; allowed: \(least) to 100 of them")
        }
        for size in sizes { try check(size, key) }
        return sizes
    }

    func probability(_ key: Key, default value: Double) throws -> Double {
        let probability = try self.value(key, default: value)
        guard probability >= 0, probability < 1 else {
            throw refuse(key, "\(key.stringValue) is \(probability); allowed: at least 0 and below 1")
        }
        return probability
    }

    /// A finite number that is not negative.
    func magnitude(_ key: Key, default value: Double) throws -> Double {
        let magnitude = try self.value(key, default: value)
        guard magnitude >= 0, magnitude.isFinite else {
            throw refuse(key, "\(key.stringValue) is \(magnitude); allowed: a finite number ≥ 0")
        }
        return magnitude
    }

    func refuse(_ key: Key, _ problem: String) -> DecodingError {
        .dataCorruptedError(forKey: key, in: container, debugDescription: problem)
    }

    private func check(_ size: Int, _ key: Key) throws {
        guard (1...1_000_000).contains(size) else {
            throw refuse(key, "\(key.stringValue) has the number \(size); allowed: 1 to 1000000")
        }
    }
}

extension ModelEntry.Parameter {
    // The settings that several models share.
    static let activation = Self(
        "activation", type: "name", default: "relu",
        allowed: Activation.allCases.map(\.rawValue).joined(separator: ", "),
        meaning: "the function after each hidden layer")
    static let dropout = Self(
        "dropout", type: "number", default: "0", allowed: "0 ≤ p < 1",
        meaning: "the probability that a hidden unit is left out in training")
    static let batchNorm = Self(
        "batchNorm", type: "true or false", default: "false", allowed: "true, false",
        meaning: "normalises each hidden layer over the batch, before the activation")
    static let noisySigma = Self(
        "noisySigma", type: "number", default: "0", allowed: "≥ 0",
        meaning:
            "σ₀ of NoisyLinear (Fortunato 2018: 0.5), which then takes the place of each linear layer; 0: none"
    )
    static let conditioned = Self(
        "conditioned", type: "true or false", default: "false", allowed: "true, false",
        meaning:
            "tells each hidden layer, after the activation, the noise's σ(t): that of training.inputNoise, or else "
            + "of the first perturbation with an absolute strength")
    static let initialiser = Self(
        "initialiser", type: "name or mapping", default: "standard",
        allowed: Initialiser.named.map(\.name).joined(separator: ", ")
            + ", {normal: deviation}, {uniform: bound}, {constant: value}, {orthogonal: gain}",
        meaning: "how the first weights are drawn; standard is PyTorch's way")
}
