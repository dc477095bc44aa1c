import CPerturbationKernels

/// Sums over one tensor, or over all of them, gathered before the update.
public struct TensorStatistics: Sendable, Hashable {
    /// How many elements were summed.
    public var count: Int
    /// Σ x².
    public var sumOfSquares: Double
    /// Σ |x|.
    public var sumOfSizes: Double

    /// ‖x‖.
    public var norm: Double { sumOfSquares.squareRoot() }
    /// ‖x‖/√n; 0 for an empty tensor.
    public var rootMeanSquare: Double { count == 0 ? 0 : (sumOfSquares / Double(count)).squareRoot() }

    package init(count: Int = 0, sumOfSquares: Double = 0, sumOfSizes: Double = 0) {
        self.count = count
        self.sumOfSquares = sumOfSquares
        self.sumOfSizes = sumOfSizes
    }

    mutating func add(_ other: TensorStatistics) {
        count += other.count
        sumOfSquares += other.sumOfSquares
        sumOfSizes += other.sumOfSizes
    }

    func scaled(by factor: Double) -> TensorStatistics {
        TensorStatistics(
            count: count, sumOfSquares: sumOfSquares * factor * factor, sumOfSizes: sumOfSizes * abs(factor))
    }
}

/// What a perturbation must know before it can be added to the first block.
public struct Requirements: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// `Site.gradient`: statistics of the tensor's clipped gradient.
    public static let tensorGradient = Requirements(rawValue: 1)
    /// `Site.overallGradient`: the same over all parameters of the optimizer.
    public static let overallGradient = Requirements(rawValue: 2)
    /// `Site.parameter`: statistics of the tensor's parameters.
    public static let tensorParameters = Requirements(rawValue: 4)
    /// `Site.sums`: the term's own `sums`, over the tensor.
    public static let sums = Requirements(rawValue: 8)
    /// The same, but only for `variance(at:)` and `Site.limited`: gathered where the rule asks for variances, or the
    /// stability controller has a σ_max.
    public static let varianceSums = Requirements(rawValue: 16)
    /// `Site.moreSums`: a second round of `sums`, in which `Site.sums` is known. Includes the first.
    public static let moreSums = Requirements(rawValue: 32 | 8)
    /// `Site.secondMoment`: the rule's average of ĝ². Rules that keep none refuse the term.
    public static let secondMoment = Requirements(rawValue: 64)
    /// The same, where the rule keeps one.
    public static let secondMomentIfKept = Requirements(rawValue: 128)
    /// `Site.learningRate`.
    public static let learningRate = Requirements(rawValue: 256)

    /// `Site.signal`: numbers per element that whoever takes the step must supply. A term that requires a signal at
    /// any step requires it at step 0 too.
    public static func signal(_ signal: Signal) -> Requirements {
        Requirements(rawValue: 1 << (16 + signal.place))
    }

    /// The signals among the requirements.
    public var signals: [Signal] { Signal.allCases.filter { contains(.signal($0)) } }

    /// With `sums` where a term needs them for its variance, if that is asked for.
    func withSums(ifVarianceIsNeeded isNeeded: Bool) -> Requirements {
        isNeeded && contains(.varianceSums) ? union(.sums) : self
    }
}

/// Where one block of one term stands: its addressed noise, the statistics it asked for and what it remembers.
public struct Site {
    /// The logical step.
    public let step: Int
    /// This term's noise, standing at the block's first element.
    public private(set) var noise: NoiseStream
    /// Statistics of the tensor's clipped gradient; zero unless required.
    public internal(set) var gradient: TensorStatistics
    /// Statistics of all clipped gradients; zero unless required.
    public internal(set) var overallGradient: TensorStatistics
    /// Statistics of the tensor's parameters; zero unless required.
    public let parameter: TensorStatistics
    /// The term's own sums over the tensor; zero unless required.
    public internal(set) var sums: SIMD4<Double>
    /// Its sums of the second round; zero unless required.
    public internal(set) var moreSums: SIMD4<Double> = .zero
    /// The first sums over all tensors of the parameter group that have a gradient; zero unless sums are required.
    public internal(set) var overallSums: SIMD4<Double> = .zero
    /// Whether this call of `sums` belongs to the second round.
    public internal(set) var isSecondRound = false
    /// The numbers that the term keeps for this tensor; zero for a term that keeps none. In `add` and `variance`
    /// they are those of this step, in `sums` those of the one before.
    public internal(set) var memory: SIMD4<Double> = .zero
    /// The number of the tensor's coming update, 1, 2, 3…: unlike `step` it goes back with a rollback, and leaves
    /// out skipped steps and those in which the tensor had no gradient. 0 where it is not known.
    public internal(set) var update = 0
    /// η(t) of the tensor's rule; 0 unless required.
    public internal(set) var learningRate = 0.0
    /// What norm clipping multiplied the tensor's gradient by. Signals come unclipped.
    public internal(set) var clipScale = 1.0
    /// Elementwise inputs of the block.
    var inputs = ElementInputs()
    /// Whether δ is still untouched (its content is undefined): the first term stores, later ones add.
    var isFirst: Bool
    /// The stability controller's factor on every noise strength.
    let strengthScale: Double
    /// The stability controller's bound on every noise strength.
    var strengthLimit: Double

    /// σ of a strength here and now: in gradient units, after the stability controller's cut and bound.
    public func sigma(_ strength: Strength) -> Double {
        let sigma =
            switch strength {
            case .absolute(let schedule): schedule.value(at: step)
            case .relative(let ratio, .tensor): ratio.value(at: step) * gradient.rootMeanSquare
            case .relative(let ratio, .all): ratio.value(at: step) * overallGradient.rootMeanSquare
            }
        return min(sigma * strengthScale, strengthLimit)
    }

    /// A site at which nothing has been measured yet: to ask a term what does not depend on the step.
    static func unmeasured(term: Int) -> Site {
        Site(
            step: 0, noise: NoiseStream(key: NoiseKey(seed: 0), step: 0, parameter: 0, term: term),
            gradient: TensorStatistics(), overallGradient: TensorStatistics(), parameter: TensorStatistics(),
            sums: .zero, isFirst: false, strengthScale: 1, strengthLimit: .infinity)
    }

    /// The ratio r of a noise whose standard deviation is r·|g|, after the stability controller's cut and its bound:
    /// r·RMS(g) ≤ σ_max over the tensor.
    public func ratio(_ ratio: Double) -> Double {
        let scaled = ratio * strengthScale
        guard strengthLimit < .infinity, scaled * gradient.rootMeanSquare > strengthLimit else {
            return scaled
        }
        return strengthLimit / gradient.rootMeanSquare
    }

    /// The factor s of a term whose root mean square over the tensor is s·`rootMeanSquare`, after the stability
    /// controller's cut and its bound σ_max on that.
    public func limited(_ factor: Double, rootMeanSquare: Double) -> Double {
        let scaled = factor * strengthScale
        return scaled * rootMeanSquare > strengthLimit ? strengthLimit / rootMeanSquare : scaled
    }

    /// σ_max; ∞ without.
    public var largestStrength: Double { strengthLimit }

    /// Lets the noise kernels touch what the update needs next.
    mutating func prefetch(_ memory: pk_prefetch?) {
        noise.prefetch = memory
    }
}

extension Site {
    /// A site of which only the size of the tensor and of its gradient are known: to ask a term for its bound.
    package static func like(count: Int, largestGradient: Double) -> Site {
        var site = unmeasured(term: 0)
        let statistics = TensorStatistics(
            count: count, sumOfSquares: largestGradient * largestGradient * Double(count),
            sumOfSizes: largestGradient * Double(count))
        site.gradient = statistics
        site.overallGradient = statistics
        return site
    }
}
