# DreamWeb, from a checkout. Needs make and Python 3.11 or newer; everything else is put into .venv/.

PYTHON ?= python3
VENV   ?= .venv
# One more than processors, for much is waited for; not more than four: each starts a PostgreSQL and a browser.
TEST_WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')
# Here every one of them works all the time.
FAULT_WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() or 1))')
# Some machines forbid Python to keep what it has compiled; the tests start many processes, each of which would do it anew.
export PYTHONDONTWRITEBYTECODE =
PIP    := $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Everything an installation is made from; when one of these changes, the next command installs again.
SENTENCES := $(wildcard dreamweb/translations/*/LC_MESSAGES/*.po)
INPUTS := pyproject.toml constraints.txt hatch_build.py package.json package-lock.json .npmrc $(SENTENCES)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test fault check format bench translations vendor build pin clean

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## Start DreamWeb at http://localhost:8000, with its data in instance/
	@$(VENV)/bin/dreamweb serve

test: $(VENV)/.installed-dev ## Run the whole test suite (ARGS="-k upload" for a part)
	$(VENV)/bin/python -m pytest --numprocesses $(TEST_WORKERS) --dist worksteal $(ARGS)

fault: $(VENV)/.installed-dev ## Run the slow tests that kill processes and take the database away
	$(VENV)/bin/python -m pytest -m fault --numprocesses $(FAULT_WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.installed-dev ## Check style, types and the direction of imports
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.installed-dev ## Put the code into shape
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.installed-dev ## Measure how fast it is
	$(VENV)/bin/python -m bench $(ARGS)

# The width and the missing line numbers keep the changes small; a sentence that was reworded is translated anew.
translations: $(VENV)/.installed-dev ## Bring the sentences of the pages into every messages.po, and compile those
	$(VENV)/bin/pybabel --quiet extract --mapping=pyproject.toml --add-location=file \
		--sort-by-file --width=120 --output-file=$(VENV)/messages.pot dreamweb templates
	$(VENV)/bin/pybabel --quiet update --input-file=$(VENV)/messages.pot --output-dir=dreamweb/translations \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=120
	$(VENV)/bin/pybabel --quiet compile --directory=dreamweb/translations

vendor: $(VENV)/.installed ## Fetch static/vendor again from npm
	rm -rf static/vendor
	$(PIP) --no-deps --editable .

build: $(VENV)/.installed-dev ## Build the wheel and the source archive into dist/
	$(VENV)/bin/python -m build

pin: ## Take the newest versions of everything and write them to constraints.txt
	rm -rf $(VENV)-pin
	$(PYTHON) -m venv $(VENV)-pin
	$(VENV)-pin/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	{ head -n 1 constraints.txt; $(VENV)-pin/bin/pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt
	rm -rf $(VENV)-pin

clean: ## Remove what these commands made; instance/ with its journal stays
	rm -rf $(VENV) static/vendor $(SENTENCES:.po=.mo) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "DreamWeb needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(INPUTS) | $(VENV)/bin/python
	@echo "Installing what DreamWeb needs; the first time that takes about half a minute."
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(INPUTS) | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/.installed $@
