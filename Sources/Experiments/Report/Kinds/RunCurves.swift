import Foundation
import Training

/// The curves of a run's log.
struct RunCurves {
    private let log: RunLog

    init(_ log: RunLog) { self.log = log }

    private static let step = ReportChart.Axis("step")

    /// Loss, accuracy and what else was evaluated, in training and on held-out data.
    var measures: [ReportChart] {
        [
            ("loss", "Loss", "loss"), ("accuracy", "Accuracy", "accuracy"),
            ("perplexity", "Perplexity", "perplexity"), ("rmse", "Root mean squared error", "rmse"),
            ("mae", "Mean absolute error", "mae"), ("return", "Return", "return"),
            ("length", "Length of episodes", "steps"), ("energy", "Energy U, mean over the chains", "nats"),
            ("rHat", "Largest R̂ so far", "R̂"),
        ].compactMap { name, title, axis in measure(name, title, axis) }
    }

    private func measure(_ name: String, _ title: String, _ axis: String) -> ReportChart? {
        let train = log.column(.train, name)
        var series =
            train.map { [$0.series(isAgent ? "last 100 episodes" : "training batches", colour: 0)] } ?? []
        for (kind, words, colour) in [
            (MetricsRecord.Kind.validation, "validation", 2), (.test, "test", 1),
        ] {
            if let column = log.column(kind, name) {
                series.append(
                    column.series(isAgent ? "without exploration" : words, colour: colour, marked: true))
            }
        }
        guard !series.isEmpty else { return nil }
        let isLoss = name == "loss" || name == "return"
        let events = isLoss ? log.events : []
        var captions = [train?.thinning].compactMap { $0 }
        if !events.isEmpty {
            captions.append(
                "Dotted marks: the stability controller skipped the step or rolled back"
                    + (isAgent ? ", or the policy collapsed." : "."))
        }
        return ReportChart(
            lines: title, x: Self.step, y: .init(axis, isShare: name == "accuracy"), series,
            caption: captions.isEmpty ? nil : captions.joined(separator: " "),
            marks: events.isEmpty ? nil : events.prefix(200).map { Double($0.step) })
    }

    private var isAgent: Bool { log.column(.train, "episodes") != nil }

    /// What an agent's updates did, as far as they are logged.
    var updates: [ReportChart] {
        [
            ("approximateKL", "Approximate KL of the update", "nats"),
            ("clipFraction", "Share of clipped ratios", "share"),
            ("entropy", "Entropy of the policy", "nats"),
            ("policyLoss", "Policy loss", "loss"), ("valueLoss", "Value loss", "loss"),
            ("explainedVariance", "Explained variance of the returns", "share"),
            ("criticLoss", "Critic loss", "loss"), ("temperature", "Temperature", "α"),
            ("epsilon", "Exploration ε", "ε"), ("meanQ", "Mean Q", "return"),
        ].compactMap { name, title, axis in
            guard isAgent, let column = log.column(.train, name) else { return nil }
            return ReportChart(
                lines: title, x: Self.step, y: .init(axis), [column.series(title, colour: 0)],
                caption: column.thinning)
        }
    }

    /// What the equation did: strengths, norms and rates, as far as they are logged.
    var equation: [ReportChart] {
        [
            ("sigma", "Noise strength σ(t)", "σ, gradient units", nil),
            (
                "perturbationToGradient", "Perturbation to gradient ‖δ‖/‖g‖", "‖δ‖/‖g‖",
                "After clipping and bounds."
            ),
            (
                "effectivePerturbation", "Effective perturbation", "‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖",
                "How much of the update the perturbation makes, after rule and learning rate."
            ),
            ("learningRate", "Learning rate η(t)", "η", nil),
            ("gradientNorm", "Gradient norm ‖g‖", "‖g‖", nil),
        ].compactMap { name, title, axis, caption in
            guard let column = log.column(.train, name) else { return nil }
            let captions = [caption, column.thinning].compactMap { $0 }
            return ReportChart(
                lines: title, x: Self.step, y: .init(axis), [column.series(title, colour: 0)],
                caption: captions.isEmpty ? nil : captions.joined(separator: " "))
        }
    }
}
