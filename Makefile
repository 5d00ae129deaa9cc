# Two commands on a fresh machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
BIN = .venv/bin

# The tests start hundreds of processes: their modules are compiled once.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test soak bench peers crds lint lock clean
.DELETE_ON_ERROR:

demo: .venv/demo  ## three SyncSources on the embedded control plane, kept up to date
	@$(BIN)/syncsource up --demo

test: .venv/test lint  ## everything, in parallel
	$(BIN)/pytest

soak: .venv/test  ## the long counts of what `make test` does a seeded tenth of
	SYNCSOURCE_TEST_SOAK=1 $(BIN)/pytest -m soak --timeout 3600

bench: .venv/bench  ## rows per second and memory, beside the floor and dlt, in one run, each database; CSV files; 21 slow partitions; runs of few rows; 1,000 SyncSources on one operator; 10,000 on the control plane
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.databases
	$(BIN)/python -m benchmarks.files
	$(BIN)/python -m benchmarks.partitions
	$(BIN)/python -m benchmarks.small
	$(BIN)/python -m benchmarks.fleet
	$(BIN)/python -m benchmarks.plane

peers: .venv/bench  ## dlt on the same tables: what becomes of what people did, as docs/compared.md tells it
	SYNCSOURCE_TEST_REQUIRE=dlt $(BIN)/pytest -n 0 tests/peers

crds: .venv/demo  ## crds/*.yaml and the package's own copy from the models
	$(BIN)/syncsource crds > crds/syncsource.yaml
	$(BIN)/syncsource crds --output json > operator/syncsource/resource/crd.json

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: .venv/test  ## the pinned versions anew, from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --no-header --no-annotate --no-emit-index-url --python-version 3.11 pyproject.toml --all-extras -o requirements-bench.lock
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 -c requirements-bench.lock pyproject.toml --extra demo --extra test -o requirements-test.lock
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 -c requirements-bench.lock pyproject.toml --extra demo -o requirements.lock

clean:
	rm -rf .venv .syncsource .peers .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One environment; each stamp says how much of it is there.
.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/demo: requirements.lock pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/test: requirements-test.lock .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.lock
	@touch $@

.venv/bench: requirements-bench.lock .venv/test
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.lock
	@touch $@
