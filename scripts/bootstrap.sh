#!/bin/sh
# Makes the virtual environment from the lock file, once. Safe to repeat and to interrupt.
# Exit 69: something is missing that only root can install; the line to run is printed.
set -eu

venv=${1:-.venv}
lock=requirements-dev.lock
stamp=$venv/.schedops-stamp
export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf 'setup: %s\n' "$*" >&2; }

find_python() {
	for name in python3 python3.13 python3.12 python3.11; do
		if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
			command -v "$name"
			return
		fi
	done
}

install_or_tell() {
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		say "$1 is missing. Run this, then the same command again:"
		printf '  %s\n' "sudo apt-get install -y --no-install-recommends $2" >&2
		exit 69
	fi
	say "installing $2"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq install -y --no-install-recommends $2 >/dev/null 2>&1 || {
		apt-get -qq update >&2
		apt-get -qq install -y --no-install-recommends $2 >/dev/null
	}
}

# What the environment was made from: a changed lock, package metadata, Python or place means making it again.
wanted() {
	cat "$lock" pyproject.toml | sha256sum | cut -c1-64
	"$1" --version
	pwd
}

# One at a time in this directory; the lock goes with the process.
exec 9<.
flock 9

python=$(find_python) || true
if [ -z "$python" ]; then
	install_or_tell 'Python 3.11 or newer' 'python3 python3-venv'
	python=$(find_python) || true
	[ -n "$python" ] || { say 'this distribution has no Python 3.11 or newer'; exit 69; }
fi

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted "$python")" ] && "$venv/bin/python" -c 'import schedops' 2>/dev/null; then
	exit 0
fi

"$python" -c 'import ensurepip, venv' 2>/dev/null || install_or_tell 'the venv module' python3-venv

say "virtual environment in $venv, pinned dependencies"
rm -f "$stamp"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install -qq --require-hashes -r "$lock"
"$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
wanted "$python" >"$stamp.new"
mv "$stamp.new" "$stamp"
