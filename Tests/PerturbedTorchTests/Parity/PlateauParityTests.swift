import PerturbedEquations
import TestSupport
import Testing

/// The plateau controller, fed one loss a window, gives the learning rates of torch's ReduceLROnPlateau.
@Suite struct PlateauParityTests {
    struct Case: Codable {
        var factor: Double
        var patience: Int
        var threshold: Double
        var cooldown: Int
        var losses: [Double]
    }

    static let script = """
        import json, sys, torch
        from torch.optim.lr_scheduler import ReduceLROnPlateau
        out = []
        for case in json.load(open(sys.argv[1])):
            optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
            schedule = ReduceLROnPlateau(
                optimizer, factor=case["factor"], patience=case["patience"], threshold=case["threshold"],
                cooldown=case["cooldown"], min_lr=0.001, eps=0)
            seen = []
            for loss in case["losses"]:
                schedule.step(loss)
                seen.append(optimizer.param_groups[0]["lr"])
            out.append(seen)
        json.dump(out, open(sys.argv[2], "w"))
        """

    @Test func followTorch() throws {
        var random = SeededGenerator()
        let cases = (0..<20).map { _ in
            Case(
                factor: .random(in: 0.1...0.9, using: &random), patience: .random(in: 0...5, using: &random),
                threshold: .random(in: 0...0.1, using: &random), cooldown: .random(in: 0...4, using: &random),
                losses: (0..<150).map { 1 / (1 + Double($0) / 20) + .random(in: 0...0.3, using: &random) })
        }
        let theirs: [[Double]] = try runPython(script: Self.script, input: cases)
        var changes = 0
        for (number, own) in cases.enumerated() {
            let plateau = Plateau(
                factor: own.factor, patience: own.patience, threshold: own.threshold, cooldown: own.cooldown,
                window: 1, minimum: 0.001)
            var state = ControllerState("plateau")
            for (step, loss) in own.losses.enumerated() {
                let before = state.factor
                plateau.observe(Observation(step: step, loss: loss), &state)
                if state.factor != before { changes += 1 }
                #expect(
                    abs(state.factor - theirs[number][step]) < 1e-12,
                    "case \(number), step \(step), seed \(random.seed)")
            }
        }
        #expect(changes > 20)
    }
}
