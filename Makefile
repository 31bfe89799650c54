# The two commands: `make demo` (the whole study on data that needs no download) and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: demo test check clean

demo: .venv/.installed
	latent-audit study demo --scratch

test: .venv/.installed
	ruff check .
	ruff format --check .
	pyright
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.venv/.installed: requirements.txt pyproject.toml src/latent_audit/latent_audit_dvc.pth
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	cp src/latent_audit/latent_audit_dvc.pth $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	touch $@

clean:
	rm -rf .venv .workspaces .checkpoints
