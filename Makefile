# `make help` lists the targets. The project's own environment is .venv/, everything generated is in build/.

PYTHON ?= python3
# Workers of the tests; the most that pay on a machine with many cores.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 8 ? 8 : n)))
# Further words for pytest, such as PYTEST="-k gemm -x".
PYTEST ?=

# Every simulation is a Python of its own: where bytecode may not be kept, each would compile all sources again.
export PYTHONDONTWRITEBYTECODE =

BIN := .venv/bin
RUN := .venv/.installed-run
TEST := .venv/.installed-test
LINT := .venv/.installed-lint

# A .venv that was moved with its folder is made anew.
ifneq ($(file <.venv/.place),$(CURDIR))
.PHONY: $(RUN) $(TEST) $(LINT)
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help sim test test-long lint format synth waves docs bench bench-build clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do \
	    printf '  make %-11s %s\n' "$$name" "$$what"; done

sim: $(RUN) ## set up, then run digits, products and matrix-vector products on the RTL in Verilator
	@$(BIN)/takt demo

test: $(TEST) ## set up, then run every test but the long ones
	@tools/iverilog.sh
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --junitxml build/tests.xml $(PYTEST)

test-long: $(TEST) ## run the tests that take minutes each
	@tools/iverilog.sh
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m long $(PYTEST)

lint: $(LINT) ## check style, types and import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(LINT) ## bring the sources into the house format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

synth: $(RUN) ## synthesise nano and small: cells, flip-flops and memory bits per unit, also in the README
	@$(BIN)/python -m synth --markdown README.md

waves: $(RUN) ## record a small product: waveform in build/waves, with views for GTKWave and Surfer
	@tools/iverilog.sh
	@mkdir -p build/waves
	@$(BIN)/takt gemm -m 8 -k 8 -n 8 --preset nano --backend icarus --wave build/waves/gemm.fst
	@echo 'Look at it with: gtkwave build/waves/gemm.gtkw'
	@echo '             or: cd build/waves && surfer gemm.fst --command-file gemm.sucl'

docs: $(TEST) ## draw the pictures and write the tables of docs/ again; takes minutes
	@mkdir -p build
	@$(BIN)/takt picture -o docs/img/chip.svg
	@$(BIN)/takt digits --backend golden --save-image build/digits.takt >build/digits.txt
	@$(BIN)/takt timetable build/digits.takt -o docs/img/timetable.svg
	@$(BIN)/python -m verif.walkthrough --save-image build/compiler.takt --markdown docs/compiler.md >build/compiler.txt
	@$(BIN)/takt timetable build/compiler.takt -o docs/img/compiler.svg
	@$(BIN)/takt isa --markdown docs/isa.md
	@$(BIN)/takt kernel --markdown docs/kernels.md
	@$(BIN)/python -m verif.products --markdown docs/gemm.md >build/products.txt
	@$(BIN)/python -m golden.ulp --markdown docs/functions.md
	@$(BIN)/python -m verif.coverage --markdown docs/coverage.md

bench: $(RUN) ## measure cycles, utilisation and simulation speed
	@mkdir -p build
	@$(BIN)/takt bench --json build/bench.json

bench-build: $(RUN) ## measure the CPU seconds of building small for Verilator, stage by stage
	@$(BIN)/python -m runtime.build_cost

clean: ## remove build/
	rm -rf build

distclean: clean ## remove .venv and every cache too
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

# $(call install,EXTRAS,WHAT) installs the packages of pyproject.toml, and this folder as it stands.
define install
	@tools/venv.sh $(PYTHON)
	@echo 'Installing $(2) into .venv; the first time takes a minute or two'
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --editable '.$(1)'
	@touch $@
endef

$(RUN): pyproject.toml tools/venv.sh
	$(call install,,what Takt needs)

$(TEST): pyproject.toml tools/venv.sh
	$(call install,[test],what Takt and its tests need)
	@touch $(RUN)

$(LINT): pyproject.toml tools/venv.sh
	$(call install,[test$(comma)lint],what Takt and its checks need)
	@touch $(RUN) $(TEST)

comma := ,
