# halfopen: every task of the project. `make help` lists them.
#
# `make run` and `make test` are enough on a fresh Debian or Ubuntu: they install what is missing first. Work that is
# done is remembered by files under .venv, so that a second run starts at once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
FUZZ_SECONDS ?= 60
CAPTURE ?= tests/captures/lab/lossy_many.client.pcap

# scripts/install-system leaves a link to the Rust toolchain there; Ubuntu keeps newer ones outside PATH.
export PATH := $(CURDIR)/$(VENV)/toolchain:$(PATH)
# No colour and no progress bars in logs.
export CARGO_TERM_PROGRESS_WHEN ?= auto
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Everything that the extension is made of. Python files are not: the package is installed editable.
RUST_SOURCES := $(shell find crates Cargo.toml Cargo.lock -name target -prune -o -type f -print)
PYTHON_SOURCES := $(shell find src -name '*.py' -print)
# The crates that are tested by cargo. The binding crate holds no logic, and needs a Python to be loaded into.
CARGO_TEST := cargo test --workspace --exclude halfopen-python --locked

.DEFAULT_GOAL := help
.PHONY: help setup build run test test-rust test-python test-rules check fmt fmt-check lint types docs docs-lab docs-check web web-check bench fuzz wheel clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | while IFS=$$'\t' read -r name what; do \
		printf '  %-12s %s\n' "$$name" "$$what"; done

# --- what a person needs ---------------------------------------------------------------------------------------------

setup: $(STAMPS)/run  ## Install what building needs: system packages, Rust, .venv

build: $(STAMPS)/build $(STAMPS)/bytecode  ## Build the native core and install halfopen into .venv

run: build  ## Install what is missing, trace a capture that ships with the project (CAPTURE=file), and examine this host
	@$(BIN)/halfopen trace $(CAPTURE)
	@printf '\n'
	@$(BIN)/halfopen doctor

test: test-rust test-python  ## Install what is missing, and run every test

# --- what a developer needs ------------------------------------------------------------------------------------------

test-rust: $(STAMPS)/test  ## Run the Rust tests
	$(CARGO_TEST)

test-rules: build $(STAMPS)/test  ## The doctor on hosts with a fault each, and on healthy ones: both rates (needs root)
	$(BIN)/python -m pytest tests/rules $(PYTEST)

test-python: build $(STAMPS)/test  ## Run the Python tests
	$(BIN)/python -m pytest $(PYTEST)

check: fmt-check lint types docs-check web-check  ## What CI runs before the tests: format, lint, types, generated docs

fmt: $(STAMPS)/test  ## Format everything
	cargo fmt --all
	$(BIN)/ruff format
	$(BIN)/ruff check --fix --quiet || true

fmt-check: $(STAMPS)/test  ## Is everything formatted?
	cargo fmt --all --check
	$(BIN)/ruff format --check

lint: build $(STAMPS)/test  ## ruff, the import contracts, clippy with warnings as errors
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-cache
	cargo clippy --workspace --all-targets --locked -- -D warnings

types: build $(STAMPS)/test  ## mypy --strict, and the stub of the native core against the core itself
	$(BIN)/mypy
	MYPYPATH=src $(BIN)/python -m mypy.stubtest halfopen._core

docs: build  ## Write the generated pages anew
	$(BIN)/python scripts/generate_docs.py
	WRITE_PAGES=1 cargo test --quiet --locked -p halfopen-track --test track pages

docs-lab: build  ## Run every experiment of the lab here, and write docs/lab with its numbers (root)
	$(BIN)/python scripts/lab_pages.py

docs-check: build  ## Are the generated pages what the code says?
	$(BIN)/python scripts/generate_docs.py --check

web:  ## Build the page of the HTML report from web/ into the package (needs node)
	scripts/build-web

web-check:  ## Is the page in the package what web/ makes? (said and skipped where there is no node)
	scripts/build-web --check

bench: build $(STAMPS)/test  ## Every speed claim, as a ratio against a peer in the same run
	$(BIN)/python benches/run.py $(BENCH)

fuzz: $(STAMPS)/system-fuzz  ## Fuzz every decoder for FUZZ_SECONDS each (60)
	scripts/fuzz $(FUZZ_SECONDS)

wheel: $(STAMPS)/run  ## Build a wheel into dist/
	$(BIN)/maturin build --release --locked --out dist

clean:  ## Remove what was built and installed
	rm -rf $(VENV) target dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests scripts benches -name __pycache__ -prune -exec rm -rf {} +
	rm -f src/halfopen/_core*.so

# --- what is remembered ----------------------------------------------------------------------------------------------

$(STAMPS)/system-%: scripts/install-system
	@scripts/install-system $*
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/system-run requirements-build.txt
	@test -x $(BIN)/python || $$(scripts/find-python) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements-build.txt
	@touch $@

$(STAMPS)/test: $(STAMPS)/run $(STAMPS)/system-test requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

$(STAMPS)/build: $(STAMPS)/run $(RUST_SOURCES) pyproject.toml
	$(BIN)/maturin develop --release --locked
	@touch $@

# Here and not at the first run: that may be by somebody who cannot write here (PYTHONDONTWRITEBYTECODE, another user), and
# every start would compile anew: a quarter of the time that a small capture takes.
$(STAMPS)/bytecode: $(STAMPS)/build $(PYTHON_SOURCES)
	$(BIN)/python -m compileall -q src
	@touch $@
