# Each target sets up what it needs: Python from 3.11 to 3.13, make and, but for the demo, git are enough.
PYTHON ?= python3
BIN := .venv/bin
LOCKED := .venv/locked
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Python runs this line when it starts: without activation too, DVC finds the `python` of its stages, which is its own.
FIRST_ON_PATH := import os, sys; bin = os.path.join(sys.prefix, "bin") + os.pathsep; \
  os.environ["PATH"] = bin + os.environ.get("PATH", os.defpath).removeprefix(bin)

PARALLEL := -n auto --dist loadfile  # a process a core, each test file in one of them

.PHONY: help demo repro exp share fetch unpack pack test test-unit faults canary verify audit check-lock check-results review experiments page bench bench-rules bench-parallel bench-memory rehearsal lock
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: $(BIN)/.installed ## a study in small on scikit-learn's digits, in demo/, without network
	remnist demo demo
	cd demo && PYTHONPATH=src python -m remnist.cli repro
	@cd demo && PYTHONPATH=src python -m remnist.cli page > /dev/null
	@cd demo && if [ -d .git ]; then git add --all && git commit --quiet --message "Run"; fi
	@echo
	@echo "Open demo/page/index.html in a browser, or read demo/REPORT.md. Then change something and see what it did:"
	@echo "    . $(BIN)/activate && cd demo && dvc exp run -S model.dropout=0.5 && dvc metrics diff"
	@echo "A network's mistakes, and a claim at another margin: demo/docs/lesson.ipynb, with .venv as its kernel."
	@echo "The study on MNIST: make repro"

repro: $(BIN)/.installed ## the study on MNIST: only what changed since the last run
	remnist repro

exp: $(BIN)/.installed ## an experiment: SET="model.dropout=0.5", as `dvc exp run -S` has it
	remnist repro --set "$$SET"

share: $(BIN)/.installed ## weights and results for colleagues, to REMOTE or DVC's default remote: docs/sharing.md
	remnist share $${REMOTE:+"$$REMOTE"}

fetch: $(BIN)/.installed ## theirs, from REMOTE or DVC's default remote, instead of training
	remnist fetch $${REMOTE:+"$$REMOTE"}

unpack: $(BIN)/.installed ## every run's curves and predictions, out of docs/runs.tar.xz: judge again without training
	remnist unpack
	dvc repro --quiet preprocess

pack: $(BIN)/.installed ## put them there, after `make repro`
	remnist pack

test: $(BIN)/.installed ## lint, types, tests
	ruff check .
	ruff format --check .
	mypy
	pytest $(PARALLEL)

test-unit: $(BIN)/.installed ## the tests that need no run of the graph; under a minute
	pytest $(PARALLEL) tests/unit

faults: $(BIN)/.installed ## kills, faults and bad input, all of them, and their count in tests/README.md; 11 to 18 minutes
	pytest $(PARALLEL) -m fault --record-faults

canary: $(BIN)/.installed ## this machine's bits against the known ones, in a second
	remnist canary

verify: $(BIN)/.installed ## the same bits here and on emulated processors; needs qemu-user; 8 minutes
	remnist verify

audit: $(BIN)/.installed ## do the installed packages fit together, with licences that pyproject.toml allows?
	uv pip check --quiet --python $(BIN)/python
	pip-licenses --packages $$(python -c 'import re; from importlib.metadata import requires; \
	  print(*(re.match(r"[\w.-]+", line)[0] for line in requires("remnist")))')

check-lock: $(BIN)/.installed ## would `dvc repro` run anything? needs no data: for a bare clone, and for reviews
	remnist check-lock

check-results: $(BIN)/.installed ## do I get what dvc.lock records? a few variants trained again in a copy; 6 minutes
	remnist check-results

review: $(BIN)/.installed ## this working tree's changes against BASE (main): review/review.md and review/index.html
	remnist review $(or $(BASE),main)

experiments: $(BIN)/.installed ## changes by experiments from this commit, side by side: in experiments/
	remnist experiments

page: $(BIN)/.installed ## the results to click through, in one file that needs no network: page/index.html
	remnist page

bench: $(BIN)/.bench ## seconds an epoch, against what a user would pick instead: docs/bench.md; an hour
	dvc repro --quiet preprocess
	PYTHONPATH=. python -m benchmarks.training

bench-rules: $(BIN)/.installed ## how often the rules of the report err, in simulated studies: docs/rules.md; 2 minutes
	PYTHONPATH=. python -m benchmarks.rules

bench-parallel: $(BIN)/.installed ## Dask workers against this machine's processes; `remnist repro` against `dvc repro`; 25 minutes
	PYTHONPATH=. python -m benchmarks.parallel

bench-memory: $(BIN)/.installed ## memory of one worker and of more, on MNIST; MNIST_MIRROR as for the study; 7 minutes
	PYTHONPATH=. python -m benchmarks.memory

rehearsal: $(BIN)/.installed ## the study on a cluster whose 64 workers sleep instead of training; 15 minutes
	PYTHONPATH=. python -m benchmarks.rehearsal

lock: $(BIN)/.installed ## resolve requirements.txt and requirements-bench.txt again from pyproject.toml, if no bit changes
	cp requirements.txt requirements.txt.tmp
	uv pip compile pyproject.toml --extra dev --universal --fork-strategy fewest --python-version 3.11 \
	  --upgrade --generate-hashes --custom-compile-command "make lock" \
	  --quiet --output-file requirements.txt.tmp
	uv venv --quiet --clear --python $(BIN)/python $(LOCKED)
	uv pip sync --quiet --python $(LOCKED)/bin/python --require-hashes requirements.txt.tmp
	PYTHONPATH=src $(LOCKED)/bin/python -m remnist.kernels.library
	PYTHONPATH=src $(LOCKED)/bin/python -m remnist.cli canary
	mv requirements.txt.tmp requirements.txt
	rm -r $(LOCKED)
	python -c 'import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	  print(*project["optional-dependencies"]["bench"], sep="\n")' | \
	  uv pip compile - --constraint requirements.txt --universal --fork-strategy fewest --python-version 3.11 \
	  --upgrade --generate-hashes --custom-compile-command "make lock" \
	  --quiet --output-file requirements-bench.txt

$(BIN)/.bench: requirements-bench.txt $(BIN)/.installed
	uv pip install --quiet --require-hashes --python $(BIN)/python --requirement requirements-bench.txt
	@touch $@

$(BIN)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than Python 3.11; name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m remnist.kernels.library
	echo '$(FIRST_ON_PATH)' > $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/remnist.pth
	$(BIN)/remnist plots-page .venv/plots.html
	$(BIN)/dvc config --quiet --local plots.html_template ../.venv/plots.html
	@touch $@
