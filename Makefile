# make run: everything, with demo data    make test: the whole suite    make check: reads the code    make bench: measures
# make screenshots: the pictures of README.md and docs/
# make prove: the promises of docs/guarantees.md at full size, for hours; PROVE="NAME ... --scale 0.01"
PYTHON ?= python3
# A relative path and `-m`, so that a folder with spaces in its name works too.
VENV = .venv
VENV_PYTHON = $(VENV)/bin/python
RUN = $(VENV_PYTHON) -m
SOURCES = manage.py calls campaigns contacts temphone

# uv installs in seconds what takes pip half a minute; where it cannot (an index that only pip's own
# configuration knows), pip does the same.
define install
@echo "Installing the $$(grep -c == $(1)) packages of $(1) ..."
@$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements/install.txt \
	&& $(RUN) uv pip install --quiet --compile-bytecode --python $(VENV_PYTHON) --require-hashes -r $(1) \
	|| $(RUN) pip install --disable-pip-version-check --require-hashes -r $(1)
@touch $@
endef

.PHONY: run install voice voice-test test check bench prove messages screenshots

run: .venv/run.stamp
	@exec $(VENV_PYTHON) manage.py dev

install: .venv/dev.stamp

# Real phone calls: a trunk, and engines of speech. Five times what `make run` needs.
voice: .venv/voice.stamp

# And the small model that the tests of the spoken leg transcribe with.
voice-test: .venv/voice-test.stamp

test: .venv/dev.stamp
	@$(RUN) pytest $(TESTS)

screenshots: .venv/dev.stamp
	@$(RUN) tests.pictures $(PICTURES)

prove: .venv/dev.stamp
	@exec $(RUN) tests.proofs $(PROVE)

# The texts of the sources, into locale/*/LC_MESSAGES/django.po, where they are translated.
messages: .venv/dev.stamp
	@$(VENV_PYTHON) manage.py messages

# The database and the secrets of these checks are thrown away; they see a production environment.
check: export TEMPHONE_DATA_DIR = .venv/check
check: export HTTPS = 1
check: export ALLOWED_HOSTS = temphone.example.org
check: export DATABASE_URL =
check: .venv/dev.stamp
	$(RUN) ruff format --check --quiet
	$(RUN) ruff check --quiet
	$(RUN) mypy $(SOURCES)
	.venv/bin/lint-imports --no-logo
	$(RUN) deptry .
	$(RUN) djlint --lint --quiet templates
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive $(SOURCES)
	$(VENV_PYTHON) .ci/audit.py
	$(VENV_PYTHON) manage.py makemigrations --check --dry-run
	$(VENV_PYTHON) manage.py check --deploy --fail-level WARNING
	@! grep -nE '://|--(index|extra-index|find-links)' requirements/*.txt || { echo "No addresses in requirements." >&2; exit 1; }
	@echo "All checks passed."

# Hours on a machine that does nothing else; it starts PostgreSQL and Redis of its own. BENCH="burst lists"
bench .venv-bench/%: VENV = .venv-bench
bench: .venv-bench/bench.stamp
	@$(RUN) benchmarks $(BENCH)

.venv/run.stamp: requirements/run.txt requirements/install.txt | .venv/bin/python
	$(call install,requirements/run.txt)

.venv/dev.stamp: requirements/dev.txt requirements/install.txt | .venv/bin/python
	$(call install,requirements/dev.txt)

.venv/voice.stamp: requirements/voice.txt requirements/install.txt | .venv/bin/python
	$(call install,requirements/voice.txt)

.venv/voice-test.stamp: requirements/voice-test.txt requirements/install.txt | .venv/bin/python
	$(call install,requirements/voice-test.txt)

.venv-bench/bench.stamp: requirements/bench.txt requirements/install.txt | .venv-bench/bin/python
	$(call install,requirements/bench.txt)

.venv/bin/python .venv-bench/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "TemPhone needs Python 3.11 or newer, and $(PYTHON) is not: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "TemPhone needs Python's venv module; on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
