import PerturbedEquations
import Training

extension RunEvaluation {
    /// How far accuracy falls under attack, damage, noise and wrong labels.
    ///
    /// - Throws: ``ConfigError`` where it does not apply (``refusal(of:)``); `ModelError`, `TorchError`;
    ///   `TrainingStopped` where a stop was asked for.
    public func robustness(_ settings: RobustnessSettings = .init()) throws -> RobustnessReport {
        if let refusal = refusal(of: .robustness) {
            throw ConfigError(.badValue, refusal, file: directory?.relativePath)
        }
        let (model, data, kind) = (plan.model, data, plan.data.kind)
        var report = RobustnessReport(units: InputUnits(data, of: kind).name)
        func told(_ what: String, _ found: [Evaluation]) {
            say(
                "robustness: \(what): accuracy "
                    + found.map { percent($0.accuracy ?? .nan) }.joined(separator: " "))
        }
        if !settings.epsilons.isEmpty {
            let positions = sample(settings.attacked ?? data.count, of: data.count, "attacked")
            let clean = try Evaluation.measure(model, on: data, of: kind, positions: positions) { batch, _ in
                batch.inputs
            }
            report.clean = clean
            told("\(positions.count) examples, clean", [clean])
            let methods = [GradientAttack.Method.fgsm] + (settings.pgdSteps.map { [.pgd(steps: $0)] } ?? [])
            for method in methods {
                for epsilon in settings.epsilons {
                    let attack = GradientAttack(method, epsilon: epsilon)
                    let found = try attack.measure(
                        model, on: data, of: kind, positions: positions, batch: batchSize, key: key)
                    report.attacks.append(.init(name: attack.name, epsilon: epsilon, result: found))
                    told("\(attack.name), ε = \(epsilon)", [found])
                }
            }
        }
        for damage in settings.damage ?? InputDamage.fitting(data, of: kind) {
            let strengths = damage.strengths(of: kind)
            let found = try strengths.indices.map {
                try damage.measure(severity: $0 + 1, model, on: data, of: kind, key: key)
            }
            for (number, result) in found.enumerated() {
                report.damage.append(
                    .init(name: damage, severity: number + 1, strength: strengths[number], result: result))
            }
            told("\(damage.rawValue), severities 1 to 5", found)
        }
        for sigma in settings.noise {
            let found = try InputDamage.measure(
                sigma: sigma, staysInRange: settings.noiseStaysInRange, model, on: data, of: kind, key: key)
            report.noise.append(.init(sigma: sigma, result: found))
            told("noise, σ = \(sigma)", [found])
        }
        if !settings.labelRates.isEmpty {
            let quality = try ClassQuality.measure(model, on: data, of: kind)
            report.labelNoise = settings.labelRates.map(quality.underLabelNoise)
        }
        if settings.memorisation {
            report.memorisation = try Memorisation.measure(plan, step: step)
            if let found = report.memorisation {
                say(
                    "robustness: \(found.wronglyLabelled.count) training examples were wrongly labelled; learnt by heart: "
                        + percent(found.wronglyLabelled.trainedAccuracy ?? 0))
            }
        }
        return report
    }
}
