"""Runs the benchmarks and writes docs/benchmarks.md: `python3 tests/bench [NAME...]`.

With names only those run, and the document is printed instead of written: it always holds one whole
run."""

import importlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))  # support: real servers

from bench import ROOT, RUNS, Bench, table  # noqa: E402
from support.rivals import dbmate_path, sqitch_path  # noqa: E402

HEADING = """# Benchmarks

Written by `./run bench`; do not edit. Medians of {runs} runs after one that does not count. *Ratio* is
the other figure over ours: above 1 is in our favour where less is better. *Spread* is the
difference between our slowest and fastest run over the median.

Machine: {machine}.
Versions: {versions}.
"""


def first_line(*arguments):
    if not shutil.which(arguments[0]):
        return None
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[0].strip()


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def heading(binary):
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [
        first_line(str(binary), "--version"),
        first_line("psql", "--version"),
        first_line(str(dbmate_path()), "--version"),
        first_line(str(sqitch_path()), "--version"),
        first_line("gcc", "--version"),
        f"Linux {platform.release()}",
    ]
    return HEADING.format(
        runs=RUNS,
        machine=f"{os.cpu_count()} cores ({processor()}), {memory_gib:.0f} GiB",
        versions=", ".join(version for version in versions if version),
    )


def section(module, bench):
    parts = [f"## {module.TITLE}", module.__doc__.strip(), table(bench.rows)]
    commands = [command for row in bench.rows for command in row.commands]
    if commands:
        parts.append("```\n" + "\n".join(dict.fromkeys(commands)) + "\n```")
    return "\n\n".join(parts) + "\n"


def main():
    folder = Path(__file__).parent
    names = sorted(path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py"))
    wanted = sys.argv[1:] or names
    for name in wanted:
        if name not in names:
            sys.exit(f"no benchmark is called {name} (there are: {', '.join(names)})")
    binary = ROOT / "build/vaxdb"
    text = heading(binary)
    for name in wanted:
        print(f"bench: {name}", file=sys.stderr, flush=True)
        module = importlib.import_module(f"bench_{name}")
        bench = Bench(binary)
        module.run(bench)
        text += "\n" + section(module, bench)
    if sys.argv[1:]:
        print(text, end="")
        return
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/benchmarks.md").write_text(text)
    print("bench: written to docs/benchmarks.md", file=sys.stderr)


if __name__ == "__main__":
    main()
