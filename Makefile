# What one types. Each target sets up what it needs (tools/setup.sh) and says what it cannot.
#
#   make build      the command .venv/bin/daemun, with an engine built fast (profile "fast": thin LTO)
#   make run        build, then `daemun demo`: three FastAPI instances behind Daemun
#   make test       everything: cargo test, pytest
#   make lint       ruff, mypy, clippy, rustfmt
#   make release    build, with the engine as it is shipped (full LTO, trained: ten minutes the first time)
#   make wheel      the same as a wheel in dist/, which `docker build` takes
#   make bench      side by side with nginx, HAProxy and Caddy; BENCH="--quick" passes options
#   make soak       10 GB bodies, uvicorn's real keep-alive of 5 s, and 50 rolling redeploys of containers
#   make nginx-tests SUITE=DIR  nginx's own suite, which somebody has fetched, through `daemun nginx`: writes its page
#   make fuzz       random heads, bodies, targets and rules, each with a new seed, which is printed; FUZZ_ROUNDS=1000000
#   make clean      removes what was built
#
# The Python side is installed as an editable package, so it is always the checkout's. The engine beside the command is
# a copy, renewed by each `make build`; after a bare `cargo build` the command takes the newer one (daemun.engine.locate).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TARGET := engine/target
TRAINING := $(TARGET)/training/flags
ENGINE := engine/Cargo.toml engine/Cargo.lock $(shell find engine/crates -name '*.rs' -o -name Cargo.toml)
CARGO_FLAGS := --manifest-path engine/Cargo.toml --locked
BENCH ?=
PYTEST ?=
FUZZ_ROUNDS ?= 1000000
SOAK_BYTES ?= 10000000000
SUITE ?=
REVISION ?= a snapshot

# Cargo from rustup is found without a login shell.
export PATH := $(if $(HOME),$(HOME)/.cargo/bin:)$(PATH)
# Without a home to write to, cargo, pip and Go keep what they download here.
HOME_IS_WRITABLE := $(shell test -n "$(HOME)" -a -w "$(HOME)" && echo yes)
ifneq ($(HOME_IS_WRITABLE),yes)
export CARGO_HOME ?= $(CURDIR)/.cache/cargo
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export GOPATH ?= $(CURDIR)/.cache/gopath
export GOCACHE ?= $(CURDIR)/.cache/go-build
endif
export PYTHON

.PHONY: build run release wheel test lint bench soak nginx-tests fuzz clean setup engine-fast engine-dev engine-release

build: $(VENV)/.demo engine-fast
	@install -m 755 $(TARGET)/fast/daemun-engine $(BIN)/daemun-engine
	@echo "built $(BIN)/daemun"

release: $(VENV)/.demo engine-release
	@install -m 755 $(TARGET)/release/daemun-engine $(BIN)/daemun-engine
	@echo "built $(BIN)/daemun with the engine as it is shipped"

wheel: $(VENV)/.demo engine-release
	CARGO_ENCODED_RUSTFLAGS="$$(cat $(TRAINING))" SETUPTOOLS_RUST_CARGO_PROFILE=release \
		$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# Started in place of make's shell, so that Ctrl-C is the demo's own affair.
run: build
	@exec $(BIN)/daemun demo $(DEMO)

test: $(VENV)/.dev engine-dev
	@tools/setup.sh test
	cargo test $(CARGO_FLAGS) --workspace --quiet
	DAEMUN_ENGINE=$(CURDIR)/$(TARGET)/debug/daemun-engine $(BIN)/python -m pytest -q -rs $(PYTEST)

lint: $(VENV)/.dev
	@tools/setup.sh lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy bench tools
	cargo fmt --manifest-path engine/Cargo.toml --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets --quiet -- -D warnings

bench: $(VENV)/.demo engine-release
	@tools/setup.sh bench
	$(BIN)/python -m bench $(BENCH)

soak: $(VENV)/.dev engine-release
	@tools/setup.sh test
	DAEMUN_SOAK=1 DAEMUN_BODY_BYTES=$(SOAK_BYTES) DAEMUN_ENGINE=$(CURDIR)/$(TARGET)/release/daemun-engine \
		$(BIN)/python -m pytest -q -rs --timeout 1800 \
		tests/feature/test_bodies.py tests/feature/test_uvicorn_keepalive.py tests/real/test_docker_redeploy.py $(PYTEST)

nginx-tests: $(VENV)/.dev engine-fast
	@test -n "$(SUITE)" || { echo "SUITE=DIR: the folder with the files of nginx-tests" >&2; exit 2; }
	@tools/setup.sh nginx-tests
	$(BIN)/python -m tools.nginx_tests "$(SUITE)" --engine $(TARGET)/fast/daemun-engine --page --revision "$(REVISION)"

# The invariants are functions beside the codecs; WIRE_SEED=… and ROUTE_SEED=… replay what failed.
fuzz: $(VENV)/.dev
	WIRE_ROUNDS=$(FUZZ_ROUNDS) cargo test $(CARGO_FLAGS) -p daemun-wire --lib -- fuzzing --nocapture
	cargo test $(CARGO_FLAGS) -p daemun-route --test agree
	for run in 1 2 3; do $(BIN)/python -m pytest -q tests/unit/traefik -k "random or damage" || exit 1; done

clean:
	rm -rf $(VENV) $(TARGET) engine/fuzz/target bench/origin/target build dist .cache
	rm -rf .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@tools/setup.sh build

engine-fast: setup
	cargo build $(CARGO_FLAGS) --profile fast

engine-dev: setup
	cargo build $(CARGO_FLAGS)

# Laid out by what an engine that counts was asked for; a change of the engine asks anew.
engine-release: setup $(TRAINING)
	CARGO_ENCODED_RUSTFLAGS="$$(cat $(TRAINING))" cargo build $(CARGO_FLAGS) --release

$(TRAINING): $(ENGINE) bench/training.py tools/train.sh | setup $(VENV)/.demo
	@tools/setup.sh train
	@mkdir -p $(dir $@)
	@tools/train.sh $@

# An editable install builds the engine too (setuptools-rust), here with the profile that is wanted anyway:
# cargo finds everything done when it is called again.
PROFILE := fast
test lint fuzz: PROFILE := dev
$(VENV)/.demo: EXTRA := demo
$(VENV)/.dev: EXTRA := demo,dev
$(VENV)/.demo $(VENV)/.dev: pyproject.toml | setup
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing daemun[$(EXTRA)] into $(VENV), and building its engine ($(PROFILE)): a few minutes the first time"
	SETUPTOOLS_RUST_CARGO_PROFILE=$(PROFILE) $(BIN)/python -m pip install --quiet --editable '.[$(EXTRA)]'
	@touch $@
