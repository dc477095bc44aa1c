"""Environment steps per second of agents as they act and learn: PEO beside CleanRL-style PyTorch, in one run.

    make bench-agents
    scripts/with-packages gymnasium Benchmarks/agents.py --peo .build/release/peo [--rounds 3] [--steps N] [--threads N]
        [CASE ...]

Each round runs PyTorch's script and PEO in turn, each in a process of its own with as many threads; the ratio is taken
within a round, and the median is printed. Both have the same algorithm, networks and numbers.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

# A case of `peo bench agents`: the script that does the same, threads, and the steps that are timed.
CASES = {"cartpole-ppo": ("cleanrl_ppo.py", 1, 30_000), "pendulum-sac": ("cleanrl_sac.py", 2, 3000)}


def output_of(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), PYTHONPATH=os.pathsep.join(sys.path))
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peo", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="that are timed; as the case has them unless told")
    parser.add_argument("--threads", type=int, help="of both; as the case has them unless told")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    for case in options.cases or CASES:
        if case not in CASES:
            sys.exit(f"agents.py: there is no case '{case}'; allowed: {', '.join(CASES)}")
        name, threads, steps = CASES[case]
        threads = options.threads or threads
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        steps = str(options.steps or steps)
        rows = []
        for _ in range(options.rounds):
            both = ["--steps", steps, "--threads", str(threads)]
            torch = output_of([sys.executable, script, *both], threads)
            own = output_of([options.peo, "bench", "agents", case, *both, "--json"], threads)
            rows.append((torch["stepsPerSecond"], own["agents"][0]["stepsPerSecond"]))
        ratios = [own / torch for torch, own in rows]
        print(f"{case}, {threads} thread{'s' * (threads > 1)}: PyTorch {statistics.median(r[0] for r in rows):.0f} steps/s, "
              f"PEO {statistics.median(r[1] for r in rows):.0f} steps/s, ratio {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f} in {options.rounds} rounds)", flush=True)


if __name__ == "__main__":
    main()
