import Foundation
import Safetensors

/// A tensor that belongs to the model's state although no rule updates it, such as the running statistics of batch
/// normalisation: a snapshot keeps it, and a rollback brings it back with θ.
public struct CompanionTensor {
    public let name: String
    public let type: TensorType
    public let shape: [Int]
    let read: () -> Data
    let write: (Data) -> Void

    /// - Parameters:
    ///   - name: different from those of the others.
    ///   - read: a copy of the elements, in row-major order.
    ///   - write: overwrites the elements with as many bytes.
    public init(
        name: String, type: TensorType, shape: [Int], read: @escaping () -> Data,
        write: @escaping (Data) -> Void
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.read = read
        self.write = write
    }

    /// Its name in a state file.
    var fileName: String { "snapshot/\(name)/buffer" }
}
