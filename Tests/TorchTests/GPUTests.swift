import Foundation
import Testing
import Torch

/// What libtorch says of GPUs; needs none.
@Suite struct GPUSupportTests {
    /// libtorch asks for its CUDA half once, at an operation that need not be of a GPU, and goes without for ever where it is
    /// not there by then: it must be loaded before the first.
    @Test func theCUDAHalfIsLoadedWhereThereIsOne() throws {
        let x = try Tensor([1, 2] as [Float]).requiringGradient()
        try x.squared().sum().backward()
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps"))
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix("/libtorch_cpu.so") })
        let path = try #require(line.split(separator: " ").last)
        let folder = URL(fileURLWithPath: String(path)).deletingLastPathComponent()
        let hasHalf = FileManager.default.fileExists(
            atPath: folder.appendingPathComponent("libtorch_cuda.so").path)
        #expect(Libtorch.gpuSupport == (hasHalf ? "built with CUDA" : "built for the CPU alone"))
        #expect(hasHalf || Device.cudaCount == 0)
        #expect(Device.all.first == .cpu && Device.all.count == 1 + Device.cudaCount)
    }
}

/// Operations on a GPU.
@Suite(.enabled(if: Device.cudaCount > 0)) struct GPUTests {
    private static let gpu = Device.cuda(0)

    private static func bits(_ tensor: Tensor) throws -> [Float] {
        try tensor.detached().converted(to: .float32).moved(to: .cpu).contiguous().array()
    }

    @Test func elementsComeBackAsTheyWere() throws {
        let x = try Tensor.normal([33, 7], seed: 1)
        let there = x.moved(to: Self.gpu)
        #expect(there.device == Self.gpu && x.device == .cpu)
        #expect(try Self.bits(there) == x.array())
        let moving = try Tensor.normal([5], seed: 2).requiringGradient()
        try moving.sum().backward()
        try moving.moveInPlace(to: Self.gpu)
        #expect(moving.device == Self.gpu && moving.gradient == nil && moving.requiresGradient)
        #expect(try Self.bits(moving) == Tensor.normal([5], seed: 2).array())
        // Drawn on the CPU: a seed means the same numbers everywhere.
        try moving.fillNormal(mean: 0, deviation: 1, seed: 9)
        #expect(try Self.bits(moving) == Tensor.normal([5], seed: 9).array())
    }

    @Test func copiesOnTheHostGoBothWays() throws {
        let x = try Tensor.normal([300], seed: 1).requiringGradient()
        let y = try Tensor.normal([4, 5], seed: 2).requiringGradient()
        let z = try Tensor.normal([6], seed: 3).converted(to: .bfloat16).requiringGradient()
        for tensor in [x, y, z] { try tensor.moveInPlace(to: Self.gpu) }
        let copies = try HostCopies(TensorList([x, y, z]))
        try ((x * 3).sum() + y.transposed(0, 1).squared().sum()).backward()
        try copies.takeGradients()
        let views = copies.views
        func floats(_ memory: UnsafeMutableRawPointer, _ count: Int) -> [Float] {
            Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: Float.self), count: count))
        }
        #expect(views.map(\.count) == [300, 20, 6] && views[2].gradient == nil)
        #expect(floats(try #require(views[0].gradient), 300) == [Float](repeating: 3, count: 300))
        #expect(floats(try #require(views[1].gradient), 20) == (try Self.bits(y)).map { 2 * $0 })
        #expect(floats(views[1].data, 20) == (try Self.bits(y)))
        for waiting in [true, false] {
            let memory = views[0].data.assumingMemoryBound(to: Float.self)
            for index in 0..<300 { memory[index] += 1 }
            let expected = floats(views[0].data, 300)
            try copies.giveParameters(waiting: waiting)
            try copies.settle()
            for index in 0..<300 { memory[index] -= 0.5 }
            #expect(try Self.bits(x) == expected)
        }
        withoutGradients { x.fillInPlace(7) }
        try copies.takeParameters()
        #expect(floats(views[0].data, 300) == [Float](repeating: 7, count: 300))
    }

    @Test func dropoutDependsOnItsSeedAlone() throws {
        let x = try Tensor.ones([1 << 20]).moved(to: Self.gpu)
        let (first, again, other) = (
            x.dropout(0.25, seed: 1), x.dropout(0.25, seed: 1), x.dropout(0.25, seed: 2)
        )
        #expect(try Self.bits(first) == Self.bits(again))
        #expect(try Self.bits(first) != Self.bits(other))
        // Each element is 0 or 4/3; the share of zeros is 1/4 within 6 standard deviations.
        #expect(Set(try Self.bits(first)) == [0, Float(1 / 0.75)])
        #expect(abs(first.mean().item() - 1) < 6 * (1.0 / 3 / Double(1 << 20)).squareRoot())
    }

    /// Sums in the order in which the GPU gets to them would differ from run to run.
    @Test(arguments: [DType.float32, .bfloat16]) func gradientsHaveTheSameBitsAgain(type: DType) throws {
        let packed = try Tensor.normal([4, 512, 3 * 128], seed: 1)
        let images = try Tensor.normal([16, 8, 32, 32], seed: 2)
        let kernels = try Tensor.normal([16, 8, 3, 3], seed: 3)
        let table = try Tensor.normal([50, 64], seed: 4)
        let words = try Tensor((0..<8192).map { Int64($0 * 7 % 50) })
        let operations: [(String, Tensor, (Tensor) -> Tensor)] = [
            ("attention", packed, { $0.packedAttention(heads: 4, causal: true, dropout: 0, seed: 0) }),
            (
                "attention, dropout", packed,
                { $0.packedAttention(heads: 4, causal: true, dropout: 0.1, seed: 3) }
            ),
            (
                "convolution", kernels,
                { [images] k in images.converted(to: k.dtype).moved(to: Self.gpu).conv2d(k, nil, padding: 1) }
            ),
            ("pooling", images, { $0.maxPool2d(3, stride: 2, padding: 1) }),
            ("mean pooling", images, { $0.adaptiveAveragePool2d(1) }),
            ("embedding", table, { [words] in words.moved(to: Self.gpu).embedded(in: $0) }),
        ]
        for (name, start, operation) in operations {
            var found: Set<[Float]> = []
            for _ in 0..<4 {
                let leaf = start.converted(to: type).cloned().moved(to: Self.gpu).detached()
                    .requiringGradient()
                try (operation(leaf).converted(to: .float32).squared().mean()).backward()
                found.insert(try Self.bits(try #require(leaf.gradient)))
            }
            #expect(found.count == 1, "\(name) has \(found.count) gradients")
            #expect(
                found.first?.contains { $0 != 0 } == true && found.first?.allSatisfy(\.isFinite) == true,
                "\(name)")
        }
    }

    @Test func exhaustedMemoryIsAnError() throws {
        let x = try Tensor.ones([1]).moved(to: Self.gpu).expanded([1 << 45])
        _ = x.contiguous()
        let error = #expect(throws: TorchError.self) { try Libtorch.checkHeldFailure() }
        #expect(error?.code == .outOfMemory, "\(String(describing: error))")
    }

    @Test func aDeviceThatIsNotThereIsRefused() throws {
        let x = try Tensor.ones([2])
        #expect(throws: TorchError.self) { try x.moveInPlace(to: .cuda(99)) }
        #expect(x.device == .cpu)
    }
}
