import PerturbedEquations
import Testing

/// The sharpness-aware methods against their closed forms on a quadratic, in float64.
@Suite struct SharpnessTests {
    static let rate = 0.05

    /// Runs `equation` and, beside it, the gradient that the method's formula gives; the largest difference
    /// of θ over the steps.
    static func deviation(
        of perturbation: any ParameterPerturbation, steps: Int = 12, sizes: [Int] = [3, 70],
        _ reference: (FlatBowl, Int) -> [Double]
    ) throws -> Double {
        let bowl = try Bowl<Double>(
            PerturbedEquation(rule: SGD(learningRate: Scheduled(rate)), parameterPerturbation: perturbation),
            sizes: sizes, horizon: steps)
        var flat = FlatBowl(sizes: sizes)
        var largest = 0.0
        for step in 0..<steps {
            try bowl.step()
            flat.theta = sum(flat.theta, -rate, reference(flat, step))
            largest = max(largest, distance(bowl.flat, flat.theta))
        }
        return largest
    }

    @Test func sam() throws {
        func reference(_ rho: Double) -> (FlatBowl, Int) -> [Double] {
            { bowl, _ in
                let g = bowl.gradient(at: bowl.theta)
                return bowl.gradient(at: sum(bowl.theta, rho / norm(g), g))
            }
        }
        #expect(try Self.deviation(of: SAM(rho: 0.5), reference(0.5)) < 1e-13)
        #expect(try Self.deviation(of: SAM(rho: 0.5), reference(0.4)) > 1e-4)
    }

    @Test func asam() throws {
        func reference(_ rho: Double, _ eta: Double) -> (FlatBowl, Int) -> [Double] {
            { bowl, _ in
                let g = bowl.gradient(at: bowl.theta)
                let t = bowl.theta.map { abs($0) + eta }
                let scaled = zip(t, g).map { $0 * $1 }
                let epsilon = zip(t, scaled).map { rho * $0 * $1 / norm(scaled) }
                return bowl.gradient(at: sum(bowl.theta, 1, epsilon))
            }
        }
        #expect(try Self.deviation(of: ASAM(rho: 0.7, eta: 0.1), reference(0.7, 0.1)) < 1e-13)
        #expect(try Self.deviation(of: ASAM(rho: 0.7, eta: 0.1), reference(0.7, 0)) > 1e-4)
    }

    @Test func gsam() throws {
        func reference(_ alpha: Double) -> (FlatBowl, Int) -> [Double] {
            { bowl, _ in
                let g = bowl.gradient(at: bowl.theta)
                let perturbed = bowl.gradient(at: sum(bowl.theta, 0.5 / norm(g), g))
                let across = sum(g, -dot(g, perturbed) / dot(perturbed, perturbed), perturbed)
                precondition(abs(dot(across, perturbed)) < 1e-12 && norm(across) > 1e-3)
                return sum(perturbed, -alpha, across)
            }
        }
        #expect(try Self.deviation(of: GSAM(rho: 0.5, alpha: 0.4), reference(0.4)) < 1e-13)
        #expect(try Self.deviation(of: GSAM(rho: 0.5, alpha: 0.4), reference(0)) > 1e-4)
    }

    @Test func lookSAM() throws {
        var kept: [Double] = []
        func reference(_ bowl: FlatBowl, _ step: Int) -> [Double] {
            let g = bowl.gradient(at: bowl.theta)
            guard step % 3 == 0 else { return sum(g, 0.6 * norm(g) / norm(kept), kept) }
            let perturbed = bowl.gradient(at: sum(bowl.theta, 0.5 / norm(g), g))
            let cosine = dot(g, perturbed) / (norm(g) * norm(perturbed))
            kept = sum(perturbed, -norm(perturbed) * cosine / norm(g), g)
            return perturbed
        }
        #expect(try Self.deviation(of: LookSAM(rho: 0.5, alpha: 0.6, every: 3), reference) < 1e-12)
        #expect(try Self.deviation(of: LookSAM(rho: 0.5, alpha: 0.5, every: 3), reference) > 1e-4)
    }

    @Test func lookSAMInEveryStepIsSAM() throws {
        func run(_ perturbation: any ParameterPerturbation) throws -> [[UInt64]] {
            let bowl = try Bowl<Float>(
                PerturbedEquation(rule: Adam(learningRate: 0.01), parameterPerturbation: perturbation))
            for _ in 0..<20 { try bowl.step() }
            return bowl.tensors.bits
        }
        #expect(try run(LookSAM(rho: 0.1, every: 1)) == run(SAM(rho: 0.1)))
        #expect(try run(LookSAM(rho: 0.1, every: 2)) != run(SAM(rho: 0.1)))
        #expect(try run(GSAM(rho: 0.1, alpha: 0)) == run(SAM(rho: 0.1)))
    }

    @Test func awp() throws {
        let sizes = [3, 70]
        func reference(_ bowl: FlatBowl, _ step: Int) -> [Double] {
            let g = bowl.gradient(at: bowl.theta)
            let parts = [0..<3, 3..<73].flatMap { part in
                let scale = 0.2 * norm(Array(bowl.theta[part])) / norm(Array(g[part]))
                return sum(Array(bowl.theta[part]), scale, Array(g[part]))
            }
            return bowl.gradient(at: parts)
        }
        #expect(try Self.deviation(of: AWP(gamma: 0.2, vectors: true), sizes: sizes, reference) < 1e-13)
        // Biases stay where they are unless asked for.
        #expect(
            try Self.deviation(of: AWP(gamma: 0.2), sizes: sizes) { bowl, _ in
                bowl.gradient(at: bowl.theta)
            } < 1e-13)
    }

    /// ASAM's promise: scaling one tensor up and the next down changes nothing that it sees.
    @Test func asamIsScaleInvariant() throws {
        // L depends on the product ab alone; (a, b) → (ka, b/k) leaves it as it is.
        func step(_ a: Double, _ b: Double) throws -> Double {
            let tensors = Tensors<Double>([[a], [b]])
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: SGD(learningRate: 0), parameterPerturbation: ASAM(rho: 0.1, eta: 0)),
                seed: 1)
            var second = 0.0
            try optimizer.step(tensors.buffers) { evaluation in
                let (a, b) = (tensors[0][0], tensors[1][0])
                second = a * b
                tensors.setGradient([[b], [a]])
                return second
            }
            return second
        }
        let plain = try step(0.5, 3)
        #expect(abs(try step(5, 0.3) - plain) < 1e-12 && plain > 1.6)
    }
}
