# Every target is one line that calls a module. `make help` lists them.
# On a fresh machine this needs Python 3.11 or later and make; the rest goes into .venv. With TORCH=cpu the first call takes
# the CPU build of torch (1.3 GB in all instead of 6). uv is used where it is there.

PYTHON ?= python3
PY = .venv/bin/python

.PHONY: help autograder test stubs release check grade batch accuracy bench bench-gpu samples pdf pictures site lint lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

autograder: .venv/ready  ## build every Gradescope zip; grade every reference and every stub through it
	@$(PY) -m autograder stubs --check && $(PY) -m autograder build

test: .venv/ready  ## the tests of this repository, on all cores; in a minute, while you edit:  make test T=fast
	@$(PY) -m ruff check --quiet && $(PY) -m mypy && $(PY) -m pytest -n logical --dist worksteal $(if $(filter fast,$(T)),-m "not slow")

stubs: .venv/ready  ## make assignment/ from solutions/, notebooks from texts; fill handouts in from course.toml
	@$(PY) -m autograder stubs

release: .venv/ready  ## what students receive, verified to hold no answer: dist/student/
	@$(PY) -m autograder release

check: .venv/ready  ## how far a student is, by the public tests:  make check A=vae_ddpm_cfg
	@$(PY) -m student.check --assignment assignment/$(A) || test $$? -eq 1

grade: .venv/ready  ## grade a submission:  make grade A=vae_ddpm_cfg S=path/to/submission.zip  (one exercise: O=Q1.4)
	@$(PY) -m autograder grade $(A) $(S) $(if $(O),--only $(O))

batch: .venv/ready  ## grade a class:  make batch A=vae_ddpm_cfg S=path/to/submissions O=runs/class
	@$(PY) -m autograder batch $(A) $(S) --output $(O)

accuracy: .venv/ready  ## how well hidden tests tell right from wrong, measured: docs/accuracy.md, or:  make accuracy A=theory
	@$(PY) -m autograder accuracy $(or $(A),--write docs/accuracy.md)

bench: .venv/ready  ## speed, measured side by side, on a machine that is left alone: docs/benchmarks.md (35 minutes)
	@$(PY) benchmarks/report.py $(if $(D),--data-root $(D))

bench-gpu: .venv/ready  ## training on a GPU: steps, the card's limit, seconds to the handouts' targets: docs/benchmarks_gpu.md (an hour)
	@$(PY) benchmarks/gpu.py $(if $(D),--data-root $(D))

samples: .venv/ready  ## how good the models' samples are, after 1, 5, 20 epochs: docs/samples.md (hours; goes on where it was)
	@$(PY) benchmarks/sample_quality.py $(if $(D),--data-root $(D)) $(if $(M),--minutes $(M))

pdf: .venv/ready  ## typeset the theory handout, answer template and worked solutions into dist/theory (needs LaTeX)
	@$(PY) -m autograder.publish.pdf

pictures: .venv/ready  ## the pictures of docs/pictures.md; three hours, needs Chromium; some:  make pictures P=vae_ddpm_cfg/vae D=data
	@$(PY) docs/pictures.py $(P) $(if $(D),--data-root $(D))

site: .venv/ready  ## the course's website, as students see it: dist/site/; with TA and instructor pages:  make site STAFF=1
	@$(PY) -m autograder site $(if $(STAFF),--staff)

lint: .venv/ready  ## ruff
	@$(PY) -m ruff check

lock: .venv/ready  ## renew requirements.lock from pyproject.toml, with the newest versions (needs uv)
	@uv pip compile pyproject.toml --extra grader --extra batch --extra cluster --extra notebooks --extra dev --extra site --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade -o requirements.lock

clean:  ## remove what make made
	rm -rf .venv dist build *.egg-info .pytest_cache .ruff_cache

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) install.py --torch '$(TORCH)'
