#!/bin/sh
# Make the virtual environment $1 with the first Python here that is new enough and can make one.
set -eu
folder=$1
able='import sys; ok = sys.version_info >= (3, 11); import venv, ensurepip; sys.exit(not ok)'
tried=""
for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
    command -v "$python" >/dev/null 2>&1 || continue
    if "$python" -c "$able" >/dev/null 2>&1; then
        echo "making $folder with $("$python" --version) ($(command -v "$python"))"
        rm -rf "$folder"
        exec "$python" -m venv "$folder"
    fi
    tried="$tried  $python: $("$python" --version 2>&1 | head -n 1)"
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        tried="$tried, without the modules venv and ensurepip"
    fi
    tried="$tried
"
done
{
    echo "gradlab needs Python 3.11 or newer with the modules venv and ensurepip. Found here:"
    printf '%s' "${tried:-  no python at all
}"
    echo "Install one, for example:"
    echo "  Debian, Ubuntu:  apt-get install python3-venv"
    echo "  Fedora:          dnf install python3"
    echo "  macOS:           brew install python"
    echo "or name one:       make PYTHON=/path/to/python3.12 ..."
} >&2
exit 1
