# Needs Python 3.11 or newer with venv, and make. Everything is installed into .venv.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet -c constraints.txt
PYTEST := $(BIN)/python -m pytest
NOTEBOOKS := $(wildcard notebooks solutions)
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout 300 --nbval-sanitize-with tests/notebooks/sanitize.cfg
# Two at once, whole files, in the order given: the notebooks train, so they come first.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
# CPU seconds of each folder, beside the stored ones.
LEDGER := -p tests.cpu_ledger --ledger show
# What reads texts and runs no notebook.
TEXTS := $(addprefix tests/,notebooks/test_rules.py test_coverage.py test_misconceptions.py test_places.py \
	test_project.py test_questions.py test_slides.py test_source.py test_words.py)
# From the tests come answers and the browser, from the tools where the notebooks are.
BENCH := PYTHONPATH=tools:tests $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help lab check test test-full test-oldest test-gpu gpu-pack browser-times nbval lint notebooks explorer-nets shown slides site colab bench bench-notebooks bench-training bench-watching bench-startup bench-checks bench-spelling bench-peer bench-grading bench-site constraints

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-15s %s\n", $$1, $$2}'

lab: .venv/installed ## open the course in JupyterLab; ARGS="--no-browser --port 8899" are passed on
	$(BIN)/birnn lab $(ARGS)

check: .venv/installed-test ## after a change of text: style, notebook rules, questions and slides, in a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(PYTEST) -q $(TWO) -m "not full and not gpu" $(TEXTS)

test: .venv/installed-test ## run all tests and compare every notebook with a fresh run
	$(PYTEST) $(TWO) $(LEDGER) -m "not full and not gpu" $(NBVAL) $(NOTEBOOKS) tests

test-full: .venv/installed-test .venv/nbgrader ## the same, and the long repeats
	$(PYTEST) $(TWO) $(LEDGER) -m "not gpu" $(NBVAL) $(NOTEBOOKS) tests

test-oldest: .venv-oldest/installed ## the tests with the oldest versions that pyproject.toml allows, on Python 3.11
	.venv-oldest/bin/python -m pytest $(TWO) -m "not full and not gpu and not browser" $(NBVAL) $(NOTEBOOKS) tests

test-gpu: .venv/installed-test ## on a CUDA GPU: all notebooks, parity with the CPU, what only a GPU shows
	@$(BIN)/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "PyTorch finds no CUDA GPU here; run this where there is one.")'
	BIRNN_DEVICE=cuda $(PYTEST) -s -m "gpu or not (full or browser)" tests/test_gpu.py tests/test_misconceptions.py tests/test_device.py tests/test_training.py
	BIRNN_DEVICE=cuda $(PYTEST) $(NBVAL) $(NOTEBOOKS)

gpu-pack: .venv/installed-test ## collect the wheels for a machine with a GPU and no network; ARGS="--python 3.12" is the default
	$(BIN)/python tools/gpu_pack.py $(ARGS)

browser-times: .venv/installed-test .venv/nbgrader ## run the browser tests N times (10 if not given) and count; ARGS='-m "browser and not full"' leaves out the long ones
	$(BIN)/python tools/repeat.py $(or $(N),10) -m browser tests/browser $(ARGS)

nbval: .venv/installed-test ## only compare the notebooks
	$(PYTEST) $(NBVAL) $(NOTEBOOKS)

lint: .venv/installed-test ## check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

notebooks: .venv/installed-test ## run the notebooks and store their outputs; N=01 for one unit, N=01_bidirectional for one notebook
	$(BIN)/python tools/notebooks.py $(N)

explorer-nets: .venv/installed-test ## train the small networks of the reading explorer and store them; about ten minutes
	$(BIN)/python tools/explorer_nets.py

shown: .venv/installed-test ## run what the pages of the site show of misconceptions and messages, and store it
	PYTHONPATH=tests $(BIN)/python tools/shown.py

slides: .venv/installed-slides ## write the slides of all lessons to slides/; UNITS="01 02" for some
	$(BIN)/birnn slides $(UNITS) -o slides

site: .venv/installed-site ## write the lessons as web pages to site/, which needs no server
	$(BIN)/birnn site -o site

colab: .venv/installed-test ## keep the cell that installs the course in Colab, from the address in pyproject.toml
	$(BIN)/python tools/colab.py

bench: .venv/installed-test ## run the next five on an idle machine; all ratios in benchmarks/results/README.md
	for part in notebooks training watching startup checks; do $(MAKE) --no-print-directory bench-$$part || exit; done
	$(BIN)/python benchmarks/summary.py

bench-notebooks: .venv/installed-test ## measure what the notebooks cost under strict nbval
	$(BENCH) benchmarks/notebook_costs.py $(NBVAL)

bench-training: .venv/installed-test ## measure fit beside other training loops
	$(BENCH) benchmarks/training.py $(ARGS)

bench-watching: .venv/installed-test ## measure what it costs to watch a training in a notebook
	$(BENCH) benchmarks/watching.py $(ARGS)

bench-startup: .venv/installed-test ## measure imports, first widgets, answers and viewers
	$(BENCH) benchmarks/startup.py $(ARGS)

bench-checks: .venv/installed-test ## measure check for each exercise
	$(BENCH) benchmarks/checks.py $(ARGS)

bench-spelling: .venv/installed-test ## train the full-size speller, three seeds; about an hour, goes on where it was stopped
	$(BIN)/python benchmarks/spelling_full.py $(ARGS)

bench-peer: .venv/installed-bench ## train Phonetisaurus on the words of unit 07 and test it (Linux x86-64)
	$(BIN)/python benchmarks/g2p_peer.py $(ARGS)

bench-grading: .venv/nbgrader ## grade a class with nbgrader and with ours, and compare; about 15 minutes
	$(BIN)/python benchmarks/grading.py $(ARGS)

bench-site: .venv/installed-test ## measure what it costs to make the site, and to open it on a slow phone
	$(BENCH) benchmarks/site_pages.py $(ARGS)

# jsonschema 4.25 compiles 38 grammars when it is imported, which costs a second wherever nbformat is.
constraints: ## find the newest versions that fit pyproject.toml (torch stays) and write constraints.txt
	rm -rf .venv-constraints
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)" -e ".[grade,slides,site,test,dev,bench]" nbgrader "jsonschema<4.25"
	.venv-constraints/bin/python -m pip freeze --all --exclude-editable | grep -v '^pip==' | sed -E 's/\+[a-z0-9.]+$$//' > constraints.txt
	rm -rf .venv-constraints

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The course needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python cannot make a virtual environment; on Debian and Ubuntu install python3-venv."; exit 1; }

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing the course into .venv: about 2 GB with PyTorch and JupyterLab, once."
	$(INSTALL) -e .
	@touch $@

.venv/installed-slides: .venv/installed
	$(INSTALL) -e ".[slides]"
	@touch $@

.venv/installed-site: .venv/installed
	$(INSTALL) -e ".[site]"
	@touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) -e ".[grade,slides,site,test,dev]"
	@touch $@

# Apart from the rest: in JupyterLab it would add its own panels to every test.
.venv/nbgrader: constraints.txt | .venv/installed-test
	rm -rf $@
	$(INSTALL) --target $@ nbgrader

# Beside .venv, which stays as it is.
.venv-oldest/installed: pyproject.toml constraints-oldest.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "The oldest versions are tested with Python 3.11; name it with: make PYTHON=python3.11 test-oldest")'
	@echo "Installing the oldest supported versions into .venv-oldest: 4 GB to download on Linux, 7 GB of disk, once."
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet -c constraints-oldest.txt -e ".[grade,slides,site,test]"
	@touch $@

.venv/installed-bench: .venv/installed-test
	$(INSTALL) -e ".[grade,slides,site,test,dev,bench]"
	@touch $@
