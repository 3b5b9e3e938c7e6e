# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/bash
# For the crate `mpi`. Debian's name for Open MPI's compiler; elsewhere it is just mpicc.
MPICC ?= $(if $(shell command -v mpicc.openmpi),mpicc.openmpi,$(if $(shell command -v apt-get),mpicc.openmpi,mpicc))
export MPICC

# Much of a launch is waiting: half as many tests again as cores run at a time.
export RUST_TEST_THREADS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
export SHMEM_TEST_TIMEOUT ?= 120
# Whole builds are quicker without what the next change would be spared.
export CARGO_INCREMENTAL ?= 0

.PHONY: help demo test launches quiet tests-built build check test-all test-far test-hosts-by-mpi test-by-mpi test-beside-mpi test-release test-instructions clean

help:
	@echo "make demo    install what is missing, build, run the word count and the ring under every launcher"
	@echo "make test    install what is missing, run every check and test (every launcher, beside both MPIs, and without)"
	@echo "make test-far    the tests of the runtime with PEs whose memory counts as not mapped"
	@echo "make test-hosts-by-mpi HOSTS=all    the same, as two hosts over MPI point to point, under both MPIs (some of it in make test)"
	@echo "make test-hosts   jobs on two and three hosts made of network namespaces (root), by Open MPI's and MPICH's launchers"
	@echo "make loom    models of the wake-up, the lock and the rendezvous in every order of their steps"
	@echo "make install PREFIX=DIR   libshmem for C and C++ programs: library, headers, oshcc, oshrun (needs no MPI); make uninstall"
	@echo "make soak    waits, locks, atomics and collectives on 64 PEs (some minutes)"
	@echo "make test-differences DIFFERENCES=N   one PE does something else than the others, N times (SHMEM_TEST_SEED)"
	@echo "make test-kills KILLS=N   one PE killed, exited or replaced, N times per launcher, anywhere (SHMEM_TEST_SEED)"
	@echo "make test-starts STARTS=N  N jobs under each launcher: none hangs"
	@echo "make test-faults          every system call of the library fails once, in start, middle and end"
	@echo "make test-slurm   starts, ends and collectives under srun, by PMIx and by PMI, with a Slurm of this machine alone"
	@echo "make test-shmem4py   the Python bindings' own tests with libshmem (downloads them)"
	@echo "make miri    the allocators' model tests under Miri"
	@echo "make bench   criterion benches; make bench-peers: beside Open MPI's OSHMEM (docs/BENCHMARKS.md);"
	@echo "             benches/peers/run.sh starts: starting and ending a job, beside OSHMEM, both MPIs and bare PMIx"

demo: setup-build
	cargo build --release --examples $$(scripts/setup.sh features)
	scripts/demo.sh

build: setup-build
	cargo build --release --workspace --examples $$(scripts/setup.sh features)

# What launches nothing (`quiet`) goes on where the launches leave a core idle.
test: setup-test check tests-built
	@nice -n 19 $(MAKE) --no-print-directory quiet > target/quiet.log 2>&1 & quiet=$$!; \
	trap 'pkill -P $$quiet; kill $$quiet' INT TERM; \
	if ! $(MAKE) --no-print-directory launches; then pkill -P $$quiet; kill $$quiet; exit 1; fi; \
	wait $$quiet; status=$$?; cat target/quiet.log; exit $$status
	@echo "make test: all passed"

launches: test-all test-far test-hosts-by-mpi test-by-mpi test-beside-mpi test-release test-instructions

# First what the launches will want. (`make loom` knows no bound of preemptions where there are two threads.)
quiet:
	cargo build --release -p shmem-c --quiet
	$(release)
	SHMEM_TEST_PREEMPTIONS=5 $(MAKE) loom

# Release programs for tests, from one build of the library: what `make demo` builds, without the crate `mpi`.
release := cargo build --release --no-default-features -p examples --examples -p benches --bin instructions

# Formatting, lints, documentation: nothing may warn.
check:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --features shmem-api/testing -- -D warnings
	cargo clippy --workspace --all-targets --no-default-features --features shmem-api/testing -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# The tests are built without an MPI and without libclang. (Of the whole workspace, whichever are run: for one crate alone cargo would
# build them with other features of their dependencies, all anew.)
runtime := cargo test --workspace --no-default-features --features shmem-api/testing
tests-built test-all test-far test-hosts-by-mpi test-by-mpi: export MPICC = /bin/false
tests-built test-all test-far test-hosts-by-mpi test-by-mpi: export LIBCLANG_PATH = /nonexistent

tests-built:
	$(runtime) --no-run --quiet

# All tests, from one build: the multi-PE ones under Open MPI's mpirun, MPICH's mpiexec and the local boot, and, by that, as several
# hosts that reach each other over UCX (SHMEM_TEST_BOOTS=hosts: only so).
test-all:
	$(runtime)
	SHMEM_MEMHEAP=buddy $(runtime) --test pes -- heap:: check::

# Starts and ends of PEs that join by the launcher's MPI although there is something better.
test-by-mpi: export SHMEM_BOOT = mpi
test-by-mpi: export SHMEM_TEST_BOOTS = openmpi,mpich
test-by-mpi:
	$(runtime) --test pes -- init:: exit::

# Programs that use MPI through the crate `mpi`, beside each MPI. A changed MPICC does not rebuild it: it is cleaned away in
# between, and after. (libshmem is one for both: its tests are among `test-all`.)
beside := cargo test --workspace --features shmem-api/testing --test mpi_owner
test-beside-mpi:
	cargo clean --quiet -p mpi-sys
	$(beside)
	cargo clean --quiet -p mpi-sys
	MPICC=mpicc.mpich $(beside); status=$$?; cargo clean --quiet -p mpi-sys; exit $$status

# What `make demo` runs, and jobs of release programs.
test-release:
	$(release)
	scripts/demo.sh
	scripts/same-base.sh
	scripts/nothing-left.sh

# Instructions per allocation, counted by callgrind: none may have grown (no timing; skipped where the
# compiler or the host is another than the recorded one).
test-instructions:
	$(release)
	PROGRAM=target/release/instructions benches/instructions.sh --check

# The runtime's tests with all other PEs behind the seam (`transport/loopback`), or with FAR=odd every second one. What only
# holds where memory is mapped is left out: a far PE is not stored to by a child, and its death is its own host's to notice.
far := amo signal wait lock collectives teams active_sets ahead heap memory_calls traffic ctx init exit global shared rma \
	sym_static bad_input safe_atomics safe_coll safe_lock safe_rma safe_signal safe_teams safe_threads safe_wait
mapped_only := --skip fork:: --skip right_after_init
test-far: export SHMEM_TEST_BOOTS = local
test-far: export SHMEM_TEST_DIFFERENCES = 100
test-far:
	SHMEM_TEST_FAR=$(or $(FAR),all) $(runtime) --test pes -- $(far:%=%::) differences:: $(mapped_only)

# As two hosts over MPI point to point, under each MPI that is here: in a job joined by it, and, of `amo`, in one joined by the launcher's
# PMIx or PMI, where the engine starts it.
over_mpi := exit traffic wait
test-hosts-by-mpi: export SHMEM_TEST_BOOTS = openmpi,mpich
test-hosts-by-mpi: export SHMEM_TRANSPORT = mpi
test-hosts-by-mpi: export SHMEM_FAKE_HOSTS = 2
test-hosts-by-mpi: export SHMEM_TEST_TIMEOUT = 240
test-hosts-by-mpi:
	$(runtime) --test pes -- amo::
	SHMEM_BOOT=mpi $(runtime) --test pes -- $(if $(filter all,$(HOSTS)),$(far:%=%::),$(over_mpi:%=%::)) $(mapped_only)

# Jobs of PEs on two and three hosts, which are network namespaces of this machine: the examples, starts and ends, the multi-PE tests
# named in `over_hosts` and the C programs, by Open MPI's mpirun and MPICH's mpiexec; and LOSSES times a host is killed or its link cut in the
# middle of one kind of call. Root only. (Left out is what MPICH's launcher ends before a PE that is killed alone on its host is named.)
.PHONY: test-hosts on-two-hosts
over_hosts := init:: exit:: amo:: signal:: ahead:: safe_rma:: safe_coll:: safe_wait::
c_on_hosts := programs::hello programs::ring programs::heat programs::integer_sort sections::
test-hosts: STARTS = 200
test-hosts: LOSSES = 60
test-hosts:
	@if [ "$$(id -u)" -ne 0 ]; then \
		echo "test-hosts: skipped: hosts are made of namespaces, and only root makes them"; \
	else \
		cargo build --release --examples --no-default-features && \
		scripts/hosts.sh run 3 scripts/hosts-examples.sh 2+2 1+3 2+2+2 && \
		LAUNCHERS="openmpi mpich" scripts/hosts.sh run 2 scripts/starts.sh $(STARTS) && \
		scripts/hosts.sh run 2 $(MAKE) on-two-hosts && \
		cargo build --release -p benches --no-default-features --bin host_losses && \
		scripts/hosts-losses.sh $(LOSSES); \
	fi
on-two-hosts: export MPICC = /bin/false
on-two-hosts: export LIBCLANG_PATH = /nonexistent
on-two-hosts: export SHMEM_TEST_BOOTS = openmpi,mpich
on-two-hosts: export SHMEM_TEST_TIMEOUT = 240
on-two-hosts:
	$(runtime) --test pes -- $(over_hosts) --skip fork:: --skip killed_ --skip right_after_init
	$(runtime) --test libshmem -- $(c_on_hosts)

# One PE does something else than the others: N pairs of calls (`make test` draws 200), without an MPI.
.PHONY: test-differences
DIFFERENCES ?= 10000
test-differences: setup-test
	SHMEM_TEST_STRICT=1 SHMEM_TEST_DIFFERENCES=$(DIFFERENCES) $(runtime) --test pes -- --nocapture differences::

# PEs that end and calls that fail, many of each (`make test` runs a sample), under every launcher that is here.
.PHONY: test-kills test-faults
KILLS ?= 334
endings := $(runtime) --test libshmem -- --nocapture endings
test-kills: setup-test
	SHMEM_TEST_STRICT=1 SHMEM_TEST_KILLS=$(KILLS) $(endings)::kills
test-faults: setup-test
	SHMEM_TEST_STRICT=1 SHMEM_TEST_FAULTS=all $(endings)::faults

# Jobs that start and end, many under each launcher: none hangs.
.PHONY: test-starts
STARTS ?= 1000
test-starts: setup-test
	cargo build --release --examples --no-default-features
	scripts/starts.sh $(STARTS)

# The tests of starts, ends and collectives, and KILLS ends of PEs, under srun. scripts/slurm.sh installs and starts a Slurm for
# them, and ends it.
.PHONY: test-slurm under-slurm
under-slurm: export MPICC = /bin/false
under-slurm: export LIBCLANG_PATH = /nonexistent
under-slurm: export SHMEM_TEST_BOOTS = slurm
under-slurm: KILLS = 20
test-slurm:
	scripts/slurm.sh run $(MAKE) under-slurm
under-slurm:
	for plugin in pmix pmi2; do \
		export SLURM_MPI_TYPE=$$plugin; \
		$(runtime) --test pes -- init:: exit:: launchers:: accessible:: collectives:: || exit 1; \
		SHMEM_TEST_KILLS=$(KILLS) $(endings)::kills || exit 1; \
	done

# libshmem: the C library, its headers and tools. It needs no MPI; its tools know the one of MPICC, if it is here. MPI=no:
# none.
PREFIX ?= /usr/local
.PHONY: install uninstall
install: setup-install
	cargo build --release -p shmem-c
	built="$${CARGO_TARGET_DIR:-target}/release"; shmem-c/install.sh --prefix "$(PREFIX)" --mpi "$(or $(MPI),$(MPICC))" \
		--archive "$$built/libshmem_c.a" --info "$$built/shmem-info"

# The Python bindings (shmem4py, from PyPI) built against libshmem, and their own tests on 1, 2 and 4 PEs. Says so
# where there is no network.
.PHONY: test-shmem4py
test-shmem4py: setup-install
	cargo build --release -p shmem-c
	built="$${CARGO_TARGET_DIR:-target}/release"; shmem-c/install.sh --prefix "$(CURDIR)/target/shmem4py/prefix" \
		--archive "$$built/libshmem_c.a" --info "$$built/shmem-info"
	shmem-c/tests/shmem4py/run.sh target/shmem4py/prefix target/shmem4py

uninstall:
	shmem-c/install.sh --prefix "$(PREFIX)" --uninstall

setup-install:
	@scripts/setup.sh install

setup-build:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test

clean:
	rm -rf target target-loom

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
	cargo test --release -p shmem-api --no-default-features --features testing --lib -- models

.PHONY: miri
# At least 3,000 model operations of each allocator under Miri. Where a machine has none, it says so.
miri:
	@if cargo +nightly miri --version >/dev/null 2>&1; then \
		MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p memheap-buddy -p memheap-ptmalloc model; \
	else echo "miri: not on this machine (rustup +nightly component add miri rust-src); skipped"; fi
