import CPerturbationKernels
import PerturbedEquations
import TestSupport
import Testing

/// Every kind of term in the kernels: a rule that makes δ on its way gives the bits of one that reads a stored δ, a stored δ does
/// not depend on how it is split or on the SIMD level, and each kind is what it is declared to be.
@Suite struct TermKindTests {
    private static let count = 1100

    /// θ, g and one array of the terms' own, with both zeros, and in the last what a curvature may be.
    private struct Arrays {
        var theta: [Float]
        var gradient: [Float]
        var input: [Float]

        init(_ random: inout SeededGenerator) {
            func draw() -> [Float] {
                (0..<TermKindTests.count).map { i in
                    i % 11 == 3 ? -0.0 : i % 13 == 5 ? 0 : Float.random(in: -1...1, using: &random)
                }
            }
            theta = draw()
            gradient = draw()
            input = draw()
            input[7] = .nan
            input[70] = .infinity
            input[700] = .leastNonzeroMagnitude
        }
    }

    private static func noise(_ kind: pk_term_kind, _ scale: Double, first: UInt64) -> pk_term {
        var term = pk_term()
        term.kind = kind
        term.scale = scale
        term.distribution = PK_NORMAL
        term.stream = pk_stream(key: (1, 2), step: 3, parameter: 4, term: UInt32(kind.rawValue))
        term.first = first
        term.input_scale = 0.5
        term.damping = 0.25
        term.quarters = 2
        return term
    }

    /// Sums of terms; the arrays of their own are at `input`.
    private static func sums(_ input: UnsafePointer<Float>, first: UInt64) -> [[pk_term]] {
        func term(_ kind: pk_term_kind, _ change: (inout pk_term) -> Void = { _ in }) -> pk_term {
            var term = noise(kind, 0.3, first: first)
            term.input = UnsafeRawPointer(input)
            change(&term)
            return term
        }
        let shaped = [-4, -3, -2, -1, 1, 2, 3, 4].map { quarters in
            [term(PK_SHAPED_NOISE) { $0.quarters = quarters }]
        }
        let functions = [PK_IDENTITY, PK_SIGN, PK_TANH, PK_SQUARE, PK_ROOT].map { function in
            [term(PK_FUNCTION) { $0.function = function }]
        }
        return shaped + functions + [
            [term(PK_SIGN_DROP)], [term(PK_ALONG_INPUT)], [term(PK_ALONG_DIFFERENCE)],
            [term(PK_ALONG_SIGNS), term(PK_SHAPED_NOISE)],
            [term(PK_NOISE), term(PK_SIGN_DROP), term(PK_ALONG_DIFFERENCE), term(PK_FUNCTION)],
            [term(PK_SHAPED_NOISE), term(PK_NOISE_BY_GRADIENT), term(PK_ALONG_PARAMETERS)],
            [term(PK_NOISE), term(PK_NOISE) { $0.stream.term = 99 }],
            [term(PK_ALONG_PARAMETERS), term(PK_NOISE), term(PK_ALONG_PARAMETERS)],
            [term(PK_NOISE) { $0.distribution = PK_LAPLACE }, term(PK_NOISE_BY_GRADIENT)],
            [term(PK_NOISE), term(PK_NOISE_BY_GRADIENT) { $0.distribution = PK_UNIFORM }],
            [term(PK_NOISE), term(PK_NOISE) { $0.distribution = PK_LAPLACE }],
            [term(PK_NOISE) { $0.distribution = PK_LAPLACE }, term(PK_NOISE)],
            [
                term(PK_NOISE) { $0.distribution = PK_LAPLACE },
                term(PK_NOISE) { $0.distribution = PK_UNIFORM },
            ],
            // More draws than are carried from piece to piece.
            (0..<6).map { draw in term(PK_NOISE) { $0.stream.term = UInt32(draw) } },
            (0..<6).map { draw in
                term(PK_NOISE) {
                    $0.stream.term = UInt32(draw)
                    if draw == 5 { $0.distribution = PK_LAPLACE }
                }
            },
        ]
    }

    private static func stored(
        _ terms: [pk_term], _ arrays: Arrays, _ count: Int, _ level: SIMDLevel
    ) -> [Float] {
        var delta = [Float](repeating: .nan, count: count)
        Float.kernels(level).pointee.add_terms(
            terms, terms.count, &delta, arrays.theta, arrays.gradient, count, 1, nil)
        return delta
    }

    /// The bits, with one NaN for all.
    private static func bits(_ values: [Float]) -> [UInt32] {
        values.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
    }

    /// Also where the upper half of the element numbers changes: at the end of a block, between pieces and in a piece.
    @Test(arguments: [0, 5, (1 << 34) - 64, (1 << 34) - 300, (1 << 34) - 512, (1 << 34) - 1088] as [UInt64])
    func drawnIsStored(first: UInt64) {
        var random = SeededGenerator()
        let arrays = Arrays(&random)
        arrays.input.withUnsafeBufferPointer { input in
            for (number, terms) in Self.sums(input.baseAddress!, first: first).enumerated() {
                for count in [1, 63, 64, 300, 1088, Self.count] {
                    let reference = Self.stored(terms, arrays, count, .baseline)
                    for level in SIMDLevel.supported {
                        #expect(
                            Self.bits(Self.stored(terms, arrays, count, level)) == Self.bits(reference),
                            "sum \(number) at \(level), seed \(random.seed)")
                        checkRules(terms, arrays, reference, level, "sum \(number), seed \(random.seed)")
                    }
                }
            }
        }
    }

    /// A block in two calls, each asking for memory, is the block in one.
    @Test(arguments: [1, 37, 64, 256, 512], [0, 5, (1 << 34) - 576] as [UInt64])
    func splitsDoNotShow(split: Int, first: UInt64) {
        var random = SeededGenerator()
        let arrays = Arrays(&random)
        let count = Self.count
        let memory = [arrays.theta, arrays.gradient, arrays.input].map(UnsafeMutableBufferPointer.copy)
        defer { for array in memory { array.deallocate() } }
        func add(_ terms: [pk_term], to delta: inout [Float], _ range: Range<Int>, _ level: SIMDLevel) {
            let moved = terms.map { term in
                var term = term
                term.first += UInt64(range.lowerBound)
                term.input = term.input.map { $0 + range.lowerBound * MemoryLayout<Float>.stride }
                return term
            }
            var prefetch = pk_prefetch()
            prefetch.count = 1
            prefetch.arrays.0 = UnsafeRawPointer(memory[0].baseAddress! + range.lowerBound)
                .assumingMemoryBound(to: CChar.self)
            delta.withUnsafeMutableBufferPointer {
                Float.kernels(level).pointee.add_terms(
                    moved, moved.count, $0.baseAddress! + range.lowerBound,
                    memory[0].baseAddress! + range.lowerBound, memory[1].baseAddress! + range.lowerBound,
                    range.count, 1, &prefetch)
            }
        }
        let sums = Self.sums(UnsafePointer(memory[2].baseAddress!), first: first)
        for (number, terms) in sums.enumerated() {
            for level in SIMDLevel.supported {
                var whole = [Float](repeating: .nan, count: count)
                var parts = whole
                add(terms, to: &whole, 0..<count, level)
                add(terms, to: &parts, 0..<split, level)
                add(terms, to: &parts, split..<count, level)
                #expect(
                    Self.bits(whole) == Self.bits(parts), "sum \(number) at \(level), seed \(random.seed)")
            }
        }
    }

    /// SGD with and without momentum and Adam, with and without a penalty and decay.
    private func checkRules(
        _ terms: [pk_term], _ arrays: Arrays, _ delta: [Float], _ level: SIMDLevel, _ name: String
    ) {
        let kernels = Float.kernels(level).pointee
        let count = delta.count
        for isPlain in [true, false] {
            var sgd = pk_sgd(
                rate: 0.1, penalty: isPlain ? 0 : 0.2, decay: isPlain ? 0 : 0.01, momentum: 0.9, intake: 0.8,
                nesterov: 0)
            var adam = pk_adam(
                rate: 0.1, penalty: isPlain ? 0 : 0.2, decay: isPlain ? 0 : 0.01, beta1: 0.9, beta2: 0.99,
                epsilon: 1e-8, root_scale: 1.1, amsgrad: 0)
            for states in 0...2 {
                func run(drawn: Bool) -> [[UInt32]] {
                    let memory = [
                        Array(arrays.theta.prefix(count)), [Float](repeating: 0.5, count: count),
                        [Float](repeating: 0.25, count: count), arrays.gradient, delta,
                    ].map(UnsafeMutableBufferPointer.copy)
                    defer { for array in memory { array.deallocate() } }
                    terms.withUnsafeBufferPointer { terms in
                        var block = pk_block()
                        block.parameters = UnsafeMutableRawPointer(memory[0].baseAddress)
                        block.gradient = UnsafeRawPointer(memory[3].baseAddress)
                        block.delta = drawn ? nil : UnsafeRawPointer(memory[4].baseAddress)
                        block.terms = terms.baseAddress
                        block.term_count = terms.count
                        if states > 0 { block.state.0 = UnsafeMutableRawPointer(memory[1].baseAddress) }
                        if states > 1 { block.state.1 = UnsafeMutableRawPointer(memory[2].baseAddress) }
                        block.count = count
                        block.gradient_scale = isPlain ? 1 : 0.5
                        block.delta_scale = isPlain ? 1 : 0.25
                        if states == 2 {
                            (drawn ? kernels.adam_drawn : kernels.adam)!(&block, &adam)
                        } else {
                            (drawn ? kernels.sgd_drawn : kernels.sgd)!(&block, &sgd)
                        }
                    }
                    return memory.prefix(3).map { Self.bits(Array($0)) }
                }
                #expect(
                    run(drawn: true) == run(drawn: false),
                    "\(name) at \(level), \(count) elements, \(states) states, plain: \(isPlain)")
            }
        }
    }

    /// Against the definitions, in double precision.
    @Test func kindsAreWhatTheyAreDeclaredToBe() {
        var random = SeededGenerator()
        let arrays = Arrays(&random)
        let count = Self.count
        func check(_ kind: pk_term_kind, _ name: String, _ exact: (Int, _ xi: Double) -> Double) {
            var term = Self.noise(kind, 0.3, first: 0)
            var xi = [Float](repeating: 0, count: count)
            Float.kernels(.highest).pointee.noise(
                kind == PK_SIGN_DROP ? PK_UNIFORM : PK_NORMAL, PK_STORE, &xi, nil, count, 1, 0, &term.stream,
                0,
                nil)
            arrays.input.withUnsafeBufferPointer { input in
                term.input = UnsafeRawPointer(input.baseAddress)
                for (i, value) in Self.stored([term], arrays, count, .highest).enumerated() {
                    let expected = 0.3 * exact(i, Double(xi[i]))
                    let isSame = Double(value) == expected || (value.isNaN && expected.isNaN)
                    #expect(
                        isSame || abs(Double(value) - expected) <= 1e-5 * max(1, abs(expected)),
                        "\(name) of element \(i): \(value), not \(expected); seed \(random.seed)")
                }
            }
        }
        check(PK_SHAPED_NOISE, "shaped noise") { i, xi in
            let size = abs(arrays.input[i])
            let h = size.isNaN ? 0 : min(size, .greatestFiniteMagnitude)
            return xi * (Double(h).squareRoot() * 0.5 + 0.25)
        }
        check(PK_ALONG_DIFFERENCE, "difference") { i, _ in
            Double(arrays.theta[i]) - Double(arrays.input[i])
        }
        check(PK_SIGN_DROP, "sign drop") { i, xi in
            let share = Double(arrays.input[i]) * 0.5
            let p = share > 0 ? share : 0
            let n = max(p - Double(arrays.gradient[i]), 0)
            return xi / 3.0.squareRoot() * (p + n) < p - n ? n : -p
        }
    }
}
