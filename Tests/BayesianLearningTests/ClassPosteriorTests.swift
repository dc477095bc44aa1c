import BayesianLearning
import Datasets
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// The predictive distribution of classes, in closed form and against NumPy.
@Suite struct ClassPosteriorTests {
    /// Two members that are sure of different classes, and two that agree.
    @Test func aToyByHand() throws {
        // p of class 0: (0.9, 0.1) and (0.8, 0.8).
        func scores(_ p: Double) -> [Float] { [Float(log(p / (1 - p))), 0] }
        let toy = try ScriptedMembers(
            scores: [[scores(0.9), scores(0.8)], [scores(0.1), scores(0.8)]], targets: [0, 1])
        let found = try toy.classes()
        func entropy(_ p: Double) -> Double { -p * log(p) - (1 - p) * log(1 - p) }
        #expect(found.members == 2 && found.quality.count == 2)
        let (sure, unsure): (Double, Double) = (entropy(0.9), entropy(0.8))
        let loss: Double = -(log(0.5) + log(0.2)) / 2
        let memberLoss: Double = -(log(0.9) + log(0.1) + 2 * log(0.2)) / 4
        for (name, own, wanted) in [
            ("loss", found.quality.loss, loss), ("entropy", found.entropy, (log(2) + unsure) / 2),
            ("expected entropy", found.expectedEntropy, (sure + unsure) / 2),
            ("mutual information", found.mutualInformation, (log(2) - sure) / 2),
            ("brier", found.quality.brier, (0.5 + 1.28) / 2),
            ("member loss", found.meanMember.loss, memberLoss),
            ("member accuracy", found.meanMember.accuracy, 0.25),
        ] as [(String, Double, Double)] { #expect(abs(own - wanted) < 1e-6, "\(name)") }
        // What the histograms count.
        #expect(found.histograms.map(\.measure) == [.entropy, .mutualInformation])
        for histogram in found.histograms {
            let counts: [Int] = histogram.right + histogram.wrong
            #expect(counts.reduce(0, +) == 2)
            #expect(histogram.outside == nil)
        }
    }

    private struct Case: Encodable {
        var scores: [[[Float]]]
        var targets: [Int64]
    }

    private struct Reference: Decodable {
        var accuracy, loss, brier, width, mass, entropy, expected, mutual, memberAccuracy, memberLoss: Double
    }

    private static let script = """
        import json, sys
        import numpy as np
        given = json.load(open(sys.argv[1]))
        s = np.array(given["scores"], dtype=np.float32).astype(np.float64)
        y = np.array(given["targets"])
        p = np.exp(s - s.max(2, keepdims=True)); p /= p.sum(2, keepdims=True)
        H = lambda p: -(p * np.log(p)).sum(-1)
        m = p.mean(0)
        n, c = m.shape
        conf, right = m.max(1), (m.argmax(1) == y).astype(float)
        def ece(groups):
            return sum(len(g) / n * abs(right[g].mean() - conf[g].mean()) for g in groups if len(g))
        bins = np.digitize(conf, np.linspace(0, 1, 16), right=True) - 1
        order = np.argsort(conf, kind="stable")
        json.dump({
            "accuracy": right.mean(), "loss": -np.log(m[np.arange(n), y]).mean(),
            "brier": ((m - np.eye(c)[y]) ** 2).sum(1).mean(),
            "width": ece([np.where(bins == b)[0] for b in range(15)]),
            "mass": ece([order[n * b // 15:n * (b + 1) // 15] for b in range(15)]),
            "entropy": H(m).mean(), "expected": H(p).mean(), "mutual": (H(m) - H(p).mean(0)).mean(),
            "memberAccuracy": (p.argmax(2) == y).mean(),
            "memberLoss": -np.log(p[:, np.arange(n), y]).mean(),
        }, open(sys.argv[2], "w"))
        """

    @Test func measuresAreNumPys() throws {
        var random = SeededGenerator()
        let (examples, classes, members) = (301, 5, 7)
        let shared = (0..<examples).map { _ in
            (0..<classes).map { _ in Float.random(in: -3...3, using: &random) }
        }
        let scores = (0..<members).map { _ in
            shared.map { $0.map { $0 + Float.random(in: -2...2, using: &random) } }
        }
        let targets = shared.enumerated().map { example, own in
            example % 3 == 0
                ? Int64.random(in: 0..<Int64(classes), using: &random)
                : Int64(own.firstIndex(of: own.max()!)!)
        }
        let expected: Reference = try runPython(
            script: Self.script, input: Case(scores: scores, targets: targets))
        let found = try ScriptedMembers(scores: scores, targets: targets).classes()
        for (name, own, other) in [
            ("accuracy", found.quality.accuracy, expected.accuracy),
            ("loss", found.quality.loss, expected.loss), ("brier", found.quality.brier, expected.brier),
            ("width", found.quality.calibration.equalWidthError, expected.width),
            ("mass", found.quality.calibration.equalMassError, expected.mass),
            ("entropy", found.entropy, expected.entropy),
            ("expected entropy", found.expectedEntropy, expected.expected),
            ("mutual information", found.mutualInformation, expected.mutual),
            ("member accuracy", found.meanMember.accuracy, expected.memberAccuracy),
            ("member loss", found.meanMember.loss, expected.memberLoss),
        ] {
            #expect(abs(own - other) < 1e-11, "\(name): \(own), NumPy \(other); seed \(random.seed)")
        }
        // Jensen's inequality.
        #expect(found.quality.loss < found.meanMember.loss, "seed \(random.seed)")
    }

    /// Probabilities that float64 cannot hold keep their logarithms.
    @Test func scoresFarApart() throws {
        let found = try ScriptedMembers(
            scores: [[[2000, 0], [-1500, 0]], [[1000, 0], [-1500, 0]]], targets: [1, 1]
        ).classes()
        // −log ½(e⁻²⁰⁰⁰ + e⁻¹⁰⁰⁰) = 1000 + log 2, and 0.
        let loss: Double = (1000 + log(2)) / 2
        #expect(abs(found.quality.loss - loss) < 1e-9)
        #expect(found.entropy == 0 && found.mutualInformation == 0 && found.histograms.count == 1)
    }

    @Test func anEnsembleOfOneIsTheModel() throws {
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [8], dropout: 0.3, batchNorm: true).build(for: data.kind, seed: 4)
        let alone = try ClassQuality.measure(model, on: data.test, of: data.kind)
        let found = try ClassPosterior.measure(ModelMembers(), model, on: data.test, of: data.kind)
        #expect(found.quality.accuracy == alone.accuracy && found.quality.count == alone.count)
        for (own, other) in [
            (found.quality.loss, alone.loss), (found.quality.brier, alone.brier),
            (found.quality.uniformLoss, alone.uniformLoss),
            (found.quality.calibration.equalWidthError, alone.calibration.equalWidthError),
            (found.meanMember.loss, alone.loss), (found.entropy, found.expectedEntropy),
        ] { #expect(abs(own - other) < 1e-12) }
    }

    @Test func outsideIsToldApart() throws {
        // Inside sure; outside members are unsure (entropy), or sure and at odds (mutual information).
        func predictions(_ first: [[Float]], _ second: [[Float]]) throws -> ClassPredictions {
            try ScriptedMembers(scores: [first, second], targets: first.map { _ in 0 }).predictions()
        }
        let inside = try predictions([[5, 0], [0, 6], [4, 0]], [[5, 0], [0, 6], [4, 0]])
        let unsure = try predictions([[0, 0], [0.1, 0]], [[0, 0], [0.1, 0]])
        let found = OutOfDistribution("other", outside: unsure, inside: inside)
        #expect(found.byEntropy == 1 && found.byConfidence == 1 && found.count == 2)
        let split = try predictions([[9, 0], [4.5, 0]], [[0, 9], [4.5, 0]])
        let odd = OutOfDistribution("odd", outside: split, inside: inside)
        // Of entropies (log 2, between 4 and 5) among (6, 5, 4): 5 of 6 pairs.
        #expect(abs(odd.byEntropy - 5.0 / 6) < 1e-12, "\(odd)")
        // The disagreeing one is above all; the other ties with 0 up to rounding, and counts within [0, 3] of 6.
        #expect((odd.byMutualInformation ?? 0) >= 0.5, "\(odd)")
        #expect(OutOfDistribution("same", outside: inside, inside: inside).byEntropy == 0.5)
        let one = try ScriptedMembers(scores: [[[1, 0]]], targets: [0]).predictions()
        #expect(OutOfDistribution("one", outside: one, inside: one).byMutualInformation == nil)
    }

    @Test func aMemberThatIsNotFiniteIsNamed() throws {
        let broken = try ScriptedMembers(
            scores: [[[1, 0]], [[.nan, 0]], [[0, 0]]], targets: [0])
        #expect {
            try broken.classes()
        } throws: { error in
            (error as? ModelError)?.code == .notFinite && "\(error)".contains("member 2 of 3")
        }
    }
}
