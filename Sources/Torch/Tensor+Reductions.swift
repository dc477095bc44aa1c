import CTorchBridge

extension Tensor {
    private func reduced(_ name: StaticString, _ reduction: ptb_reduction) -> Tensor {
        result(name, self) { ptb_reduce(Int32(reduction.rawValue), $0, $1) }
    }

    private func reduced(_ name: StaticString, _ reduction: ptb_reduction, _ dimension: Int, _ keep: Bool)
        -> Tensor
    {
        result(name, self) { ptb_reduce_along(Int32(reduction.rawValue), $0, dimension, keep, $1) }
    }

    // Over all elements: a scalar tensor.
    public func sum() -> Tensor { reduced("sum", PTB_SUM) }
    public func mean() -> Tensor { reduced("mean", PTB_MEAN) }
    public func max() -> Tensor { reduced("max", PTB_MAX) }
    public func min() -> Tensor { reduced("min", PTB_MIN) }
    /// The Euclidean norm, √Σx².
    public func norm() -> Tensor { reduced("norm", PTB_NORM) }

    // Along one dimension, which disappears unless `keep`: then its size becomes 1.
    public func sum(along dimension: Int, keep: Bool = false) -> Tensor {
        reduced("sum", PTB_SUM, dimension, keep)
    }
    public func mean(along dimension: Int, keep: Bool = false) -> Tensor {
        reduced("mean", PTB_MEAN, dimension, keep)
    }
    public func max(along dimension: Int, keep: Bool = false) -> Tensor {
        reduced("max", PTB_MAX, dimension, keep)
    }
    public func min(along dimension: Int, keep: Bool = false) -> Tensor {
        reduced("min", PTB_MIN, dimension, keep)
    }
    /// The Euclidean norm, √Σx².
    public func norm(along dimension: Int, keep: Bool = false) -> Tensor {
        reduced("norm", PTB_NORM, dimension, keep)
    }

    /// Σ(x − x̄)² over n − 1 (`unbiased`) or n.
    public func variance(along dimension: Int, unbiased: Bool = true, keep: Bool = false) -> Tensor {
        result("variance", self) { ptb_variance($0, dimension, unbiased, keep, $1) }
    }

    /// The index of the largest element, as int64.
    public func argmax(along dimension: Int) -> Tensor {
        result("argmax", self) { ptb_argmax($0, dimension, $1) }
    }

    /// eˣ/Σeˣ.
    public func softmax(along dimension: Int = -1) -> Tensor {
        result("softmax", self) { ptb_softmax($0, dimension, $1) }
    }

    /// x − log Σeˣ.
    public func logSoftmax(along dimension: Int = -1) -> Tensor {
        result("logSoftmax", self) { ptb_log_softmax($0, dimension, $1) }
    }
}
