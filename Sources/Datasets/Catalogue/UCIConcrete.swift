/// Concrete: compressive strength in MPa, from the amounts of seven ingredients and the age; 1,030 rows.
public struct UCIConcrete: UCIRegression {
    public let split: Int

    public init(split: Int) { self.split = split }

    public static let table = UCITable(
        folder: "concrete", summary: "the strength of 1,030 concretes from their recipe and age", rows: 1_030,
        features: 8,
        source:
            "Yeh (1998), Concrete Compressive Strength, UCI Machine Learning Repository, "
            + "doi:10.24432/C5PK67",
        licence: "CC BY 4.0", byteCount: 57_858, md5: "3a0d46c88b95e3181e5a29475b3a2e04",
        sha256: "43d290fd2c2a399ad7e62c45cab5337ba94ece69ebdcf5875aa668cb886243de")
}
