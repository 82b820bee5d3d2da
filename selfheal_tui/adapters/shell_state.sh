# Takes over the working directory and the exports that the command before left, and keeps those
# of this one. Sourced by `sh -c RUN NAME COMMAND FILE FOLDER SCRIPT`, where FILE keeps them,
# FOLDER is the one to fall back to, and SCRIPT is this.
_selfheal_command=$1
_selfheal_state=$2
_selfheal_keep() {
    export PWD
    # A file that could not be written whole (full disk) is worse than none.
    export -p 2>/dev/null >"$_selfheal_state" || : 2>/dev/null >"$_selfheal_state"
}
if [ -s "$2" ] && [ -r "$2" ]; then
    . "$2" 2>/dev/null
    cd -- "$PWD" 2>/dev/null || cd -- "$3"
fi
set --
trap _selfheal_keep EXIT
