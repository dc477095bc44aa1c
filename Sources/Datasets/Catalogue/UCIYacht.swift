/// Yacht hydrodynamics: residuary resistance per unit weight, from five features of the hull and the Froude number; 308 rows.
public struct UCIYacht: UCIRegression {
    public let split: Int

    public init(split: Int) { self.split = split }

    public static let table = UCITable(
        folder: "yacht", summary: "the resistance of 308 sailing yachts from their hull and speed", rows: 308,
        features: 6,
        source:
            "Gerritsma, Onnink and Versluis (1981), Yacht Hydrodynamics, UCI Machine "
            + "Learning Repository, doi:10.24432/C5XG7R",
        licence: "CC BY 4.0", byteCount: 11_487, md5: "7f76e247bb7ca38df3f1a5e918697b3f",
        sha256: "00dfecc0fc01ddd4c90b558a3ac11b246df8ebcfea130724223475a9a67f0ea1")
}
