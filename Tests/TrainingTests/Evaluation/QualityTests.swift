import Datasets
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// What a classifier's probabilities are worth, against NumPy and closed forms.
@Suite struct QualityTests {
    private struct Scores: Encodable {
        var scores: [[Double]]
        var targets: [Int64]
    }

    private struct Reference: Decodable {
        var accuracy, loss, brier, uniformLoss, width, mass: Double
        var counts: [Int]
    }

    private static let script = """
        import json, sys
        import numpy as np
        given = json.load(open(sys.argv[1]))
        s = np.array(given["scores"], dtype=np.float64)
        y = np.array(given["targets"])
        s, y = s[y != -100], y[y != -100]
        n, c = s.shape
        p = np.exp(s - s.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)
        conf, right = p.max(1), (p.argmax(1) == y).astype(float)
        own = np.eye(c)[y]
        def ece(groups):
            return sum(len(g) / n * abs(right[g].mean() - conf[g].mean()) for g in groups if len(g))
        edges = np.linspace(0, 1, 16)
        bins = np.digitize(conf, edges, right=True) - 1
        order = np.argsort(conf, kind="stable")
        json.dump({
            "accuracy": right.mean(), "loss": -np.log(p[np.arange(n), y]).mean(),
            "brier": ((p - own) ** 2).sum(1).mean(), "uniformLoss": -np.log(p).mean(),
            "width": ece([np.where(bins == b)[0] for b in range(15)]),
            "mass": ece([order[n * b // 15:n * (b + 1) // 15] for b in range(15)]),
            "counts": np.bincount(bins, minlength=15).tolist(),
        }, open(sys.argv[2], "w"))
        """

    @Test func measuresAreNumPys() throws {
        var random = SeededGenerator()
        let seed = random.seed
        let classes = 5
        var scores: [[Float]] = []
        var targets: [Int64] = []
        for row in 0..<701 {
            scores.append((0..<classes).map { _ in Float.random(in: -4...4, using: &random) })
            // Often the largest, and here and there not asked for.
            let best = Int64(scores[row].firstIndex(of: scores[row].max()!)!)
            let other = Int64.random(in: 0..<Int64(classes), using: &random)
            targets.append(row % 50 == 7 ? TargetKind.ignored : row % 3 == 0 ? other : best)
        }
        let expected: Reference = try runPython(
            script: Self.script, input: Scores(scores: scores.map { $0.map(Double.init) }, targets: targets))
        var sums = ClassQuality.Sums(classes: classes)
        // In batches of any size.
        for start in stride(from: 0, to: scores.count, by: 64) {
            let end = min(start + 64, scores.count)
            try sums.add(Array(scores[start..<end].joined()), targets: Array(targets[start..<end]))
        }
        let found = sums.quality
        let pairs = [
            (found.accuracy, expected.accuracy), (found.loss, expected.loss), (found.brier, expected.brier),
            (found.uniformLoss, expected.uniformLoss), (found.calibration.equalWidthError, expected.width),
            (found.calibration.equalMassError, expected.mass),
        ]
        for (own, other) in pairs {
            #expect(abs(own - other) < 1e-12, "seed \(seed): \(own), NumPy \(other)")
        }
        #expect(found.calibration.equalWidth.map(\.count) == expected.counts, "seed \(seed)")
        #expect(found.count == targets.count { $0 != TargetKind.ignored })
        let masses = found.calibration.equalMass.map(\.count)
        #expect(masses.max()! - masses.min()! <= 1 && masses.reduce(0, +) == found.count)
    }

    /// The model's scores on a data set are measured like scores given by hand, and the loss is the evaluation's.
    @Test func aModelIsMeasuredByItsScores() throws {
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [8]).build(for: data.kind, seed: 4)
        let found = try ClassQuality.measure(model, on: data.test, of: data.kind)
        let plain = try Evaluation.measure(model, on: data.test, of: data.kind)
        #expect(found.accuracy == plain.accuracy && found.count == plain.count)
        #expect(abs(found.loss - plain.loss) < 1e-5)
        #expect(try ClassQuality.measure(model, on: data.test, of: data.kind) == found)
    }

    @Test func confidencesLieInTheirBins() {
        for bins in [1, 7, 10, 15, 49] {
            // All edges, and their neighbours.
            let edges = (1...bins).map { Double($0) / Double(bins) }
            let confidences = edges.flatMap { [$0.nextDown, $0, min($0.nextUp, 1)] }
            let found = Calibration(
                confidences: confidences, isRight: confidences.map { _ in true }, bins: bins)
            var left = confidences.sorted()[...]
            for bin in found.equalWidth {
                for confidence in left.prefix(bin.count) {
                    #expect(bin.lower < confidence && confidence <= bin.upper, "\(bins) bins: \(confidence)")
                }
                left = left.dropFirst(bin.count)
            }
            #expect(left.isEmpty)
        }
    }

    @Test func calibrationInClosedForm() {
        // Says 0.8 and is right four times of five; then says 1 and is right three times of five.
        let honest = Calibration(
            confidences: [Double](repeating: 0.8, count: 50), isRight: (0..<50).map { $0 % 5 != 0 })
        #expect(abs(honest.equalWidthError) < 1e-12)
        let boastful = Calibration(
            confidences: [Double](repeating: 1, count: 75), isRight: (0..<75).map { $0 % 5 < 3 })
        #expect(abs(boastful.equalWidthError - 0.4) < 1e-12 && abs(boastful.equalMassError - 0.4) < 1e-12)
        let none = Calibration(confidences: [], isRight: [])
        #expect(none.equalWidthError == 0 && none.equalMassError == 0)
        let one = Calibration(confidences: [0.5], isRight: [false])
        #expect(one.equalWidthError == 0.5 && one.equalMassError == 0.5)
    }

    /// Each label is redrawn to every class in turn, and the results are averaged by their probabilities.
    @Test(arguments: [0, 0.25, 1]) func labelNoiseIsTheExpectation(rate: Double) throws {
        var random = SeededGenerator()
        let (count, classes) = (40, 4)
        let scores = (0..<count * classes).map { _ in Float.random(in: -3...3, using: &random) }
        let targets = (0..<count).map { _ in Int64.random(in: 0..<Int64(classes), using: &random) }
        func measured(_ targets: [Int64]) throws -> ClassQuality {
            var sums = ClassQuality.Sums(classes: classes)
            try sums.add(scores, targets: targets)
            return sums.quality
        }
        let clean = try measured(targets)
        var (accuracy, loss) = ((1 - rate) * clean.accuracy, (1 - rate) * clean.loss)
        for drawn in 0..<Int64(classes) {
            let other = try measured([Int64](repeating: drawn, count: count))
            accuracy += rate / Double(classes) * other.accuracy
            loss += rate / Double(classes) * other.loss
        }
        let found = clean.underLabelNoise(rate: rate)
        #expect(abs(found.accuracy - accuracy) < 1e-12 && abs(found.loss - loss) < 1e-12, "\(random.seed)")

        // Labels that training's noise draws come to the same in the mean.
        let draws = 400
        let noise = LabelNoise(rate: .init(rate))
        let key = EvaluationCases.key(random.seed)
        var mean = 0.0
        for step in 0..<draws {
            var labels = targets
            labels.withUnsafeMutableBufferPointer {
                noise.apply(
                    to: $0, classes: classes, key: key, step: step, examples: ArraySlice(0..<count))
            }
            mean += try measured(labels).accuracy / Double(draws)
        }
        #expect(
            abs(mean - accuracy) < 5 * 0.5 / Double(draws * count).squareRoot() + 1e-12, "\(random.seed)")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func scoresThatAreNotFiniteAreRefused(value: Float) {
        var sums = ClassQuality.Sums(classes: 3)
        let error = #expect(throws: ModelError.self) { try sums.add([0, value, 1], targets: [0]) }
        #expect(error?.code == .notFinite)
    }
}
