# One entry for everything. `make` says what there is; each stage says how long it took.

MINUTES ?= 10
AREA ?=
HOLDERS ?= 10000000
PAYMENTS ?= 1000000
LINES ?= 2000000
DEPTH ?= 12
KILLS ?= 50
SEEDS ?= 2000
FACTS ?= 1000000
# Seconds of fuzzing: each target's in make acceptance and make soak, and in make fuzz.
FUZZ_SECS ?= 5
SECS ?= 60
TARGET ?=
# Which part of the mutants to try, of how many.
SHARD ?= 1/40
# What the second run of the main job must say: nobody is paid twice.
NOBODY ?= nobody is due
# The suites that grow with their counts: tests/<name>.rs or tests/<name>/main.rs. All must be there.
SUITES ?= explorer stories kills model conformance simulation
# Who is paid over a chain on this machine.
PAYEES ?= 10000

CARGO ?= cargo
STAGE := sh scripts/stage
COUNTS = DIVVY_EXPLORER_DEPTH=$(DEPTH) DIVVY_KILLS=$(KILLS) DIVVY_SEEDS=$(SEEDS) \
	DIVVY_FACTS=$(FACTS)

export CARGO

.PHONY: help need test fmt lint doc tidy unit acceptance soak demo bench scale vectors fuzz mutants svm svm-demo

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

need:
	@sh scripts/need

test: need fmt lint doc tidy unit ## what every commit passes: format, lints, docs, house rules, tests
	@echo "make test: all stages passed"

fmt: ## check the format
	@$(STAGE) "format" $(CARGO) fmt --all --check

lint: ## clippy, warnings refused
	@$(STAGE) "lints" $(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

doc: export RUSTDOCFLAGS = -D warnings
doc: ## rustdoc for users and for us, warnings refused
	@$(STAGE) "docs" $(CARGO) doc --workspace --no-deps --quiet
	@$(STAGE) "docs, private" $(CARGO) doc --workspace --no-deps --document-private-items --quiet

tidy: ## the house rules
	@$(STAGE) "house rules" $(CARGO) test --quiet --test tidy

unit:
	@$(STAGE) "tests and doc examples" $(CARGO) test --quiet --workspace

acceptance: need ## larger counts, real readers, and the main job twice
	@sh scripts/need outward
	@$(COUNTS) $(STAGE) "suites at larger counts" sh scripts/suites $(SUITES)
	@DIVVY_READERS=yes $(STAGE) "real readers" $(CARGO) test --release --quiet --test outward
	@$(STAGE) "vectors" $(MAKE) --no-print-directory vectors
	@$(STAGE) "fuzz, $(FUZZ_SECS) s a target" sh scripts/fuzz $(FUZZ_SECS)
	@$(STAGE) "Solana's programs" $(MAKE) --no-print-directory svm
	@$(STAGE) "main job, twice" sh scripts/twice "$(NOBODY)"
	@echo "make acceptance: all stages passed"

soak: need ## the suites again and again with new seeds: make soak MINUTES=60
	@$(COUNTS) $(STAGE) "soak" sh scripts/soak $(MINUTES) $(SUITES)
	@$(STAGE) "fuzz" sh scripts/fuzz $(SECS)
	@$(STAGE) "mutants $(SHARD)" sh scripts/mutants $(SHARD)

fuzz: ## one reader of bytes, or all: make fuzz TARGET=body SECS=60
	@sh scripts/fuzz $(SECS) $(TARGET)

mutants: ## plant mistakes in the core, one after the other: make mutants SHARD=1/40
	@sh scripts/mutants $(SHARD)

demo: ## the main job: a real cap table, 90 days of payments, everyone paid
	@$(CARGO) run --release --quiet -- run examples/uni

svm: ## Solana's own programs executed: every order, and everyone paid once; a long first build
	@DIVVY_PAYEES=$(PAYEES) DIVVY_KILLS=$(KILLS) sh scripts/svm

svm-demo: ## the guide's commands over a chain on this machine, to look at
	@sh scripts/svm demo

bench: need ## every bench, on an idle machine
	@sh scripts/bench

scale: ## the main job at any size: make scale HOLDERS=10000000 PAYMENTS=1000000 LINES=2000000
	@$(CARGO) bench --quiet --bench scale -- --holders $(HOLDERS) --payments $(PAYMENTS) --lines $(LINES)

vectors: ## the frozen cases: make vectors AREA=allocation, or DIVVY_VECTORS=<folder> for others
	@AREA="$(AREA)" sh scripts/vectors
