# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/bash
# Debian's name for Open MPI's compiler; elsewhere it is just mpicc.
MPICC ?= $(if $(shell command -v mpicc.openmpi),mpicc.openmpi,$(if $(shell command -v apt-get),mpicc.openmpi,mpicc))
export MPICC

.PHONY: help demo test build check test-openmpi test-mpich test-local test-instructions clean

help:
	@echo "make demo    install what is missing, build, run the word count and the ring under mpirun"
	@echo "make test    install what is missing, run every check and test (both MPIs, and without MPI)"
	@echo "make test-far    the tests of the runtime with PEs whose memory counts as not mapped"
	@echo "make loom    models of the wake-up, the lock and the rendezvous in every order of their steps"
	@echo "make install PREFIX=DIR   libshmem for C and C++ programs: library, headers, oshcc, oshrun (MPI=no: without); make uninstall"
	@echo "make soak    waits, locks, atomics and collectives on 64 PEs (some minutes)"
	@echo "make test-differences DIFFERENCES=N   one PE does something else than the others, N times (SHMEM_TEST_SEED)"
	@echo "make test-kills KILLS=N   one PE killed, exited or replaced, N times per launcher, anywhere (SHMEM_TEST_SEED)"
	@echo "make test-faults          every system call of the library fails once, in start, middle and end"
	@echo "make test-shmem4py   the Python bindings' own tests with libshmem (downloads them)"
	@echo "make miri    the allocators' model tests under Miri"
	@echo "make bench   criterion benches; make bench-peers: beside Open MPI's OSHMEM (docs/BENCHMARKS.md);"
	@echo "             benches/peers/run.sh starts: starting and ending a job, beside OSHMEM, both MPIs and bare PMIx"

demo: setup-build
	cargo build --release --examples
	scripts/demo.sh

build: setup-build
	cargo build --release --workspace --examples

test: setup-test check test-openmpi test-mpich test-local test-far test-instructions loom
	@echo "make test: all passed"

# Formatting, lints, documentation: nothing may warn.
check:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --features shmem-api/testing -- -D warnings
	cargo clippy --workspace --all-targets --no-default-features --features shmem-api/testing -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# All tests; the multi-PE ones under Open MPI's mpirun and under the local boot.
test-openmpi:
	cargo test --workspace --features shmem-api/testing
	SHMEM_MEMHEAP=buddy cargo test -p shmem-api --features shmem-api/testing --test heap --test check
	cargo build --release --workspace --examples
	scripts/demo.sh
	scripts/same-base.sh
	scripts/nothing-left.sh

# Instructions per allocation, counted by callgrind: none may have grown (no timing; skipped where the
# compiler or the host is another than the recorded one).
test-instructions:
	benches/instructions.sh --check

# The multi-PE tests under MPICH's. One target directory per MPI: a changed MPICC does not rebuild.
test-mpich: export MPICC = mpicc.mpich
test-mpich: export CARGO_TARGET_DIR = $(CURDIR)/target-mpich
test-mpich:
	cargo test -p shmem-api -p shmem-c -p examples --features shmem-api/testing

# Without MPI and without libclang.
test-local: export CARGO_TARGET_DIR = $(CURDIR)/target-local
test-local: export MPICC = /bin/false
test-local: export LIBCLANG_PATH = /nonexistent
test-local:
	cargo test -p shmem-api -p shmem-c -p examples --no-default-features --features shmem-api/testing

# As test-local, with all other PEs, or every second one, behind the seam (`transport/loopback`). What only holds where
# memory is mapped is left out: a far PE is not stored to by a child, and its death is its own host's to notice.
.PHONY: test-far
far := amo signal wait lock collectives teams active_sets ahead heap memory_calls traffic ctx init global shared rma \
	sym_static bad_input safe_atomics safe_coll safe_lock safe_rma safe_signal safe_teams safe_threads safe_wait
mapped_only := --skip fork:: --skip right_after_init
test-far: export CARGO_TARGET_DIR = $(CURDIR)/target-local
test-far: export MPICC = /bin/false
test-far: export LIBCLANG_PATH = /nonexistent
test-far:
	for which in all odd; do \
		SHMEM_TEST_FAR=$$which cargo test -p shmem-api --no-default-features --features shmem-api/testing \
			$(far:%=--test %) || exit 1; \
		SHMEM_TEST_FAR=$$which cargo test -p shmem-api --no-default-features --features shmem-api/testing \
			--test exit -- $(mapped_only) || exit 1; \
		SHMEM_TEST_FAR=$$which SHMEM_TEST_DIFFERENCES=100 cargo test -p shmem-api --no-default-features \
			--features shmem-api/testing --test differences || exit 1; \
	done

# One PE does something else than the others: N pairs of calls (`make test` draws 200), without an MPI.
.PHONY: test-differences
DIFFERENCES ?= 10000
test-differences: setup-test
	SHMEM_TEST_STRICT=1 SHMEM_TEST_DIFFERENCES=$(DIFFERENCES) cargo test -p shmem-api --no-default-features \
		--features shmem-api/testing --test differences -- --nocapture

# PEs that end and calls that fail, many of each (`make test` runs a sample), under Open MPI, MPICH and the local boot.
.PHONY: test-kills test-faults
KILLS ?= 334
endings := cargo test -p shmem-c --features shmem-api/testing --test endings -- --nocapture
mpich := MPICC=mpicc.mpich CARGO_TARGET_DIR="$(CURDIR)/target-mpich"
test-kills: setup-test
	SHMEM_TEST_STRICT=1 SHMEM_TEST_KILLS=$(KILLS) $(endings) kills
	SHMEM_TEST_STRICT=1 SHMEM_TEST_KILLS=$(KILLS) $(mpich) $(endings) kills
test-faults: setup-test
	SHMEM_TEST_STRICT=1 SHMEM_TEST_FAULTS=all $(endings) faults
	SHMEM_TEST_STRICT=1 SHMEM_TEST_FAULTS=all $(mpich) $(endings) faults

# libshmem: the C library, its headers and tools. MPI=no: programs start their PEs themselves.
PREFIX ?= /usr/local
no_mpi := $(filter no,$(MPI))
.PHONY: install uninstall
install: $(if $(no_mpi),,setup-build)
	cargo build --release -p shmem-c $(if $(no_mpi),--no-default-features)
	built="$${CARGO_TARGET_DIR:-target}/release"; $(if $(no_mpi),env -u MPICC) shmem-c/install.sh \
		--prefix "$(PREFIX)" --archive "$$built/libshmem_c.a" --info "$$built/shmem-info"

# The Python bindings (shmem4py, from PyPI) built against libshmem, and their own tests on 1, 2 and 4 PEs. Says so
# where there is no network.
.PHONY: test-shmem4py
test-shmem4py: setup-build
	cargo build --release -p shmem-c
	built="$${CARGO_TARGET_DIR:-target}/release"; shmem-c/install.sh --prefix "$(CURDIR)/target/shmem4py/prefix" \
		--archive "$$built/libshmem_c.a" --info "$$built/shmem-info"
	shmem-c/tests/shmem4py/run.sh target/shmem4py/prefix target/shmem4py

uninstall:
	shmem-c/install.sh --prefix "$(PREFIX)" --uninstall

setup-build:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test

clean:
	rm -rf target target-mpich target-local target-loom

.PHONY: bench bench-peers

# Our allocators beside the best Rust crates: Criterion, then ratios of minima and the goals.
bench: setup-build
	cargo bench -p benches
	cargo run --release -p benches --bin ratios -- --plots docs/plots

# The same with Open MPI's two allocators, and put and get beside its; installs what is missing.
bench-peers:
	benches/peers/run.sh --rounds 9 --plots docs/plots
	benches/peers/run.sh transfers --rounds 9

.PHONY: soak
# A few tests on 64 PEs, however few the cores (some minutes; not part of make test).
soak: setup-test
	scripts/soak.sh

.PHONY: loom
# Models of what waits, queues and meets: every order of steps of two threads, and of three those with few
# preemptions. The code is the one that runs (shmem-api/src/sync/primitives.rs).
loom: export RUSTFLAGS = --cfg loom
loom: export CARGO_TARGET_DIR = $(CURDIR)/target-loom
loom:
	cargo test --release -p shmem-api --no-default-features --lib -- models

.PHONY: miri
# At least 3,000 model operations of each allocator under Miri. Where a machine has none, it says so.
miri:
	@if cargo +nightly miri --version >/dev/null 2>&1; then \
		MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p memheap-buddy -p memheap-ptmalloc model; \
	else echo "miri: not on this machine (rustup +nightly component add miri rust-src); skipped"; fi
