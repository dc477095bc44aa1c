"""Training steps per second and peak memory: PEO beside PyTorch's eager mode, in one run.

    make bench-training
    python Benchmarks/training.py --peo .build/release/peo [--rounds 5] [--seconds 4] [CASE ...]
    python Benchmarks/training.py --peo .build/release/peo --device cuda:0 [--precision bfloat16] resnet20-wide gpt-11m gpt-85m

Each round runs PyTorch and PEO in turn, each in a process of its own with the same number of threads; the ratio
is taken within a round, and the median is printed. PyTorch runs as users run it: eager mode, fused Adam, data
held in memory. Peak memory is the process's largest resident set, Python and all, as a user pays it.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

# ---- Models, as their papers and PyTorch's own modules write them ---------------------------------------------


def cnn(size):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (size // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, 10),
    )


class BasicBlock(nn.Module):
    """He et al. 2016, option A: the shortcut subsamples and pads with zeros."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.extra = stride, outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.extra or self.stride > 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.extra // 2, self.extra // 2))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self, first=16, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, first, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        blocks, width = [], first
        for stage in (first, 2 * first, 4 * first):
            for number in range(3):
                blocks.append(BasicBlock(width, stage, 2 if number == 0 and stage > first else 1))
                width = stage
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


class GPTBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.c_fc, self.mlp_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.c_attn(self.ln_1(x)).split(width, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).contiguous().view(batch, length, width))
        return x + self.mlp_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class GPT(nn.Module):
    """GPT-2's layout, the head tied to the embedding."""

    def __init__(self, vocabulary=65, length=64, layers=4, heads=4, width=128):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.h = nn.ModuleList(GPTBlock(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.register_buffer("positions", torch.arange(length), persistent=False)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(self.positions[: tokens.shape[1]])
        for block in self.h:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)


class CharLSTM(nn.Module):
    def __init__(self, vocabulary=65, width=256, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        return self.head(self.lstm(self.embedding(tokens))[0])


class ViTBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.proj(y)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    """ViT-tiny (Touvron et al. 2021: width 192, 12 layers, 3 heads) on 32x32 in patches of 4."""

    def __init__(self, classes=10, width=192, layers=12, heads=3):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.randn(1, 65, width) * 0.02)
        self.blocks = nn.Sequential(*(ViTBlock(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


# ---- Cases: model, one example's shape (a number: so many tokens of 65), batch, threads ---------------------------

CASES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), (64,), 32, 1),
    "digits-cnn": (lambda: cnn(8), (1, 8, 8), 64, 2),
    "fashion-cnn": (lambda: cnn(28), (1, 28, 28), 128, 2),
    "resnet20": (ResNet20, (3, 32, 32), 128, 2),
    "gpt": (GPT, 64, 12, 2),
    "lstm": (CharLSTM, 64, 32, 2),
    "vit-tiny": (ViT, (3, 32, 32), 32, 2),
}

# For a GPU; only where they are asked for.
LARGE = {
    "resnet20-wide": (lambda: ResNet20(64), (3, 32, 32), 256, None),
    "gpt-11m": (lambda: GPT(length=256, layers=6, heads=6, width=384), 256, 64, None),
    "gpt-85m": (lambda: GPT(length=256, layers=12, heads=12, width=768), 256, 32, None),
}


def run_torch(name, seconds, device, precision):
    make, shape, batch, threads = (CASES | LARGE)[name]
    if device == "cpu" and threads:
        torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = make().to(device)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss = nn.CrossEntropyLoss()
    count = batch * (16 if isinstance(shape, int) or len(shape) == 1 else 4)
    if isinstance(shape, int):
        inputs = torch.randint(65, (count, shape))
        labels = torch.randint(65, (count, shape))
    else:
        inputs = torch.randn(count, *shape)
        labels = torch.arange(count) % 10
    position = 0

    def step():
        nonlocal position
        part = slice(position, position + batch)
        position = (position + batch) % count
        adam.zero_grad(set_to_none=True)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16"):
            scores = model(inputs[part].to(device))
        value = loss(scores.float().flatten(0, -2), labels[part].to(device).flatten())
        value.backward()
        adam.step()
        return value.item()

    for _ in range(3 if device == "cpu" else 10):
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    rate = steps / (time.perf_counter() - start)
    return {"stepsPerSecond": rate, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


# ---- The comparison ---------------------------------------------------------------------------------------------


def output_of(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_peo(peo, name, seconds, perturbed, where):
    noise = "gaussian" if perturbed else "none"
    command = [peo, "bench", "training", name, "--noise", noise, "--json", "--seconds", str(seconds / 5), *where]
    return output_of(command)["training"][0]


def compare(options):
    print(f"training steps per second, medians of {options.rounds} paired rounds; peak memory in MiB")
    print(f"{'model':<13}{'PyTorch':>9}{'PEO':>9}{'ratio':>8}{'+ gaussian':>12}{'ratio':>8}{'memory':>9}{'PEO':>7}{'ratio':>8}")
    where = ["--device", options.device, "--precision", options.precision]
    for name in options.cases or CASES:
        rounds = []
        for _ in range(options.rounds):
            command = [sys.executable, *sys.argv[:1], "--torch-case", name, "--seconds", str(options.seconds), *where]
            rounds.append((
                output_of(command), run_peo(options.peo, name, options.seconds, False, where),
                run_peo(options.peo, name, options.seconds, True, where),
            ))

        def middle(value):
            return statistics.median(value(*one) for one in rounds)

        print(
            f"{name:<13}{middle(lambda t, p, n: t['stepsPerSecond']):>9.1f}"
            f"{middle(lambda t, p, n: p['stepsPerSecond']):>9.1f}"
            f"{middle(lambda t, p, n: p['stepsPerSecond'] / t['stepsPerSecond']):>7.2f}x"
            f"{middle(lambda t, p, n: n['stepsPerSecond']):>12.1f}"
            f"{middle(lambda t, p, n: n['stepsPerSecond'] / t['stepsPerSecond']):>7.2f}x"
            f"{middle(lambda t, p, n: t['peakBytes']) / 2**20:>9.0f}"
            f"{middle(lambda t, p, n: n['peakBytes']) / 2**20:>7.0f}"
            f"{middle(lambda t, p, n: n['peakBytes'] / t['peakBytes']):>7.2f}x",
            flush=True,
        )
        if options.device != "cpu":
            print(
                f"{'':<13}PEO's update {middle(lambda t, p, n: p['updateMilliseconds']):.2f} ms of "
                f"{middle(lambda t, p, n: 1000 / p['stepsPerSecond']):.2f}, copying "
                f"{middle(lambda t, p, n: p['copyMilliseconds']):.2f} of that; with gaussian "
                f"{middle(lambda t, p, n: n['updateMilliseconds']):.2f}",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES) + "; all unless given; for a GPU: " + ", ".join(LARGE))
    parser.add_argument("--peo", help="the built tool")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--device", default="cpu", help="where the networks compute: cpu, cuda:0, …")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--torch-case", choices=CASES | LARGE, help="run PyTorch's half of one round, and print it as JSON")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES | LARGE]
    if unknown:
        parser.error(f"there is no case '{unknown[0]}'; allowed: {', '.join(CASES | LARGE)}")
    if options.torch_case:
        print(json.dumps(run_torch(options.torch_case, options.seconds, options.device, options.precision)))
    elif options.peo:
        compare(options)
    else:
        parser.error("--peo is missing")


if __name__ == "__main__":
    main()
