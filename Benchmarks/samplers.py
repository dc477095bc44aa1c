"""Draws per second of samplers on one core: PEO beside posteriors (PyTorch) and BlackJAX, in one run.

    make bench-samplers
    scripts/with-packages samplers Benchmarks/samplers.py --peo .build/release/peo [--rounds 3] [--draws N] [CASE ...]

The same target, rule, step size and minibatch size, float32: Bayesian logistic regression on a9a (124 weights, batches of 256)
and a network 64-64-10 on the digits (4,810 weights, batches of 32), both by SGLD with a normal prior. Every step is a draw that
is kept, and of the network also every 20th: as one samples a network, whose draws are large and alike. All are pinned to one core and keep their draws in memory: PEO's are files in /dev/shm. BlackJAX's loop is one
compiled lax.scan, the compilation not timed. Each round runs all in turn; ratios are taken within a round, and the median is
printed. Beside it: PEO with its files on the disk, and with a plain Swift closure instead of the library's logistic regression.

The case `linear` asks for the same answers: a linear regression (5 weights, whole gradients) by SGLD with steps so long that
its law is not the posterior, but is known: N(m, (P(1 - eta P/2))^-1). Means and covariances of all three against it and against
each other, in standard errors by batch means; and how many the posterior itself is away, which a comparison this sharp
must tell apart.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

CASES = {"logistic-a9a": 20_000, "mlp-digits": 5_000, "linear": 50_000}
THINNED = [("logistic-a9a", 1), ("mlp-digits", 1), ("mlp-digits", 20), ("linear", 1)]  # cases, and steps from draw to draw
RATES = {"logistic-a9a": 1e-5, "mlp-digits": 1e-6, "linear": 1e-3}
BATCHES = {"logistic-a9a": 256, "mlp-digits": 32, "linear": 64}
DEVIATIONS = {"logistic-a9a": 1.0, "mlp-digits": 0.3, "linear": 1.0}
NOISE = 0.5  # of `linear`


def data(peo, case):
    """Features and labels as peo has them."""
    import numpy as np

    out = subprocess.run([peo, "bench", "samplers", case, "--data"], check=True, stdout=subprocess.PIPE).stdout
    count, width = np.frombuffer(out[:16], np.int64)
    x = np.frombuffer(out[16 : 16 + 4 * count * width], np.float32).reshape(count, width)
    y = np.frombuffer(out[16 + 4 * count * width :], np.float32 if case == "linear" else np.int64)
    return x, y


def shapes(case):
    return {"logistic-a9a": [(123,), ()], "linear": [(4,), ()], "mlp-digits": [(64, 64), (64,), (10, 64), (10,)]}[case]


def summary(draws, rate, keep):
    import numpy as np

    if keep:
        np.save(keep, draws)
    return {"drawsPerSecond": rate}


def start(case):
    import numpy as np

    random = np.random.default_rng(1)
    return [np.zeros(s, np.float32) if len(s) < 2 else
            random.normal(0, 0.1, s).astype(np.float32) for s in shapes(case)]


def blackjax(peo, case, draws, thin, keep):
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
        if case == "linear":
            return jnp.sum((yb - xb @ p[0] - p[1]) ** 2) / (-2 * NOISE**2)
        scores = jax.nn.relu(xb @ p[0].T + p[1]) @ p[2].T + p[3]
        return jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(scores), yb[:, None], 1))

    def logdensity(p, batch):
        prior = sum(jnp.sum(w * w) for w in p) / (-2 * deviation**2)
        return count / size * loglik(p, *batch) + prior

    kernel = bj.sgld(jax.grad(logdensity))

    def one(p, key):
        take, move = jax.random.split(key)
        index = jax.random.randint(take, (size,), 0, count)
        batch = (x, y) if case == "linear" else (x[index], y[index])
        return kernel.step(move, p, batch, RATES[case]), None

    def draw(p, key):
        p, _ = jax.lax.scan(one, p, jax.random.split(key, thin)) if thin > 1 else one(p, key)
        return p, p

    run = jax.jit(lambda p, key: jax.lax.scan(draw, p, jax.random.split(key, draws)))
    p = [jnp.asarray(w) for w in start(case)]
    jax.block_until_ready(run(p, jax.random.key(1)))
    began = time.perf_counter()
    _, kept = jax.block_until_ready(run(p, jax.random.key(2)))
    rate = draws / (time.perf_counter() - began)
    return summary(np.concatenate([np.asarray(w).reshape(draws, -1) for w in kept], 1), rate, keep)


def posteriors(peo, case, draws, thin, keep):
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
        elif case == "linear":
            likelihood = ((yb - xb @ p["0"] - p["1"]) ** 2).sum() / (-2 * NOISE**2)
        else:
            scores = functional.linear(functional.relu(functional.linear(xb, p["0"], p["1"])), p["2"], p["3"])
            likelihood = -functional.cross_entropy(scores, yb, reduction="sum")
        prior = sum((w * w).sum() for w in p.values()) / (-2 * deviation**2)
        return count / size * likelihood + prior, torch.tensor([])

    transform = ps.sgmcmc.sgld.build(logdensity, lr=RATES[case])
    state = transform.init({str(i): torch.tensor(w) for i, w in enumerate(start(case))})
    kept = np.empty((draws, sum(w.numel() for w in state.params.values())), np.float32)
    torch.manual_seed(1)
    for step in range(-50, draws * thin):
        if step == 0:
            began = time.perf_counter()
        index = torch.randint(count, (size,))
        batch = (x, y) if case == "linear" else (x[index], y[index])
        state = transform.update(state, batch, inplace=True)
        state = state[0] if isinstance(state, tuple) and not hasattr(state, "params") else state
        if step >= 0 and (step + 1) % thin == 0:
            kept[step // thin] = torch.cat([w.detach().reshape(-1) for w in state.params.values()]).numpy()
    return summary(kept, draws / (time.perf_counter() - began), keep)


def measured(command, environment=None):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def peo_draws(folder):
    """The draws of the one chain in a folder of samples, [draws, coordinates]."""
    import glob

    import numpy as np

    parts = []
    for name in sorted(glob.glob(f"{folder}/part-*.safetensors")):
        raw = open(name, "rb").read()
        length = int.from_bytes(raw[:8], "little")
        entry = json.loads(raw[8 : 8 + length])["theta"]
        first, end = (8 + length + offset for offset in entry["data_offsets"])
        parts.append(np.frombuffer(raw[first:end], np.float32).reshape(entry["shape"])[0])
    return np.concatenate(parts)


def same_answers(peo, found):
    """How far the moments of each one's draws are from the exact ones, and from each other's, in standard errors."""
    import numpy as np

    x, y = data(peo, "linear")
    x = np.concatenate([x, np.ones((len(x), 1))], 1).astype(np.float64)
    d = x.shape[1]
    precision = x.T @ x / NOISE**2 + np.eye(d) / DEVIATIONS["linear"] ** 2
    mean = np.linalg.solve(precision, x.T @ y / NOISE**2)
    law = np.linalg.inv(precision @ (np.eye(d) - RATES["linear"] / 2 * precision))
    posterior = np.linalg.inv(precision)
    upper = np.triu_indices(d)

    def moments(draws):
        draws = draws[1000:].astype(np.float64) - mean
        values = np.concatenate([draws, draws[:, upper[0]] * draws[:, upper[1]]], 1)
        batches = np.stack([b.mean(0) for b in np.array_split(values, 50)])
        return batches.mean(0), batches.std(0, ddof=1) / 50**0.5

    def largest(off, error):
        z = np.abs(off / error)
        return f"means by {z[:d].max():.1f}, covariances by {z[d:].max():.1f}"

    exact = np.concatenate([np.zeros(d), law[upper]])
    other = np.concatenate([np.zeros(d), posterior[upper]])
    known = {name: moments(draws) for name, draws in found.items()}
    lines = ["linear, SGLD, moments in standard errors, the largest of 5 means and 15 covariances:"]
    for name, (value, error) in known.items():
        lines.append(f"  {name:<11} off the exact law: {largest(value - exact, error)} "
                     f"(standard errors of variances: {100 * np.median(error[d:][upper[0] == upper[1]] / np.diag(law)):.1f}%); "
                     f"off the posterior without SGLD's bias: {largest(value - other, error)}")
    names = list(known)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            error = np.hypot(known[a][1], known[b][1])
            lines.append(f"  {a} and {b} differ: {largest(known[a][0] - known[b][0], error)}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peo", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draws", type=int, help="of each round; as the case has them unless told")
    parser.add_argument("--thin", type=int, default=1, help="steps from one draw to the next, of the cases that are named")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--keep", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    if options.only:
        run = {"blackjax": blackjax, "posteriors": posteriors}[options.only]
        print(json.dumps(run(options.peo, options.cases[0], options.draws, options.thin, options.keep)))
        return
    import tempfile

    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    for case, thin in [(case, options.thin) for case in options.cases] or THINNED:
        if case not in CASES:
            sys.exit(f"samplers.py: there is no case '{case}'; allowed: {', '.join(CASES)}")
        with tempfile.TemporaryDirectory() as folder:
            compare(options, case, thin, str(options.draws or max(1000, CASES[case] // thin)), folder)


def compare(options, case, thin, draws, folder):
    import numpy as np

    is_linear = case == "linear"
    ours = {"PEO": case}
    if not is_linear and thin == 1:
        ours["PEO, disk"] = case
    if case == "logistic-a9a":
        ours["PEO, closure"] = "logistic-a9a-closure"
    memory = os.environ | ({"TMPDIR": "/dev/shm"} if os.path.isdir("/dev/shm") else {})
    rows = []
    # Where answers are compared, once is enough.
    for _ in range(1 if is_linear else options.rounds):
        row = {}
        for name, own in ours.items():
            kept = ["--keep", f"{folder}/peo"] if is_linear else []
            row[name] = measured([options.peo, "bench", "samplers", own, "--draws", draws, "--thin", str(thin), "--json"] + kept,
                                 os.environ if name == "PEO, disk" else memory)["samplers"][0]
        for name in ["posteriors", "blackjax"]:
            kept = ["--keep", f"{folder}/{name}.npy"] if is_linear else []
            row[name] = measured([sys.executable, "-W", "ignore", __file__, "--peo", options.peo, "--only", name,
                                  "--draws", draws, "--thin", str(thin), case] + kept)
        rows.append(row)
    text = [f"{case}, SGLD, {'draws' if thin == 1 else f'steps, one of {thin} kept,'} per second on one core:"]
    for name in rows[0]:
        rate = thin * statistics.median(r[name]["drawsPerSecond"] for r in rows)
        ratio = statistics.median(r["PEO"]["drawsPerSecond"] / r[name]["drawsPerSecond"] for r in rows)
        text.append(f"  {name:<12} {rate:>9.0f}   PEO is {ratio:.2f} times as fast")
    if is_linear:
        found = {"PEO": peo_draws(f"{folder}/peo")}
        found |= {name: np.load(f"{folder}/{name}.npy") for name in ["posteriors", "blackjax"]}
        text += same_answers(options.peo, found)
    print("\n".join(text), flush=True)


if __name__ == "__main__":
    main()
