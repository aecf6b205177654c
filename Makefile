# Two commands for a fresh machine with Python 3.11 or later: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check unit bench clean

demo: $(READY)  ## the main job on the example year
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: check unit  ## lint, types and all tests

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p .cache/types && ln -sfn "$(CURDIR)" .cache/types/mileage
	MYPYPATH=.cache/types $(BIN)/mypy --namespace-packages --explicit-package-bases \
		-p mileage.ledger -p mileage.projections -p mileage.cli -p mileage.seeds

unit: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

bench: $(READY)  ## ratios, measured side by side; FACTS=10000000 for the large one
	$(BIN)/python -m bench --facts $(or $(FACTS),1000000)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .demo .cache build *.egg-info
