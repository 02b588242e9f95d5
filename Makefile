# Every command does its own set-up and may be repeated. Only Python 3.11 or newer is needed; `python3 scripts/demo.py` is `make demo` without make.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

RIGHT_PYTHON = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do $$p -c '$(RIGHT_PYTHON)' >/dev/null 2>&1 && echo $$p && break; done)
endif
RUN = .venv/bin/python

.PHONY: help
help: ## Lists these commands
	@awk 'BEGIN {FS = ":.*## "; print "Vitte: make <command>"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: python
python:
	@p="$(PYTHON)"; $${p:-false} -c '$(RIGHT_PYTHON)' >/dev/null 2>&1 || { \
		found=$$($${p:-python3} --version 2>/dev/null) || found="no $${p:-Python}"; \
		echo "vitte: Python 3.11 to 3.14 is needed, and here is $$found: install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; exit 1; }

.PHONY: have-m have-login
have-m:
	@test -n "$(m)" || { echo 'vitte: name the change: make revision m="what changes"' >&2; exit 2; }
have-login:
	@test -n "$(login)" || { echo 'vitte: name the login: make operator login=anna' >&2; exit 2; }

.PHONY: dev
dev: python
	@$(PYTHON) -m scripts.local.install dev

##@ Run
.PHONY: demo
demo: python ## Starts the whole platform on this machine: no Docker, no token, no key
	@exec $(PYTHON) scripts/demo.py

.PHONY: reset
reset: dev ## Forgets what the demo keeps in .local: database, files, secrets, logs
	@$(RUN) scripts/local_services.py forget

##@ Check and test
.PHONY: check
check: dev ## Style, format, types, import contracts (under 20 s)
	@$(RUN) -m scripts.local.check

.PHONY: test
test: check ## All checks and all tests, browser included (under 10 min)
	@$(RUN) -m scripts.local.testing

.PHONY: test-fast
test-fast: dev ## Tests without the crash and browser ones
	@$(RUN) -m scripts.local.testing --fast

.PHONY: crash
crash: dev ## Kills the bot at random moments under load: make crash kills=200
	@CRASH_KILLS=$(or $(kills),200) $(RUN) -m pytest tests/crash/test_kills.py -s

.PHONY: fix
fix: dev ## Repairs style and format where a tool can
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

.PHONY: bench
bench: dev ## What Vitte costs beside a bare bot, measured in one run
	@$(RUN) -m scripts.bench

.PHONY: faults
faults: dev ## Breaks a model provider in seven ways while people talk: make faults seconds=60 only=hang
	@$(RUN) -m scripts.faults $(if $(seconds),--seconds $(seconds)) $(if $(only),--only $(only)) $(if $(output),--output $(output))

.PHONY: memory-suite
memory-suite: dev ## How well it remembers, in talks with planted facts: make memory-suite, real=1 with the models of LLM_SIMPLE
	@$(RUN) -m tests.memory $(if $(real),--real) $(if $(mistakes),--mistakes $(mistakes))

##@ Database
.PHONY: migrate
migrate: dev ## Brings the database of the settings (or of the demo) up to date
	@$(RUN) scripts/local_services.py exec -- $(RUN) scripts/run_migrations.py

.PHONY: revision
revision: have-m dev ## Writes a migration from the models: make revision m="what changes"
	@$(RUN) scripts/local_services.py exec -- sh -c '$(RUN) scripts/run_migrations.py && exec $(RUN) -m alembic revision --autogenerate -m "$$1"' revision "$(m)"

##@ Containers
.PHONY: setup
setup: python ## Looks at Docker and the machine, writes .env with generated secrets
	@exec $(PYTHON) scripts/setup.py

.PHONY: up
up: python ## The platform with Docker Compose; DEMO=1: with the sandbox, without a token (DEMO=0 ends that)
	@DEMO="$(DEMO)" exec $(PYTHON) -m scripts.compose up

.PHONY: down
down: python ## Stops and removes the containers; the data stays
	@exec $(PYTHON) -m scripts.compose down

.PHONY: ps
ps: python ## The containers and how they are
	@exec $(PYTHON) -m scripts.compose ps

.PHONY: logs
logs: python ## Follows what the containers say: make logs, make logs s="bot worker"
	@exec $(PYTHON) -m scripts.compose logs $(s)

.PHONY: compose-smoke
compose-smoke: python ## Starts a copy of the platform in Docker, checks it from outside and inside, removes it
	@exec $(PYTHON) -m scripts.compose.smoke

.PHONY: compose-faults
compose-faults: python ## The same copy under load: more replicas, restarts and kills of every container
	@exec $(PYTHON) -m scripts.compose.smoke --faults

.PHONY: compose-operations
compose-operations: python ## The same copy: backup, wipe, restore, damaged backups, an update under load
	@exec $(PYTHON) -m scripts.compose.smoke --operations

##@ Operate
.PHONY: config
config: dev ## The settings in effect, secrets masked
	@$(RUN) -m shared.settings

.PHONY: operator
operator: have-login dev ## Creates a login for the dashboard: make operator login=anna
	@$(RUN) scripts/local_services.py exec -- $(RUN) scripts/create_operator.py --login "$(login)"

.PHONY: doctor
doctor: python ## What is wrong with the running installation, and what to do: make doctor, make doctor json=1
	@exec $(PYTHON) -m scripts.compose doctor $(if $(json),--json) $(if $(demo),--demo)

.PHONY: backup
backup: python ## Saves database and files of the containers: make backup to=/mnt/today keep=7
	@exec $(PYTHON) -m scripts.compose backup --to "$(to)" --keep "$(keep)"

.PHONY: restore
restore: python ## Brings a backup back into an empty installation: make restore from=backups/… [replace=yes]
	@exec $(PYTHON) -m scripts.compose restore --from "$(from)" --replace "$(replace)"

.PHONY: update
update: python ## Builds what changed and replaces one container after the other: make update, make update s=bot
	@exec $(PYTHON) -m scripts.compose update $(s)

.PHONY: clean
clean: ## Removes what can be made again: packages, caches (the demo's data stays; see reset)
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis .local/uv .local/uv-cache
	@find . -name __pycache__ -type d -not -path './.local/*' -prune -exec rm -rf {} +
