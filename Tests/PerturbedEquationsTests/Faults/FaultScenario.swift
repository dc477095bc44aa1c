import Foundation
import PerturbedEquations
import TestSupport

/// A random equation of catalogued types, and what goes wrong in its run.
struct FaultScenario {
    enum Fault: String, CaseIterable {
        /// A NaN in one element of the gradient.
        case nan
        /// An infinity in one element.
        case infinity
        /// All of the gradient a million times too large.
        case hugeGradient
        /// Noise a thousand times its usual strength.
        case burst
        /// The objective throws, in one of its evaluations.
        case thrown
        /// The loss is not a number.
        case lossOfNothing
    }

    /// The configuration.
    let text: String
    let faults: [Int: Fault]
    let seed: UInt64
    /// Which element, or which evaluation, is hit.
    let place: Int

    static let steps = 140
    /// Faults begin once the guard knows the loss, and end early enough to recover.
    static let faulty = 15..<70

    /// The strength that bursts multiply.
    static let noise = 0.05

    init(_ random: inout SeededGenerator) {
        func coin(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
        func sample(_ family: Subject.Family) -> Subject {
            let name = family.types.randomElement(using: &random)!.catalogueEntry.name
            return Subject.all.filter { $0.family == family && $0.name == name }.randomElement(
                using: &random)!
        }
        func number(_ range: ClosedRange<Double>) -> String { "\(Double.random(in: range, using: &random))" }

        let terms = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            sample(.perturbation)
        }
        let rule = sample(.rule)
        var ruleText = #"{"\#(rule.name)": \#(rule.sample.settings)}"#
        // A term that needs the second moment brings its rule.
        if let special = terms.map(\.sample.rule).first(where: { $0 != CatalogueSample.momentum }) {
            ruleText = special
        }
        if coin(0.3), let match = ruleText.firstMatch(of: #/"learningRate": ([0-9.]+)/#) {
            let schedule = sample(.schedule)
            ruleText.replaceSubrange(
                match.range,
                with: #""learningRate": {"product": {"factors": [\#(match.1), "#
                    + #"{"\#(schedule.name)": \#(schedule.sample.settings)}]}}"#)
        }
        var parts = [#""rule": \#(ruleText)"#]
        parts.append(
            #""perturbation": [\#(terms.map { #"{"\#($0.name)": \#($0.sample.settings)}"# }.joined(separator: ", "))]"#
        )
        if coin(0.4) {
            let objective = sample(.parameterPerturbation)
            parts.append(#""parameterPerturbation": {"\#(objective.name)": \#(objective.sample.settings)}"#)
        }
        if coin(0.2) {
            let controller = sample(.controller)
            parts.append(#""controllers": [{"\#(controller.name)": \#(controller.sample.settings)}]"#)
        }
        var guards = [
            #""rollbackOnSpike": {"deviations": 50, "window": 12, "minimumHistory": 8, "snapshotEvery": 5, "#
                + #""attempts": \#(Int.random(in: 0...12, using: &random))}"#
        ]
        if coin(0.3) { guards.append(#""clipValue": \#(number(0.5...5))"#) }
        if coin(0.3) { guards.append(#""clipNorm": \#(number(0.5...5))"#) }
        // IVON and bSAM divide by a curvature, which a gradient a million times too large does not raise as it raises Adam's
        // v: its momentum would remember that gradient for a hundred steps; its documentation says to clip.
        if ruleText.contains("ivon") || ruleText.contains("bsam") || coin(0.3) {
            guards.append(#""clipGlobalNorm": \#(number(0.5...5))"#)
        }
        if coin(0.3) { guards.append(#""perturbationToGradient": \#(number(0.1...2))"#) }
        if coin(0.3) { guards.append(#""sigmaMax": \#(number(0.1...2))"#) }
        if coin(0.2) { guards.append(#""varianceBound": \#(number(0.1...2))"#) }
        // A tight one makes a ramp of a jump, which a watch for jumps does not see; its documentation says so.
        if coin(0.2) { guards.append(#""trustRegion": {"ratio": \#(number(1...5))}"#) }
        if coin(0.2) {
            guards.append(#""clipAdaptive": {"ratio": \#(number(0.05...1)), "unitWise": \#(coin(0.5))}"#)
        }
        var faults: [Int: Fault] = [:]
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            faults[Int.random(in: Self.faulty, using: &random)] = Fault.allCases.randomElement(
                using: &random)!
        }
        self.faults = faults
        // Without the finite check a gradient that is not finite is the user's own doing.
        if !faults.values.contains(where: { $0 == .nan || $0 == .infinity }), coin(0.3) {
            guards.append(#""skipNonFinite": false"#)
        }
        parts.append(#""stability": {\#(guards.joined(separator: ", "))}"#)
        text = "{" + parts.joined(separator: ", ") + "}"

        seed = random.next()
        place = Int.random(in: 0..<1000, using: &random)
    }

    /// Gaussian noise, a thousand times too strong at some steps.
    struct Bursts: Perturbation {
        var steps: Set<Int>

        func sigma(at step: Int) -> Strength {
            .absolute(Scheduled(FaultScenario.noise * (steps.contains(step) ? 1000 : 1)))
        }

        func strength(at site: Site) -> Double? { site.sigma(sigma(at: site.step)) }
        func variance(at site: Site) -> ElementVariance? {
            let sigma = site.sigma(sigma(at: site.step))
            return ElementVariance(constant: sigma * sigma)
        }

        func add(
            to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
        ) {
            site.noise.add(.normal, scale: site.sigma(sigma(at: site.step)), to: &delta)
        }
    }

    struct Thrown: Error {}

    static let shapes: [MixedRun.Shape] = [
        ("a", 17, .float32, false), ("b", 5, .float64, true), ("c", 9, .bfloat16, false),
        ("d", 1, .float32, true),
    ]

    /// A run of the scenario, with its faults or without.
    func run(faulty: Bool, attempts: Int? = nil) throws -> MixedRun {
        var equation = try Subject.read(text)
        if let attempts { equation.stability.rollbackOnSpike?.attempts = attempts }
        let bursts = faulty ? faults.filter { $0.value == .burst }.keys.map { $0 } : []
        equation.perturbation.append(Bursts(steps: Set(bursts)))
        let run = try MixedRun(equation, shapes: Self.shapes, seed: seed)
        run.problem = { tensor, i, step in
            let h = 0.5 + Double((7 * i + 3 * tensor) % 8) / 8
            guard faulty, let fault = faults[step] else { return (h, 0) }
            let isHit = tensor == place % 4 && i == place % Self.shapes[tensor].count
            switch fault {
            case .nan: return (h, isHit ? .nan : 0)
            case .infinity: return (h, isHit ? .infinity : 0)
            case .hugeGradient: return (1e6 * h, 0)
            case .burst, .thrown, .lossOfNothing: return (h, 0)
            }
        }
        if faulty {
            run.afterEvaluation = { evaluation, loss in
                switch faults[evaluation.step] {
                case .lossOfNothing: return .nan
                // What the loss is when the gradient is wrong is not the matter here.
                case .nan, .infinity, .hugeGradient: return try run.trueLoss()
                default: return loss
                }
            }
        }
        return run
    }
}

extension MixedRun {
    /// L(θ) of the problem without faults.
    func trueLoss() throws -> Double {
        var loss = 0.0
        for tensor in tensors.indices {
            for i in 0..<tensors[tensor].spec.count {
                let h = 0.5 + Double((7 * i + 3 * tensor) % 8) / 8
                loss += h * tensors[tensor][i] * tensors[tensor][i] / 2
            }
        }
        return loss
    }

    var isFinite: Bool { values.joined().allSatisfy { $0.isFinite } }
}
