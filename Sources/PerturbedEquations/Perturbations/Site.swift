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
}

/// Where one block of one term stands: its addressed noise and the statistics it asked for.
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
    /// Whether δ is still untouched (its content is undefined): the first term stores, later ones add.
    let isFirst: Bool
    /// The stability controller's factor on every noise strength.
    let strengthScale: Double
    /// The stability controller's bound on every noise strength.
    let strengthLimit: Double

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
