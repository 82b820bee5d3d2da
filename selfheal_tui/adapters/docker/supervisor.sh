# The container's main process. It holds the app's end of standard input: when the app dies, even
# by SIGKILL, `read` sees the end, this loop ends, and the container with it.
# It answers each order with the order and its own process number. `kill` is a builtin and needs no new process, so
# that it works at the limit of processes too; the kernel spares the caller and process 1.
# Memory: what is in use, what of it are pages of files that can be dropped, and the limit.
measure() {
    used= dropped=0 limit=0
    for root in /sys/fs/cgroup /sys/fs/cgroup/memory; do
        { read -r used <$root/memory.current || read -r used <$root/memory.usage_in_bytes; } || continue
        read -r limit <$root/memory.max || read -r limit <$root/memory.limit_in_bytes
        while read -r key value; do
            case $key in inactive_file | total_inactive_file) dropped=$value ;; esac
        done <$root/memory.stat
        return
    done 2>/dev/null
}
trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2 TSTP TTIN TTOU
while IFS= read -r order; do
    case $order in
        kill*) kill -KILL -1 2>/dev/null ;;
        memory*)
            measure
            printf '%s %s:%s:%s\n' "$order" "$used" "$dropped" "$limit"
            continue
            ;;
    esac
    printf '%s %s\n' "$order" $$
done
