/// A term made of terms, of which each step takes some by weight: δ = Σₖ wₖ(t)·Pₖ.
///
/// The engine takes it apart: each part is a term of its own, with its own noise, statistics, memory and kept
/// tensors, that is left out where its weight is 0. The parts, and those of parts, are numbered in the order in
/// which they are written: `[a, mixture [b, c], d]` draws the noise of `[a, b, c, d]`.
public protocol CompositePerturbation: Perturbation {
    /// The terms.
    var parts: [any Perturbation] { get }

    /// Where a part is written, for messages: `terms.1`.
    func path(ofPart number: Int) -> String

    /// wₖ of a part at a step.
    ///
    /// - Parameter word: 64 random bits addressed by the seed, the composite and the step, the same for all parts.
    func weight(ofPart number: Int, at step: Int, word: UInt64) -> Double
}

extension CompositePerturbation {
    public func requirements(at step: Int) -> Requirements {
        Requirements(parts.map { $0.requirements(at: step) })
    }

    public func isZero(at step: Int) -> Bool { parts.allSatisfy { $0.isZero(at: step) } }
    public var isNoise: Bool { parts.contains { $0.isNoise } }

    /// Never called: the engine adds the parts.
    public func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
    ) {
        preconditionFailure("a composite term is added part by part")
    }

    /// Refuses what the parts refuse.
    func validateParts() throws {
        for (number, part) in parts.enumerated() {
            try within("\(path(ofPart: number)).\(type(of: part).catalogueEntry.name)") {
                try part.validate()
            }
        }
    }
}

/// One term that is not made of others, and how it is reached.
struct LeafTerm {
    let perturbation: any Perturbation
    /// Where it is written, from the list of terms: `0.mixture.terms.1.gaussian`.
    let path: String
    /// The composites around it, from outside in.
    let choices: [Choice]

    /// The part of a composite that a leaf is in.
    struct Choice {
        let composite: any CompositePerturbation
        /// The composite's number among all, in the order in which they are written.
        let number: Int
        let part: Int
    }

    /// The leaves of a sum of terms, in the order in which they are written.
    static func all(of terms: [any Perturbation]) -> [LeafTerm] {
        var leaves: [LeafTerm] = []
        var composites = 0
        func visit(_ term: any Perturbation, _ place: String, _ choices: [Choice]) {
            let path = "\(place).\(type(of: term).catalogueEntry.name)"
            guard let composite = term as? any CompositePerturbation else {
                leaves.append(LeafTerm(perturbation: term, path: path, choices: choices))
                return
            }
            let number = composites
            composites += 1
            for (part, inner) in composite.parts.enumerated() {
                visit(
                    inner, "\(path).\(composite.path(ofPart: part))",
                    choices + [Choice(composite: composite, number: number, part: part)])
            }
        }
        for (index, term) in terms.enumerated() { visit(term, "\(index)", []) }
        return leaves
    }

    /// The product of the weights of its places.
    static func weight(_ choices: [Choice], at step: Int, _ key: NoiseKey) -> Double {
        choices.reduce(1) { product, choice in
            let word = key.derived("choice").derived(UInt64(choice.number)).word(UInt64(step))
            return product * choice.composite.weight(ofPart: choice.part, at: step, word: word)
        }
    }
}
