# Every target makes the Python environment it needs; once that is there, none needs the network.
.DEFAULT_GOAL := help
.PHONY: help setup rehearse faults kills test parity policies mutants check document bench constraints locks clean

PYTHON ?= python3
# ACCOUNT=new: accounts that AWS has opened only now, which get no closed service.
ifdef ACCOUNT
export GLIDEPATH_ACCOUNTS := $(ACCOUNT)
endif
VENV   := .venv
READY  := $(VENV)/.ready
BIN    := $(VENV)/bin

help:  ## this list
	@echo "usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Python environment and engine, so that everything after works without network
	$(BIN)/python -m rehearsal.engine

# One at a time: two commands in a fresh clone would install into each other's environment.
define ALONE
import fcntl, subprocess, sys
held = open("Makefile")
try:
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("another command sets up the Python environment; waiting for it", file=sys.stderr, flush=True)
    fcntl.flock(held, fcntl.LOCK_EX)
sys.exit(subprocess.call(sys.argv[1:], close_fds=False))
endef
export ALONE
ifndef GLIDEPATH_SETTING_UP
$(READY): requirements.txt requirements-build.txt requirements-notebook.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("glidepath needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	+@$(PYTHON) -c "$$ALONE" $(MAKE) --no-print-directory --silent GLIDEPATH_SETTING_UP=1 $@
else
$(READY): requirements.txt requirements-build.txt requirements-notebook.txt requirements-dev.txt constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	touch $@
endif

rehearse: $(READY)  ## the tour; KEEP=1 leaves the cloud up, DATA=<csv> takes other data, YES=1 approves; ACCOUNT=new: accounts opened only now; FAULT=<name>: one fault instead
ifdef FAULT
	./glidepath faults $(FAULT) $(if $(KEEP),--keep) $(if $(DATA),--data "$(DATA)")
else
	./glidepath rehearse $(if $(KEEP),--keep) $(if $(YES),--yes) $(if $(DATA),--data "$(DATA)")
endif

faults: $(READY)  ## the fault matrix: break the road in every known way; ARGS="names" picks
	./glidepath faults $(ARGS) $(if $(KEEP),--keep) $(if $(DATA),--data "$(DATA)")

kills: $(READY)  ## kill the engine after each change of a release's update: one more run must converge; ARGS="numbers" picks
	./glidepath kills $(ARGS) $(if $(KEEP),--keep) $(if $(DATA),--data "$(DATA)")

test: setup  ## all tests, with one end-to-end rehearsal; ARGS=… goes to pytest
	$(BIN)/python -m pytest tests -n logical --maxprocesses 4 --dist loadscope --no-loadscope-reorder $(ARGS)

parity: $(READY)  ## the gateway's answers beside AWS's, fact by fact (seconds); ARGS=… goes to pytest
	$(BIN)/python -m pytest -q tests/parity $(ARGS)

policies: $(READY)  ## the policy pack over every stack of the program, without any cloud
	$(BIN)/python -m pytest -q tests/policies/test_program.py $(ARGS)

mutants: $(READY)  ## change the policies' code in one place at a time: a test must notice (minutes); ARGS=<modules>
	$(BIN)/python -m tests.policies.mutants $(ARGS)

check: $(READY)  ## lint, formatting, strict types, policy metadata
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m policies.check_metadata

document: $(READY)  ## write docs/configuration.md and settings/schema.json from the settings' description
	$(BIN)/python -m settings.document

bench: setup  ## costs, as ratios within one run; PARTS="handler gateway data preview policies monitor gate replay verdict road tests tour" picks; road: SHIFTS=20 MINUTE=3; tests: AGAINST=<commit> RUNS=3
	$(BIN)/python -m bench $(PARTS)

constraints:  ## pin anew what the requirements pull in (needs the network)
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	grep -hv '^-' requirements.txt requirements-build.txt requirements-notebook.txt requirements-dev.txt > "$$scratch/requirements" && \
	$(PYTHON) -m venv "$$scratch/venv" && "$$scratch/venv/bin/python" -m pip install --quiet --upgrade -r "$$scratch/requirements" setuptools && \
	{ head -2 constraints.txt; "$$scratch/venv/bin/python" -m pip freeze; } > "$$scratch/new" && cp "$$scratch/new" constraints.txt
	$(MAKE) locks

locks:  ## hash anew what builds install, at the versions of constraints.txt (needs the network)
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && $(PYTHON) -m venv "$$scratch/venv" && \
	"$$scratch/venv/bin/python" -m pip install --quiet uv && for name in requirements requirements-build; do \
	{ head -1 requirements.lock; "$$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate $${PIP_INDEX_URL:+--default-index "$$PIP_INDEX_URL"} $$name.txt; } > "$$scratch/new" && \
	cp "$$scratch/new" $$name.lock || exit 1; done

clean:  ## all that was made here, but not the caches in the user's folder
	@if [ -x $(BIN)/python ] && [ -f .rehearsal/cloud/gateway.pid ]; then ./glidepath down; fi
	rm -rf $(VENV) .venv-bench .rehearsal .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
