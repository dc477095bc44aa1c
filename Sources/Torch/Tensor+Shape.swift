import CTorchBridge

extension Tensor {
    /// The same elements in another shape; one size may be −1 and is inferred. Shares memory where it can.
    public func reshaped(_ shape: [Int]) -> Tensor {
        result("reshaped", self) { ptb_reshape($0, shape, shape.count, $1) }
    }

    /// Repeats dimensions of size 1 without copying.
    public func expanded(_ shape: [Int]) -> Tensor {
        result("expanded", self) { ptb_expand($0, shape, shape.count, $1) }
    }

    /// The dimensions in another order, without copying.
    public func permuted(_ order: [Int]) -> Tensor {
        result("permuted", self) { ptb_permute($0, order, order.count, $1) }
    }

    /// Two dimensions exchanged, without copying.
    public func transposed(_ first: Int, _ second: Int) -> Tensor {
        result("transposed", self) { ptb_transpose($0, first, second, $1) }
    }

    /// The dimensions from `first` through `last` made one.
    public func flattened(from first: Int = 0, through last: Int = -1) -> Tensor {
        result("flattened", self) { ptb_flatten($0, first, last, $1) }
    }

    /// Without the dimension, if its size is 1.
    public func squeezed(_ dimension: Int) -> Tensor {
        result("squeezed", self) { ptb_squeeze($0, dimension, $1) }
    }

    /// With a new dimension of size 1 before `dimension`.
    public func unsqueezed(_ dimension: Int) -> Tensor {
        result("unsqueezed", self) { ptb_unsqueeze($0, dimension, $1) }
    }

    /// The part along one dimension whose indices lie in `range`. Shares memory.
    public func narrowed(_ dimension: Int, to range: Range<Int>) -> Tensor {
        result("narrowed", self) { ptb_narrow($0, dimension, range.lowerBound, range.count, $1) }
    }

    /// The part at one index of one dimension, which disappears. Shares memory.
    public func selected(_ dimension: Int, at index: Int) -> Tensor {
        result("selected", self) { ptb_select($0, dimension, index, $1) }
    }

    /// The parts at the indices of an int64 tensor [n], copied in that order.
    public func gathered(_ indices: Tensor, along dimension: Int = 0) -> Tensor {
        result("gathered", self, indices) { ptb_index_select($0, dimension, $1, $2) }
    }

    /// One element for each index: `self[i, indices[i, j]]` for two dimensions and `dimension` 1, as `torch.gather`.
    ///
    /// - Parameter indices: int64, with as many dimensions as this tensor.
    public func taken(at indices: Tensor, along dimension: Int) -> Tensor {
        result("taken", self, indices) { ptb_take_along($0, dimension, $1, $2) }
    }

    /// The rows at the indices of an int64 tensor [n]: a batch out of a data set.
    public subscript(indices: Tensor) -> Tensor { gathered(indices) }

    /// The part at one index of the first dimension. Shares memory.
    public subscript(index: Int) -> Tensor { selected(0, at: index) }

    /// The rows in `range`. Shares memory.
    public subscript(range: Range<Int>) -> Tensor { narrowed(0, to: range) }

    /// Every `step`-th part along one dimension, from the first. Shares memory.
    public func strided(_ dimension: Int, by step: Int) -> Tensor {
        result("strided", self) { ptb_strided($0, dimension, step, $1) }
    }

    /// Zeros before and after the elements of one dimension; the memory's layout stays.
    public func padded(_ dimension: Int, before: Int, after: Int) -> Tensor {
        let place = dimension < 0 ? -1 - dimension : rank - 1 - dimension
        let amounts = [Int](repeating: 0, count: 2 * place) + [before, after]
        return result("padded", self) { ptb_pad($0, amounts, amounts.count, $1) }
    }

    /// Tensors joined along an existing dimension. Traps for none.
    public static func concatenated(_ parts: [Tensor], along dimension: Int = 0) -> Tensor {
        joined("concatenated", parts) { ptb_concatenate($0, $1, dimension, $2) }
    }

    /// Tensors of one shape joined along a new dimension. Traps for none.
    public static func stacked(_ parts: [Tensor], along dimension: Int = 0) -> Tensor {
        joined("stacked", parts) { ptb_stack($0, $1, dimension, $2) }
    }

    private static func joined(
        _ operation: StaticString, _ parts: [Tensor],
        _ call: (UnsafePointer<OpaquePointer>, Int, NewHandle) -> Int32
    ) -> Tensor {
        var handle: OpaquePointer?
        let status = withHandles(of: parts) { call($0, $1, &handle) }
        guard status == 0 else { return failed(operation, status, parts) }
        return Tensor(adopting: handle.unsafelyUnwrapped)
    }
}
