"""The perturbed step: PEO beside PyTorch and optax, in one run. For whole training steps see training.py.

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
    """Nanoseconds per element of PyTorch's fused Adam and SGD, alone and after grad + sigma * randn_like."""
    parameter = torch.zeros(elements)
    parameter.grad = torch.randn(elements)
    rules = {"Adam": torch.optim.Adam, "SGD": torch.optim.SGD}
    times = {}
    for name, rule in rules.items():
        optimizer = rule([parameter], lr=1e-3, fused=True)

        def noisy():
            parameter.grad = parameter.grad + 1e-3 * torch.randn_like(parameter.grad)
            optimizer.step()

        times[f"PyTorch fused {name}"] = median_time(optimizer.step, repeats)
        times[f"PyTorch grad + sigma * randn_like, fused {name}"] = median_time(noisy, repeats)
    return {name: seconds / elements * 1e9 for name, seconds in times.items()}


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
    print(f"\n{options.elements} float32 parameters, 2 threads, {options.rounds} rounds")
    subjects = {False: "PEO adam + gaussian", True: "PEO sgd + gaussian"}
    print(f"{'step':<48}{'ns/element':>12}   by PEO's own gaussian step (adam; sgd for rows of SGD)")
    for name in rounds[0]:
        if name.startswith("…"):
            continue
        subject = subjects["sgd" in name.lower()]
        ratio = statistics.median(times[name] / times[subject] for times in rounds)
        print(f"{name:<48}{statistics.median(t[name] for t in rounds):>12.3f}{ratio:>10.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peo", required=True, help="the built tool")
    parser.add_argument("--elements", type=int, default=25_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-optax", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    compare_steps(options)


if __name__ == "__main__":
    main()
