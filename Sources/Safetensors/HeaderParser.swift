/// Reads the JSON header of a safetensors file: exactly the grammar that the format allows, no more.
///
/// `{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {"k": "v"}}`
///
/// Work and memory are linear in the header's length; there is no recursion.
enum HeaderParser {
    struct Item {
        var name: String
        var type: String
        var shape: [Int]
        var begin: Int
        var end: Int
    }

    /// More extents than any tensor has; a bound on what a hostile header can make us store.
    static let maximumRank = 64

    /// `bytes` is the header alone, without the eight bytes of its length.
    static func parse(_ bytes: UnsafeRawBufferPointer) throws -> (items: [Item], metadata: [String: String]) {
        do {
            return try header(JSONScanner(bytes))
        } catch let error as JSONError {
            throw SafetensorsError(
                .header, "the header is not valid at byte \(error.position): \(error.what)")
        }
    }

    private static func header(_ scanner: consuming JSONScanner) throws -> (
        items: [Item], metadata: [String: String]
    ) {
        var items: [Item] = []
        var metadata: [String: String]?
        try scanner.object { scanner, name in
            if name == "__metadata__" {
                guard metadata == nil else { throw scanner.error("'__metadata__' is given twice") }
                var pairs: [String: String] = [:]
                try scanner.object { scanner, key in
                    guard pairs.updateValue(try scanner.string(), forKey: key) == nil else {
                        throw scanner.error("metadata key '\(key)' is given twice")
                    }
                }
                metadata = pairs
            } else {
                items.append(try item(named: name, &scanner))
            }
        }
        try scanner.end(after: "the closing brace")
        return (items, metadata ?? [:])
    }

    private static func item(named name: String, _ scanner: inout JSONScanner) throws -> Item {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { scanner, key in
            let isNew: Bool
            switch key {
            case "dtype":
                isNew = type == nil
                type = try scanner.string()
            case "shape":
                isNew = shape == nil
                shape = try integers(of: key, in: name, &scanner, atMost: Self.maximumRank)
            case "data_offsets":
                isNew = offsets == nil
                offsets = try integers(of: key, in: name, &scanner, atMost: 2)
            default:
                throw scanner.error(
                    "tensor '\(name)' has unknown field '\(key)'; allowed: dtype, shape, data_offsets")
            }
            guard isNew else { throw scanner.error("tensor '\(name)' has field '\(key)' twice") }
        }
        guard let type else { throw scanner.error("tensor '\(name)' has no dtype") }
        guard let shape else { throw scanner.error("tensor '\(name)' has no shape") }
        guard let offsets, offsets.count == 2 else {
            throw scanner.error("tensor '\(name)' needs data_offsets [begin, end]")
        }
        return Item(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    private static func integers(
        of field: String, in name: String, _ scanner: inout JSONScanner, atMost limit: Int
    ) throws -> [Int] {
        var values: [Int] = []
        try scanner.array { scanner in
            guard values.count < limit else {
                throw scanner.error("tensor '\(name)' has more than \(limit) numbers in \(field)")
            }
            guard let value = try scanner.digits("tensor '\(name)' has a number in \(field)") else {
                throw scanner.error("tensor '\(name)': \(field) must hold whole numbers of 0 or more")
            }
            values.append(value)
        }
        return values
    }
}
