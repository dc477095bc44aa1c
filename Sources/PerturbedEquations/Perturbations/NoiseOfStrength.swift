/// A noise with one setting: its strength σ.
protocol NoiseOfStrength: KernelPerturbation {
    var sigma: Strength { get set }
}

extension NoiseOfStrength {
    public func requirements(at step: Int) -> Requirements { sigma.requirements }
    public func isZero(at step: Int) -> Bool { sigma.schedule.value(at: step) == 0 }
    public func strength(at site: Site) -> Double? { site.sigma(sigma) }

    public func variance(at site: Site) -> ElementVariance? {
        let sigma = site.sigma(sigma)
        return ElementVariance(constant: sigma * sigma)
    }

    public func bound(at site: Site) -> ElementBound? {
        ElementBound(constant: site.sigma(sigma) * ElementBound.largestVariate)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&sigma.schedule)
    }

    public func validate() throws {
        try sigma.require("sigma")
    }
}
