/// What was published of the data sets of ``UCI``: means over 20 cuts.
///
/// All are in Table 1 of Lakshminarayanan, Pritzel and Blundell 2017, which has PBP's from Hernández-Lobato and Adams 2015 and
/// dropout's from Gal and Ghahramani 2016. Log likelihoods are its NLL with the other sign.
struct UCIPublished {
    typealias Figure = (rmse: Double, logDensity: Double)

    let pbp: Figure
    let dropout: Figure
    let ensemble: Figure

    static let figures: [String: UCIPublished] = [
        "uci-concrete": .init(pbp: (5.67, -3.16), dropout: (5.23, -3.04), ensemble: (6.03, -3.06)),
        "uci-energy": .init(pbp: (1.80, -2.04), dropout: (1.66, -1.99), ensemble: (2.09, -1.38)),
        "uci-yacht": .init(pbp: (1.02, -1.63), dropout: (1.11, -1.55), ensemble: (1.58, -1.18)),
        "uci-wine-quality-red": .init(pbp: (0.64, -0.97), dropout: (0.62, -0.93), ensemble: (0.64, -0.94)),
        "uci-kin8nm": .init(pbp: (0.10, 0.90), dropout: (0.10, 0.95), ensemble: (0.09, 1.20)),
    ]

    /// The figures that stand beside an arm: the deep ensembles' beside the ensemble's, PBP's and dropout's beside the samples'.
    func words(beside arm: UCICut.Arm) -> (rmse: String, logDensity: String)? {
        switch arm {
        case .point: nil
        case .ensemble: ("\(ensemble.rmse)", "\(ensemble.logDensity)")
        case .sghmc, .swag:
            (
                "PBP \(pbp.rmse), dropout \(dropout.rmse)",
                "PBP \(pbp.logDensity), dropout \(dropout.logDensity)"
            )
        }
    }
}
