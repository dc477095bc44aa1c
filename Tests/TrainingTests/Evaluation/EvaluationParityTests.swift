import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Attacks and curvature of a small network beside those that torch.autograd gives on the same weights.
@Suite struct EvaluationParityTests {
    private static let key = NoiseKey(seed: 13)

    private static func values(_ vector: ParameterVector) throws -> [[Float]] {
        try vector.parts.map { try $0.array(of: Float.self) }
    }

    private static let network = """
        import json, sys
        import numpy as np, torch
        import torch.nn.functional as F
        torch.set_num_threads(1)
        given = json.load(open(sys.argv[1]))
        shapes = [tuple(s) for s in given["shapes"]]
        def tensors(lists, dtype):
            return [torch.tensor(v, dtype=dtype).reshape(s) for v, s in zip(lists, shapes)]
        def scores(x, p):
            return torch.tanh(x.flatten(1) @ p[0].T + p[1]) @ p[2].T + p[3]
        y = torch.tensor(given["targets"])

        """

    // MARK: Attacks

    private struct AttackInput: Encodable {
        var shapes: [[Int]]
        var weights: [[Float]]
        /// Pixels in 0...1, or numbers.
        var inputs: [[Float]]
        var start: [[Float]]
        var targets: [Int64]
        var epsilons: [Double]
        /// Of the standardisation; none for numbers that are no pixels.
        var mean, deviation: Float?
    }

    private struct AttackOutput: Decodable {
        var fgsm, pgd: [[Double]]
    }

    /// Written the way of its papers: in the space of the pixels, projected with a clamp, and standardised by the model.
    private static let attacks =
        network + """
            p = tensors(given["weights"], torch.float32)
            x = torch.tensor(given["inputs"]); u = torch.tensor(given["start"])
            mean, deviation = given.get("mean"), given.get("deviation")
            pixels = mean is not None
            model = (lambda x: scores((x - mean) / deviation, p)) if pixels else (lambda x: scores(x, p))
            def inside(z): return z.clamp(0, 1) if pixels else z
            def gradient(z):
                z = z.detach().requires_grad_()
                return torch.autograd.grad(F.cross_entropy(model(z), y, reduction="sum"), z)[0]
            def told(z):
                s = model(z)
                return [F.cross_entropy(s, y).item(), (s.argmax(1) == y).double().mean().item()]
            out = {"fgsm": [], "pgd": []}
            for e in given["epsilons"]:
                out["fgsm"].append(told(inside(x + e * gradient(x).sign())))
                z = inside(x + e * u)
                for _ in range(20):
                    z = z + e / 4 * gradient(z).sign()
                    z = inside(torch.min(torch.max(z, x - e), x + e))
                out["pgd"].append(told(z))
            json.dump(out, open(sys.argv[2], "w"))
            """

    @Test(arguments: [true, false]) func attacksAreTorchs(hasPixels: Bool) throws {
        var random = SeededGenerator(otherwise: 77)
        let (count, size, classes) = (48, 12, 3)
        let shape = hasPixels ? [1, 3, 4] : [12]
        let kind = ExampleKind.numbers(shape, classes: classes)
        let labels = (0..<count).map { _ in Int64.random(in: 0..<Int64(classes), using: &random) }
        let bytes = (0..<count * size).map { _ in UInt8.random(in: 0...255, using: &random) }
        let numbers = bytes.map { Float($0) / 255 }
        let split =
            hasPixels
            ? DataSplit(
                pixels: Data(bytes), scale: PixelScale(maximum: 255, mean: 0.4, deviation: 0.3),
                labels: labels,
                exampleSize: size)
            : try DataSplit(features: numbers, labels: labels, exampleSize: size, named: "numbers")
        let model = try MLP(hidden: [7], activation: .tanh).build(for: kind, seed: 6)
        var input = AttackInput(
            shapes: model.parameters.map(\.tensor.shape), weights: [], inputs: [], start: [], targets: labels,
            epsilons: [0.01, 0.1, 0.3])
        input.weights = try model.parameters.map { try $0.tensor.detached().array(of: Float.self) }
        if hasPixels { (input.mean, input.deviation) = (0.4, 0.3) }
        for row in 0..<count {
            input.inputs.append(Array(numbers[row * size..<(row + 1) * size]))
            // The random start, at its address.
            var u = [Float](repeating: 0, count: size)
            var span = u.mutableSpan
            NoiseStream(key: Self.key.derived("attack"), step: 0, parameter: row, term: 0)
                .fill(&span, with: .uniform, scale: 1 / 3.0.squareRoot())
            #expect(u.allSatisfy { abs($0) <= 1 })
            input.start.append(u)
        }
        let expected: AttackOutput = try runPython(script: Self.attacks, input: input)
        for (number, epsilon) in input.epsilons.enumerated() {
            for (method, reference) in [
                (GradientAttack.Method.fgsm, expected.fgsm[number]), (.pgd(steps: 20), expected.pgd[number]),
            ] {
                let found = try GradientAttack(method, epsilon: epsilon).measure(
                    model, on: split, of: kind, key: Self.key)
                #expect(
                    abs(found.loss - reference[0]) < 2e-4 && found.accuracy == reference[1],
                    "\(method), ε = \(epsilon), seed \(random.seed): \(found), torch \(reference)")
            }
        }
    }

    // MARK: Curvature

    private struct CurvatureInput: Encodable {
        var shapes: [[Int]]
        var weights: [[Float]]
        var inputs: [[Float]]
        var targets: [Int64]
        var probes: [[[Float]]]
        var rho: Double
        var steps: Int
        /// ξ of each direction.
        var random, filters: [[Float]]
        var positions: [Double]
    }

    private struct CurvatureOutput: Decodable {
        var top, lowest, trace, exactTrace, standardError, gradientNorm: Double
        var sharpness, random, filters: [Double]
    }

    private static let curvature =
        network + """
            theta = [t.requires_grad_() for t in tensors(given["weights"], torch.float64)]
            x = torch.tensor(given["inputs"], dtype=torch.float64)
            def loss(p): return F.cross_entropy(scores(x, p), y)
            flat = torch.cat([t.detach().flatten() for t in theta])
            def parts(v):
                out, at = [], 0
                for s in shapes:
                    n = int(np.prod(s)); out.append(v[at:at + n].reshape(s)); at += n
                return out
            H = torch.autograd.functional.hessian(lambda v: loss(parts(v)), flat)
            values = torch.linalg.eigvalsh(H)
            z = torch.stack([torch.cat([torch.tensor(v, dtype=torch.float64) for v in p]) for p in given["probes"]])
            quadratic = ((z @ H) * z).sum(1)
            def gradient(v):
                v = v.detach().requires_grad_()
                return torch.autograd.grad(loss(parts(v)), v)[0]
            base = loss(parts(flat)).item()
            g = gradient(flat); norm = g.norm().item(); sharpness = []
            for _ in range(given["steps"]):
                d = given["rho"] * g / g.norm()
                sharpness.append(loss(parts(flat + d)).item() - base)
                g = gradient(flat + d)
            def slice(xi, filters):
                xi = [t.clone() for t in tensors(xi, torch.float64)]
                if filters:
                    for w, d in zip(theta, xi):
                        if w.dim() < 2: d.zero_()
                        else:
                            for i in range(w.shape[0]): d[i] *= w[i].norm() / d[i].norm()
                    d = torch.cat([t.detach().flatten() for t in xi])
                else:
                    d = torch.cat([t.flatten() for t in xi]); d = d * flat.norm() / d.norm()
                return [loss(parts(flat + a * d)).item() for a in given["positions"]]
            json.dump({
                "top": values[-1].item(), "lowest": values[0].item(), "exactTrace": H.trace().item(),
                "trace": quadratic.mean().item(), "gradientNorm": norm,
                "standardError": (quadratic.std() / len(quadratic) ** 0.5).item(), "sharpness": sharpness,
                "random": slice(given["random"], False), "filters": slice(given["filters"], True),
            }, open(sys.argv[2], "w"))
            """

    @Test func curvatureIsTorchs() throws {
        var random = SeededGenerator(otherwise: 78)
        let (count, size, classes) = (40, 6, 3)
        let split = try EvaluationCases.features(count, size: size, classes: classes, &random)
        let data = EvaluationCases.data(split, [size], classes: classes)
        let model = try MLP(hidden: [5], activation: .tanh).build(for: data.kind, seed: 6)
        // Parts of unequal size.
        let surface = try LossSurface(
            EvaluationCases.plan(model, data), positions: Array(0..<count), batch: 17, step: 0)
        let probes = 12
        var input = CurvatureInput(
            shapes: model.parameters.map(\.tensor.shape), weights: [], inputs: [], targets: split.labels,
            probes: [], rho: 0.3, steps: 5, random: [], filters: [], positions: [-1, -0.5, 0, 0.5, 1])
        input.weights = try model.parameters.map { try $0.tensor.detached().array(of: Float.self) }
        var features = [Float](repeating: 0, count: count * size)
        var labels = split.labels
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer { labels in
                split.copyBatch(ArraySlice(0..<count), into: features, labels: labels)
            }
        }
        input.inputs = (0..<count).map { Array(features[$0 * size..<($0 + 1) * size]) }
        input.probes = try (0..<probes).map {
            try Self.values(
                .random(like: model.parameters, .rademacher, key: Self.key.derived("trace"), draw: $0))
        }
        func xi(_ direction: SliceDirection) throws -> [[Float]] {
            try Self.values(
                .random(
                    like: model.parameters, .normal,
                    key: Self.key.derived("slice").derived(direction.rawValue)))
        }
        (input.random, input.filters) = (try xi(.random), try xi(.filterNormalised))
        let expected: CurvatureOutput = try runPython(script: Self.curvature, input: input)
        func close(_ own: Double, _ other: Double, _ tolerance: Double = 1e-4) -> Bool {
            abs(own - other) <= tolerance * max(1e-2, abs(other))
        }

        #expect(close(try surface.gradient().gradient.norm, expected.gradientNorm))
        let top = try TopEigenvalue.measure(surface, tolerance: 1e-4, limit: 500, key: Self.key)
        #expect(top.isConverged && close(top.value, expected.top), "\(top), torch \(expected.top)")
        if let lowest = top.lowest { #expect(close(lowest, expected.lowest, 1e-2)) }
        let trace = try HessianTrace.measure(surface, probes: probes, key: Self.key)
        #expect(
            close(trace.value, expected.trace) && close(trace.standardError!, expected.standardError, 1e-3))
        #expect(abs(trace.value - expected.exactTrace) < 5 * trace.standardError!, "\(trace)")
        let sharpness = try Sharpness.measure(surface, rho: input.rho, steps: input.steps, key: Self.key)
        #expect(
            close(sharpness.oneStep, expected.sharpness[0], 1e-3)
                && close(sharpness.ascent, expected.sharpness.max()!, 1e-3),
            "\(sharpness), torch \(expected.sharpness)")
        for (direction, reference) in [
            (SliceDirection.random, expected.random), (.filterNormalised, expected.filters),
        ] {
            let found = try LossSlice.measure(surface, direction, points: 5, key: Self.key)
            #expect(found.positions == input.positions)
            for (own, other) in zip(found.losses, reference) {
                #expect(close(own, other), "\(direction): \(own), torch \(other)")
            }
        }
    }
}
