# Everything runs from .venv, which is made here from requirements/*.lock; nothing is installed anywhere else.
# Needs make, and Python 3.11 or newer with its venv module. To choose one: make PYTHON=python3.12 ...

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
CASES  ?= ../shared/cases

BIN    := $(VENV)/bin
LOCKS  := requirements
SUITES := $(foreach suite,unit contract graph scenarios properties cases architecture,\
	$(if $(wildcard tests/$(suite)/test_*.py tests/$(suite)/*/test_*.py),tests/$(suite)))

# --universal: one lock for Python 3.11 to 3.13 on any platform. Addresses of package indexes stay out of the tree.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url

# Those that judge the engine on whole cases take as long as all others together; on two cores they run beside them.
ENGINE := $(filter tests/scenarios tests/cases,$(SUITES))

# Imported once at installation, so that what a run needs is compiled before the first run, also where the environment
# forbids Python to write byte code later.
WARM := agent_sre.bootstrap.running, agent_sre.bootstrap.live, agent_sre.graph.checkpoints, agent_sre.cli.demo, \
	agent_sre.cli.story, agent_sre.cli.render, agent_sre.adapters.kubernetes_api, agent_sre.adapters.metrics_prometheus, \
	agent_sre.testing.shop.alertmanager, agent_sre.testing.shop.telemetry, agent_sre.adapters.snapshot_directory, \
	agent_sre.adapters.metrics_snapshot, agent_sre.adapters.logs_victorialogs, agent_sre.adapters.logs_loki, \
	agent_sre.adapters.logs_elasticsearch, alembic.command, alembic.config, kubernetes.aio.dynamic

.DEFAULT_GOAL := help
PEERS := $(patsubst $(LOCKS)/peers/%.lock,build/bench-peers/%/.ready,$(wildcard $(LOCKS)/peers/*.lock))

.PHONY: help venv demo test test-engine test-rest e2e lint fmt eval bench bench-analysis bench-ingest docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.product ## show an incident from alert to verified fix; no cluster, key or account (ARGS="...")
	@$(BIN)/agent-sre demo $(ARGS)

venv: $(VENV)/.dev $(VENV)/.product ## make .venv with everything for development

test: venv ## run all tests but those of tests/e2e (ARGS="-k name")
	@$(BIN)/python -m pytest $(SUITES) $(ARGS)

test-engine: venv ## the part of `make test` that judges the engine on whole cases
	@$(BIN)/python -m pytest $(ENGINE) $(ARGS)

test-rest: venv ## the other part
	@$(BIN)/python -m pytest $(filter-out $(ENGINE),$(SUITES)) $(ARGS)

e2e: venv ## run tests/e2e: real Prometheus, Alertmanager, VictoriaLogs and browser on loopback
	@VICTORIA_LOGS=$$(.ci/victoria-logs) && export VICTORIA_LOGS && $(BIN)/python -m pytest tests/e2e $(ARGS)

lint: venv ## check style, types, layers and sizes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict agent_sre
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

fmt: venv ## format, and fix what ruff can
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

# Status 1 (a case broke) still gives a summary, which lists the case.
eval: venv ## score the engine on CASES (default ../shared/cases) and the own sets: benchmarks/results/eval.md (ARGS="--jobs 2")
	@rm -rf build/eval && mkdir -p build/eval
	@$(BIN)/python -m tests.scenarios.sets build/eval/own $(SETS)
	@$(BIN)/agent-sre eval $(CASES)/*/ build/eval/own/*/ --json $(ARGS) > build/eval/eval.json || [ $$? -eq 1 ]
	@$(BIN)/python -m benchmarks.eval_markdown build/eval/eval.json

bench: venv ## run the benchmarks (ARGS="...")
	@$(BIN)/python -m benchmarks.bench $(ARGS)

bench-analysis: venv $(PEERS) ## measure the engine's parts beside their peers (ARGS="--data DIR", default ../shared)
	@$(BIN)/python -m benchmarks.bench_analysis $(ARGS)

bench-ingest: venv ## measure the intake beside Alertmanager, kill it, and storm it (ARGS="--only rates")
	@$(BIN)/python -m benchmarks.bench_ingest $(ARGS)

docs: venv ## write what is generated from the code: docs/state_machine.md and .env.example
	@$(BIN)/python -c "from agent_sre.graph.drawing import state_machine_markdown as text; print(text(), end='')" > docs/state_machine.md
	@$(BIN)/agent-sre settings --example > .env.example

lock: venv ## write requirements/*.lock from pyproject.toml (ARGS=--upgrade for the newest versions)
	@$(COMPILE) $(ARGS) pyproject.toml --all-extras --group dev --group build -o $(LOCKS)/dev.lock
	@$(COMPILE) -c $(LOCKS)/dev.lock pyproject.toml --all-extras -o $(LOCKS)/server.lock
	@$(COMPILE) -c $(LOCKS)/dev.lock pyproject.toml -o $(LOCKS)/runtime.lock
	@$(COMPILE) -c $(LOCKS)/dev.lock --group build -o $(LOCKS)/build.lock
	@for peer in $(wildcard $(LOCKS)/peers/*.in); do $(COMPILE) $(ARGS) $$peer -o $${peer%.in}.lock || exit 1; done
	@echo "Wrote dev.lock (everything), server.lock (all extras), runtime.lock (the demo), build.lock and the peers' locks in $(LOCKS)/"

clean: ## remove caches and builds (.venv stays: rm -rf .venv removes it)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Stamps: a second run compares times and calls nothing.

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) is not installed; install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), and Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; install it (Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(LOCKS)/build.lock $(LOCKS)/runtime.lock | $(BIN)/python
	@echo "Installing the locked packages (about half a minute, once)"
	@$(LOCKS)/install.sh $(BIN)/python $(LOCKS)/build.lock $(LOCKS)/runtime.lock
	@touch $@

$(VENV)/.dev: $(LOCKS)/dev.lock $(VENV)/.runtime
	@echo "Installing the locked development packages"
	@$(LOCKS)/install.sh $(BIN)/python $(LOCKS)/dev.lock
	@touch $@

$(VENV)/.product: pyproject.toml $(VENV)/.runtime
	@echo "Installing agent_sre itself"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet --no-deps --no-build-isolation -e .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c "import $(WARM)"
	@touch $@

# A peer of the benchmarks: an environment of its own, so that its pins are nobody else's.
build/bench-peers/%/.ready: $(LOCKS)/peers/%.lock | $(BIN)/python
	@echo "Installing $* for comparison, in build/bench-peers/$*"
	@$(PYTHON) -m venv --clear build/bench-peers/$*
	@$(LOCKS)/install.sh build/bench-peers/$*/bin/python $<
	@touch $@
