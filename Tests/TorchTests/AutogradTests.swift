import Foundation
import Synchronization
import Testing
import Torch

@Suite struct AutogradTests {
    @Test func gradientOfAPolynomial() throws {
        let x = try Tensor([1, 2, 3] as [Double]).requiringGradient()
        #expect(x.requiresGradient && x.gradient == nil)
        try (x * x * x).sum().backward()
        #expect(try x.gradient?.array(of: Double.self) == [3, 12, 27])
        // Gradients add up until they are removed.
        try x.sum().backward()
        #expect(try x.gradient?.array(of: Double.self) == [4, 13, 28])
        x.zeroGradient()
        #expect(x.gradient == nil)
    }

    @Test func aGraphIsKeptOnlyIfAsked() throws {
        let x = try Tensor([2] as [Double]).requiringGradient()
        let y = (x * x).sum()
        try y.backward(keepGraph: true)
        try y.backward()
        #expect(try x.gradient?.array(of: Double.self) == [8])
        #expect(throws: TorchError.self) { try y.backward() }
    }

    @Test func detachedTensorsAreCutOff() throws {
        let x = try Tensor([2] as [Double]).requiringGradient()
        #expect(!(x.detached() * 3).requiresGradient)
        try (x.detached() * x).sum().backward()
        #expect(try x.gradient?.array(of: Double.self) == [2])
    }

    @Test func scopesNestAndSurviveErrors() throws {
        struct Stop: Error {}
        let x = try Tensor([2] as [Float]).requiringGradient()
        #expect(gradientsAreRecorded)
        #expect(throws: Stop.self) {
            try withoutGradients {
                #expect(!gradientsAreRecorded && !(x * 2).requiresGradient)
                withGradients { #expect(gradientsAreRecorded && (x * 2).requiresGradient) }
                #expect(!gradientsAreRecorded)
                throw Stop()
            }
        }
        #expect(gradientsAreRecorded && (x * 2).requiresGradient)
    }

    @Test func gradientModeBelongsToTheThread() {
        let seen = Mutex<Bool?>(nil)
        withoutGradients {
            let thread = Thread { seen.withLock { $0 = gradientsAreRecorded } }
            thread.start()
            while !thread.isFinished { usleep(100) }
            #expect(!gradientsAreRecorded)
        }
        #expect(seen.withLock { $0 } == true)
    }

    @Test func parameterMemoryIsLent() throws {
        let weight = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]).requiringGradient()
        let unused = try Tensor([5] as [Double]).requiringGradient()
        let list = TensorList([weight, unused])
        // The gradient of a sum is one number, repeated without memory of its own: it must come out dense.
        try weight.sum().backward()
        try list.withParameterViews { views in
            #expect(views.count == 2)
            #expect(views[0].count == 4 && views[0].dtype == .float32)
            let gradient = try #require(views[0].gradient).assumingMemoryBound(to: Float.self)
            #expect((0..<4).map { gradient[$0] } == [1, 1, 1, 1])
            gradient[2] = 7
            views[0].data.assumingMemoryBound(to: Float.self)[3] = 40
            #expect(views[1].gradient == nil && views[1].count == 1 && views[1].dtype == .float64)
        }
        #expect(try weight.gradient?.array(of: Float.self) == [1, 1, 7, 1])
        #expect(try weight.detached().array(of: Float.self) == [1, 2, 3, 40])
        list.zeroGradients()
        #expect(weight.gradient == nil)
    }

    @Test func sharedGradientsAreSeparated() throws {
        let a = try Tensor([1, 2] as [Float]).requiringGradient()
        let b = try Tensor([1, 2] as [Float]).requiringGradient()
        let gradient = try Tensor([3, 4] as [Float])
        a.gradient = gradient
        b.gradient = gradient
        try TensorList([a, b]).withParameterViews { views in
            #expect(views[0].gradient != views[1].gradient)
        }
    }

    @Test func parametersMustBeContiguous() throws {
        let view = try Tensor.zeros([2, 3]).transposed(0, 1)
        let error = #expect(throws: TorchError.self) { try TensorList([view]).withParameterViews { _ in } }
        #expect(error?.message.contains("not contiguous") == true)
        #expect(error?.message.contains("[3, 2]") == true)
    }

    @Test(arguments: [1, 2, 5], [0, 1, 3, 1000])
    func parallelLoopsVisitEachIndexOnce(threads: Int, count: Int) {
        let visits = Mutex([Int](repeating: 0, count: count))
        Threads.parallelFor(threads: threads, count: count) { index in visits.withLock { $0[index] += 1 } }
        #expect(visits.withLock { $0 } == [Int](repeating: 1, count: count))
    }
}
