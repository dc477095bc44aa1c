import Testing
import Torch

@Suite struct FailureTests {
    @Test func anExceptionBecomesAnErrorWithItsMessage() throws {
        let vector = try Tensor([1, 2] as [Float]).requiringGradient()
        let error = #expect(throws: TorchError.self) { try (vector * 2).backward() }
        #expect(error?.code == .refused && error?.operation == "backward")
        #expect(error?.message == "grad can be implicitly created only for scalar outputs")
        let constant = try Tensor.zeros([])
        let second = #expect(throws: TorchError.self) { try constant.backward() }
        #expect(second?.message.contains("does not require grad") == true)
    }

    @Test func exhaustedMemoryIsAnError() {
        let error = #expect(throws: TorchError.self) { try Tensor.zeros([1 << 50]) }
        #expect(error?.code == .outOfMemory)
        #expect(error?.message.contains("4503599627370496 bytes") == true)
    }

    /// A forward pass does not throw: the failure waits for the next call that can.
    @Test func exhaustedMemoryInAForwardPassIsHeld() throws {
        let column = try Tensor.zeros([1 << 25, 1]).requiringGradient()
        /// 4 PiB, which no machine grants; then what a model would go on with.
        func forward() -> Tensor {
            let product = column.matmul(column.transposed(0, 1))
            #expect(product.shape == [0] && product.size(1) == 0)
            return Tensor.stacked([product.reshaped([3, 1 << 20]).relu().matmul(column), column]).sum()
        }
        let loss = forward()
        #expect(loss.item().isNaN)
        let error = #expect(throws: TorchError.self) { try loss.backward() }
        #expect(error?.code == .outOfMemory && error?.operation == "matmul", "\(String(describing: error))")
        #expect(error?.message.contains("4503599627370496 bytes") == true)

        _ = forward()
        let held = #expect(throws: TorchError.self) { try Libtorch.checkHeldFailure() }
        #expect(held == error)
        // Nothing is left of it: what follows is a failure of its own, or none.
        try Libtorch.checkHeldFailure()
        let other = #expect(throws: TorchError.self) { try Tensor.zeros([2]).backward() }
        #expect(other?.code == .refused)
        #expect(column.sum().item() == 0)
    }

    @Test func impossibleSizesAreErrors() {
        let error = #expect(throws: TorchError.self) { try Tensor.zeros([2, -1]) }
        #expect(error?.code == .refused && error?.operation == "full")
        #expect(error?.message.contains("-1") == true, "\(error?.message ?? "no error")")
    }

    @Test func bytesMustFit() throws {
        let error = #expect(throws: TorchError.self) {
            try [1, 2, 3].withUnsafeBytes { try Tensor(bytes: $0, shape: [2], dtype: .int64) }
        }
        #expect(error?.message.contains("[2]") == true && error?.message.contains("24") == true)
    }

    /// Runs in a process of its own, so that no other test's tensors are counted.
    @Test func everyHandleIsReleased() async {
        await #expect(processExitsWith: .success) {
            func work() throws {
                let x = try Tensor.normal([8, 3, 6, 6], seed: 1)
                let kernel = try Tensor.normal([4, 3, 3, 3], seed: 2).requiringGradient()
                let weight = try Tensor.normal([2, 16], seed: 3).requiringGradient()
                let list = TensorList([kernel, weight])
                for step in 0..<3 {
                    let hidden = x.conv2d(kernel, nil, padding: 1).relu().maxPool2d(3).flattened(from: 1)
                    let dropped = hidden.dropout(0.5, seed: UInt64(step))
                    let loss = dropped.linear(weight, nil).crossEntropy(
                        try Tensor([0, 1, 0, 1, 0, 1, 0, 1] as [Int]))
                    try loss.backward()
                    try list.withParameterViews { _ in }
                    guard weight.gradient?.shape == [2, 16] else { fatalError("no gradient") }
                    list.zeroGradients()
                }
                _ = Tensor.stacked([x, x])
                _ = "\(x)"
                // Failures must not leak either.
                do {
                    try x.backward()
                    fatalError("there was no error")
                } catch {}
            }
            precondition(Libtorch.liveHandles == 0)
            try work()
            precondition(Libtorch.liveHandles == 0, "\(Libtorch.liveHandles) tensors leaked")
        }
    }

    @Test func wrongShapesTrapWithNameAndShapes() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let a = try Tensor.zeros([2, 3])
            _ = a.matmul(try Tensor.zeros([4, 5]))
        }
        let words = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(words.contains("matmul cannot take [2, 3] (float32) and [4, 5] (float32)"))
    }

    @Test func wrongLabelsTrapWithNameAndShapes() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let logits = try Tensor.zeros([2, 3])
            _ = logits.crossEntropy(try Tensor([0, 3] as [Int]))
        }
        let words = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(words.contains("crossEntropy cannot take [2, 3] (float32) and [2] (int64)"))
        #expect(words.contains("Target 3 is out of bounds"))
    }

    @Test func losslessTypesOnly() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try Tensor.zeros([2]).array(of: Double.self)
        }
        let words = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(words.contains("the tensor holds float32, not float64"))
    }

    @Test func theVersionIsKnown() {
        #expect(Libtorch.version.split(separator: ".").count == 3)
        #expect(Libtorch.version.hasPrefix("2."))
    }
}
