/// The mean of the weights over a run's steps, which is evaluated and saved in their place.
///
/// ```yaml
/// training: {epochs: 20, average: {ema: 0.999}}
/// training: {epochs: 20, average: {swa: {from: 5000, every: 100}}}
/// ```
///
/// | Case | ā after a step | Source |
/// |---|---|---|
/// | `ema` | decay·ā + (1 − decay)·θ, at first θ | Polyak and Juditsky 1992; Tarvainen and Valpola 2017, Mean Teachers |
/// | `swa` | the plain mean of θ at every `every`-th step after step `from` | Izmailov and others 2018, Averaging Weights Leads to Wider Optima |
///
/// Training itself goes on with θ. What batch normalisation learns beside the weights follows: `ema` takes the same
/// mean of its running statistics; for `swa` they are learnt anew under ā, by a pass over the training data before each
/// evaluation (PyTorch's `update_bn`).
public enum WeightAverage: Codable, Sendable, Equatable {
    /// With decay in (0, 1).
    case ema(decay: Double)
    /// `from` ≥ 0 and `every` ≥ 1, in steps.
    case swa(from: Int, every: Int)

    private enum CodingKeys: String, CodingKey { case ema, swa }

    private struct SWA: Codable {
        var from: Int
        var every: Int

        init(from: Int, every: Int) {
            self.from = from
            self.every = every
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            from = try container.decode(Int.self, forKey: .from)
            every = try container.decodeIfPresent(Int.self, forKey: .every) ?? 1
            for (key, value, least) in [(CodingKeys.from, from, 0), (.every, every, 1)] where value < least {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "is \(value); allowed: \(least) or more")
            }
        }

        private enum CodingKeys: String, CodingKey { case from, every }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let decay = try container.decodeIfPresent(Double.self, forKey: .ema)
        let swa = try container.decodeIfPresent(SWA.self, forKey: .swa)
        switch (decay, swa) {
        case (let decay?, nil):
            guard decay > 0, decay < 1 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .ema, in: container,
                    debugDescription: "is \(decay); allowed: more than 0, less than 1")
            }
            self = .ema(decay: decay)
        case (nil, let swa?): self = .swa(from: swa.from, every: swa.every)
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "give one of 'ema' and 'swa'"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .ema(let decay): try container.encode(decay, forKey: .ema)
        case .swa(let from, let every): try container.encode(SWA(from: from, every: every), forKey: .swa)
        }
    }

    /// The weight of θ in the mean after `step` steps, of which `count` have been taken in before; nil where this one is
    /// not.
    func share(step: Int, count: Int) -> Double? {
        switch self {
        case .ema(let decay): count == 0 ? 1 : 1 - decay
        case .swa(let from, let every):
            step > from && (step - from) % every == 0 ? 1 / Double(count + 1) : nil
        }
    }
}
