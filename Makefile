# Two commands for a newcomer: `make demo` and `make test`. Each does all the set-up that it needs.
.POSIX:
.SUFFIXES:
.PHONY: help setup demo test test-tfjs test-swift lint format constraints clean

# make demo ARCH=arm64 runs under emulation, which takes some ten minutes.
ARCH = x86_64
EXAMPLE = examples/efficientnet-lite0
BIN = .venv/bin
# Keeps what is pinned already; `make constraints UPGRADE=--upgrade` moves all but torch.
COMPILE = $(BIN)/uv pip compile --quiet --no-annotate --python-version 3.11 $(UPGRADE)

help:
	@echo 'make demo         build EfficientNet-Lite0 for each target and show that all answer as PyTorch does'
	@echo 'make test         run the tests'
	@echo 'make test-tfjs    those that need TensorFlow, in an environment that is made for them (1.6 GB)'
	@echo 'make test-swift   those of the Swift code for iOS, with a compiler that is fetched (2.4 GB)'
	@echo 'make lint         ruff and mypy --strict'
	@echo 'make format       let ruff rewrite what it can'
	@echo 'make setup        prepare .venv (the others do this by themselves)'
	@echo 'make constraints  pin the dependencies again, after a change in pyproject.toml'
	@echo 'make clean        remove what was generated, but not .venv'

setup:
	@sh scripts/setup.sh

demo:
	@sh scripts/setup.sh $(EXAMPLE)/requirements.txt
	@$(BIN)/python $(EXAMPLE)/demo.py --arch $(ARCH)

# A file's tests stay together: what its fixtures make is made once.
test: setup
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-tfjs: setup
	@$(BIN)/python -m pytest tests_tfjs

test-swift: setup
	@$(BIN)/python -m pytest tests_swift

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: setup
	$(COMPILE) --universal --all-extras --custom-compile-command 'make constraints' \
		--no-emit-package deploy-targets -o constraints.txt pyproject.toml scripts/constraints.in
	$(COMPILE) --universal --no-deps --generate-hashes --no-header \
		-o $(EXAMPLE)/requirements.txt $(EXAMPLE)/requirements.in

clean:
	rm -rf build dist demo .deploy-target .pytest_cache .mypy_cache .ruff_cache $(EXAMPLE)/samples
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
