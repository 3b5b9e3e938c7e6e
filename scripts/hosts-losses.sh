#!/usr/bin/env bash
# hosts-losses.sh [N] [SEED]: N times (50) a job on two hosts (2+2 PEs, namespaces; root), by Open MPI's and MPICH's launchers in turn, in the
# middle of one kind of call each; then a host is killed with all that runs there, or its link is cut. On the other host every PE must be
# gone within 10 seconds (SHMEM_LINK_TIMEOUT is 7), after a line that names those that are lost; of a cut link the same holds on both sides.
# (Launchers are ended by this script then: Open MPI's waits for its own daemon beyond the cut. Where a launcher ends the job itself when a
# host is killed, before the PEs have seen the loss, it may be the one that names the host, or nobody: that is counted.)
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-50} seed=${2:-$(date +%s)}
program=$PWD/target/release/host_losses
hosts=scripts/hosts.sh
export HOSTS_DIR=${HOSTS_DIR:-/tmp/shmem-hosts-losses}
echo "hosts-losses: $rounds rounds, seed $seed" >&2
RANDOM=$((seed % 32768))
said=$(mktemp)
trap '$hosts down; rm -f "$said"' EXIT
read -ra kinds <<<"$("$program" kinds | paste -sd' ')"

# What is left of the job on a host: numbers of processes.
left() { "$hosts" on "$1" pgrep -x host_losses 2>/dev/null | wc -l || true; }

declare -A worst=() counts=()
for ((i = 0; i < rounds; i++)); do
    launcher=$( ((i % 2 == 0)) && echo openmpi || echo mpich)
    kind=${kinds[i / 4 % ${#kinds[@]}]}
    what=$( ((i / 2 % 2 == 0)) && echo kill || echo cut)
    "$hosts" up 2
    : >"$said"
    PATH=$HOSTS_DIR/bin:$PATH timeout -k 5 120 "$hosts" launch "$launcher" -n 4 "$program" "$kind" >"$said" 2>&1 &
    job=$!
    for _ in $(seq 300); do
        ! grep -q '^begins' "$said" || break
        sleep 0.1
    done
    grep -q '^begins' "$said" || { echo "hosts-losses: round $i, $kind by $launcher, does not begin: $(cat "$said")" >&2; exit 1; }
    # Else an empty list later would say nothing.
    [ "$(left a) $(left b)" = "2 2" ] || { echo "hosts-losses: round $i, $kind by $launcher: not two PEs on each host" >&2; exit 1; }
    sleep 0.$((RANDOM % 10))$((RANDOM % 10))
    begin=$(date +%s%N)
    case $what in
    kill) kill -9 "$(cat "$HOSTS_DIR/b.pid")" ;;
    cut) "$hosts" cut b ;;
    esac
    sides=(a)
    [ "$what" = kill ] || sides+=(b)
    for side in "${sides[@]}"; do
        while [ "$(left "$side")" -gt 0 ]; do
            took=$((($(date +%s%N) - begin) / 1000000))
            if [ "$took" -gt 10000 ]; then
                echo "hosts-losses: round $i, $kind by $launcher, $what b: PEs are left on $side: $(cat "$said")" >&2
                exit 1
            fi
            sleep 0.05
        done
    done
    took=$((($(date +%s%N) - begin) / 1000000))
    for _ in $(seq 20); do
        ! grep -qF 'on host b (PE' "$said" || break
        sleep 0.05
    done
    named=$(grep -cF 'on host b (PE' "$said" || true)
    kill "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
    key="$what by $launcher"
    counts[$key]=$((${counts[$key]:-0} + 1))
    [ "$took" -le "${worst[$key]:-0}" ] || worst[$key]=$took
    if [ "$named" -eq 0 ]; then
        [ "$what" = kill ] || { echo "hosts-losses: round $i, $kind by $launcher, $what b: no PE names host b: $(cat "$said")" >&2; exit 1; }
        who="the launcher"
        grep -qE 'on node b|RUNNING AT b|@b\]' "$said" || who=nobody
        counts["$key, named by $who"]=$((${counts["$key, named by $who"]:-0} + 1))
    fi
    "$hosts" down
done
for key in "${!counts[@]}"; do
    echo "hosts-losses: $key: ${counts[$key]}${worst[$key]:+, all gone in ${worst[$key]} ms at most}" >&2
done
