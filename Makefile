# make run    a console: a new session, or what is piped in
# make test   lint, types, tests (ARGS="tests/unit -k queue" for a part of the tests)
# make demo   a crash that loses nothing, for real
# make bench  Holdfast beside ipykernel (ARGS="--only execute,crash")
# make soak   a session is killed at random for two hours, and compared with one that is not
# make faults  80 kinds of faults, each survived twice (some ten minutes; ARGS="--kinds 1-20 --repeat 5")
# make notebooks  forty notebooks give the same outputs as under ipykernel (some four minutes)
# make fuzz   what reads foreign bytes, with inputs that coverage guides (ARGS="--target frames --seconds 60")
#
# Needs Python 3.11 or newer and nothing else: the rest goes into .venv, once. Silent with `make -s`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP     = PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq -c constraints.txt

# Older pips can't read pyproject.toml's [dependency-groups] themselves: the packages of one, a line each.
GROUP   = $(BIN)/python -c 'import sys, tomllib; \
    groups = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]; \
    print(*groups[sys.argv[1]], sep="\n")'

.PHONY: run test lint demo bench soak faults notebooks fuzz clean

run: $(VENV)/.run
	@$(BIN)/holdfast $(ARGS)

# Most tests wait for processes: three at a time keep two cores busy, a file's on one worker.
test: lint $(VENV)/.test
	$(BIN)/python -m pytest -q $(if $(ARGS),$(ARGS),-n 3 --dist loadfile)

lint: $(VENV)/.lint $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy -p bench -p demo

demo: $(VENV)/.run
	@$(BIN)/python demo/crash.py

bench: $(VENV)/.bench
	@$(BIN)/python -m bench $(ARGS)

soak: $(VENV)/.test $(VENV)/.libraries
	@$(BIN)/python -m tests.soak $(ARGS)

faults: $(VENV)/.test $(VENV)/.libraries
	@$(BIN)/python -m tests.faults $(ARGS)

notebooks: $(VENV)/.test $(VENV)/.notebooks
	@$(BIN)/python -m tests.notebooks $(ARGS)

fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m tests.fuzz $(ARGS)

clean:
	rm -rf $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "Holdfast needs Python 3.11 or newer; choose one: make PYTHON=python3.11")'
	@if [ -t 2 ]; then echo "setting up $(VENV), once ..." >&2; fi
	@$(PYTHON) -m venv $(VENV) </dev/null
	@$(PIP) -e . </dev/null
	@touch $@

# A stamp for each group.
$(VENV)/.%: $(VENV)/.run
	@$(GROUP) $* > $@.in
	@$(PIP) -r $@.in </dev/null
	@touch $@

# Kishu asks for packages that are called as modules of the standard library: it stays by itself.
$(VENV)/kishu: $(VENV)/.run
	@$(GROUP) kishu > $@.in
	@$(PYTHON) -m venv $@ </dev/null
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $@/bin/python -m pip install -qq -c constraints.txt -r $@.in </dev/null
