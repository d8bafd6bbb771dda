#!/usr/bin/env bash
# A SLURM cluster for the tests: munge, slurmctld and three slurmd on this machine's loopback.
#
#   tools/slurm_cluster.sh start FOLDER    as root; all of its files go into FOLDER
#   tools/slurm_cluster.sh stop FOLDER     ends it and its jobs, removes FOLDER
#
# Each node has two cores and a GPU that looks real to SLURM and is none.
set -euo pipefail

name=reconcile-test
nodes=(n1 n2 n3)
# Where the command inside a job looks, whatever SLURM_CONF says outside.
config=/etc/slurm

fail() {
    printf 'slurm_cluster: %s\n' "$*" >&2
    exit 1
}

write_configuration() {
    local host
    host=$(hostname -s)
    # The listening ports and every address are the loopback's: nothing is offered to a network.
    # Machine sizes are made up (config_overrides), so that any test machine will do.
    cat >"$folder/slurm.conf" <<CONF
ClusterName=$name
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
DefMemPerCPU=500
GresTypes=gpu
# The tests ask about jobs that ended long before; SLURM forgets them after 300 seconds by default.
MinJobAge=3600
ReturnToService=2
# Short, so that a dead node is found out during a test.
SlurmdTimeout=10
KillWait=5
NodeName=n[1-3] NodeHostname=$host NodeAddr=127.0.0.1 Port=[16821-16823] CPUs=2 RealMemory=64000 Gres=gpu:fake:1
PartitionName=gpus Nodes=n[1-3] Default=YES MaxTime=60 State=UP
CONF
    echo 'NodeName=n[1-3] Name=gpu Type=fake File=/dev/zero' >"$folder/gres.conf"
}

start() {
    [[ ! -e $config/slurm.conf ]] || fail "this machine has a SLURM already ($config/slurm.conf)"
    # munge lets its socket lie only where everybody may reach it.
    install -d -m 711 "$folder"
    install -d "$folder/state" "$config"
    write_configuration
    (umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
    # Beside a munge that may be running here, and without touching its key.
    munged --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munge.pid" --seed-file="$folder/munge.seed" \
        --log-file="$folder/munge.log"
    ln -s "$folder/slurm.conf" "$folder/gres.conf" "$config/"
    slurmctld
    local node
    for node in "${nodes[@]}"; do
        slurmd -N "$node"
    done
    await_idle
}

await_idle() {
    local _
    for _ in {1..100}; do
        [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) == "${#nodes[@]}" ]] && return
        sleep 0.2
    done
    tail -n 3 "$folder"/*.log >&2
    fail "the cluster did not come up"
}

end_process() {
    local file=$folder/$1.pid pid _
    pid=$(cat "$file" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in {1..50}; do
        # A daemon removes its file as it ends; where nobody reaps it, the process stays a zombie.
        [[ -e $file && -e /proc/$pid ]] || return 0
        sleep 0.2
    done
    kill -KILL "$pid" 2>/dev/null || true
}

# SLURM follows a job from parent to child here and loses what outlives its parent.
end_strays() {
    local environment process
    for environment in /proc/[0-9]*/environ; do
        grep -qsz "^SLURM_CLUSTER_NAME=$name$" "$environment" || continue
        process=${environment#/proc/}
        kill -KILL "${process%/environ}" 2>/dev/null || true
    done
}

stop() {
    [[ -d $folder ]] || return 0
    local node _
    if [[ $(readlink "$config/slurm.conf") == "$folder/slurm.conf" ]]; then
        timeout 20 scancel --user=root 2>/dev/null || true
        for _ in {1..50}; do
            [[ -n $(timeout 20 squeue --noheader 2>/dev/null) ]] || break
            sleep 0.2
        done
    fi
    for node in "${nodes[@]}"; do
        end_process "$node"
    done
    end_process slurmctld
    end_process munge
    end_strays
    for file in slurm.conf gres.conf; do
        [[ $(readlink "$config/$file") != "$folder/$file" ]] || rm "$config/$file"
    done
    rm -rf "$folder"
}

(($# == 2)) || fail "usage: tools/slurm_cluster.sh start|stop FOLDER"
((EUID == 0)) || fail "only root can start SLURM's daemons; try: sudo make test-slurm"
folder=$2
case $1 in
start | stop) "$1" ;;
*) fail "there is no '$1': start or stop" ;;
esac
