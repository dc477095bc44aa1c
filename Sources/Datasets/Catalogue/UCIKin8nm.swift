/// Kin8nm: the distance of a simulated robot arm's hand from a target, from its eight joints; 8,192 rows. Of the Delve collection, not
/// of UCI's, but compared on with the others.
public struct UCIKin8nm: UCIRegression {
    public let split: Int

    public init(split: Int) { self.split = split }

    public static let table = UCITable(
        folder: "kin8nm",
        summary: "the reach of a robot arm of 8 joints, 8,192 positions",
        rows: 8_192,
        features: 8,
        source:
            "Ghahramani (1996), the kin family of Delve, University of Toronto: 8 inputs, "
            + "nonlinear, medium noise",
        licence: "none stated", byteCount: 1_187_840, md5: "d98fb393cdd2a57256699f8968d4d632",
        sha256: "a694ce0c7a21390f2bd2a205c36f2482cd974637a207038696716e22f3bbe810")
}
