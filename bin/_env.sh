# Shared by the scripts beside it: finds Python 3.11 or newer, and makes .venv with what a requirements file names.
# shellcheck shell=sh

MB_HOME=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
export MB_HOME
unset PYTHONHOME PYTHONPATH

mb_find_python() {
    for mb_name in python3.13 python3.12 python3.11 python3; do
        if command -v "$mb_name" >/dev/null 2>&1 &&
            "$mb_name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$mb_name"
            return 0
        fi
    done
    echo "Python 3.11 or newer is needed. On Debian or Ubuntu: apt-get install python3 python3-venv" >&2
    return 1
}

# mb_prepare FILE: .venv holds exactly what FILE pins. Works without a network when nothing changed.
mb_prepare() {
    cd -- "$MB_HOME" || exit 1
    mb_base=$(mb_find_python) || exit 1
    "$mb_base" -I "$MB_HOME/bin/_install.py" "$MB_HOME" "$1" || exit 1
    # shellcheck disable=SC2034  # used by the script that reads this file
    MB_PYTHON=$MB_HOME/.venv/bin/python
}
