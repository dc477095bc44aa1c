import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Every catalogued type through the same properties.
@Suite struct TableTests {
    static let steps = 6

    static func run(
        _ equation: PerturbedEquation, _ engine: Engine = Engine(parallel: .serial, level: .baseline)
    ) throws -> MixedRun {
        let run = try MixedRun(equation, engine: engine)
        try run.advance(to: steps)
        return run
    }

    @Test(arguments: Subject.Family.allCases)
    func everyTypeHasSamples(_ family: Subject.Family) {
        for type in family.types {
            let name = type.catalogueEntry.name
            #expect(
                !(family.samples[name] ?? []).isEmpty,
                "the \(family.rawValue) \"\(name)\" has no settings in Tests/TestSupport/CatalogueSamples.swift"
            )
        }
    }

    /// Promise 1, and that the settings which are not zero do something.
    @Test(arguments: Subject.all)
    func zeroIsNothing(_ subject: Subject) throws {
        guard let baseEquation = try subject.baseEquation() else { return }
        let base = try Self.run(baseEquation).everything()
        let perturbed = try Self.run(subject.equation())
        #expect(perturbed.bits != base.filter { perturbed.bits.keys.contains($0.key) })
        if let zero = try subject.zeroEquation() {
            // What the type keeps for itself is not the base rule's.
            #expect(try Self.run(zero).everything().filter { base.keys.contains($0.key) } == base)
        }
    }

    /// Promise 2: threads, instructions and block sizes change no bit of the noise. Sums over a tensor are
    /// combined block by block, so that another block size rounds them otherwise: nearly the same bits.
    @Test(arguments: Subject.all)
    func noiseIsAddressed(_ subject: Subject) throws {
        let equation = try subject.equation()
        let reference = try Self.run(equation)
        for level in SIMDLevel.supported {
            for threads in [1, 3] {
                let engine = Engine(parallel: .dispatch(threads: threads), level: level, serialBelow: 0)
                let other = try Self.run(equation, engine)
                #expect(
                    try other.everything() == reference.everything(), "\(level), \(threads) threads")
            }
        }
        let sums: Requirements = [
            .tensorGradient, .overallGradient, .tensorParameters, .sums, .moreSums, .varianceSums,
        ]
        let isExact =
            equation.parameterPerturbation == nil && equation.controllers.isEmpty
            && !equation.rule.requirements.contains(.sums)
            && equation.perturbation.allSatisfy { term in
                (0..<Self.steps).allSatisfy { term.requirements(at: $0).isDisjoint(with: sums) }
            }
        for size in [32, 64] {
            let other = try Self.run(equation, Engine(parallel: .serial, blockSize: size))
            if isExact {
                #expect(try other.everything() == reference.everything(), "blocks of \(size)")
            } else {
                for (a, b) in zip(other.values.joined(), reference.values.joined()) where abs(a - b) > 1e-5 {
                    Issue.record("blocks of \(size): \(a) is not \(b)")
                    break
                }
            }
        }
        #expect(
            try Self.run(equation, Engine(parallel: .serial, blockSize: 16384)).everything()
                == reference.everything())
    }

    /// Promise 5: saved to a file in mid-run, taken up by a new optimizer, the same bits at the end.
    @Test(arguments: Subject.all)
    func resumes(_ subject: Subject) throws {
        let equation = try subject.equation()
        let whole = try Self.run(equation)
        let directory = try TemporaryDirectory()
        for place in [0, 1, 4] {
            let first = try MixedRun(equation)
            try first.advance(to: place)
            let second = try MixedRun(equation)
            try second.takeUp(first, through: directory.file("state"))
            try second.advance(to: Self.steps)
            #expect(try second.everything() == whole.everything(), "from step \(place)")
            #expect(second.optimizer.scalars == whole.optimizer.scalars)
        }
    }

    /// Written down and read again it is the same, in what is written and in what it does.
    @Test(arguments: Subject.all)
    func roundTrips(_ subject: Subject) throws {
        let equation = try subject.equation()
        let text = try Subject.write(equation)
        let again = try Subject.read(text)
        #expect(try Subject.write(again) == text)
        #expect(try Self.run(again).everything() == Self.run(equation).everything())
    }

    /// From gradients of both zeros, subnormal, tiny and huge ones, θ stays finite.
    @Test(arguments: Subject.all)
    func finiteInFiniteOut(_ subject: Subject) throws {
        let run = try MixedRun(subject.equation())
        let values = [0, -0.0, Double.leastNonzeroMagnitude, 1e-45, -1e-39, 1e-30, -1e-8, 1, -3, 1e6, -1e12]
        run.problem = { tensor, i, step in (0, values[(i + step + tensor) % values.count]) }
        try run.advance(to: Self.steps)
        #expect(run.values.joined().allSatisfy { $0.isFinite })
        // All of it zero, where statistics have nothing to divide by.
        let still = try MixedRun(subject.equation())
        still.problem = { _, _, _ in (0, 0) }
        try still.advance(to: Self.steps)
        #expect(still.values.joined().allSatisfy { $0.isFinite })
    }

    /// A group without the term has the base rule's bits; the others have those of a run without groups, unless
    /// the term looks at the gradient of all parameters.
    @Test(arguments: Subject.of(.perturbation))
    func groups(_ subject: Subject) throws {
        let equation = try subject.equation()
        let groups = [ParameterGroup(["a.*"], perturbation: [])]
        let grouped = try MixedRun(equation, groups: groups)
        try grouped.advance(to: Self.steps)
        let base = try Self.run(subject.baseEquation()!).bits
        let whole = try Self.run(equation).bits
        let isLocal = !equation.perturbation[0].requirements(at: 0).contains(.overallGradient)
        for (name, bits) in grouped.bits where isLocal || name.hasPrefix("a.") {
            #expect(bits == (name.hasPrefix("a.") ? base : whole)[name], "\(name)")
        }
    }

    /// σ_max is counted where it binds, for every noise and nothing else; a loose one changes no bit.
    @Test(arguments: Subject.of(.perturbation))
    func theLargestStrength(_ subject: Subject) throws {
        var equation = try subject.equation()
        let free = try Self.run(equation)
        equation.stability.sigmaMax = 1e-6
        let tight = try Self.run(equation)
        let isNoise = equation.perturbation[0].isNoise
        #expect((tight.optimizer.counts.strengthsBounded > 0) == isNoise)
        #expect((tight.bits != free.bits) == isNoise)
        equation.stability.sigmaMax = 1e12
        let loose = try Self.run(equation)
        #expect(loose.optimizer.counts.strengthsBounded == 0 && loose.bits == free.bits)
    }

    /// A million elements, dealt to threads, equal the elements of one thread; the first thousand noise values
    /// are no others because the tensor is long.
    @Test(arguments: Subject.all)
    func aMillionElements(_ subject: Subject) throws {
        let shapes: [MixedRun.Shape] = [("big", 1_000_003, .float32, true), ("small", 5, .float64, false)]
        let runs = try [
            Engine(parallel: .serial, level: .baseline), Engine(parallel: .dispatch(threads: 3)),
        ].map { engine in
            let run = try MixedRun(subject.equation(), shapes: shapes, engine: engine)
            try run.advance(to: 2)
            return run
        }
        #expect(try runs[0].everything() == runs[1].everything())
        #expect(runs[0].values.joined().allSatisfy { $0.isFinite })
    }
}
