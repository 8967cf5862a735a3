# Steps that run one after the other, whatever becomes of each; sourced by on_gpu.sh.
#
# `begin FOLDER SECONDS` says where results go and how long all steps may take together.
# `step NAME PERCENT COMMAND…` runs one for at most that share of the time. What it prints goes to
# NAME.log as it comes, and summary.txt says what is known before and after each step, so that an
# end at any moment leaves a result.

begin() {
    out=$1 total=$2 deadline=$((SECONDS + $2)) failed=0
    mkdir -p "$out"
    : >"$out/summary.txt"
}

step() {
    local name=$1 limit=$((total * $2 / 100)) left=$((deadline - SECONDS)) start=$SECONDS
    local cpu rc=0 ended='' TIMEFORMAT='%U + %S'
    shift 2
    ((limit < left)) || limit=$left
    if ((limit <= 0)); then
        failed=$((failed + 1))
        tell "$name: not run, no time is left"
        return
    fi
    tell "$name: begins, $limit s at most"
    # An interrupt first: pytest then still says what failed until now.
    cpu=$({
        time timeout --signal=INT --kill-after="${GRACE:-10}" "$limit" "$@" >"$out/$name.log" 2>&1
    } 2>&1) || rc=$?
    ((rc == 0)) || failed=$((failed + 1))
    ((rc != 124 && rc != 137)) || ended=', stopped at its limit'
    tell "$name: rc $rc$ended, $((SECONDS - start)) s, $cpu CPU s"
    tail -n 20 "$out/$name.log" | cut -c -300 | sed 's/^/    /' | tee -a "$out/summary.txt"
}

tell() { echo "== $*" | tee -a "$out/summary.txt"; }
