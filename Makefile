# `make run`: from a fresh clone to a trained model. `make test`: every test. See README.md.
# Each target says what it does and is safe to run again.

SWIFT ?= swift
CONFIG ?= Examples/digits-cnn.yaml
SOURCES := $(wildcard Sources Tests Benchmarks Examples Package.swift)

.PHONY: help run bootstrap build test core smoke bench bench-training bench-agents bench-samplers parity docs lint format

help:
	@echo "make run        set up, build, and train Examples/digits-cnn.yaml (CONFIG=file for another)"
	@echo "make test       set up, build, and run every test"
	@echo "make core       build and test PerturbedEquations alone: needs no libtorch and no download"
	@echo "make smoke      run each command of peo once, small"
	@echo "make bench      the speed tables of the README, with PyTorch and optax in the same run"
	@echo "make bench-training  training steps per second and memory of every network, PyTorch's and ours in turn"
	@echo "make bench-agents  environment steps per second of agents, CleanRL-style PyTorch's and ours in turn"
	@echo "make bench-samplers  draws per second of samplers, posteriors', BlackJAX's and ours in turn"
	@echo "make parity     compare with optax, posteriors, ivon-opt and pytorch_optimizer, number by number"
	@echo "make docs       the catalogue's pages, with pictures, as a site in .build/docs"
	@echo "make bootstrap  only fetch and check libtorch (LIBTORCH=/path uses an installed one), and Plotly for reports"
	@echo "make build      set up and build in release"
	@echo "make lint       check the formatting;  make format: apply it"

run: build
	$$($(SWIFT) build -c release --show-bin-path)/peo train $(CONFIG)

bootstrap:
	@scripts/bootstrap
	@scripts/plotly >/dev/null || echo "going on without Plotly: peo report will say how to get it" >&2

build: bootstrap
	$(SWIFT) build -c release --product peo

# Release, because the kernels are written for the optimizer and crawl without it. Tests run side by side, so
# libgomp's idle threads must sleep: by default they spin on the cores that the others need.
test: bootstrap
	$(SWIFT) build -c release --build-tests
	OMP_WAIT_POLICY=passive $(SWIFT) test -c release --skip-build --disable-xctest

core: export PEO_CORE_ONLY = 1
core:
	$(SWIFT) build -c release --scratch-path .build-core --build-tests
	$(SWIFT) test -c release --scratch-path .build-core --skip-build --disable-xctest

smoke: bootstrap
	for one in peo CustomPerturbation CustomEnvironment CustomPosterior CustomModel; do \
		$(SWIFT) build -c release --product $$one || exit; \
	done
	scripts/smoke "$$($(SWIFT) build -c release --show-bin-path)/peo"

bench: build
	scripts/peers "$$($(SWIFT) build -c release --show-bin-path)/peo"
	./.python Benchmarks/training.py --peo "$$($(SWIFT) build -c release --show-bin-path)/peo" mlp digits-cnn fashion-cnn

bench-training: build
	./.python Benchmarks/training.py --peo "$$($(SWIFT) build -c release --show-bin-path)/peo"

bench-agents: build
	scripts/with-packages gymnasium Benchmarks/agents.py --peo "$$($(SWIFT) build -c release --show-bin-path)/peo"

bench-samplers: build
	scripts/with-packages samplers Benchmarks/samplers.py --peo "$$($(SWIFT) build -c release --show-bin-path)/peo"

parity: build
	scripts/parity "$$($(SWIFT) build -c release --show-bin-path)/peo"

# The articles alone: they need no build. docc comes with Swift.
docs:
	docc convert Sources/PerturbedEquations/PerturbedEquations.docc --output-path .build/docs \
		--fallback-display-name PerturbedEquations --fallback-bundle-identifier dev.peo.PerturbedEquations \
		--transform-for-static-hosting
	@echo "python3 -m http.server --directory .build/docs, then http://localhost:8000/documentation/perturbedequations"

lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)
