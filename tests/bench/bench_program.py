"""Every command pays the start of the program, and everyone who changes it pays the build. The start
is compared with psql's, a client of the same library; a build is all C files and the generated
SQL, without the tests."""

import shutil
import tempfile
from pathlib import Path

from bench import ROOT, command, measure

TITLE = "The program"
# Not the psql of PATH: on Debian that is a Perl script which looks for this one.
PSQL = "/usr/lib/postgresql/15/bin/psql"


def start(bench):
    times = 50  # one start is too short for a clock
    ours = "for i in $(seq %d); do %s --version >/dev/null || exit 1; done"
    bench.add(
        "start of `vaxdb --version`",
        "ms",
        measure(command("sh", "-c", ours % (times, bench.binary))),
        measure(command("sh", "-c", ours % (times, "psql"))),
        "`psql --version`",
        pick=lambda sample: sample.seconds / times * 1000,
        commands=["build/vaxdb --version", f"{PSQL} --version"],
    )


def build(bench):
    folder = Path(tempfile.mkdtemp(prefix="vaxdb-bench-"))
    try:
        setup = ["meson", "setup", folder / "build", ROOT, "-Dtests=disabled"]
        compile_all = ["ninja", "-C", folder / "build"]

        def clean():
            shutil.rmtree(folder / "build", ignore_errors=True)
            command(*setup)()

        bench.add(
            "build from clean",
            "s",
            measure(command(*compile_all, env={"CCACHE_DISABLE": "1"}), before=clean),
            commands=["meson setup build -Dtests=disabled && ninja -C build"],
        )
    finally:
        shutil.rmtree(folder)


def run(bench):
    start(bench)
    build(bench)
