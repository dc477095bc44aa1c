"""Draws per second of samplers on one core: PEO beside posteriors (PyTorch) and BlackJAX, in one run.

    make bench-samplers
    scripts/with-packages samplers Benchmarks/samplers.py --peo .build/release/peo [--rounds 3] [--draws N] [CASE ...]

The same target, rule, step size and minibatch size, float32, every step a draw that is kept: Bayesian logistic regression on
a9a (124 weights, batches of 256) and a network 64-64-10 on the digits (4,810 weights, batches of 32), both by SGLD with a
normal prior. All are pinned to one core. BlackJAX's loop is one compiled lax.scan, the compilation not timed. Each round runs
the three in turn; ratios are taken within a round, and the median is printed, with how far the mean scores of the training examples differ where the model is linear.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

CASES = {"logistic-a9a": 20_000, "mlp-digits": 5_000}
RATES = {"logistic-a9a": 1e-5, "mlp-digits": 1e-6}
BATCHES = {"logistic-a9a": 256, "mlp-digits": 32}
DEVIATIONS = {"logistic-a9a": 1.0, "mlp-digits": 0.3}


def data(peo, case):
    """Features and labels as peo has them."""
    import numpy as np

    out = subprocess.run([peo, "bench", "samplers", case, "--data"], check=True, stdout=subprocess.PIPE).stdout
    count, width = np.frombuffer(out[:16], np.int64)
    x = np.frombuffer(out[16 : 16 + 4 * count * width], np.float32).reshape(count, width)
    y = np.frombuffer(out[16 + 4 * count * width :], np.int64)
    return x, y


def shapes(case):
    return [(123,), ()] if case == "logistic-a9a" else [(64, 64), (64,), (10, 64), (10,)]


def summary(draws, rate):
    import numpy as np

    half = draws[len(draws) // 2 :]
    return {"drawsPerSecond": rate, "means": np.mean(half, 0, dtype=np.float64).tolist()}


def start(case):
    import numpy as np

    random = np.random.default_rng(1)
    return [np.zeros(s, np.float32) if case == "logistic-a9a" or len(s) < 2 else
            random.normal(0, 0.1, s).astype(np.float32) for s in shapes(case)]


def blackjax(peo, case, draws):
    os.environ["JAX_PLATFORMS"] = "cpu"
    import blackjax as bj
    import jax
    import jax.numpy as jnp
    import numpy as np

    x, y = map(jnp.asarray, data(peo, case))
    count, size, deviation = len(x), BATCHES[case], DEVIATIONS[case]

    def loglik(p, xb, yb):
        if case == "logistic-a9a":
            return jnp.sum(jax.nn.log_sigmoid((2 * yb - 1) * (xb @ p[0] + p[1])))
        scores = jax.nn.relu(xb @ p[0].T + p[1]) @ p[2].T + p[3]
        return jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(scores), yb[:, None], 1))

    def logdensity(p, batch):
        prior = sum(jnp.sum(w * w) for w in p) / (-2 * deviation**2)
        return count / size * loglik(p, *batch) + prior

    kernel = bj.sgld(jax.grad(logdensity))

    def one(p, key):
        take, move = jax.random.split(key)
        index = jax.random.randint(take, (size,), 0, count)
        p = kernel.step(move, p, (x[index], y[index]), RATES[case])
        return p, p

    run = jax.jit(lambda p, key: jax.lax.scan(one, p, jax.random.split(key, draws)))
    p = [jnp.asarray(w) for w in start(case)]
    jax.block_until_ready(run(p, jax.random.key(1)))
    began = time.perf_counter()
    _, kept = jax.block_until_ready(run(p, jax.random.key(2)))
    rate = draws / (time.perf_counter() - began)
    return summary(np.concatenate([np.asarray(w).reshape(draws, -1) for w in kept], 1), rate)


def posteriors(peo, case, draws):
    import numpy as np
    import posteriors as ps
    import torch

    torch.set_num_threads(1)
    x, y = (torch.tensor(a) for a in data(peo, case))
    count, size, deviation = len(x), BATCHES[case], DEVIATIONS[case]
    functional = torch.nn.functional

    def logdensity(p, batch):
        xb, yb = batch
        if case == "logistic-a9a":
            likelihood = functional.logsigmoid((2 * yb - 1) * (xb @ p["0"] + p["1"])).sum()
        else:
            scores = functional.linear(functional.relu(functional.linear(xb, p["0"], p["1"])), p["2"], p["3"])
            likelihood = -functional.cross_entropy(scores, yb, reduction="sum")
        prior = sum((w * w).sum() for w in p.values()) / (-2 * deviation**2)
        return count / size * likelihood + prior, torch.tensor([])

    transform = ps.sgmcmc.sgld.build(logdensity, lr=RATES[case])
    state = transform.init({str(i): torch.tensor(w) for i, w in enumerate(start(case))})
    kept = np.empty((draws, sum(w.numel() for w in state.params.values())), np.float32)
    torch.manual_seed(1)
    for step in range(-50, draws):
        if step == 0:
            began = time.perf_counter()
        index = torch.randint(count, (size,))
        state = transform.update(state, (x[index], y[index]), inplace=True)
        state = state[0] if isinstance(state, tuple) and not hasattr(state, "params") else state
        if step >= 0:
            kept[step] = torch.cat([w.detach().reshape(-1) for w in state.params.values()]).numpy()
    return summary(kept, draws / (time.perf_counter() - began))


def measured(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peo", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draws", type=int, help="of each round; as the case has them unless told")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    if options.only:
        run = {"blackjax": blackjax, "posteriors": posteriors}[options.only]
        print(json.dumps(run(options.peo, options.cases[0], options.draws)))
        return
    import numpy as np

    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    for case in options.cases or CASES:
        if case not in CASES:
            sys.exit(f"samplers.py: there is no case '{case}'; allowed: {', '.join(CASES)}")
        draws = str(options.draws or CASES[case])
        rows = []
        for _ in range(options.rounds):
            row = {"PEO": measured([options.peo, "bench", "samplers", case, "--draws", draws, "--json"])["samplers"][0]}
            for name in ["posteriors", "blackjax"]:
                row[name] = measured([sys.executable, "-W", "ignore", __file__, "--peo", options.peo, "--only", name,
                                      "--draws", draws, case])
            rows.append(row)
        text = [f"{case}, SGLD, draws per second on one core:"]
        x, _ = data(options.peo, case)
        # A network's weights differ from run to run; a linear model's mean scores are those of its mean weights.
        scores = {name: x @ np.array(row[name]["means"])[:-1] + row[name]["means"][-1] for name in row
                  } if case == "logistic-a9a" else {}
        for name in ["PEO", "posteriors", "blackjax"]:
            rate = statistics.median(r[name]["drawsPerSecond"] for r in rows)
            ratio = statistics.median(r["PEO"]["drawsPerSecond"] / r[name]["drawsPerSecond"] for r in rows)
            off = ""
            if scores and name != "PEO":
                off = f"; mean scores differ by {100 * np.std(scores[name] - scores['PEO']) / np.std(scores['PEO']):.1f}%"
            text.append(f"  {name:<11} {rate:>9.0f}   PEO is {ratio:.2f} times as fast{off}")
        print("\n".join(text), flush=True)


if __name__ == "__main__":
    main()
