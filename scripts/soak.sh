#!/usr/bin/env bash
# A few tests on many more PEs than cores, under every launcher there is: nobody may starve, hang or be missed.
#   scripts/soak.sh [PES]     64 by default; a launch of 64 takes some seconds
set -euo pipefail
cd "$(dirname "$0")/.."

export SHMEM_TEST_BOOTS="${SHMEM_TEST_BOOTS:-local,openmpi,mpich}"
export SHMEM_TEST_AT_ONCE=1 SHMEM_TEST_PES="${1:-64}" SHMEM_TEST_TIMEOUT="${SHMEM_TEST_TIMEOUT:-240}"
export SHMEM_SYMMETRIC_SIZE="${SHMEM_SYMMETRIC_SIZE:-64M}"

one() {
	echo "soak: $2 on $SHMEM_TEST_PES PEs"
	cargo test -q -p shmem-api --no-default-features --features shmem-api/testing --test pes -- --exact "$1::$2"
}

one wait every_routine_on_every_type_equals_the_model
one lock a_lock_excludes_and_orders
one lock first_come_is_first_served
one shared atomics_are_exact_under_contention
one signal added_signals_count_exactly
one teams syncs_on_overlapping_teams
one teams barriers_show_what_came_before
one collectives a_root_runs_ahead_and_its_lines_are_not_overwritten
one collectives ten_thousand_back_to_back
echo "soak: all passed"
