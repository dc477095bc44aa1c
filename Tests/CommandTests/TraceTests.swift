import Foundation
import TestSupport
import Testing

/// `peo trace` tells a user's mistakes from its own.
@Suite struct TraceTests {
    private static func trace(_ equation: String) throws -> PeoTool.Output {
        let directory = try TemporaryDirectory()
        let file = directory.url.appendingPathComponent("trace.yaml")
        try Data((equation + "\nproblem: {start: [1, -2], curvature: [1, 3]}\nsteps: 40\n").utf8).write(
            to: file)
        return try PeoTool.run(["trace", "trace.yaml"], in: directory)
    }

    /// Terms and controllers that need more than a gradient are refused, with their line.
    @Test(arguments: [
        (
            "rule: {adam: {}}\nperturbation: [{curvatureShaped: {sigma: 0.1, source: hessianDiagonal}}]",
            "hessianDiagonal"
        ),
        ("rule: {sgd: {learningRate: 0.1}}\nperturbation: [{gradDrop: {}}]", "positivePart"),
        (
            "rule: {sgd: {learningRate: 0.1}}\nperturbation: [{gaussian: {sigma: 1}}]\ncontrollers: [{gradientNoiseScale: {}}]",
            "gradientNoiseScale"
        ),
    ])
    func whatNeedsMoreThanAGradientIsRefused(equation: String, word: String) throws {
        let output = try Self.trace(equation)
        #expect(output.status == 65, "\(output.all)")
        #expect(
            output.stderr.contains("trace.yaml:") && output.stderr.contains(word)
                && !output.stderr.contains("bug"), "\(output.all)")
    }

    /// A schedule that counts in epochs, of which a trace has none.
    @Test func lengthsInEpochsAreRefusedWithTheirLine() throws {
        let output = try Self.trace(
            "rule: {sgd: {learningRate: {linear: {from: 1, to: 0, steps: {epochs: 3}}}}}")
        #expect(output.status == 65, "\(output.all)")
        #expect(
            output.stderr.contains("trace.yaml:1: ") && output.stderr.contains("linear schedule"),
            "\(output.all)")
    }

    /// A run that the stability controller gives up is stopped, not a bug.
    @Test func divergenceIsAStop() throws {
        let output = try Self.trace(
            "rule: {sgd: {learningRate: 3}}\nstability: {rollbackOnSpike: {minimumHistory: 2, window: 10, attempts: 0}}"
        )
        #expect(output.status == 75, "\(output.all)")
        #expect(
            output.stderr.contains("rollbacks") && !output.stderr.contains("bug"), "\(output.all)")
    }
}
