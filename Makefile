# Every target works in a fresh clone, as root or not, with nothing but PATH and HOME set.
PYTHON ?= python3
PIP_INSTALL := .venv/bin/python -m pip install --quiet --disable-pip-version-check
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# Files of tests side by side, each process with servers of its own: most tests wait for other processes.
JOBS ?= 2
PARALLEL := -n $(JOBS) --dist loadfile --no-loadscope-reorder
# What `coverage` runs: the tests of the pure core.
CORE := tests/unit/analysis tests/unit/test_arrivals.py tests/unit/test_states.py
INSTALLED := .venv/.installed
# Scripts in .venv hold its path: a checkout that was moved gets a new one.
MOVED := $(shell [ "$$(cat .venv/.made_in 2>/dev/null)" = "$$(pwd)" ] || echo moved)
# Browser tests have a pytest call of their own: the driver's event loop bars the ORM from its thread.
BROWSER := $(wildcard tests/acceptance/browser)
# What production sets and a checkout does not; no server is asked.
PRODUCTION := DEBUG=0 ALLOWED_HOSTS=loadlab.example LOADLAB_API_ANONYMOUS=0 \
  DATABASE_URL=postgres://loadlab@127.0.0.1:1/loadlab REDIS_URL=redis://127.0.0.1:1/0 \
  SECURE_SSL_REDIRECT=1 SECURE_HSTS_SECONDS=31536000 SECURE_HSTS_INCLUDE_SUBDOMAINS=1 \
  SECURE_HSTS_PRELOAD=1 SESSION_COOKIE_SECURE=1 CSRF_COOKIE_SECURE=1 \
  SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(48))')"

.DEFAULT_GOAL := help
.PHONY: moved help venv celery-venvs browser demo test test-unit test-integration test-acceptance coverage check format schema screenshots bench up down clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## create .venv and install loadlab in it, at the versions of requirements/

$(INSTALLED): pyproject.toml requirements/constraints.txt $(MOVED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "loadlab needs Python 3.11 or later and $(PYTHON) is not: install it, or name one as in make $(or $(MAKECMDGOALS),venv) PYTHON=/path/to/python3." >&2; exit 1; }
	@{ [ -z "$(MOVED)" ] && $(PY) -c '' 2>/dev/null; } || $(PYTHON) -m venv --clear .venv || { \
	  echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Installing loadlab in .venv ..." >&2
	@$(PIP_INSTALL) -c requirements/constraints.txt -e '.[embedded,dev]'
	@pwd > .venv/.made_in
	@touch $@

celery-venvs: venv ## create the environments of the real Flower and celery command that the tests use
	@$(PY) tests/acceptance/celery_tools/venvs.py

demo: venv ## set up, run one real load test with a worker, print its report, try what it proposes
	@$(PY) manage.py migrate --no-input --verbosity 0
	@.venv/bin/loadlab run --type io_simulation --tasks 1000 --batch 20 --delay 50 --queue load_test --workers 1
	@printf '\nDoes it do what it says? Without the change and with it, twice each:\n\n'
	@.venv/bin/loadlab try --change poll_delay=0.05 --type io_simulation --tasks 300 --batch 20 --repeat 2

browser: venv ## see to it that there is a Chromium for the browser tests
	$(PY) tests/acceptance/browser/chromium.py

test: venv celery-venvs browser coverage ## run the whole suite on servers and data of its own
	$(PYTEST) $(PARALLEL) $(CORE:%=--ignore=%) $(BROWSER:%=--ignore=%)
	$(if $(BROWSER),$(PYTEST) $(PARALLEL) $(BROWSER))

test-unit: venv ## run the tests that need no server
	$(PYTEST) tests/unit

test-integration: venv ## run the tests against real PostgreSQL, Valkey and arq
	$(PYTEST) tests/integration

test-acceptance: venv celery-venvs browser ## run the tests of real processes
	$(PYTEST) $(PARALLEL) tests/acceptance $(BROWSER:%=--ignore=%)
	$(if $(BROWSER),$(PYTEST) $(PARALLEL) $(BROWSER))

coverage: venv ## see that the unit tests cover every branch of the pure core
	$(PYTEST) $(PARALLEL) $(CORE) \
	  --cov=runs.analysis --cov=runs.arrivals --cov=runs.states --cov-fail-under=100

check: venv ## everything about the code that needs no test: style, types, layers, migrations, deployment
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@echo manage.py makemigrations --check
	@$(PRODUCTION) $(PY) -W "ignore:Got an error checking a consistent migration history" \
	  manage.py makemigrations --check --dry-run
	@echo manage.py check --deploy
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

format: venv ## put the code into the style that check asks for
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

schema: venv ## write docs/openapi.yaml, the contract of the API, from the code
	$(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

screenshots: venv browser ## take the pictures of docs/screenshots/ from a site with demo data
	@$(PY) tests/acceptance/browser/screenshots.py

bench: venv ## measure loadlab beside its peers and print the figures (BENCH=name for one)
	@$(PY) bench/run_all.py $(BENCH)

up: venv ## run web on port 8000 (PORT), dispatcher, collector and a worker per queue until Ctrl-C
	@$(PY) -m loadlab.foreground

down: ## stop the embedded servers of this checkout; their data stays in var/
	@if [ -x $(PY) ]; then $(PY) -m loadlab.embedded stop; else echo "Nothing is installed here, so nothing runs."; fi

clean: down ## remove .venv and what tools left behind; var/ stays
	rm -rf .venv staticfiles *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
