#!/bin/sh
# Install complete, hashed locks with pip and say how far it is, in a few lines.
# usage: install.sh PYTHON LOCK...
#
# --no-deps: a lock is complete, so there is nothing to resolve. --no-compile: most of the files are never imported, and
# compiling them all would take half of the time.
set -eu
python=$1
shift
total=$(cat "$@" | grep -c '==')
for lock in "$@"; do
    set -- "$@" -r "$lock"
    shift
done

# Plain sh has no pipefail: pip's status travels as the last line of the pipe.
{
    "$python" -m pip install --disable-pip-version-check --no-input --no-deps --no-compile \
        --require-hashes --progress-bar off "$@" && echo "status 0" || echo "status 1"
} | awk -v total="$total" '
    /^(Collecting|Requirement already satisfied)/ { if (++n % 25 == 0) { print "  " n " of " total " packages"; fflush() } }
    /^Installing collected/ { print "  unpacking"; fflush() }
    /^status/ { exit $2 }
'
