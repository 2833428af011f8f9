# What one does with sorahub; `make` alone lists it. Settings: PYTHON, PORT, CHROMIUM, PROCESSES, MINUTES, and those of .env.example.
PYTHON ?= python3
PORT ?= 8000
CHROMIUM ?= /usr/bin/chromium
PROCESSES ?= auto
MINUTES ?= 150
VENV := .venv
PY := $(VENV)/bin/python
SERVICES := not browser and not soak
# Two OpenMP threads that share their cores with other work are several times slower than one.
ALONE := OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1}
# As many processes as there are cores, and no more than a Redis has pairs of databases for from 8 and 9 on. Whoever has
# nothing left to do takes from the end of what another one has.
SPREAD := --numprocesses $(PROCESSES) --maxprocesses 4 --dist worksteal
export PORT CHROMIUM

.PHONY: help demo test check lint test-services test-browser pictures soak rehearse bench train-embedded evaluate-embedded
.PHONY: install install-dev preflight

help:
	@echo "make demo               the whole of sorahub on http://127.0.0.1:$(PORT), with people and clips to try"
	@echo "make test               the default tests: no service, no GPU, no network"
	@echo "make check              lint, migrations, import boundaries, and the default tests"
	@echo "make test-services      the tests on PostgreSQL and Redis (DATABASE_URL, BROKER_URL, CACHE_URL)"
	@echo "make test-browser       the browser tests in headless Chromium (CHROMIUM)"
	@echo "make pictures           the pictures in docs/images, made anew by the browser suite"
	@echo "make soak               the long proofs"
	@echo "make rehearse           the production set-up, started on this machine and tried (PostgreSQL, Redis, nginx)"
	@echo "make bench              every benchmark, into bench/results/"
	@echo "make train-embedded     trains the embedded model anew, for MINUTES=$(MINUTES), into var/training/"
	@echo "make evaluate-embedded  reads the frames of held-out prompts and scores the embedded model"

demo: preflight install .env
	@exec $(PY) manage.py demo

test: install-dev
	@$(ALONE) $(PY) -m pytest $(SPREAD)

check: lint test

lint: install-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	@SECRET_KEY=$${SECRET_KEY:-only-for-checks-0123456789abcdefghij} $(PY) manage.py check
	@SECRET_KEY=$${SECRET_KEY:-only-for-checks-0123456789abcdefghij} $(PY) manage.py makemigrations --check --dry-run
	$(VENV)/bin/lint-imports

test-services: install-dev
	@DATABASE_URL="$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/sorahub}" \
	 BROKER_URL="$${BROKER_URL:-redis://127.0.0.1:6379/8}" \
	 CACHE_URL="$${CACHE_URL:-rediscache://127.0.0.1:6379/9}" \
	 $(ALONE) $(PY) -m pytest $(SPREAD) -m "$(SERVICES)"

test-browser: install-dev
	@test -x "$(CHROMIUM)" || { echo "There is no Chromium at $(CHROMIUM): install one, or say CHROMIUM=/path/to/it."; exit 1; }
	@$(ALONE) $(PY) -m pytest $(SPREAD) -m browser

pictures: install-dev
	@$(ALONE) SORAHUB_PICTURES=docs/images $(PY) -m pytest -m browser tests/browser/test_pictures.py

soak: install-dev
	@$(ALONE) $(PY) -m pytest -m soak

rehearse: install-dev
	@DATABASE_URL="$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}" $(ALONE) $(PY) deploy/rehearse.py

bench: install-dev
	@$(ALONE) $(PY) bench/run.py

train-embedded: install-dev
	@$(ALONE) $(PY) -m generation.embedded.train --out var/training --minutes $(MINUTES)

evaluate-embedded: install-dev
	@$(ALONE) $(PY) -m generation.embedded.evaluate

# --- What the targets stand on -----------------------------------------------------------------------

# Before a long install, not after it.
preflight:
	@$(PYTHON) sorahub/management/preflight.py $(PORT)

# The copies of the requirements inside .venv say what is installed there; a changed file installs again.
install:
	@{ $(PY) -c "" && cmp -s requirements.txt $(VENV)/requirements.txt; } 2>/dev/null || { \
	  $(PYTHON) sorahub/management/preflight.py && \
	  echo "Installing what requirements.txt names into $(VENV). The first time takes minutes: PyTorch is large." && \
	  { test -x $(PY) || rm -rf $(VENV); } && $(PYTHON) -m venv $(VENV) && \
	  $(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt && \
	  cp requirements.txt $(VENV)/; }

install-dev: install
	@cmp -s requirements-dev.txt $(VENV)/requirements-dev.txt || { \
	  echo "Installing what the tests need." && \
	  $(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt && \
	  cp requirements-dev.txt $(VENV)/; }

# Written once, readable by its owner only, and whole or not at all.
.env:
	@umask 077 && mkdir -p var && \
	  $(PY) -c "import secrets; print('SECRET_KEY=' + secrets.token_urlsafe(48)); print('SORAHUB_DEMO=1')" > var/.env.new && \
	  mv var/.env.new .env
