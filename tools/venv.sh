#!/bin/sh
# Make .venv with pip in it, also where Python comes without ensurepip (Debian without python3-venv).
#   tools/venv.sh PYTHON
set -eu

python=$1
pip_url=https://files.pythonhosted.org/packages/44/3c/d717024885424591d5376220b5e836c2d5293ce2011523c9de23ff7bf068/pip-25.3-py3-none-any.whl
pip_sha256=9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd

fail() {
    echo "$1" >&2
    exit 1
}

# Works, and was made here: the scripts of a moved .venv point to its old place.
complete() {
    [ "$(cat .venv/.place 2>/dev/null)" = "$PWD" ] && .venv/bin/python -m pip --version >/dev/null 2>&1
}

# A fixed wheel of pip, checked, and run from within the wheel to install itself.
fetch_pip() {
    wheel=.venv/$(basename "$pip_url")
    .venv/bin/python - "$pip_url" "$pip_sha256" "$wheel" <<'EOF' && .venv/bin/python "$wheel/pip" --quiet install "$wheel"
import hashlib, pathlib, sys, urllib.request

url, sha256, path = sys.argv[1:]
try:
    data = urllib.request.urlopen(url, timeout=60).read()
except OSError as error:
    sys.exit(f"cannot fetch {url}: {error}")
if hashlib.sha256(data).hexdigest() != sha256:
    sys.exit(f"{url} is not the file it was")
pathlib.Path(path).write_bytes(data)
EOF
}

command -v "$python" >/dev/null || fail "$python was not found. Install Python 3.11 or newer: sudo apt-get install python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || fail "Takt needs Python 3.11 or newer, not $("$python" --version 2>&1). Name another one: make PYTHON=python3.12 ..."

if complete; then
    exit 0
fi
echo "Making .venv with $("$python" --version)"
rm -rf .venv
if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv .venv
else
    "$python" -m venv --without-pip .venv
    "$python" -m pip --python .venv/bin/python --quiet install pip 2>/dev/null || fetch_pip || {
        rm -rf .venv
        fail "$python can make no environment with pip. Install what is missing: sudo apt-get install python3-venv"
    }
fi
echo "$PWD" >.venv/.place
complete || fail ".venv/bin/python does not run pip; see what it says: .venv/bin/python -m pip --version"
