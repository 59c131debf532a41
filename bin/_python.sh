# Sourced by the commands of this folder: finds Python 3.11 or newer and hands over to bootstrap.py,
# which needs the standard library only. POSIX sh.
bin=$(dirname "$(readlink -f "$0")")
found=
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        exec "$python" "$bin/bootstrap.py" "$(basename "$0")" "$@"
    fi
    found="${found:+$found, }$python is $version"
done
echo "The cabinet needs Python 3.11 or newer; here ${found:-there is no python3}." >&2
exit 1
