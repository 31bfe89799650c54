# The two commands: `make demo` (the whole study on data that needs no download) and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: demo test pins clean

demo: .venv/.installed
	latent-audit study demo

test: .venv/.installed
	ruff check .
	ruff format --check .
	pyright
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=25

.venv/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) pip==26.3
	$(PIP) --no-compile -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	-$(BIN)/python -m compileall -qq -j 0 -x '/(tests?|testing|triton)/' .venv/lib # on all cores, where pip takes one
	touch $@

pins: # requirements.txt by pyproject.toml, as pip of an environment of its own resolves it; NEWEST=1 for newer versions
	rm -rf .venv/pins
	$(PYTHON) -m venv .venv/pins
	.venv/pins/bin/pip install --quiet --disable-pip-version-check pip==26.3
	.venv/pins/bin/python tools/pins.py $(if $(NEWEST),--newest)
	rm -rf .venv/pins

clean:
	rm -rf .venv .workspaces .checkpoints
