# Every target sets up .venv first. `make` alone lists them.
BIN := .venv/bin
PYTHON_FILES := sdk/src registry tests $(wildcard demo bench tools/*.py)
TYPED := sdk/src/licet registry $(wildcard demo bench)
COMPILE := UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --no-config -q --universal --generate-hashes \
	--no-annotate --no-header --python-version 3.11 --only-binary :all: -p $(BIN)/python $(LOCK_FLAGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.stamp: requirements/dev.txt requirements/uv.txt pyproject.toml sdk/pyproject.toml tools/setup
	@PYTHON="$(PYTHON)" tools/setup

.PHONY: setup
setup: .venv/.stamp ## .venv with every locked dependency and both projects in place (PYTHON=… picks the Python)

.PHONY: demo
demo: setup ## the main job end to end on real pictures, with its own database; writes build/demo/report.json
	@$(BIN)/python -m demo

.PHONY: test
test: setup ## the tests
	@$(BIN)/pytest $(PYTEST_FLAGS)

.PHONY: check
check: setup ## format, lint, types, import contracts, migrations, OpenAPI file
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/mypy $(TYPED)
	$(BIN)/mypy tests
	$(BIN)/lint-imports --cache-dir build/import-linter
	$(BIN)/squawk --config .squawk.toml $(sort $(wildcard migrations/*.sql))
	$(BIN)/licet-registry openapi --check

.PHONY: up
up: setup ## the service on http://localhost:8000 until Ctrl-C
	@$(BIN)/licet-registry up

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
	$(COMPILE) requirements/run.in -c requirements/dev.txt -o requirements/run.txt
	$(COMPILE) requirements/uv.in -c requirements/dev.txt -o requirements/uv.txt
	@! grep -nE '://|^--(index|extra|find)' requirements/*.txt || { echo "a lock names an index: remove it" >&2; exit 1; }

.PHONY: clean
clean: ## remove .venv, build/ and dist/
	rm -rf .venv build dist
