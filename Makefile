# The few words a person needs. `make optimize` and `make test` do all the set-up themselves.
.DEFAULT_GOAL := help
.PHONY: help setup optimize real repro report serve work schedule doctor test check smoke clean

PYTHON ?= python3.11
ENV := $(CURDIR)/.venv
READY := $(ENV)/.ready
export PATH := $(ENV)/bin:$(PATH)
export DVC_NO_ANALYTICS := 1
MODELS ?=
DATA ?= ../shared/data

help:  ## what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

setup: $(READY)  ## the environment, from requirements.lock

$(READY): requirements.lock runtime/pyproject.toml
	$(PYTHON) -m venv $(ENV)
	pip install --quiet --disable-pip-version-check -r requirements.lock
	pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e runtime
	touch $@

optimize: $(READY)  ## every model through every stage; MODELS="keywords" for some
	@python -m flows $(MODELS)

real: $(READY)  ## the same models on the real recordings in DATA (default ../shared/data), in a clone: build/real
	@python -m benchmarks.real $(DATA) $(MODELS)

repro: $(READY)  ## the same stages by DVC alone
	dvc repro

report: $(READY)  ## the last run as a page: artifacts/report/index.html; MODELS="keywords" for some
	@python -m tasks.page $(MODELS) || test $$? -eq 1

serve: $(READY)  ## a Prefect server on this machine, with all of prefect.yaml; Ctrl-C ends it
	@python -m flows.serve

work: $(READY)  ## a worker for many machines: makes models in this clone for the server that PREFECT_API_URL names
	@PIANISSIMO_HOME=$(CURDIR) PYTHONPATH=$(CURDIR) python -m prefect worker start --pool pianissimo-models --limit 1

schedule: $(READY)  ## registers prefect.yaml with the server that PREFECT_API_URL names, for its workers
	@python -m flows.schedule

doctor: $(READY)  ## what the pipeline stands on: what is fine, what is not, what to do
	@python -m flows.doctor

test: $(READY) check  ## everything CI asks for
	pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: $(READY)  ## lint, types, import floors
	ruff check
	mypy
	lint-imports

smoke: $(READY)  ## load what was published, in an environment of its own
	bash tests/smoke.sh

clean:  ## what stages left; the registry, the corpora and the environment stay
	find artifacts -mindepth 1 -maxdepth 1 ! -name README.md ! -name registry -exec rm -rf {} +
	find data -mindepth 1 -maxdepth 1 ! -name README.md ! -name corpora -exec rm -rf {} +
	rm -rf build runtime/build .dvc/cache .dvc/tmp
