# Onward. `make demo` shows the product at work, `make test` runs every check.
# uv is used when it is there, pip otherwise; a second call installs nothing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

# One thread a process keeps the tests of two workers off each other's cores.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help install demo test check format lint types imports unit acceptance faults fuzz nightly bench lock clean serve browser screenshots

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## the virtual environment, from the hash-pinned lock file

$(VENV)/.installed: requirements/dev.lock pyproject.toml
ifneq ($(UV),)
	@test -x $(BIN)/python || uv venv --quiet --python "$(PYTHON)" $(VENV)
	uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $@

demo: install ## train, audit and judge a model on the bundled BTC/USD bars
	@$(BIN)/onward demo

serve: install ## the pages at http://127.0.0.1:8321/ (ONWARD_HOME or the platform's data directory)
	@$(BIN)/onward serve

test: install browser check unit ## every check and every test (the README's command)

check: format lint types imports ## format, lint, types, import contracts

format: install
	@$(BIN)/ruff format --check .

lint: install
	@$(BIN)/ruff check .

types: install
	@$(BIN)/mypy

imports: install
	@$(BIN)/lint-imports --no-cache

unit: install
	@$(BIN)/pytest

browser: ## a Chromium for the tests of the pages: installed by apt where there is none and that is allowed
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	echo "There is no Chromium, and it could not be installed: the tests of the pages will be skipped." >&2

screenshots: install browser ## pictures of every page, into docs/images/dashboard; PAGES="overview data" for some
	@$(BIN)/python -m tests.integration.dashboard.shots docs/images/dashboard $(PAGES)

acceptance: install ## the verdict on 100 random walks and 20 planted signals (long)
	@$(BIN)/pytest -m acceptance --override-ini="addopts=" -rA tests/acceptance

faults: install ## the fault matrix of training jobs; FAULTS_SHARD=1/4 for a part, FAULTS_SOAK=7200 for random faults; call again to go on
	@$(BIN)/python -m tests.faults

fuzz: install ## requests that nobody would send, over the whole OpenAPI document; FUZZ_EXAMPLES each, FUZZ_SEED to repeat a run
	@seed=$${FUZZ_SEED:-$$(date +%s)}; echo "FUZZ_SEED=$$seed"; FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-300} \
	  $(BIN)/pytest --override-ini="addopts=" --import-mode=importlib -q --hypothesis-seed=$$seed tests/integration/server/test_server_fuzz.py

nightly: install acceptance ## everything, the slow suites included
	@HYPOTHESIS_PROFILE=default $(BIN)/pytest -m "not acceptance and not faults" --override-ini="addopts="

bench: install ## speed and memory, printed as a table
	@$(BIN)/python -m benchmarks

lock: ## resolve the lock files anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --constraint requirements/constraints.txt --output-file requirements/core.lock
	uv pip compile pyproject.toml --group dev --extra automl --extra boosters --extra mlflow --extra postgres --extra ray --extra s3 --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --constraint requirements/constraints.txt --output-file requirements/dev.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
