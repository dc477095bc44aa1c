import CTorchBridge

extension Tensor {
    /// −mean log softmax(logits)[target], for logits [n, classes] and int64 targets [n] or probabilities
    /// [n, classes].
    ///
    /// With `labelSmoothing` s in 0...1, the target is (1 − s)·target + s/classes.
    public func crossEntropy(_ target: Tensor, labelSmoothing: Double = 0) -> Tensor {
        result("crossEntropy", self, target) { ptb_cross_entropy($0, $1, labelSmoothing, $2) }
    }

    /// mean (a − b)², for equal shapes.
    public func meanSquaredError(_ target: Tensor) -> Tensor {
        result("meanSquaredError", self, target, ptb_mean_squared_error)
    }

    /// −mean (t·log σ(x) + (1 − t)·log(1 − σ(x))), for equal shapes, computed without overflow.
    public func binaryCrossEntropyWithLogits(_ target: Tensor) -> Tensor {
        result("binaryCrossEntropyWithLogits", self, target, ptb_binary_cross_entropy_with_logits)
    }

    /// How many rows of logits [n, classes] are largest at their int64 target [n].
    public func countCorrect(_ target: Tensor) -> Int {
        withExtendedLifetime((self, target)) {
            var correct: Int64 = 0
            guard ptb_count_correct(handle, target.handle, &correct) == 0 || Libtorch.holdsFailure
            else {
                trap("countCorrect", [self, target])
            }
            return Int(correct)
        }
    }
}
