import Datasets
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Padding on the right and targets that are not asked for change nothing of what a causal model learns.
@Suite struct PaddingTests {
    private struct Case {
        let model: GPTModel
        let data: Dataset

        init(_ directory: TemporaryDirectory) throws {
            try TinyTokenizer.write(to: directory.file("tokenizer.json"))
            let lines = (1...7).map { number in
                let prompt = String(repeating: "ab\(number) ", count: number)
                return
                    #"{"prompt": "\#(prompt)", "completion": "\#(String(repeating: "hello ", count: 8 - number))"}"#
            }
            let path = directory.file("t.jsonl")
            try Data(lines.joined(separator: "\n").utf8).write(to: path)
            data = try InstructionData(
                train: path.path, test: path.path, tokenizer: directory.file("tokenizer.json").path,
                length: 40
            ).load(from: DataLocations())
            model = try GPTModel(
                GPTShape(vocabulary: 262, context: 40, width: 16, layers: 2, heads: 2), seed: 3)
        }

        func batch(_ rows: [Int]) throws -> Batch {
            try BatchLoader(data.train, of: data.kind).load(.init(rows[...], step: 0, epoch: 0))
        }

        /// The sum of the losses at what is asked for, and its gradient.
        func loss(_ inputs: Tensor, _ targets: Tensor, weight: Double) throws -> (Double, [[Float]]) {
            for parameter in model.parameters { parameter.tensor.zeroGradient() }
            let value = Loss.crossEntropy()(model.forward(inputs, .evaluation), targets) * weight
            try value.backward()
            return (value.item(), try model.parameters.map { try $0.tensor.gradient!.array(of: Float.self) })
        }
    }

    @Test func aBatchIsTheSumOfItsExamplesAlone() throws {
        let directory = try TemporaryDirectory()
        let test = try Case(directory)
        let rows = Array(0..<test.data.train.count)
        #expect(rows.count == 7)
        let batch = try test.batch(rows)
        let total = test.data.train.targetCount(of: rows[...])
        let (whole, gradients) = try test.loss(batch.inputs, batch.targets, weight: Double(total))
        var sum = 0.0
        var sums = gradients.map { [Float](repeating: 0, count: $0.count) }
        var lengths: Set<Int> = []
        for row in rows {
            let alone = try test.batch([row])
            // Without any padding.
            let targets = try alone.targets.array(of: Int64.self)
            let length = targets.lastIndex { $0 != TargetKind.ignored }! + 1
            lengths.insert(length)
            let asked = Double(test.data.train.targetCount(of: [row]))
            let (loss, gradient) = try test.loss(
                alone.inputs.narrowed(1, to: 0..<length), alone.targets.narrowed(1, to: 0..<length),
                weight: asked)
            sum += loss
            for (index, values) in gradient.enumerated() {
                for (place, value) in values.enumerated() { sums[index][place] += value }
            }
        }
        #expect(lengths.count > 3 && batch.inputs.size(1) > lengths.min()! + 8)
        #expect(abs(sum - whole) < 1e-4 * whole)
        let largest = gradients.joined().map(abs).max()!
        let difference = zip(gradients.joined(), sums.joined()).map { abs($0 - $1) }.max()!
        #expect(largest > 0.1 && difference < 1e-5 * largest, "\(difference) of \(largest)")
    }

    @Test func whatFillsThePaddingIsNotSeen() throws {
        let directory = try TemporaryDirectory()
        let test = try Case(directory)
        let batch = try test.batch([0, 3, 6])
        let scores = test.model.forward(batch.inputs, .evaluation)
        let other = batch.inputs.detached().cloned()
        let targets = try batch.targets.array(of: Int64.self)
        let length = batch.inputs.size(1)
        var ends: [Int] = []
        other.withUnsafeMutableBytes { bytes in
            let tokens = bytes.bindMemory(to: Int64.self)
            for row in 0..<3 {
                let end =
                    targets[row * length..<(row + 1) * length].lastIndex { $0 != TargetKind.ignored }! + 1
                ends.append(end - row * length)
                for place in end..<(row + 1) * length { tokens[place] = Int64(place % 250) }
            }
        }
        let changed = test.model.forward(other, .evaluation)
        let width = 262
        let (a, b) = (
            try scores.detached().array(of: Float.self), try changed.detached().array(of: Float.self)
        )
        for row in 0..<3 {
            let start = row * length * width
            #expect(a[start..<start + ends[row] * width] == b[start..<start + ends[row] * width])
        }
        #expect(a != b)
    }
}
