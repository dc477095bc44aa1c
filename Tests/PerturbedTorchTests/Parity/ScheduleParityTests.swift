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
            "restarts": rates(0.3, lambda o: CosineAnnealingWarmRestarts(o, 9, eta_min=0.02), 50),
            "growing restarts": rates(0.3, lambda o: CosineAnnealingWarmRestarts(o, 5, T_mult=3), 150),
            "polynomial": rates(0.3, lambda o: PolynomialLR(o, 40, power=1.7), 50),
            "multistep": rates(0.5, lambda o: MultiStepLR(o, [7, 20, 21], gamma=0.5), 50),
            "one cycle": rates(0.3, lambda o: OneCycleLR(o, 0.3, total_steps=50, cycle_momentum=False), 50),
            "short cycle": rates(0.3, lambda o: OneCycleLR(
                o, 0.7, total_steps=43, pct_start=0.6, div_factor=4, final_div_factor=10, cycle_momentum=False), 43),
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
        "restarts": Scheduled(CosineRestartsSchedule(from: 0.3, to: 0.02, period: 9)),
        "growing restarts": Scheduled(CosineRestartsSchedule(from: 0.3, period: 5, periodFactor: 3)),
        "polynomial": Scheduled(PolynomialSchedule(from: 0.3, power: 1.7, steps: 40)),
        "multistep": Scheduled(PiecewiseSchedule([0.5, 0.25, 0.125, 0.0625], boundaries: [7, 20, 21])),
        "one cycle": Scheduled(OneCycleSchedule(peak: 0.3, steps: 50)),
        "short cycle": Scheduled(
            OneCycleSchedule(peak: 0.7, divisor: 4, finalDivisor: 10, riseFraction: 0.6, steps: 43)),
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
