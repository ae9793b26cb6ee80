#!/bin/sh
# What is too long for CI, called by ./run soak [SECONDS]: each fuzz target under libFuzzer for
# SECONDS (60), the analyzer of lint without a limit, then the integration tests marked slow with
# more repetitions.
set -eu
cd "$(dirname "$0")/../.."
say() { echo "soak: $*" >&2; }

seconds=${1:-60}
case $seconds in
'' | *[!0-9]*)
    say "not a number of seconds: $seconds"
    exit 2
    ;;
esac
failed=0

if [ ! -f build-fuzz/build.ninja ]; then
    CC=clang meson setup build-fuzz -Dtests=enabled -Dfuzzer=true -Dbuildtype=debug \
        -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args='-fsanitize=fuzzer-no-link -Wno-unknown-warning-option' >.cache/meson.log
fi
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    ninja -C build-fuzz --quiet "tests/fuzz/fuzz_$name"
    # What libFuzzer finds new ways with is kept, so that the next soak goes on from there.
    kept=.cache/fuzz/$name
    mkdir -p "$kept/corpus"
    say "fuzz_$name for $seconds s"
    if build-fuzz/tests/fuzz/fuzz_"$name" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="$kept/" -print_final_stats=1 \
        "$kept/corpus" "tests/fuzz/corpus/$name" >"$kept/log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: */soak: inputs tried: /p' "$kept/log" >&2
    else
        tail -n 40 "$kept/log" >&2
        say "fuzz_$name found something; the input is in $kept"
        failed=1
    fi
done

say "the analyzer, as deep as it goes"
./run lint clang-tidy-deep || failed=1

faults=1000
damages=10000
cuts=300
say "tests marked slow, with $faults faults in runs of migrate, $damages ways of damage to a backup"
say "and $cuts restores whose network is cut"
tests/servers.sh >/dev/null
VAXDB_FAULTS=$faults VAXDB_DAMAGES=$damages VAXDB_CUTS=$cuts VAXDB_BIN=build/vaxdb /usr/bin/python3 -m pytest -c tests/pytest.ini -m slow \
    --timeout=0 tests/integration || failed=1
exit $failed
