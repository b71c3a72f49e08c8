# Every target is one line that calls a module. `make help` lists them.
# On a fresh machine this needs Python 3.11 or later and make; the rest goes into .venv.

PYTHON ?= python3
PY = .venv/bin/python

.PHONY: help autograder test stubs check grade batch accuracy pdf lint lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

autograder: .venv/ready  ## build every Gradescope zip; grade every reference and every stub through it
	@$(PY) -m autograder stubs --check && $(PY) -m autograder build

test: .venv/ready  ## the tests of this repository
	@$(PY) -m ruff check --quiet && $(PY) -m pytest

stubs: .venv/ready  ## make assignment/ from solutions/
	@$(PY) -m autograder stubs

check: .venv/ready  ## a student's public tests:  make check A=vae_ddpm_cfg
	@$(PY) -m pytest -q assignment/$(A)/public_tests

grade: .venv/ready  ## grade a submission:  make grade A=vae_ddpm_cfg S=path/to/submission.zip
	@$(PY) -m autograder grade $(A) $(S)

batch: .venv/ready  ## grade a class:  make batch A=vae_ddpm_cfg S=path/to/submissions O=runs/class
	@$(PY) -m autograder batch $(A) $(S) --output $(O)

accuracy: .venv/ready  ## grade every misconception:  make accuracy A=vae_ddpm_cfg
	@$(PY) -m autograder accuracy $(A)

pdf: .venv/ready  ## typeset the theory handout, answer template and worked solutions into dist/theory (needs LaTeX)
	@$(PY) -m autograder.pdf

lint: .venv/ready  ## ruff
	@$(PY) -m ruff check

lock: .venv/ready  ## renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --extra grader --extra batch --extra cluster --extra notebooks --extra dev --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade -o requirements.lock

clean:  ## remove what make made
	rm -rf .venv dist build *.egg-info .pytest_cache .ruff_cache

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": try make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --requirement requirements.lock
	$(PY) -m pip install --quiet --no-deps --editable .
	@touch $@
