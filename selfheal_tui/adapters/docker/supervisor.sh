# The container's main process. It holds the app's end of standard input: when the app dies, even
# by SIGKILL, `read` sees the end, this loop ends, and the container with it.
# It answers each order with the order and its own process number. `kill` is a builtin and needs no new process, so
# that it works at the limit of processes too; the kernel spares the caller and process 1.
trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2 TSTP TTIN TTOU
while IFS= read -r order; do
    case $order in
        kill*) kill -KILL -1 2>/dev/null ;;
    esac
    printf '%s %s\n' "$order" $$
done
