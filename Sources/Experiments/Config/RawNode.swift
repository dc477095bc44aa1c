/// A value of a configuration as it was written, to be changed and decoded later.
struct RawNode: Decodable {
    let node: ConfigNode

    init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? StrictDecoder else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "only a configuration has raw values")
            )
        }
        node = decoder.node
    }
}
