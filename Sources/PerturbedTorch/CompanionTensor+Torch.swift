import Foundation
import PerturbedEquations
import Torch
import TorchNN

extension CompanionTensor {
    /// A buffer of a module, such as a running mean.
    init(_ buffer: NamedTensor) {
        let tensor = buffer.tensor.detached()
        self.init(
            name: buffer.name, type: .init(tensor.dtype), shape: tensor.shape,
            read: { tensor.moved(to: .cpu).contiguous().withUnsafeMutableBytes { Data($0) } },
            write: { data in
                let copy = tensor.moved(to: .cpu).contiguous()
                _ = copy.withUnsafeMutableBytes { data.copyBytes(to: $0) }
                if !copy.isSame(as: tensor) { tensor.copy(from: copy) }
            })
    }
}
