# The other end of the command channel: runs one command after the other, in its own session.
# Arguments: the supervisor's process number, a folder for state, how to run with shell state.
# $keeper holds the text of shell_state.sh.
# A command comes as a line `NONCE MODE LINES BYTES`, its lines, and bytes for its standard input.
# Its output is followed by the nonce, exit code, out-of-memory kills before and after, and how many
# of its processes would not go; the nonce is random and never in a command's reach.
# Reads with builtins only, so that nothing beyond a command is taken from standard input.
supervisor=$1 state=$2 run=$3 work=$PWD
exec 2>/dev/null
umask 022
shell=$(command -v bash) || shell=$(command -v sh)
newline='
'

# A command may have emptied /tmp, or put links, FIFOs or folders in the place of our files.
is_sound() {
    [ -s "$state/keeper" ] && [ ! -L "$state" ] || return
    for file in keeper exports errors tick; do
        file=$state/$file
        [ -f "$file" ] && [ ! -L "$file" ] && [ -r "$file" ] && [ -w "$file" ] || return
    done
}

# What is made now can be written to when /tmp is full.
prepare() {
    umask 077
    find "$state" -type d -exec chmod u+rwx {} \;
    rm -rf "$state"
    mkdir "$state"
    printf '%s\n' "$keeper" >"$state/keeper"
    # Not by `:`, whose failure would end this shell.
    for file in exports errors tick; do true >"$state/$file"; done
    umask 022
}

count_oom_kills() {
    kills=0
    for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r "$file" ] || continue
        while read -r key value; do
            [ "$key" = oom_kill ] && kills=$value
        done <"$file"
    done
}

# Ends every process of ours but process 1, the supervisor and this one.
sweep() {
    rounds=0
    while [ "$rounds" -lt 200 ]; do
        strays=0
        for entry in /proc/[0-9]*; do
            pid=${entry#/proc/}
            case $pid in 1 | "$supervisor" | $$) continue ;; esac
            status=
            { IFS= read -r status <"$entry/stat"; } 2>/dev/null
            # The name in brackets may hold anything; the state follows the last bracket.
            case ${status##*) } in '' | [ZX]*) continue ;; esac
            # What we may not end is not a command's: the container's main process.
            kill -KILL "$pid" && strays=$((strays + 1))
        done
        [ "$strays" -eq 0 ] && return
        # A bomb is faster than this loop: the supervisor ends it at one blow.
        [ "$strays" -gt 50 ] && return
        rounds=$((rounds + 1))
    done
}

take_input() {
    [ "$1" -ge 65536 ] && dd bs=65536 count=$(($1 / 65536)) iflag=fullblock status=none
    [ $(($1 % 65536)) -gt 0 ] && dd bs=$(($1 % 65536)) count=1 iflag=fullblock status=none
}

# Becomes the command. The kernel prefers it to us when memory runs out.
become() {
    echo 900 >/proc/self/oom_score_adj
    case $mode in
        tool) exec sh -c "$command" sh "$state" ;;
        fresh) exec setsid "$shell" -c -- "$command" "${shell##*/}" 2>&1 ;;
    esac
    set -- "$shell" -c "$run" "${shell##*/}" "$command" "$state/exports" "$work" "$state/keeper"
    # What was exported is all there is then: what was unset must not come back.
    [ -s "$state/exports" ] && exec setsid env -i "$@" 2>&1
    exec setsid "$@" 2>&1
}

sweep
while read -r nonce mode lines bytes; do
    IFS= read -r command || exit
    while [ "$lines" -gt 1 ]; do
        IFS= read -r line || exit
        command=$command$newline$line
        lines=$((lines - 1))
    done
    is_sound || prepare
    count_oom_kills
    before=$kills
    if [ "$bytes" -gt 0 ]; then
        take_input "$bytes" | (become)
    else
        (become) </dev/null
    fi
    code=$?
    sweep
    count_oom_kills
    # A command may have left our output so that a full pipe is an error; short lines go whole.
    until printf '%s %s %s %s %s\n' "$nonce" "$code" "$before" "$kills" "$strays"; do
        sleep 0.02
    done
done
