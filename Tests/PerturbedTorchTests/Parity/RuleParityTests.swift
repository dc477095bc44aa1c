import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// With equal settings the rules follow PyTorch's over 1,000 steps: promise 8.
///
/// The gradient is h⊙θ + noise(t), so that a difference in θ feeds back. Agreement, relative to the largest
/// |θ| of the tensor: 10⁻⁵·√10 in float32 (about a rounding for each hundred steps), 10⁻¹² in float64.
@Suite struct RuleParityTests {
    struct Case: Encodable {
        let name: String
        let optimizer: String
        var settings: [String: Double] = [:]
        var flags: [String: Bool] = [:]
        var clipNorm: Double?
        var clipValue: Double?
        var type = "float32"
    }

    struct Problem: Encodable {
        let sizes: [Int]
        let start: [Double]
        let curvature: [Double]
        let noise: [[Double]]
        let steps: [Int]
        let cases: [Case]
    }

    static let script = """
        import json, sys, torch
        torch.set_num_threads(1)
        p = json.load(open(sys.argv[1]))
        results = []
        for c in p["cases"]:
            dtype = getattr(torch, c["type"])
            tensor = lambda values: torch.tensor(values, dtype=torch.float64).to(dtype)
            split = lambda values: list(tensor(values).split(p["sizes"]))
            theta = [t.clone().requires_grad_() for t in split(p["start"])]
            curvature, noise = split(p["curvature"]), tensor(p["noise"])
            settings = dict(c["settings"]); settings.update(c["flags"])
            if "beta1" in settings:
                settings["betas"] = (settings.pop("beta1"), settings.pop("beta2"))
            optimizer = getattr(torch.optim, c["optimizer"])(theta, foreach=False, **settings)
            seen = []
            for step in range(max(p["steps"])):
                for t, h, n in zip(theta, curvature, noise[step].split(p["sizes"])):
                    t.grad = (h * t.detach() + n)
                if "clipValue" in c:
                    torch.nn.utils.clip_grad_value_(theta, c["clipValue"])
                if "clipNorm" in c:
                    torch.nn.utils.clip_grad_norm_(theta, c["clipNorm"])
                optimizer.step()
                if step + 1 in p["steps"]:
                    seen.append(torch.cat([t.detach() for t in theta]).double().tolist())
            results.append(seen)
        json.dump(results, open(sys.argv[2], "w"))
        """

    /// The name of a case, PyTorch's settings and ours.
    static let rules: [(Case, any UpdateRule, Stability)] = {
        var rules: [(Case, any UpdateRule, Stability)] = []
        func add(
            _ name: String, _ optimizer: String, _ settings: [String: Double], flags: [String: Bool] = [:],
            _ rule: any UpdateRule, _ stability: Stability = Stability(), clipNorm: Double? = nil,
            clipValue: Double? = nil
        ) {
            rules.append(
                (
                    Case(
                        name: name, optimizer: optimizer, settings: settings, flags: flags,
                        clipNorm: clipNorm,
                        clipValue: clipValue), rule, stability
                ))
        }
        for decay in [0.0, 0.03] as [Double] {
            let d = Scheduled(decay)
            func named(_ name: String) -> String { decay == 0 ? name : name + ", weight decay" }
            add(
                named("sgd"), "SGD", ["lr": 0.05, "weight_decay": decay],
                SGD(learningRate: 0.05, weightDecay: d))
            add(
                named("momentum"), "SGD", ["lr": 0.02, "momentum": 0.9, "weight_decay": decay],
                Momentum(learningRate: 0.02, momentum: 0.9, weightDecay: d))
            add(
                named("dampening"), "SGD",
                ["lr": 0.02, "momentum": 0.9, "dampening": 0.4, "weight_decay": decay],
                SGD(learningRate: 0.02, momentum: 0.9, dampening: 0.4, weightDecay: d))
            add(
                named("nesterov"), "SGD", ["lr": 0.02, "momentum": 0.9, "weight_decay": decay],
                flags: ["nesterov": true], Nesterov(learningRate: 0.02, momentum: 0.9, weightDecay: d))
            for start in [0.0, 0.3] as [Double] {
                add(
                    named("adaGrad" + (start > 0 ? ", started" : "")), "Adagrad",
                    [
                        "lr": 0.1, "lr_decay": start / 10, "initial_accumulator_value": start,
                        "weight_decay": decay,
                    ],
                    AdaGrad(
                        learningRate: 0.1, learningRateDecay: Scheduled(start / 10), weightDecay: d,
                        initialAccumulator: start))
            }
            for amsgrad in [false, true] {
                let suffix = amsgrad ? ", amsgrad" : ""
                add(
                    named("adam" + suffix), "Adam", ["lr": 0.01, "weight_decay": decay],
                    flags: ["amsgrad": amsgrad],
                    Adam(learningRate: 0.01, weightDecay: d, amsgrad: amsgrad))
                add(
                    named("adamW" + suffix), "AdamW", ["lr": 0.01, "weight_decay": decay],
                    flags: ["amsgrad": amsgrad], AdamW(learningRate: 0.01, weightDecay: d, amsgrad: amsgrad))
                for momentum in [0.0, 0.8] as [Double] {
                    add(
                        named("rmsProp" + (amsgrad ? ", centred" : "") + (momentum > 0 ? ", momentum" : "")),
                        "RMSprop",
                        ["lr": 0.005, "alpha": 0.97, "momentum": momentum, "weight_decay": decay],
                        flags: ["centered": amsgrad],
                        RMSProp(
                            learningRate: 0.005, alpha: 0.97, weightDecay: d, momentum: Scheduled(momentum),
                            centred: amsgrad))
                }
            }
        }
        add(
            "adam, other averages", "Adam", ["lr": 0.01, "beta1": 0.5, "beta2": 0.95, "eps": 1e-3],
            Adam(learningRate: 0.01, beta1: 0.5, beta2: 0.95, epsilon: 1e-3))
        add("defaults of adam", "Adam", [:], Adam())
        add("defaults of adamW", "AdamW", [:], AdamW())
        add("defaults of rmsProp", "RMSprop", [:], RMSProp())
        add("defaults of adaGrad", "Adagrad", [:], AdaGrad())
        add(
            "clipped values", "SGD", ["lr": 0.05, "momentum": 0.5],
            Momentum(learningRate: 0.05, momentum: 0.5),
            Stability(clipValue: 0.6), clipValue: 0.6)
        // PyTorch divides by ‖g‖ + 10⁻⁶; a norm of 10⁴ hides that in float64's tolerance no more than needed.
        add(
            "clipped norm", "SGD", ["lr": 0.05, "momentum": 0.5], Momentum(learningRate: 0.05, momentum: 0.5),
            Stability(clipGlobalNorm: 2), clipNorm: 2)
        return rules
    }()

    static let sizes = [40, 23]

    static func compare<S: EquationScalar>(_: S.Type, tolerance: Double) throws {
        var random = SeededGenerator(seed: 77)
        let n = sizes.reduce(0, +)
        func number() -> Double { Double.random(in: -1...1, using: &random) }
        let problem = Problem(
            sizes: sizes, start: (0..<n).map { _ in 3 * number() },
            curvature: (0..<n).map { _ in 1 + number() / 2 },
            noise: (0..<1000).map { _ in (0..<n).map { _ in number() } }, steps: [1, 2, 10, 100, 1000],
            cases: rules.map {
                var c = $0.0
                c.type = S.scalarType.rawValue
                return c
            })
        let theirs: [[[Double]]] = try runPython(script: script, input: problem)
        for ((c, rule, stability), expected) in zip(rules, theirs) {
            let ours = try run(S.self, rule, stability, problem)
            for (step, (a, b)) in zip(problem.steps, zip(ours, expected)) {
                let size = b.map(abs).max()!
                let error = zip(a, b).map { abs($0 - $1) }.max()! / size
                // PyTorch scales to c·‖g‖/(‖g‖ + 10⁻⁶).
                let allowed = c.clipNorm == nil ? tolerance : max(tolerance, 2e-6)
                #expect(error < allowed, "\(c.name), \(S.scalarType), step \(step): \(error)")
            }
            // θ moved by much more than the tolerance.
            #expect(zip(ours.last!, problem.start).map { abs($0 - $1) }.max()! > 0.1)
        }
    }

    static func run<S: EquationScalar>(
        _: S.Type, _ rule: any UpdateRule, _ stability: Stability, _ problem: Problem
    ) throws -> [[Double]] {
        var theta = [problem.start[..<sizes[0]].map { S($0) }, problem.start[sizes[0]...].map { S($0) }]
        let optimizer = try PerturbedOptimizer(
            parameters: sizes.enumerated().map {
                ParameterSpec("p\($0.offset)", shape: [$0.element], scalar: S.scalarType)
            }, equation: PerturbedEquation(rule: rule, stability: stability), seed: 1)
        var seen: [[Double]] = []
        for step in 0..<1000 {
            var place = 0
            let gradient = theta.map { tensor in
                tensor.map { value -> S in
                    defer { place += 1 }
                    return S(problem.curvature[place]) * value + S(problem.noise[step][place])
                }
            }
            try gradient[0].withUnsafeBytes { g0 in
                try gradient[1].withUnsafeBytes { g1 in
                    var (first, second) = (theta[0], theta[1])
                    try first.withUnsafeMutableBytes { p0 in
                        try second.withUnsafeMutableBytes { p1 in
                            _ = try optimizer.step([
                                ParameterBuffer(parameters: p0.baseAddress!, gradient: g0.baseAddress),
                                ParameterBuffer(parameters: p1.baseAddress!, gradient: g1.baseAddress),
                            ])
                        }
                    }
                    theta = [first, second]
                }
            }
            if problem.steps.contains(step + 1) { seen.append(theta.joined().map { Double($0) }) }
        }
        return seen
    }

    @Test func float32() throws { try Self.compare(Float.self, tolerance: 3e-5) }
    @Test func float64() throws { try Self.compare(Double.self, tolerance: 1e-12) }
}
