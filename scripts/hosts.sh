#!/usr/bin/env bash
# Several hosts out of this one machine, for tests: each has network, process numbers, name, IPC and /dev/shm of its own, and they
# reach each other by a bridge. Root only. Nothing of the machine's own network is touched, and all of it goes with the
# processes that hold it: there are no names to be left behind.
#
#   scripts/hosts.sh up [N]                      makes hosts a, b, .. (N of them, 2), and the `head`, in which launchers run
#   scripts/hosts.sh down                        ends what `up` started, and all that runs on the hosts
#   scripts/hosts.sh run N COMMAND ..            up, COMMAND, down; the status is COMMAND's. For COMMAND mpirun.openmpi and
#                                                mpiexec.mpich are such that they start PEs on the hosts: HOSTS_SHAPE=1+3, so
#                                                many on each, and the rest on the last; if it is not set, as evenly as can be
#   scripts/hosts.sh launch openmpi|mpich ARGUMENTS ..      one of these two launchers, with arguments of its own
#   scripts/hosts.sh on HOST COMMAND ..          on one of them (what launchers start their own parts by)
#   scripts/hosts.sh cut HOST, mend HOST         takes the link of a host down, and up again
#
# HOSTS_DIR: where its files are (/tmp/shmem-hosts); each has hosts of its own, however many there are at a time.
set -euo pipefail

export HOSTS_DIR=${HOSTS_DIR:-/tmp/shmem-hosts}
self=$(readlink -f "$0")
scripts=$(dirname "$self")
net=10.98.0
# In the command line of every process that holds something, so that no other is taken for one.
mark="shmem-hosts of $HOSTS_DIR"

fail() {
    echo "hosts.sh: $*" >&2
    exit 1
}

# The process that holds a host, if it is there.
holder() {
    local pid
    pid=$(cat "$HOSTS_DIR/$1.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$mark" && echo "$pid"
}

names() {
    local all=(a b c d e f g h)
    echo "${all[@]:0:$1}"
}

# hold NAME UNSHARE-OPTIONS..: the process that holds a host. It reaps what has lost its parent there.
hold() {
    local name=$1
    mkdir -p "$HOSTS_DIR/tmp.$name"
    # shellcheck disable=SC2016
    setsid unshare --net --mount --uts --ipc "${@:2}" bash -c '
        hostname "$1" && mount --bind "$2/hosts" /etc/hosts && ip link set lo up || exit
        [ "$1" = head ] || mount -t tmpfs -o size=16g tmpfs /dev/shm || exit
        echo >"$2/$1.ready"
        exec -a "$3" bash -c "while :; do sleep 3600 & wait \$!; done"' \
        hold "$name" "$HOSTS_DIR" "$mark" </dev/null >"$HOSTS_DIR/$name.log" 2>&1 &
    local outer=$!
    disown
    for _ in $(seq 200); do
        [ ! -e "$HOSTS_DIR/$name.ready" ] || break
        sleep 0.02
    done
    [ -e "$HOSTS_DIR/$name.ready" ] || fail "$name does not come up: $(cat "$HOSTS_DIR/$name.log")"
    # With process numbers of its own it is a child of what was started.
    { pgrep -P "$outer" -f "$mark" || echo "$outer"; } | head -1 >"$HOSTS_DIR/$name.pid"
    for _ in $(seq 200); do
        ! holder "$name" >/dev/null || return 0
        { pgrep -P "$outer" -f "$mark" || echo "$outer"; } | head -1 >"$HOSTS_DIR/$name.pid"
        sleep 0.02
    done
    fail "$name does not stay up: $(cat "$HOSTS_DIR/$name.log")"
}

up() {
    [ "$(id -u)" -eq 0 ] || fail "not root: hosts are made of namespaces, and only root makes them"
    ! holder head >/dev/null || fail "they are up ($HOSTS_DIR)"
    rm -rf "$HOSTS_DIR"
    mkdir -p "$HOSTS_DIR"
    local i=0 name pid
    {
        echo "127.0.0.1 localhost"
        echo "$net.250 head"
        for name in $(names "$1"); do
            i=$((i + 1))
            echo "$net.$i $name"
        done
    } >"$HOSTS_DIR/hosts"
    hold head
    local head
    head=$(holder head)
    in_head() { nsenter -t "$head" -n ip "$@"; }
    # Its bridge is the network of all.
    in_head link add eth0 type bridge
    in_head addr add "$net.250/24" dev eth0
    in_head link set eth0 up
    i=0
    for name in $(names "$1"); do
        i=$((i + 1))
        hold "$name" --pid --fork --kill-child --mount-proc
        pid=$(holder "$name")
        in_head link add "to-$name" type veth peer name eth0 netns "$pid"
        in_head link set "to-$name" master eth0 up
        nsenter -t "$pid" -n ip addr add "$net.$i/24" dev eth0
        nsenter -t "$pid" -n ip link set eth0 up
    done
    names "$1" >"$HOSTS_DIR/names"
    mkdir "$HOSTS_DIR/bin"
    stand_in agent on
    stand_in mpirun.openmpi launch openmpi
    stand_in mpiexec.mpich launch mpich
}

down() {
    local name pid
    # The first process of a host takes all the others there with it. What is the head's are launchers.
    for name in $(cat "$HOSTS_DIR/names" 2>/dev/null) head; do
        pid=$(holder "$name") || continue
        if [ "$name" = head ]; then
            local space other
            space=$(readlink "/proc/$pid/ns/net")
            for other in $(pgrep --ns "$pid" --nslist net); do
                [ "$(readlink "/proc/$other/ns/net")" != "$space" ] || kill -9 "$other" 2>/dev/null || true
            done
        fi
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$HOSTS_DIR"
}

# on HOST COMMAND: as ssh is called by launchers, whose options mean nothing here.
on() {
    while [ $# -gt 0 ]; do
        case $1 in
        -o | -l | -p) shift 2 ;;
        -*) shift ;;
        *) break ;;
        esac
    done
    local host=${1##*@} pid numbers=(-p)
    shift
    pid=$(holder "$host") || fail "there is no host $host: hosts.sh up"
    # Into another numbering of processes one comes only downwards, so launchers run in the machine's.
    [ "$host" != head ] || numbers=()
    exec nsenter -t "$pid" -n -u -i -m "${numbers[@]}" -- \
        /bin/sh -c "TMPDIR='$HOSTS_DIR/tmp.$host'; export TMPDIR; cd '$PWD' 2>/dev/null; $*"
}

# PES on the hosts that are up, as a:1,b:3.
spread() {
    local hosts list=() sizes=() left=$1 of i n
    read -ra hosts <"$HOSTS_DIR/names"
    IFS=+ read -ra sizes <<<"${HOSTS_SHAPE:-}"
    [ ${#sizes[@]} -le ${#hosts[@]} ] || fail "HOSTS_SHAPE=$HOSTS_SHAPE: there are ${#hosts[@]} hosts"
    of=${#sizes[@]}
    [ "$of" -gt 0 ] || of=${#hosts[@]}
    for ((i = 0; i < of && left > 0; i++)); do
        n=${sizes[i]:-$(((left + of - i - 1) / (of - i)))}
        { [ "$n" -lt "$left" ] && [ $((i + 1)) -lt "$of" ]; } || n=$left
        list+=("${hosts[i]}:$n")
        left=$((left - n))
    done
    (IFS=, && echo "${list[*]}")
}

launch() {
    local launcher=$1 command hosts pes='' at here=()
    shift
    for ((at = 1; at < $#; at++)); do
        case ${!at} in
        -n | -np)
            at=$((at + 1))
            pes=${!at}
            break
            ;;
        esac
    done
    # Without our own stand-ins for them.
    PATH=$(tr : '\n' <<<"$PATH" | grep -vxF "$HOSTS_DIR/bin" | paste -sd:)
    command=$("$scripts/launch.sh" which "$launcher")
    [ -n "$pes" ] || exec "$command" "$@"
    holder head >/dev/null || fail "there are no hosts: hosts.sh up"
    hosts=$(spread "$pes")
    case $launcher in
    openmpi)
        here=(--mca plm_rsh_agent "$HOSTS_DIR/bin/agent" --mca plm_rsh_no_tree_spawn 1
            --mca oob_tcp_if_include eth0 --mca btl_tcp_if_include eth0 --host "$hosts")
        case " $* " in *" --oversubscribe "*) ;; *) here+=(--allow-run-as-root --oversubscribe --bind-to none) ;; esac
        ;;
    mpich) here=(-launcher ssh -launcher-exec "$HOSTS_DIR/bin/agent" -iface eth0 -hosts "$hosts") ;;
    *) fail "launch: openmpi or mpich, not $launcher" ;;
    esac
    export TMPDIR=$HOSTS_DIR/tmp.head
    exec nsenter -t "$(holder head)" -n -u -i -m --wd="$PWD" -- "$command" "${here[@]}" "$@"
}

# stand_in NAME ARGUMENTS..: a command that calls this script with those before its own.
stand_in() {
    printf '#!/bin/sh\nHOSTS_DIR="%s" exec "%s" %s "$@"\n' "$HOSTS_DIR" "$self" "${*:2}" >"$HOSTS_DIR/bin/$1"
    chmod +x "$HOSTS_DIR/bin/$1"
}

link() {
    nsenter -t "$(holder head)" -n ip link set "to-$1" "$2"
}

case ${1:-} in
up) up "${2:-2}" ;;
down) down ;;
run)
    n=$2
    shift 2
    up "$n"
    trap down EXIT
    status=0
    PATH=$HOSTS_DIR/bin:$PATH "$@" || status=$?
    exit $status
    ;;
launch) shift && launch "$@" ;;
on) shift && on "$@" ;;
cut) link "$2" down ;;
mend) link "$2" up ;;
*) fail "up, down, run, launch, on, cut or mend; not ${1:-nothing}" ;;
esac
