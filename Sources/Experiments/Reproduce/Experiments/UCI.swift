import BayesianLearning
import Datasets
import Foundation
import Statistics

/// `uci`: a point estimate, an ensemble and samples of the posterior on regression tables, each cut 20 times.
struct UCI: Reproduction {
    let id = "uci"
    let title = "Bayesian networks on UCI's regressions"
    let claim =
        "Samples of the posterior of a network of 50 hidden units say better than a point estimate what the numbers of five data "
        + "sets may be, by the likelihood of what was held out; their mean is as close."
    let source =
        "Hernández-Lobato and Adams 2015 (the set-up: 20 random cuts into 90% and 10%, 50 rectified units); Gal and Ghahramani 2016; "
        + "Lakshminarayanan, Pritzel and Blundell 2017, whose Table 1 has the published figures"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 120 : 3 }

    private static let sets: [any UCIRegression.Type] = [
        UCIConcrete.self, UCIEnergy.self, UCIYacht.self, UCIWineQualityRed.self, UCIKin8nm.self,
    ]

    func data(_ scale: ReproductionScale) -> [String] {
        scale == .full ? Self.sets.map { $0.table.name } : []
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let cuts = context.pick(full: UCITable.splits, quick: 4)
        let plan = context.pick(full: UCICut.Plan.full, quick: .quick)
        var findings = ReproductionFindings(setUp: setUp(plan, cuts: cuts, isQuick: context.isQuick))
        var results: [SetResult] = []
        let names = context.isQuick ? [Friedman.name] : Self.sets.map { $0.table.name }
        for (place, name) in names.enumerated() {
            let (set, locations) = (context.isQuick ? nil : Self.sets[place], context.locations)
            let found = try sideBySide(Array(0..<cuts)) { cut in
                let data = try set?.init(split: cut).load(from: locations) ?? Friedman.data(cut: cut)
                return try UCICut(data, plan, seed: UInt64(cut)).run()
            }
            let result = SetResult(name: name, cuts: found)
            results.append(result)
            context.told(result.words)
            findings.arms += result.arms
        }
        judge(results, slack: context.pick(full: 0, quick: 0.1), &findings)
        let gains = results.map { result in
            "\(result.name) "
                + signed(
                    Sample.mean(result.values(.sghmc) { $0.logDensity })
                        - Sample.mean(result.values(.ensemble) { $0.logDensity }))
        }
        findings.notes = [
            "No criterion: the mean log likelihood of sghmc above the ensemble's: \(gains.joined(separator: ", ")).",
            "Published figures are of other cuts of the same tables, with ± a standard error (PBP) or a standard deviation over cuts "
                + "(the others), and of shorter training (40 epochs), other priors and noise: PBP's and dropout's noise is learnt or searched for too, the deep "
                + "ensembles' members each say how wide the noise is at every input. They say what is usual, no more.",
            "The noise's deviation s and the prior's are those with which a point estimate predicts a held-out fifth of the part to "
                + "fit with best; all arms use them. So s has the point estimate's own error in it, and the spread of samples comes on top.",
        ]
        return findings
    }

    private func setUp(_ plan: UCICut.Plan, cuts: Int, isQuick: Bool) -> String {
        func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
        let data =
            isQuick
            ? "\(Friedman.words), \(cuts) times"
            : "concrete, energy, yacht, red wine and kin8nm, \(cuts) random cuts of each into 90% and 10%, standardised by the 90%"
        let sentences = [
            "\(data); a network of 50 rectified units",
            "Gaussian noise and prior, their deviations chosen by the point estimate on a held-out fifth among \(list(UCICut.noises)) "
                + "(s, standardised) and \(list(UCICut.priors))",
            "point: Adam, \(plan.modeSteps) steps with batches of \(UCICut.batch), learning rate 0.01 by a cosine to 0",
            "ensemble: \(plan.members) of it",
            "sghmc: a chain from each member, \(plan.chainSteps) steps of η = \(UCICut.chainStep)·s²/N with batches of at most "
                + "\(UCICut.chainBatch), \(plan.draws) draws of the second half",
            "swag: from each member \(plan.swagSteps) steps of SGD with η = \(UCICut.swagStep)·s², \(plan.draws) draws",
            "log likelihoods are in nats for an example, in the numbers' own unit",
        ]
        return sentences.joined(separator: "; ")
    }

    /// The criteria were stated before the first full run.
    ///
    /// - Parameter slack: nats by which a likelihood may be lower: where few cuts of one small table decide.
    private func judge(_ results: [SetResult], slack: Double, _ findings: inout ReproductionFindings) {
        let isBelow = slack > 0 ? "not more than \(slack) below" : "not below"
        let least = results.count == 1 ? 1 : 4
        func compare(
            _ what: String, _ arm: UCICut.Arm, _ quantity: (UCICut.Score) -> Double,
            isBetter: (Double) -> Bool
        ) {
            let differences = results.map { result in
                Sample.mean(
                    zip(result.values(arm, quantity), result.values(.point, quantity)).map { $0 - $1 })
            }
            let met = differences.count(where: isBetter)
            findings.check(
                "\(what), on at least \(least) of \(results.count) sets", met >= least,
                measured: zip(results, differences).map { "\($0.name) \(signed($1))" }.joined(separator: ", ")
            )
        }
        compare(
            "the mean log likelihood of sghmc is \(isBelow) the point estimate's", .sghmc, { $0.logDensity },
            isBetter: { $0 >= -slack })
        compare(
            "the mean log likelihood of the ensemble is \(isBelow) the point estimate's", .ensemble,
            { $0.logDensity }, isBetter: { $0 >= -slack })
        compare(
            "the mean log likelihood of swag is \(isBelow) the point estimate's", .swag, { $0.logDensity },
            isBetter: { $0 >= -slack })
        compare(
            "the RMSE of sghmc is not above the point estimate's", .sghmc, { $0.rmse }, isBetter: { $0 <= 0 })
        let known = results.compactMap { result in
            UCIPublished.figures[result.name].map { (result, $0.pbp.logDensity) }
        }
        guard !known.isEmpty else { return }
        let own = known.map { Sample.mean($0.0.values(.sghmc) { $0.logDensity }) }
        findings.check(
            "the mean log likelihood of sghmc is not below what was published of PBP, on at least \(least) of \(known.count) sets",
            zip(own, known).count { $0 >= $1.1 } >= least,
            measured: zip(own, known).map {
                "\($1.0.name) \(ReproductionReport.number($0)) (\(ReproductionReport.number($1.1)))"
            }.joined(separator: ", "))
    }

    private func signed(_ value: Double) -> String { String(format: "%+.3g", value) }
}

/// What the cuts of one data set gave.
private struct SetResult {
    let name: String
    let cuts: [UCICut.Outcome]

    func values(_ arm: UCICut.Arm, _ quantity: (UCICut.Score) -> Double) -> [Double] {
        cuts.map { quantity($0.scores[arm]!) }
    }

    var words: String {
        "\(name): log likelihood "
            + UCICut.Arm.allCases.map { arm in
                "\(arm.rawValue) " + String(format: "%.3f", Sample.mean(values(arm) { $0.logDensity }))
            }.joined(separator: ", ")
    }

    var arms: [ReproductionReport.Arm] {
        UCICut.Arm.allCases.map { arm in
            let published = UCIPublished.figures[name]?.words(beside: arm)
            func measure(
                _ quantity: String, _ published: String?, _ value: (UCICut.Score) -> Double
            ) -> ReproductionReport.Measure {
                .init(
                    quantity, published: published,
                    values(arm, value).enumerated().map { (seed: UInt64($0), value: $1) })
            }
            return .init(
                name: "\(name) \(arm.rawValue)", summary: arm.summary, isNegativeControl: false,
                measures: [
                    measure("test RMSE", published?.rmse) { $0.rmse },
                    measure("test log likelihood", published?.logDensity) { $0.logDensity },
                ], chosen: [:],
                notes: arm == .point
                    ? [
                        "standard errors: RMSE \(error(arm) { $0.rmse }), log likelihood \(error(arm) { $0.logDensity }); chosen: s "
                            + counted(cuts.map(\.noise)) + "; prior " + counted(cuts.map(\.prior))
                    ]
                    : [
                        "standard errors: RMSE \(error(arm) { $0.rmse }), log likelihood \(error(arm) { $0.logDensity })"
                    ])
        }
    }

    private func error(_ arm: UCICut.Arm, _ quantity: (UCICut.Score) -> Double) -> String {
        let values = values(arm, quantity)
        return ReproductionReport.number(Sample.deviation(values) / Double(values.count).squareRoot())
    }

    /// `0.2 (×13), 0.3 (×7)`.
    private func counted(_ values: [Double]) -> String {
        Dictionary(grouping: values) { $0 }.sorted { $0.key < $1.key }.map {
            "\($0.key) (×\($0.value.count))"
        }
        .joined(separator: ", ")
    }
}
