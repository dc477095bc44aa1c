/// Wine quality: tasters' marks of red wines, whole numbers from 3 to 8, from eleven measurements; 1,599 rows.
public struct UCIWineQualityRed: UCIRegression {
    public let split: Int

    public init(split: Int) { self.split = split }

    public static let table = UCITable(
        folder: "wine-quality-red", summary: "the marks of 1,599 red wines from their chemistry", rows: 1_599,
        features: 11,
        source:
            "Cortez et al. (2009), Wine Quality, UCI Machine Learning Repository, doi:10.24432/C56S3T",
        licence: "CC BY 4.0", byteCount: 84_027, md5: "4db64a13e3668d394c63b75404fe056d",
        sha256: "3ba41eaf4ab562088cf47b5c9dca2b4de2a330c3ee38a7920b4527a09574d5c1")
}
