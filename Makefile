# `make demo` and `make test` set everything up once; nothing has to be installed before but git, make and python3.
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: help setup demo test matrix lint pages venv lock clean

help:
	@echo 'make demo    set up once, then: schedops propose --workload ci-builds'
	@echo 'make test    set up once, then run the tests'
	@echo 'make setup   install what is missing: virtual environment, tools, kernels'
	@echo 'make matrix  verify the library on every good kernel on offer, write docs/matrix.md'
	@echo 'make lint    ruff, mypy --strict, import-linter'
	@echo 'make pages   write docs/rules/ anew from the rules in the code'
	@echo 'make lock    pin the dependencies anew'
	@echo 'make clean   remove the virtual environment'

venv:
	@sh scripts/bootstrap.sh $(VENV)

setup: venv
	@$(BIN)/schedops setup

demo: setup
	@$(BIN)/schedops propose --workload ci-builds

test: setup
	@$(BIN)/python -m pytest

matrix: setup
	@$(BIN)/python benchmarks/matrix.py

lint: venv
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

pages: venv
	@$(BIN)/schedops verify --rules --write-docs docs/rules

# With the oldest Python there is, so that what only it needs is in.
lock: venv
	@$(BIN)/pip install --quiet 'pip-tools>=7.4'
	@$(COMPILE) --output-file requirements.lock pyproject.toml
	@$(COMPILE) --extra dev --output-file requirements-dev.lock pyproject.toml
	@sed -i '1i # Pinned with hashes for Python 3.11 to 3.13 on x86-64; made by `make lock`.' requirements*.lock

clean:
	@rm -rf $(VENV)
