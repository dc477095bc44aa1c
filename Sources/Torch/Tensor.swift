import CTorchBridge

/// An n-dimensional array of numbers in libtorch's memory, with automatic differentiation.
///
/// A `Tensor` is a reference: copies of it share the same elements. Operations return new tensors; the few
/// that write in place say so in their names. Shape mistakes trap with the operation's name and the shapes.
///
/// ```swift
/// let x = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
/// let y = x.matmul(x.transposed(0, 1))
/// print(y.shape, y.sum().item())  // [2, 2] 155.0
/// ```
public struct Tensor {
    /// Owns one handle of the bridge.
    final class Storage {
        let handle: OpaquePointer
        init(_ handle: OpaquePointer) { self.handle = handle }
        deinit { ptb_release(handle) }
    }

    let storage: Storage

    /// Read it only inside a helper of `Bridge.swift`, which keeps the tensor alive.
    @inline(__always) var handle: OpaquePointer { storage.handle }

    @inline(__always)
    init(adopting handle: OpaquePointer) { storage = Storage(handle) }

    /// The sizes of all dimensions; empty for a scalar. Makes an array: in a hot loop use `size(_:)`.
    public var shape: [Int] {
        withExtendedLifetime(self) { (0..<ptb_rank(handle)).map { ptb_size(handle, $0) } }
    }

    /// The size along one dimension; a negative one counts from the last. Traps where there is no such one.
    public func size(_ dimension: Int) -> Int {
        withExtendedLifetime(self) {
            let rank = ptb_rank(handle)
            let index = dimension < 0 ? dimension + rank : dimension
            demand(
                index >= 0 && index < rank, "size: no dimension \(dimension) in the shape \(shape)")
            guard index >= 0 && index < rank else { return 0 }
            return ptb_size(handle, index)
        }
    }

    /// The number of dimensions.
    public var rank: Int { withExtendedLifetime(self) { ptb_rank(handle) } }

    /// The number of elements.
    public var count: Int { withExtendedLifetime(self) { ptb_count(handle) } }

    /// The type of the elements. Traps for a type that only a foreign file could bring.
    public var dtype: DType {
        withExtendedLifetime(self) {
            guard let dtype = DType(rawValue: ptb_dtype_of(handle)) else {
                fatalError(
                    "a tensor has an element type (\(ptb_dtype_of(handle))) that Torch does not know")
            }
            return dtype
        }
    }

    /// Whether the elements lie in row-major order without gaps.
    public var isContiguous: Bool { withExtendedLifetime(self) { ptb_is_contiguous(handle) } }

    /// Whether both are the same tensor, not only equal ones.
    public func isSame(as other: Tensor) -> Bool { storage === other.storage }
}

extension Tensor: CustomStringConvertible {
    /// The shape and type, and the elements of a small tensor.
    public var description: String {
        let head = "Tensor\(shape) \(dtype)"
        guard count <= 16, let values = try? converted(to: .float64).array(of: Double.self) else {
            return head
        }
        return "\(head) \(values)"
    }
}

/// Facts about the libtorch that this process runs on.
public enum Libtorch {
    /// Its version, such as `2.13.0`.
    public static var version: String { String(cString: ptb_libtorch_version()) }

    /// What it is built for, in words: the CPU alone, or CUDA too; or why its CUDA half cannot be loaded.
    package static var gpuSupport: String {
        if ptb_has_cuda_half() { return "built with CUDA" }
        let fault = String(cString: ptb_cuda_fault())
        return fault.isEmpty ? "built for the CPU alone" : "whose CUDA half cannot be loaded: \(fault)"
    }

    /// Tells the process's allocator to keep up to 1 GiB of freed memory for the next allocation, rather than give
    /// it back to the system after each training step: a CNN trains up to a third faster so. Call it once, at the
    /// start of a program that trains; train on its main thread, whose memory this is about.
    /// - Returns: whether the C library has such a setting (glibc has).
    @discardableResult
    public static func keepFreedMemory() -> Bool { ptb_keep_freed_memory() }

    /// How many tensors the process holds through this module. For leak tests.
    public static var liveHandles: Int { Int(ptb_live_handles()) }
}
