#!/usr/bin/env bash
# Sets schedops up from its lock file and runs it with the inputs, which come as environment variables, a value a line.
# SCHEDOPS: use this program and set nothing up.
set -euo pipefail

words=()

# add OPTION LINES: --OPTION=LINE for each line that is not blank; without an option the line itself.
add() {
	local option=$1 line
	while IFS= read -r line; do
		line="${line#"${line%%[![:space:]]*}"}"
		line="${line%"${line##*[![:space:]]}"}"
		[ -z "$line" ] || words+=("${option:+--$option=}$line")
	done <<<"$2"
}

case "${DEPTH:-full}" in
full | quick | static) words+=("--${DEPTH:-full}") ;;
*)
	printf 'depth is %q, not full, quick or static\n' "$DEPTH" >&2
	exit 2
	;;
esac
add kernel "${KERNEL:-}"
add declare "${DECLARE:-}"
add include "${INCLUDE:-}"
add junit "${JUNIT:-}"
add sarif "${SARIF:-}"
words+=(--)
add '' "$POLICY"

if [ -z "${SCHEDOPS:-}" ]; then
	venv=$RUNNER_TEMP/schedops-venv
	(cd "$GITHUB_ACTION_PATH/../../.." && sh scripts/bootstrap.sh "$venv")
	SCHEDOPS=$venv/bin/schedops
	setup=()
	[ "${DEPTH:-full}" != static ] || setup=(--no-kernels)
	"$SCHEDOPS" setup "${setup[@]}"
fi
exec "$SCHEDOPS" verify "${words[@]}"
