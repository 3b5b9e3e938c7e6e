#!/usr/bin/env bash
# A Slurm of this one machine, for tests: munged, slurmctld and slurmd, by hand and without systemd. Everything of it is in
# one directory, and it listens on the loopback address only.
#
#   scripts/slurm.sh start     installs Slurm if it is missing (root, Debian), starts it, waits until srun answers
#   scripts/slurm.sh stop      ends its jobs and daemons, and leaves nothing
#   scripts/slurm.sh run COMMAND ...     start, COMMAND with SLURM_CONF set, stop; the status is COMMAND's. One that is up
#                                        already is used and left up
#
# While it is up, `SLURM_CONF=/tmp/slurm/slurm.conf srun ...` uses it (SLURM_TEST_DIR: another directory).
set -euo pipefail

dir=${SLURM_TEST_DIR:-/tmp/slurm}
export SLURM_CONF=$dir/slurm.conf
# Of its jobs as of its daemons: nothing of a Slurm that this shell itself runs in.
unset "${!SLURM_JOB@}" "${!SLURM_STEP@}"
# So many PEs fit, whatever the cores.
cpus=128

fail() {
    echo "slurm.sh: $*" >&2
    exit 1
}

lacks() { ! command -v "$1" >/dev/null; }

# Where daemons are that are not in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin

install() {
    lacks slurmctld || lacks slurmd || lacks srun || lacks munged || return 0
    packages="slurm-wlm slurm-wlm-basic-plugins munge"
    lacks apt-get && fail "there is no Slurm here, and no apt-get: install $packages by your system's names"
    [ "$(id -u)" -eq 0 ] || fail "not root, so nothing was installed: sudo apt-get install $packages"
    echo "slurm.sh: installing $packages" >&2
    log=$(mktemp)
    # shellcheck disable=SC2086
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1 ||
        { tail -20 "$log" >&2; fail "could not be installed"; }
    rm -f "$log"
}

# Processes of the pid files that run. A pid may be another's by now: only what has our directory in its command line.
pid_of() {
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir" && echo "$pid"
}

configure() {
    # The daemons refuse what others could write to.
    umask 022
    mkdir -p "$dir/state" "$dir/spool"
    chmod 755 "$dir"
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
    host=$(hostname -s)
    cat >"$SLURM_CONF" <<CONF
ClusterName=shmem
SlurmctldHost=$host(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=${SLURM_TEST_PORT:-16817}
SlurmdPort=$((${SLURM_TEST_PORT:-16817} + 1))
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=2
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=1024 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES OverSubscribe=FORCE:16 MaxTime=INFINITE State=UP
CONF
}

start() {
    install
    answers && return 0
    stop
    configure
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" --num-threads=2
    slurmctld -c -f "$SLURM_CONF"
    slurmd -c -f "$SLURM_CONF"
    for _ in $(seq 60); do
        answers && return 0
        sleep 0.5
    done
    tail -n 5 "$dir"/*.log >&2
    fail "srun does not answer; $dir has the logs"
}

answers() {
    [ -e "$SLURM_CONF" ] && [ "$(timeout 5 srun -Q --immediate=4 -n 1 echo up 2>/dev/null)" = up ]
}

stop() {
    [ -d "$dir" ] || return 0
    if pid_of slurmctld >/dev/null; then
        timeout 5 scancel --user="$(id -un)" 2>/dev/null || true
        for _ in $(seq 50); do
            [ -z "$(timeout 5 squeue -h 2>/dev/null)" ] && break
            sleep 0.1
        done
    fi
    for daemon in slurmd slurmctld munged; do
        pid=$(pid_of $daemon) || continue
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 100); do
            [ -e "/proc/$pid" ] || continue 2
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}

case "${1:-}" in
start)
    start
    echo "Slurm is up: export SLURM_CONF=$SLURM_CONF"
    ;;
stop) stop ;;
run)
    shift
    if ! answers; then
        # However it ends: what ends this ends COMMAND, too, and then the daemons, undisturbed.
        trap 'trap "" TERM INT HUP; stop' EXIT
        trap 'exit 143' TERM HUP
        trap 'exit 130' INT
        start
    fi
    "$@"
    ;;
*) fail "start, stop or run COMMAND ..." ;;
esac
