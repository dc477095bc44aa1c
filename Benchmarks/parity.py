"""PEO against independent implementations: optax, posteriors, ivon-opt and pytorch_optimizer.

    make parity                                    # builds peo, fetches the packages once, runs this
    scripts/parity PATH-TO-PEO [WORD]              # only the rows whose name contains WORD

Each row runs the same equation on the same quadratic with `peo trace` and with the other library, both in
float64, and compares every theta of every step. Where a method draws noise, the other library's generator is
replaced by PEO's own noise (`peo noise values`), so that trajectories can be compared number by number. The
table shows the largest difference relative to the largest theta; a row above its tolerance fails the run.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import torch

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import optax

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

PEO = None
CASES = []


def case(name, reference, tolerance=1e-11):
    """Registers a comparison: a function that returns two arrays, PEO's and the other's."""

    def register(function):
        CASES.append((name, reference, tolerance, function))
        return function

    return register


# ---- The problem: g = h * theta + w[t] -----------------------------------------------------------------------

N = 12
STEPS = 60
RANDOM = np.random.default_rng(20)
START = RANDOM.uniform(-2, 2, N)
CURVATURE = RANDOM.uniform(0.5, 2, N)
LINEAR = RANDOM.normal(0, 0.3, (STEPS, N))


def peo(*arguments):
    return subprocess.run([PEO, *arguments], check=True, capture_output=True, text=True).stdout


def trace(equation, start=START, curvature=CURVATURE, linear=LINEAR, steps=STEPS, seed=1):
    """theta(0) ... theta(steps) of PEO."""
    document = dict(equation)
    document["problem"] = {
        "start": [float(x) for x in np.atleast_1d(start)],
        "curvature": [float(x) for x in np.atleast_1d(curvature)],
        "linear": [[float(x) for x in row] for row in linear],
    }
    document.update(steps=steps, seed=seed)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(document, file)
        file.flush()
        return np.array(json.loads(peo("trace", file.name, "--json"))["theta"])


def noise(term, draw=0, steps=STEPS, seed=1):
    """PEO's own normal noise of a term: a row for each step."""
    text = peo("noise", "values", "--seed", str(seed), "--steps", str(steps), "--term", str(term),
               "--draw", str(draw), "--count", str(N))  # fmt: skip
    return np.array([[np.float32(x) for x in line.split()] for line in text.splitlines()]).astype(float)


def torch_run(make, steps=STEPS, closure=False):
    """theta of a torch optimizer; `make(parameter)` gives it. With `closure`, it evaluates again itself."""
    p = torch.nn.Parameter(torch.tensor(START))
    optimizer = make(p)
    h = torch.tensor(CURVATURE)
    seen = [p.detach().numpy().copy()]
    for step in range(steps):
        w = torch.tensor(LINEAR[step])

        def evaluate():
            optimizer.zero_grad()
            loss = (h * p * p / 2 + w * p).sum()
            loss.backward()
            return loss

        evaluate()
        optimizer.step(evaluate) if closure else optimizer.step()
        seen.append(p.detach().numpy().copy())
    return np.array(seen)


def optax_run(rule, steps=STEPS, gradient_at=None):
    theta = jnp.array(START)
    state = rule.init(theta)
    seen = [np.array(theta)]
    for step in range(steps):
        def gradient(x, _=None):
            return jnp.array(CURVATURE) * x + jnp.array(LINEAR[step])

        extra = {"grad_fn": gradient} if gradient_at else {}
        updates, state = rule.update(gradient(theta), state, theta, **extra)
        theta = optax.apply_updates(theta, updates)
        seen.append(np.array(theta))
    return np.array(seen)


@contextlib.contextmanager
def replaced(owner, name, values):
    """Replaces a noise function of a library by a sequence of ours."""
    original = getattr(owner, name)
    sequence = iter(values)
    setattr(owner, name, lambda *_, **__: next(sequence))
    try:
        yield
    finally:
        setattr(owner, name, original)


# ---- optax -----------------------------------------------------------------------------------------------


def schedule_values(schedule, steps):
    """eta(t), from what SGD does with a gradient of 1."""
    theta = trace({"rule": {"sgd": {"learningRate": schedule}}}, start=[0.0], curvature=[0.0],
                  linear=[[1.0]], steps=steps)  # fmt: skip
    return -np.diff(theta[:, 0])


SCHEDULES = {
    "constant": (0.3, lambda: optax.constant_schedule(0.3)),
    "linear": (
        {"linear": {"from": 0.4, "to": 0.1, "steps": 20}}, lambda: optax.linear_schedule(0.4, 0.1, 20)),
    "cosine": (
        {"cosine": {"from": 0.3, "to": 0.03, "steps": 40}},
        lambda: optax.cosine_decay_schedule(0.3, 40, alpha=0.1)),
    "exponential": (
        {"exponential": {"from": 0.3, "factor": 0.93}}, lambda: optax.exponential_decay(0.3, 1, 0.93)),
    "step": (
        {"step": {"from": 0.3, "factor": 0.5, "every": 7}},
        lambda: optax.exponential_decay(0.3, 7, 0.5, staircase=True)),
    "polynomial": (
        {"polynomial": {"from": 0.3, "to": 0.02, "power": 2, "steps": 30}},
        lambda: optax.polynomial_schedule(0.3, 0.02, 2, 30)),
    "piecewise": (
        {"piecewise": {"values": [0.4, 0.2, 0.05], "boundaries": [10, 25]}},
        lambda: optax.piecewise_constant_schedule(0.4, {10: 0.5, 25: 0.25})),
    "cosineRestarts": (
        {"cosineRestarts": {"from": 0.3, "to": 0.03, "period": 10, "periodFactor": 2}},
        lambda: optax.join_schedules(
            [optax.cosine_decay_schedule(0.3, n, alpha=0.1) for n in (10, 20, 40)], [10, 30])),
    "warm-up and cosine": (
        {"cosine": {"from": 0.3, "to": 0.03, "steps": 40, "warmup": 9}},
        lambda: optax.warmup_cosine_decay_schedule(0.03, 0.3, 9, 49, end_value=0.03)),
    "sequence": (
        {"sequence": {"phases": [{"value": 0.2, "steps": 12},
                                 {"value": {"exponential": {"from": 0.3, "factor": 0.9}}}]}},
        lambda: optax.join_schedules(
            [optax.constant_schedule(0.2), optax.exponential_decay(0.3, 1, 0.9)], [12])),
}  # fmt: skip

for schedule_name, (ours, theirs) in SCHEDULES.items():
    # optax takes its piecewise schedules through float32 powers and signs: 1e-7.
    @case(f"schedule {schedule_name}", "optax", 1e-6)
    def _(ours=ours, theirs=theirs):
        reference = theirs()
        return schedule_values(ours, 60), np.array([float(reference(t)) for t in range(60)])


OPTAX_RULES = {
    "sgd": ({"sgd": {"learningRate": 0.05}}, lambda: optax.sgd(0.05)),
    "momentum": ({"momentum": {"learningRate": 0.02, "momentum": 0.9}}, lambda: optax.sgd(0.02, 0.9)),
    "nesterov": (
        {"nesterov": {"learningRate": 0.02, "momentum": 0.9}}, lambda: optax.sgd(0.02, 0.9, nesterov=True)),
    "adam": ({"adam": {"learningRate": 0.02}}, lambda: optax.adam(0.02)),
    "adamW": (
        {"adamW": {"learningRate": 0.02, "weightDecay": 0.1}}, lambda: optax.adamw(0.02, weight_decay=0.1)),
    "rmsProp": (
        {"rmsProp": {"learningRate": 0.01, "alpha": 0.9}},
        lambda: optax.rmsprop(0.01, decay=0.9, eps=1e-8, eps_in_sqrt=False)),
    "rmsProp, centred": (
        {"rmsProp": {"learningRate": 0.01, "alpha": 0.9, "centred": True, "epsilon": 1e-2}},
        lambda: optax.rmsprop(0.01, decay=0.9, eps=1e-2, eps_in_sqrt=False, centered=True)),
}  # fmt: skip

for rule_name, (ours, theirs) in OPTAX_RULES.items():
    # optax keeps its decay powers in float32 unless told: 1e-7.
    @case(rule_name, "optax", 1e-6)
    def _(ours=ours, theirs=theirs):
        return trace({"rule": ours}), optax_run(theirs())


def ours_as_jax(term=0):
    return [jnp.array(row) for row in noise(term)]


@case("gaussian, annealedGradientNoise", "optax.add_noise", 1e-6)
def _():
    ours = trace({
        "rule": {"sgd": {"learningRate": 0.05}},
        "perturbation": [{"gaussian": {"sigma": {"annealedGradientNoise": {"eta": 0.3, "gamma": 0.55}}}}],
    })  # fmt: skip
    with replaced(optax.tree, "random_like", ours_as_jax()):
        return ours, optax_run(optax.chain(optax.add_noise(0.3, 0.55, key=1), optax.sgd(0.05)))


@case("gaussian, sgd", "optax.noisy_sgd", 1e-6)
def _():
    ours = trace({
        "rule": {"sgd": {"learningRate": 0.05}},
        "perturbation": [{"gaussian": {"sigma": {"annealedGradientNoise": {"eta": 0.01, "gamma": 0.55}}}}],
    })  # fmt: skip
    with replaced(optax.tree, "random_like", ours_as_jax()):
        return ours, optax_run(optax.noisy_sgd(0.05, eta=0.01, gamma=0.55))


@case("gaussian, adam", "optax.add_noise + adam", 1e-6)
def _():
    ours = trace({
        "rule": {"adam": {"learningRate": 0.02}},
        "perturbation": [{"gaussian": {"sigma": {"annealedGradientNoise": {"eta": 0.3, "gamma": 0.55}}}}],
    })  # fmt: skip
    with replaced(optax.tree, "random_like", ours_as_jax()):
        return ours, optax_run(optax.chain(optax.add_noise(0.3, 0.55, key=1), optax.adam(0.02)))


@case("sam, sgd", "optax.contrib.sam", 1e-11)
def _():
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.1))
    rule = optax.contrib.sam(optax.sgd(0.05), ascent, sync_period=2, opaque_mode=True)
    return (
        trace({"rule": {"sgd": {"learningRate": 0.05}}, "parameterPerturbation": {"sam": {"rho": 0.1}}}),
        optax_run(rule, gradient_at=True),
    )


@case("sam, adam", "optax.contrib.sam", 1e-6)
def _():
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.1))
    rule = optax.contrib.sam(optax.adam(0.02), ascent, sync_period=2, opaque_mode=True)
    return (
        trace({"rule": {"adam": {"learningRate": 0.02}}, "parameterPerturbation": {"sam": {"rho": 0.1}}}),
        optax_run(rule, gradient_at=True),
    )


# ---- pytorch_optimizer -----------------------------------------------------------------------------------


# Their norm is a float32.
@case("asam with eta 0, momentum", "pytorch_optimizer.SAM(adaptive)", 1e-6)
def _():
    import pytorch_optimizer

    ours = trace({
        "rule": {"momentum": {"learningRate": 0.02, "momentum": 0.9}},
        "parameterPerturbation": {"asam": {"rho": 0.3, "eta": 0}},
    })  # fmt: skip
    theirs = torch_run(
        lambda p: pytorch_optimizer.SAM(
            [p], torch.optim.SGD, rho=0.3, adaptive=True, lr=0.02, momentum=0.9), closure=True)  # fmt: skip
    return ours, theirs


@case("sam, momentum", "pytorch_optimizer.SAM", 1e-6)
def _():
    import pytorch_optimizer

    ours = trace({
        "rule": {"momentum": {"learningRate": 0.02, "momentum": 0.9}},
        "parameterPerturbation": {"sam": {"rho": 0.1}},
    })  # fmt: skip
    return ours, torch_run(
        lambda p: pytorch_optimizer.SAM([p], torch.optim.SGD, rho=0.1, lr=0.02, momentum=0.9), closure=True)


@case("gsam, momentum", "pytorch_optimizer.GSAM", 1e-6)
def _():
    import pytorch_optimizer

    class Radius:
        def step(self):
            return 0.1

    class Pairs(pytorch_optimizer.GSAM):
        """Its closure returns the outputs too, and turns gradients on itself."""

        def step(self, closure):
            def evaluate():
                with torch.enable_grad():
                    return None, closure()

            return super().step(evaluate)

    ours = trace({
        "rule": {"momentum": {"learningRate": 0.02, "momentum": 0.9}},
        "parameterPerturbation": {"gsam": {"rho": 0.1, "alpha": 0.3}},
    })  # fmt: skip
    return ours, torch_run(
        lambda p: Pairs([p], torch.optim.SGD([p], lr=0.02, momentum=0.9), torch.nn.Identity(), Radius(),
                        alpha=0.3), closure=True)  # fmt: skip


@case("lookSAM, momentum", "pytorch_optimizer.LookSAM", 1e-6)
def _():
    import pytorch_optimizer

    ours = trace({
        "rule": {"momentum": {"learningRate": 0.02, "momentum": 0.9}},
        "parameterPerturbation": {"lookSAM": {"rho": 0.1, "alpha": 0.6, "every": 4}},
    })  # fmt: skip
    return ours, torch_run(
        lambda p: pytorch_optimizer.LookSAM(
            [p], torch.optim.SGD, rho=0.1, k=4, alpha=0.6, lr=0.02, momentum=0.9), closure=True)  # fmt: skip


@case("pnm", "pytorch_optimizer.PNM")
def _():
    import pytorch_optimizer

    ours = trace({"rule": {"pnm": {"learningRate": 0.02, "beta0": 0.7, "weightDecay": 0.1}}})
    return ours, torch_run(
        lambda p: pytorch_optimizer.PNM([p], lr=0.02, betas=(0.9, 0.7), weight_decay=0.1))


@case("adaPNM", "pytorch_optimizer.AdaPNM", 1e-6)
def _():
    import pytorch_optimizer

    ours = trace({"rule": {"adaPNM": {"learningRate": 0.02, "weightDecay": 0.1, "epsilon": 0}}})
    return ours, torch_run(
        lambda p: pytorch_optimizer.AdaPNM([p], lr=0.02, betas=(0.9, 0.999, 1.0), weight_decay=0.1, eps=0.0))


@case("adaGrad", "torch.optim.Adagrad")
def _():
    settings = {"learningRate": 0.1, "learningRateDecay": 0.01, "weightDecay": 0.1, "initialAccumulator": 0.2}
    return trace({"rule": {"adaGrad": settings}}), torch_run(
        lambda p: torch.optim.Adagrad(
            [p], lr=0.1, lr_decay=0.01, weight_decay=0.1, initial_accumulator_value=0.2))  # fmt: skip


# ---- ivon-opt --------------------------------------------------------------------------------------------


@case("ivon", "ivon-opt", 1e-9)
def _():
    import ivon

    ours = trace({"rule": {"ivon": {
        "learningRate": 0.05, "effectiveSampleSize": 100, "initialHessian": 0.8, "beta1": 0.9, "beta2": 0.99,
        "weightDecay": 0.01}}})  # fmt: skip
    h = torch.tensor(CURVATURE)
    p = torch.nn.Parameter(torch.tensor(START))
    rule = ivon.IVON([p], lr=0.05, ess=100, hess_init=0.8, beta1=0.9, beta2=0.99, weight_decay=0.01)
    seen = [START.copy()]
    draws = [torch.tensor(row) for row in noise(4094)]
    with replaced(torch, "randn", draws):
        for step in range(STEPS):
            with rule.sampled_params(train=True):
                rule.zero_grad()
                (h * p * p / 2 + torch.tensor(LINEAR[step]) * p).sum().backward()
            rule.step()
            seen.append(p.detach().numpy().copy())
    return ours, np.array(seen)


# ---- posteriors ------------------------------------------------------------------------------------------

DATA_SIZE = 50


def log_posterior(step):
    """-N times the mean loss."""
    h, w = torch.tensor(CURVATURE), torch.tensor(LINEAR[step])
    return lambda x, _: (-DATA_SIZE * (h * x * x / 2 + w * x).sum(), torch.tensor([]))


@case("sgld", "posteriors.sgmcmc.sgld")
def _():
    from posteriors.sgmcmc import sgld

    rate, temperature = 0.002, 0.7
    ours = trace({"rule": {"sgld": {
        "learningRate": rate, "temperature": temperature, "dataSize": DATA_SIZE}}})  # fmt: skip
    state = sgld.init(torch.tensor(START))
    seen = [START.copy()]
    with replaced(torch, "randn_like", [torch.tensor(row) for row in noise(4095)]):
        for step in range(STEPS):
            state, _ = sgld.update(state, None, log_posterior(step), lr=rate, temperature=temperature)
            seen.append(state.params.numpy().copy())
    return ours, np.array(seen)


# The momentum samplers of posteriors move theta by the old momentum (Euler), PEO by the new one (symplectic):
# the paths differ, drift and diffusion must not. In each step the other library gets PEO's theta and momentum
# and must give PEO's next momentum. In its units eta = lr^2, v = lr m, friction a = lr alpha.


def velocities(ours, rate, temperature):
    """PEO's velocity before each step; the first is drawn from N(0, eta T)."""
    first = np.sqrt(rate * temperature) * noise(4095, draw=1, steps=1)[0]
    return np.concatenate([[first], np.diff(ours, axis=0)])


@case("sghmc, momentum by momentum", "posteriors.sgmcmc.sghmc")
def _():
    from posteriors.sgmcmc import sghmc

    rate, friction, temperature = 0.002, 0.2, 0.7
    ours = trace({"rule": {"sghmc": {
        "learningRate": rate, "friction": friction, "temperature": temperature, "dataSize": DATA_SIZE}}})
    lr = np.sqrt(rate)
    v = velocities(ours, rate, temperature)
    theirs = []
    with replaced(torch, "randn_like", [torch.tensor(row) for row in noise(4095)]):
        for step in range(STEPS):
            state = sghmc.SGHMCState(torch.tensor(ours[step]), torch.tensor(v[step] / lr))
            state, _ = sghmc.update(
                state, None, log_posterior(step), lr=lr, alpha=friction / lr, temperature=temperature)
            theirs.append(lr * state.momenta.numpy())
    return v[1:], np.array(theirs)


@case("sgnht, momentum by momentum", "posteriors.sgmcmc.sgnht")
def _():
    from posteriors.sgmcmc import sgnht

    rate, friction, temperature = 0.002, 0.2, 0.7
    ours = trace({"rule": {"sgnht": {
        "learningRate": rate, "friction": friction, "temperature": temperature, "dataSize": DATA_SIZE}}})
    lr = np.sqrt(rate)
    v = velocities(ours, rate, temperature)
    xi = torch.tensor(friction / lr)
    theirs = []

    def update(step, momentum, xi):
        state = sgnht.SGNHTState(torch.tensor(ours[step]), torch.tensor(momentum / lr), xi)
        state, _ = sgnht.update(
            state, None, log_posterior(step), lr=lr, alpha=friction / lr, temperature=temperature)
        return state

    # The thermostat is theirs throughout, of PEO's new momentum.
    draws = [torch.tensor(row) for row in noise(4095) for _ in range(2)]
    with replaced(torch, "randn_like", draws):
        for step in range(STEPS):
            theirs.append(lr * update(step, v[step], xi).momenta.numpy())
            xi = update(step, v[step + 1], xi).xi
    return v[1:], np.array(theirs)


# ---- The table -------------------------------------------------------------------------------------------


def main():
    global PEO
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peo", required=True)
    parser.add_argument("--json", help="also write the table to this file")
    parser.add_argument("word", nargs="?", default="")
    arguments = parser.parse_args()
    PEO = arguments.peo
    rows = []
    for name, reference, tolerance, function in CASES:
        if arguments.word not in name and arguments.word not in reference:
            continue
        try:
            ours, theirs = function()
            difference = float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
            verdict = "same" if difference <= tolerance else "DIFFERS"
        except subprocess.CalledProcessError as error:
            text = (error.stderr + error.stdout).strip()
            verdict = "absent: this build has no such type" if "there is no " in text else f"FAILED: {text}"
            difference = float("nan")
        except Exception as error:  # A reference that does not run is a failed row, not the end of the table.
            difference, verdict = float("nan"), f"FAILED: {type(error).__name__}: {error}"
        rows.append({"name": name, "reference": reference, "difference": difference,
                     "tolerance": tolerance, "verdict": verdict})  # fmt: skip
        print(f"{name:34} {reference:34} {difference:9.1e} of {tolerance:.0e}  {verdict}", flush=True)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file)
    same = sum(row["verdict"] == "same" for row in rows)
    absent = sum(row["verdict"].startswith("absent") for row in rows)
    bad = len(rows) - same - absent
    print(f"{same} of {len(rows)} the same, {bad} not" + (f", {absent} absent" if absent else ""))
    sys.exit(1 if bad or not same else 0)


main()
