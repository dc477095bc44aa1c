"""PEO beside PyTorch and optax, in one run: the tables of the README.

    make bench                      # fetches jax and optax once, builds peo, runs this
    python Benchmarks/peers.py --peo .build/release/peo [--elements 25000000] [--rounds 3] [--no-optax]

Each round runs every contestant once, so that a drift of the machine's speed meets all of them; ratios are
taken within a round and their median is printed. PyTorch runs as users run it: eager mode, fused Adam.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

# Two threads for everyone, and before any library looks.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads=2")

import torch
import torch.nn as nn


def median_time(run, repeats):
    """Seconds: the median of `repeats` runs after two that are not counted."""
    run()
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


# ---- The step ----------------------------------------------------------------------------------------------


def torch_steps(elements, repeats):
    """Nanoseconds per element of PyTorch's fused Adam, alone and after grad + sigma * randn_like."""
    parameter = torch.zeros(elements)
    parameter.grad = torch.randn(elements)
    adam = torch.optim.Adam([parameter], lr=1e-3, fused=True)

    def noisy():
        parameter.grad = parameter.grad + 1e-3 * torch.randn_like(parameter.grad)
        adam.step()

    plain = median_time(adam.step, repeats)
    return {
        "PyTorch fused Adam": plain / elements * 1e9,
        "PyTorch grad + sigma * randn_like, fused Adam": median_time(noisy, repeats) / elements * 1e9,
    }


def optax_steps(elements, repeats):
    """Nanoseconds per element of optax's add_noise + adam under jit."""
    import jax
    import jax.numpy as jnp
    import optax

    rule = optax.chain(optax.add_noise(eta=1e-6, gamma=0.0, key=1), optax.adam(1e-3))
    gradient = jax.random.normal(jax.random.PRNGKey(0), (elements,))

    @jax.jit
    def step(parameter, state):
        updates, state = rule.update(gradient, state, parameter)
        return optax.apply_updates(parameter, updates), state

    parameter = jnp.zeros(elements)
    holder = [parameter, rule.init(parameter)]

    def run():
        holder[:] = step(*holder)
        holder[0].block_until_ready()

    return {"optax add_noise + adam, jit": median_time(run, repeats) / elements * 1e9}


def peo_steps(peo, elements, repeats):
    """Nanoseconds per element of every row of `peo bench step`."""
    report = json.loads(
        subprocess.run(
            [peo, "bench", "step", "--json", "--elements", str(elements), "--placements", "1", "--rounds", str(repeats)],
            check=True, capture_output=True, text=True,
        ).stdout
    )
    return {row["name"].strip(): row["nanoseconds"] for row in report["rows"]}


def compare_steps(options):
    rounds = []
    for number in range(options.rounds):
        print(f"step, round {number + 1} of {options.rounds}", file=sys.stderr)
        times = torch_steps(options.elements, 7)
        if not options.no_optax:
            times |= optax_steps(options.elements, 3)
        times |= peo_steps(options.peo, options.elements, 7)
        rounds.append(times)
    subject = "PEO adam + gaussian"
    print(f"\n{options.elements} float32 parameters, 2 threads, {options.rounds} rounds")
    print(f"{'step':<48}{'ns/element':>12}{'time / (' + subject + ')':>32}")
    for name in rounds[0]:
        if name.startswith("…"):
            continue
        ratio = statistics.median(times[name] / times[subject] for times in rounds)
        print(f"{name:<48}{statistics.median(t[name] for t in rounds):>12.3f}{ratio:>31.2f}x")


# ---- Training ----------------------------------------------------------------------------------------------


def cnn(size):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (size // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, 10),
    )


CASES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), (64,), 32, 1),
    "digits-cnn": (lambda: cnn(8), (1, 8, 8), 64, 2),
    "fashion-cnn": (lambda: cnn(28), (1, 28, 28), 128, 2),
}


def torch_training(name, seconds):
    """Steps per second of PyTorch's eager mode, the batch taken from data in memory."""
    make, shape, batch, threads = CASES[name]
    torch.set_num_threads(threads)
    model = make()
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss = nn.CrossEntropyLoss()
    inputs = torch.randn(batch * 16, *shape)
    labels = torch.arange(batch * 16) % 10
    position = [0]

    def step():
        start = position[0]
        position[0] = (start + batch) % len(inputs)
        adam.zero_grad(set_to_none=True)
        value = loss(model(inputs[start : start + batch]), labels[start : start + batch])
        value.backward()
        adam.step()
        return value.item()

    for _ in range(20):
        step()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        count += 1
    return count / (time.perf_counter() - start)


def peo_training(peo, name, seconds):
    output = subprocess.run(
        [peo, "bench", "training", name, "--json", "--seconds", str(seconds / 5)],
        check=True, capture_output=True, text=True,
    ).stdout
    return {row["perturbed"]: row["stepsPerSecond"] for row in json.loads(output)["training"]}


def compare_training(options):
    print(f"\ntraining steps per second, {options.training_rounds} rounds")
    print(f"{'model':<14}{'PyTorch':>10}{'PEO':>10}{'ratio':>9}{'PEO + gaussian':>17}{'ratio':>9}")
    for name in CASES:
        rounds = []
        for _ in range(options.training_rounds):
            rounds.append((torch_training(name, 2.0), peo_training(options.peo, name, 2.0)))
        row = [statistics.median(t for t, _ in rounds)]
        for perturbed in (False, True):
            row.append(statistics.median(p[perturbed] for _, p in rounds))
            row.append(statistics.median(p[perturbed] / t for t, p in rounds))
        print(f"{name:<14}{row[0]:>10.0f}{row[1]:>10.0f}{row[2]:>8.2f}x{row[3]:>17.0f}{row[4]:>8.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peo", required=True, help="the built tool")
    parser.add_argument("--elements", type=int, default=25_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--training-rounds", type=int, default=5)
    parser.add_argument("--no-optax", action="store_true")
    parser.add_argument("--only", choices=["step", "training"])
    options = parser.parse_args()
    torch.set_num_threads(2)
    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    if options.only != "training":
        compare_steps(options)
    if options.only != "step":
        compare_training(options)


if __name__ == "__main__":
    main()
