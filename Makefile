# Every target sets up its environment first. `make` alone lists them.
# PYTHON=python3.13 uses an environment of its own, .venv-python3.13, and leaves .venv alone; VENV=… names another.
VENV ?= .venv$(if $(PYTHON),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
PYTHON_FILES := sdk/src registry tests $(wildcard demo bench docs/*.py tools/*.py tools/documentation)
TYPED := sdk/src/licet registry $(wildcard demo bench tools/documentation)
COMPILE := UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --no-config -q --universal --generate-hashes \
	--no-annotate --no-header --python-version 3.11 --only-binary :all: -p $(BIN)/python $(LOCK_FLAGS)
# Byte code is kept whatever the environment says: the tests start hundreds of commands, each of which would compile anew.
WORKERS ?= 0
TESTED := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -o cache_dir=build/pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.stamp: requirements/dev.txt requirements/uv.txt pyproject.toml sdk/pyproject.toml tools/setup
	@PYTHON="$(PYTHON)" VENV="$(VENV)" tools/setup

.PHONY: setup
setup: $(VENV)/.stamp ## .venv with every locked dependency and both projects in place (PYTHON=… picks the Python)

.PHONY: demo
demo: setup ## the main job end to end on real pictures, with its own database; writes build/demo/report.json
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m demo

.PHONY: test
test: setup ## the tests (WORKERS=2: two files at a time; PYTEST_FLAGS='tests/sdk -x' and the like)
	@$(TESTED) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS)

.PHONY: fuzz
fuzz: setup ## the HTTP interface and every property for long (LICET_FUZZ=20: twenty times the cases of make test)
	@LICET_FUZZ=$${LICET_FUZZ:-20} $(TESTED) tests/registry/app/test_fuzz.py $(PYTEST_FLAGS)
	@LICET_FUZZ=$${LICET_FUZZ:-20} $(TESTED) -m hypothesis --timeout 3600 $(PYTEST_FLAGS)

.PHONY: test-faults
test-faults: setup ## kills, cut lines and full disks, for long (LICET_FAULTS=5: five times the kills of make test)
	@LICET_FAULTS=$${LICET_FAULTS:-5} $(TESTED) -m fault --timeout 3600 $(PYTEST_FLAGS)

.PHONY: test-external
test-external: setup ## the service's tests on an external PostgreSQL 16 over TCP
	@$(BIN)/python -m tests.registry.external $(TESTED) tests/registry $(PYTEST_FLAGS)

.PHONY: test-pythons
test-pythons: ## the tests on every supported Python that is here, each in an environment of its own
	@for python in python3.11 python3.12 python3.13; do \
		if found=$$(tools/python $$python); then \
			echo "test-pythons: $$($$found --version)"; $(MAKE) --no-print-directory test PYTHON=$$python || exit 1; \
		else echo "test-pythons: $$python with its venv module is not on this machine: not tested" >&2; fi; done

.PHONY: test-engines
test-engines: ## Ray and Spark clusters on 10M rows, each losing a worker; writes build/engines/report.json (ROWS=…)
	@command -v java >/dev/null || { echo "test-engines: Spark needs Java 17 or newer (Debian: apt install default-jre-headless)" >&2; exit 1; }
	@[ -e $(VENV)-engines/.stamp-engines ] && [ $(VENV)-engines/.stamp-engines -nt requirements/engines.txt ] \
		|| PYTHON="$(PYTHON)" VENV="$(VENV)-engines" tools/setup-engines
	@env -u PYTHONDONTWRITEBYTECODE $(VENV)-engines/bin/pytest -o cache_dir=build/pytest --force-enable-socket tests/engines \
		$(PYTEST_FLAGS)
	@LICET_ENGINE_ROWS=$${ROWS:-10000000} $(VENV)-engines/bin/python -m tests.engines

.PHONY: croissant
croissant: setup ## .venv-croissant with mlcroissant, which checks Croissant files in the tests
	@PYTHON="$(PYTHON)" VENV=.venv-croissant UV="$(BIN)/uv" tools/setup-croissant

.PHONY: check
check: setup ## format, lint, types, import contracts, migrations, OpenAPI file
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/mypy $(TYPED)
	$(BIN)/mypy tests
	$(BIN)/lint-imports --cache-dir build/import-linter
	@SQUAWK=$(BIN)/squawk tools/lint-migrations
	$(BIN)/licet-registry openapi --check

.PHONY: docs
docs: setup ## the documentation into build/docs/html; a link that leads nowhere is an error
	@$(BIN)/python -m tools.documentation

.PHONY: schema
schema: setup ## write down the schema that the migrations make: migrations/schema.txt
	@$(BIN)/python -m tests.registry.schema

.PHONY: up
up: setup ## the service on http://localhost:8000 until Ctrl-C
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/licet-registry up

.PHONY: bench
bench: setup ## benchmarks beside peers; writes build/bench/*.json
	@$(BIN)/python -m bench

.PHONY: dist
dist: setup ## both wheels into dist/
	@cd sdk && ../$(BIN)/python -m hatchling build -t wheel -d ../dist
	@$(BIN)/python -m hatchling build -t wheel -d dist

.PHONY: lock
lock: setup ## write the hashed locks anew (LOCK_FLAGS=--upgrade for newer versions)
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) --no-binary pyspark requirements/engines.in -c requirements/dev.txt -o requirements/engines.txt
	$(COMPILE) requirements/run.in -c requirements/dev.txt -o requirements/run.txt
	$(COMPILE) --no-binary jsonpath-rw requirements/croissant.in -o requirements/croissant.txt
	$(COMPILE) requirements/uv.in -c requirements/dev.txt -o requirements/uv.txt
	@! grep -nE '://|^--(index|extra|find)' requirements/*.txt || { echo "a lock names an index: remove it" >&2; exit 1; }

.PHONY: clean
clean: ## remove .venv and its like, build/ and dist/
	rm -rf .venv .venv-* build dist
