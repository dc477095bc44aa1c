import Foundation

/// The state tensors of one parameter: zeroed memory, aligned to a cache line, owned.
final class StateMemory {
    let tensors: [UnsafeMutableRawBufferPointer]
    var count: Int { tensors.count }

    init(tensors count: Int, bytes: Int) {
        tensors = (0..<count).map { _ in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes, 1), alignment: 64)
            memset(memory.baseAddress!, 0, memory.count)
            return UnsafeMutableRawBufferPointer(start: memory.baseAddress, count: bytes)
        }
    }

    deinit {
        for tensor in tensors { tensor.baseAddress?.deallocate() }
    }
}
