/// Energy efficiency: the heating load of simulated buildings in kWh/m², from eight features of their shape; 768 rows.
public struct UCIEnergy: UCIRegression {
    public let split: Int

    public init(split: Int) { self.split = split }

    public static let table = UCITable(
        folder: "energy", summary: "the heating load of 768 buildings from their shape", rows: 768,
        features: 8,
        source:
            "Tsanas and Xifara (2012), Energy Efficiency, UCI Machine Learning Repository, "
            + "doi:10.24432/C51307",
        licence: "CC BY 4.0", byteCount: 35_309, md5: "261d4267aec44ab19d18cca07eb7060f",
        sha256: "7f8bf024cea437267d56be99b7af7bb3faebec8a7bccfbb20d06d52d9372a950")
}
