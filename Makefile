# SPDX-License-Identifier: Apache-2.0
# Every target sets itself up. Needed beforehand: Python >= 3.11 with venv, g++, make, perl.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(if \
	$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo yes),$(p))) python3)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# Workers take whole files, in the order of tests/conftest.py: two that need the same build would
# otherwise wait for one another.
PYTEST := $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
LOCK_HASH := $(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
READY := $(VENV)/ready-$(LOCK_HASH)

# The main job: a ring all-reduce over the eight ports of the preset `pod`.
RUN_DIR := build/run
RUN_CONFIG := pod
RUN_RANKS := 8
RUN_BYTES := 2MiB
RUN_SCALE := 1.0

SOAK ?= --frames 200000
REGRESS ?=
PPA ?=

# make hands its own flags to every child; Verilator's make must not see them.
unexport MAKEFLAGS
unexport MFLAGS
# Without it, each of the many processes of a test run compiles all modules for itself.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup doctor run test lint types unit long bench soak regress formal fpga-check ppa verilog \
	registers clean distclean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "gavel: error: no Python: apt-get install python3 python3-venv" >&2; exit 3; }
	@$(PYTHON) -I scripts/gavel_cli/doctor.py --bootstrap
	@echo "Setting up $(VENV) (once, about a minute)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-index --no-deps \
		--no-build-isolation --editable .
	@touch $@

setup: $(READY) ## Make the virtual environment with the locked versions

doctor: $(READY) ## Check this machine
	@$(BIN)/gavel doctor

run: doctor ## The main job: all-reduce of eight ranks through the Verilated switch
	@rm -rf $(RUN_DIR)
	$(BIN)/gavel trace all-reduce --ranks $(RUN_RANKS) --size $(RUN_BYTES) -o $(RUN_DIR)/trace
	$(BIN)/gavel run $(RUN_DIR)/trace --config $(RUN_CONFIG) --scale $(RUN_SCALE) \
		--report $(RUN_DIR)/report
	@echo "Report: $(RUN_DIR)/report/report.html"

test: doctor lint ## Lint, types and all tests
	@# Beside the tests, whose workers are not busy all of the time; it is shown when they have ended.
	@mkdir -p build
	@$(BIN)/mypy > build/types.txt 2>&1 & types=$$!; trap "kill $$types 2> /dev/null || :" EXIT; \
	tests=0; $(PYTEST) || tests=$$?; \
	echo "$(BIN)/mypy"; wait $$types && types=0 || types=$$?; cat build/types.txt; \
	exit $$((tests ? tests : types))

lint: $(READY) ## Style and import direction
	$(BIN)/ruff check .

types: $(READY) ## Static types of model, test kit and scripts
	$(BIN)/mypy

unit: $(READY)
	$(PYTEST)

long: doctor ## The tests that `make test` leaves out
	$(PYTEST) -m long

bench: doctor ## Cycles per second of every way to run the switch, and how they grow
	$(BIN)/gavel bench
	$(BIN)/gavel bench --growth

soak: doctor ## Retry and flow control under fire; SOAK="--frames N --minutes M -c PRESET" for longer
	$(BIN)/gavel soak $(SOAK)

regress: doctor ## The test plan over seeds; REGRESS="--seeds N --stage V2"
	$(BIN)/gavel regress $(REGRESS)

formal: doctor ## Proofs over the RTL, in full depth
	$(BIN)/gavel formal

ppa: $(READY) ## Area and clock of each block and of the whole on ECP5; PPA="-c pod --seeds 0" for another
	$(BIN)/gavel ppa $(PPA)

fpga-check: doctor ## Every FPGA target for `fpga`, and second opinions on every preset: hours
	$(BIN)/pytest tests/fpga/check_targets.py
	$(BIN)/pytest -m "long or not long" tests/synthesis

verilog: $(READY) ## Verilog of every preset, into build/verilog
	@for preset in tiny fpga pod rack scale; do \
		$(BIN)/gavel verilog --config $$preset -o build/verilog/$$preset; done

registers: $(READY) ## Tables of the model and docs/registers.md, from the SystemRDL
	$(BIN)/gavel registers --table

clean: ## Remove what the targets made, but for the virtual environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis

distclean: clean ## Remove the virtual environment, too
	rm -rf $(VENV)
