"""`peo reproduce deep-mnist` again in NumPy, which shares no code with PEO: 20 hidden layers of 50 ReLU units on MNIST.

    ./.python Benchmarks/deep_mnist.py --data DIRECTORY --initialiser he --noise --seed 1 --learning-rate 0.1

SGD, batches of 20, 20 epochs, gradients clipped to norm 10; with --noise, a normal variate of variance 0.01/(1 + t)^0.55 is
added to each element of the gradient. Prints the test accuracy after each epoch, and takes about a minute.
"""

import argparse
import gzip
import os
import pathlib

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

LAYERS, WIDTH, BATCH = 20, 50, 20


def read(folder, name, offset):
    with gzip.open(pathlib.Path(folder) / f"{name}-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def images(folder, name):
    return read(folder, f"{name}-images-idx3", 16).reshape(-1, 784).astype(np.float32) / 255


def labels(folder, name):
    return read(folder, f"{name}-labels-idx1", 8)


class Network:
    """All weights are views of one array, and their gradients of another."""

    def __init__(self, initialiser, generator):
        sizes = [784] + [WIDTH] * LAYERS + [10]
        self.shapes = list(zip(sizes, sizes[1:]))
        count = sum(inputs * outputs + outputs for inputs, outputs in self.shapes)
        self.theta = np.zeros(count, np.float32)
        self.gradient = np.zeros(count, np.float32)
        self.layers, self.slopes = self.views(self.theta), self.views(self.gradient)
        for weight, _ in self.layers:
            deviation = {"zero": 0, "normal": 0.1, "he": np.sqrt(2 / weight.shape[0])}[initialiser]
            weight[:] = deviation * generator.standard_normal(weight.shape)

    def views(self, array):
        found, start = [], 0
        for inputs, outputs in self.shapes:
            end = start + inputs * outputs
            found.append((array[start:end].reshape(inputs, outputs), array[end : end + outputs]))
            start = end + outputs
        return found

    def forward(self, x):
        """The inputs of each layer, and the scores."""
        values = [x]
        for number, (weight, bias) in enumerate(self.layers):
            x = x @ weight + bias
            if number < LAYERS:
                x = np.maximum(x, 0)
            values.append(x)
        return values

    def backward(self, values, classes):
        """Writes the gradient of the mean cross-entropy."""
        scores = values[-1]
        slope = np.exp(scores - scores.max(1, keepdims=True))
        slope /= slope.sum(1, keepdims=True)
        slope[np.arange(len(classes)), classes] -= 1
        slope /= len(classes)
        for number in range(LAYERS, -1, -1):
            self.slopes[number][0][:] = values[number].T @ slope
            self.slopes[number][1][:] = slope.sum(0)
            if number:
                slope = (slope @ self.layers[number][0].T) * (values[number] > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=f"{os.environ.get('PEO_DATA', '.')}/mnist", help="a folder with MNIST's four .gz files")
    parser.add_argument("--initialiser", choices=["zero", "normal", "he"], default="he")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()

    x, y = images(options.data, "train"), labels(options.data, "train")
    test, truth = images(options.data, "t10k"), labels(options.data, "t10k")
    generator = np.random.default_rng(options.seed)
    network = Network(options.initialiser, generator)
    step = 0
    for epoch in range(1, options.epochs + 1):
        order = generator.permutation(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            network.backward(network.forward(x[rows]), y[rows])
            g = network.gradient
            norm = np.sqrt(np.dot(g, g))
            if norm > 10:
                g *= 10 / norm
            if options.noise:
                g += np.float32(np.sqrt(0.01 / (1 + step) ** 0.55)) * generator.standard_normal(g.size, np.float32)
            network.theta -= np.float32(options.learning_rate) * g
            step += 1
        accuracy = (network.forward(test)[-1].argmax(1) == truth).mean()
        print(f"epoch {epoch}: {100 * accuracy:.2f}%", flush=True)


main()
