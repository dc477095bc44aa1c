import Torch

/// A tensor of random numbers within a forward pass, which traps where there is no memory, as its other operations do.
func drawn(_ operation: StaticString, _ make: () throws(TorchError) -> Tensor) -> Tensor {
    do {
        return try make()
    } catch {
        fatalError("\(operation): \(error)")
    }
}
