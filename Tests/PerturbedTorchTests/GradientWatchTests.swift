import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import Torch
import TorchNN

/// What a backward pass says of the gradients that it leaves: the finite check relies on it.
@Suite struct GradientWatchTests {
    /// max |x| by the book.
    private static let largest: GradientWatch.Largest = { data, count, _ in
        UnsafeBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: count)
            .reduce(0) { $0.isNaN ? $0 : $1.isNaN ? .nan : max($0, Double(abs($1))) }
    }

    @Test func sizesAreThoseOfTheGradientsAsTheyAre() throws {
        let weight = try Tensor([1, 2, 3] as [Float]).requiringGradient()
        let unused = try Tensor([1] as [Float]).requiringGradient()
        let watch = try GradientWatch(TensorList([weight, unused]), largest: Self.largest)
        func size() -> Double? {
            watch.refresh()
            #expect(watch[1] == nil)
            return watch[0]
        }
        #expect(size() == nil)
        let factors = try Tensor([1, -5, 2] as [Float])
        try (weight * factors).sum().backward()
        #expect(size() == 5)
        // A second pass adds to the first.
        try (weight * factors).sum().backward()
        #expect(size() == 10)

        let gradient = try #require(weight.gradient)
        gradient.scaleInPlace(3)
        #expect(size() == nil, "written to")
        try (weight * factors).sum().backward()
        #expect(size() == 35)
        weight.gradient = try Tensor([0, 0, 0] as [Float])
        #expect(size() == nil, "replaced")
        weight.zeroGradient()
        #expect(size() == nil, "removed")
        try (weight * .infinity).sum().backward()
        #expect(size() == .infinity)
        weight.zeroGradient()
        try (weight * .nan).sum().backward()
        #expect(try #require(size()).isNaN)
    }

    @Test func theLatestWatchCountsAndLeavesNothingBehind() throws {
        let weight = try Tensor([1, 2] as [Float]).requiringGradient()
        let list = TensorList([weight])
        var first: GradientWatch? = try GradientWatch(list, largest: Self.largest)
        let second = try GradientWatch(list, largest: Self.largest)
        // The end of one that has been replaced does not end the other.
        first?.refresh()
        first = nil
        try (weight * 4).sum().backward()
        second.refresh()
        #expect(second[0] == 4)
    }

    /// The largest element of a big gradient, wherever it is, with several threads; and NaN, which no size is compared
    /// with.
    @Test(arguments: [0, 1, 300_000, 599_999], [2.0, .nan, .infinity])
    func theCheckFindsOneElementAmongMany(place: Int, value: Double) throws {
        let threads = Threads.count
        Threads.count = 2
        defer { Threads.count = threads }
        struct Weights: Module {
            let weight: Tensor
            var ownParameters: [NamedTensor] { [NamedTensor("weight", weight)] }
            func forward(_ x: Tensor, _: ForwardContext) -> Tensor { (weight * x).sum() }
        }
        let model = Weights(weight: try Tensor.zeros([600_000]).requiringGradient())
        let optimizer = try ModelOptimizer(
            model, equation: PerturbedEquation(rule: SGD(learningRate: 1)), seed: 1, threads: 2)
        var inputs = [Float](repeating: 1, count: 600_000)
        inputs[place] = Float(value)
        try model.forward(try Tensor(inputs), .evaluation).backward()
        let report = try optimizer.step()
        #expect(report.outcome == (value.isFinite ? .applied : .skippedNonFinite))
        let weights = try model.weight.array(of: Float.self)
        #expect(weights[place] == (value.isFinite ? -2 : 0))
        #expect(weights[(place + 1) % 600_000] == (value.isFinite ? -1 : 0))
    }

    /// What is done to a gradient after its backward pass is seen.
    @Test func aGradientThatIsSpoiltLaterIsFound() throws {
        let model = Sequential(try Linear(3, 2, seed: 1))
        let optimizer = try ModelOptimizer(
            model, equation: PerturbedEquation(rule: SGD(learningRate: 1)), seed: 1)
        try model.forward(try .ones([4, 3]), .evaluation).sum().backward()
        let weight = model.parameters[0].tensor
        try #require(weight.gradient).fillInPlace(.nan)
        let before = try weight.array(of: Float.self)
        #expect(try optimizer.step().outcome == .skippedNonFinite)
        #expect(try weight.array(of: Float.self) == before)
    }
}
