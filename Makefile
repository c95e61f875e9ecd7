# Two commands are all a stranger needs: `make run` and `make test`. Each sets up what it needs; the second time is quick.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

export PYTHONDONTWRITEBYTECODE :=
.PHONY: run test demo lint bench lock clean setup

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON=$(PYTHON) bash scripts/setup.sh

run: $(STAMP)  ## the hub on 127.0.0.1:8000 with the demo world
	@$(BIN)/zhongshu serve --demo

demo: $(STAMP)  ## two stories, told in the terminal
	@$(BIN)/zhongshu demo

test: $(STAMP)  ## every test
	@echo "· running the tests"
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)  ## format, style, types, layers, prompts
	@echo "· ruff, mypy, import contracts, house rules"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/house_rules.py
	@$(BIN)/python scripts/reference.py --check

bench: $(STAMP)  ## measurements, with machine facts
	@$(BIN)/python -m benchmarks

lock: $(STAMP)  ## renew requirements.lock from pyproject.toml
	@bash scripts/lock.sh

clean:  ## remove what was set up and what the demo wrote
	@rm -rf .venv var
