import Foundation
import Safetensors

extension TensorSource {
    /// The bytes that a file would hold.
    func data() throws -> Data {
        var data = Data()
        try bytes { data.append(contentsOf: $0) }
        return data
    }
}

extension [TensorSource] {
    /// The same of each, by name.
    func data() throws -> [String: Data] {
        Dictionary(uniqueKeysWithValues: try map { ($0.name, try $0.data()) })
    }
}
