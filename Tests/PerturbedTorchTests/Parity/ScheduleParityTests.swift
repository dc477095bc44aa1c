import PerturbedEquations
import TestSupport
import Testing

/// The schedules give the learning rates of torch.optim.lr_scheduler, to 10⁻¹² (PyTorch computes most of them
/// by recursion, we in closed form).
@Suite struct ScheduleParityTests {
    static let script = """
        import json, sys, torch
        from torch.optim.lr_scheduler import *
        def rates(lr, make, steps):
            optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
            schedule = make(optimizer)
            seen = []
            for _ in range(steps):
                seen.append(optimizer.param_groups[0]["lr"])
                optimizer.step(); schedule.step()
            return seen
        def warm(optimizer, n, after):
            ramp = LinearLR(optimizer, start_factor=1 / (n + 1), total_iters=n)
            return SequentialLR(optimizer, [ramp, after], milestones=[n])
        out = {
            "step": rates(0.3, lambda o: StepLR(o, 7, 0.4), 50),
            "exponential": rates(0.3, lambda o: ExponentialLR(o, 0.93), 50),
            "linear": rates(0.4, lambda o: LinearLR(o, 0.25, 0.75, total_iters=20), 50),
            "cosine": rates(0.3, lambda o: CosineAnnealingLR(o, 40, eta_min=0.02), 41),
            "constant": rates(0.3, lambda o: ConstantLR(o, factor=1), 50),
            "warm step": rates(0.3, lambda o: warm(o, 9, StepLR(o, 7, 0.4)), 50),
            "warm exponential": rates(0.3, lambda o: warm(o, 9, ExponentialLR(o, 0.93)), 50),
            "sequence": rates(0.3, lambda o: SequentialLR(
                o, [ConstantLR(o, factor=1, total_iters=0), ExponentialLR(o, 0.9)], milestones=[12]), 50),
        }
        json.dump(out, open(sys.argv[2], "w"))
        """

    static let ours: [String: Scheduled] = [
        "step": Scheduled(StepSchedule(from: 0.3, factor: 0.4, every: 7)),
        "exponential": Scheduled(ExponentialSchedule(from: 0.3, factor: 0.93)),
        "linear": Scheduled(LinearSchedule(from: 0.1, to: 0.3, steps: 20)),
        "cosine": Scheduled(CosineSchedule(from: 0.3, to: 0.02, steps: 40)),
        "constant": 0.3,
        "warm step": Scheduled(StepSchedule(from: 0.3, factor: 0.4, every: 7)).warmup(9),
        "warm exponential": Scheduled(ExponentialSchedule(from: 0.3, factor: 0.93)).warmup(9),
        "sequence": Scheduled(0.3).then(at: 12, Scheduled(ExponentialSchedule(from: 0.3, factor: 0.9))),
    ]

    @Test func followTorch() throws {
        let theirs: [String: [Double]] = try runPython(script: Self.script, input: [String]())
        #expect(theirs.keys.sorted() == Self.ours.keys.sorted())
        for (name, schedule) in Self.ours {
            let expected = try #require(theirs[name])
            #expect(expected.count > 40)
            for (step, rate) in expected.enumerated() {
                #expect(abs(schedule.value(at: step) - rate) < 1e-12, "\(name) at step \(step)")
            }
        }
    }
}
