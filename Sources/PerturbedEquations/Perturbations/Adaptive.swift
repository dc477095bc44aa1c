import CPerturbationKernels

/// A function of the gradient, scaled over time: the general deterministic perturbation.
///
/// δ = α(t)·f(g), elementwise, where f is one of the named functions or a closure of yours.
///
/// ```swift
/// let sharpen = Adaptive(alpha: 0.1, .sign)
/// let own = Adaptive(alpha: 0.1) { g in g / (1 + abs(g)) }
/// ```
public struct Adaptive: ElementaryPerturbation {
    /// f. A closure can be used from Swift only: it cannot be written to a configuration.
    public enum Function: Sendable {
        /// f(g) = g.
        case identity
        /// f(g) = sign(g), 0 at 0.
        case sign
        /// f(g) = tanh(g).
        case tanh
        /// f(g) = g·|g|.
        case square
        /// f(g) = sign(g)·√|g|.
        case root
        /// f(g) = g/RMS(g) of the tensor; 0 where the gradient is.
        case normalised
        case closure(@Sendable (Double) -> Double)

        static let named: [(name: String, function: Function)] = [
            ("identity", .identity), ("sign", .sign), ("tanh", .tanh), ("square", .square), ("root", .root),
            ("normalised", .normalised),
        ]
    }

    /// α; may be negative.
    public var alpha: Scheduled
    public var function: Function

    public init(alpha: Scheduled, _ function: Function) {
        self.alpha = alpha
        self.function = function
    }

    /// δ = α(t)·f(g) with f a closure: called once per element, on any thread.
    public init(alpha: Scheduled, _ function: @escaping @Sendable (Double) -> Double) {
        self.init(alpha: alpha, .closure(function))
    }

    public func requirements(at step: Int) -> Requirements {
        if case .normalised = function { .tensorGradient } else { [] }
    }

    public func isZero(at step: Int) -> Bool { alpha.value(at: step) == 0 }
    public var isNoise: Bool { false }

    public func variance(at site: Site) -> ElementVariance? { .zero }

    public func bound(at site: Site) -> ElementBound? {
        let alpha = abs(alpha.value(at: site.step))
        return switch function {
        case .identity: ElementBound(perGradient: alpha)
        case .sign, .tanh: ElementBound(constant: alpha)
        // √x ≤ 1 + x
        case .root: ElementBound(constant: alpha, perGradient: alpha)
        // |gᵢ| ≤ ‖g‖ = √n·RMS(g)
        case .normalised: ElementBound(constant: alpha * Double(site.gradient.count).squareRoot())
        case .square: ElementBound(perGradient: alpha * 0x1p60, upTo: 0x1p60)
        case .closure: nil
        }
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&alpha)
    }

    public func validate() throws {
        try alpha.require(
            "alpha", in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude, allowed: "finite")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "adaptive", summary: "A function of the gradient, scaled over time.", equation: "δ = α(t)·f(g)",
        parameters: [
            .init("alpha", "schedule", allowed: "finite", unit: "gradient units per f", "α"),
            .init(
                "function", "name", default: "identity",
                allowed: Function.named.map(\.name).joined(separator: ", "),
                "f: g, sign(g), tanh(g), g·|g|, sign(g)·√|g|, g/RMS(g)"),
        ],
        source: "none needed")

    static var mostTerms: Int { 1 }

    var isElementary: Bool {
        if case .closure = function { false } else { true }
    }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        let alpha = alpha.value(at: site.step)
        switch function {
        case .identity: terms.append(alongGradient: alpha)
        case .sign: terms.append(PK_SIGN, alpha)
        case .tanh: terms.append(PK_TANH, alpha)
        case .square: terms.append(PK_SQUARE, alpha)
        case .root: terms.append(PK_ROOT, alpha)
        case .normalised:
            let rms = site.gradient.rootMeanSquare
            guard rms > 0 else { return }
            // 1/rms of a tiny gradient is no finite number of its type, and that of a huge one loses its bits: g is brought
            // nearer to 1 first, with room for α and a weight.
            let inner = rms < 0x1p-64 ? 0x1p100 : rms > 0x1p64 ? 0x1p-64 : 1
            terms.append(PK_IDENTITY, alpha / (rms * inner), inner: inner)
        case .closure: preconditionFailure("a closure is no elementary term")
        }
    }

    func accumulate<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        guard case .closure(let f) = function else {
            return accumulateTerms(delta, gradient: gradient, parameters: parameters, at: site)
        }
        site.clearIfFirst(delta)
        let alpha = S(alpha.value(at: site.step))
        for i in 0..<delta.count { delta[i] += alpha * S(f(Double(gradient[i]))) }
    }
}

extension Adaptive: Codable {
    private enum CodingKeys: String, CodingKey {
        case alpha, function
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(.function, default: "identity")
        guard let named = Function.named.first(where: { $0.name == name }) else {
            let names = Function.named.map(\.name)
            let hint = nearestName(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? "."
            throw ConfigurationError(
                "there is no function \"\(name)\"\(hint) Allowed: \(names.joined(separator: ", "))",
                path: "function")
        }
        self.init(alpha: try container.decode(Scheduled.self, forKey: .alpha), named.function)
    }

    public func encode(to encoder: any Encoder) throws {
        let name: String
        switch function {
        case .identity: name = "identity"
        case .sign: name = "sign"
        case .tanh: name = "tanh"
        case .square: name = "square"
        case .root: name = "root"
        case .normalised: name = "normalised"
        case .closure:
            throw ConfigurationError("is a Swift closure, which cannot be written down", path: "function")
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(alpha, forKey: .alpha)
        try container.encode(name, forKey: .function)
    }
}
