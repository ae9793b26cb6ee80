"""What every benchmark stands on: repeated runs, medians, CPU time, and the table of docs.

A benchmark is a module here with TITLE and `run(bench)`, which calls bench.compare for each figure.
Everything is measured beside what a user would pick instead, in the same run on the same machine; a
figure alone says something about the machine only."""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
RUNS = 5


class Sample(NamedTuple):
    seconds: float  # by the clock
    cpu_seconds: float  # of the children that were waited for


class Row(NamedTuple):
    what: str
    unit: str
    ours: float
    other: str  # what the figure is compared with; "" for none
    theirs: float
    spread: float  # of our own runs: (maximum - minimum) / median
    commands: tuple


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(action, runs=RUNS, before=None, warm_up=True):
    """Samples of `runs` calls of action; before is called, unmeasured, ahead of each."""
    samples = []
    for number in range(runs + warm_up):
        if before:
            before()
        cpu = children_cpu_seconds()
        started = time.perf_counter()
        action()
        sample = Sample(time.perf_counter() - started, children_cpu_seconds() - cpu)
        if number >= warm_up:
            samples.append(sample)
    return samples


def measure_in_turn(actions, runs=RUNS, before=None):
    """Samples of each action, as measure gives them, taken in turn: noise falls on all alike."""
    samples = [[] for _ in actions]
    for number in range(runs + 1):
        for action, taken in zip(actions, samples):
            sample = measure(action, runs=1, before=before, warm_up=False)
            if number:  # the first warms up
                taken += sample
    return samples


def command(*arguments, env=None, cwd=ROOT):
    """An action: the command must succeed; its output is dropped."""

    def action():
        done = subprocess.run(
            list(map(str, arguments)),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            text = done.stdout.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(map(str, arguments))} failed:\n{text}")

    return action


class Bench:
    """Collects the rows of one run."""

    def __init__(self, binary):
        self.binary = binary
        self.rows = []

    def add(self, what, unit, ours, theirs=None, other="", pick=None, commands=()):
        """A row from samples: pick turns a Sample into the figure (seconds by default)."""
        pick = pick or (lambda sample: sample.seconds)
        figures = [pick(sample) for sample in ours]
        median = statistics.median(figures)
        row = Row(
            what,
            unit,
            median,
            other,
            statistics.median(map(pick, theirs)) if theirs else float("nan"),
            (max(figures) - min(figures)) / median,
            tuple(commands),
        )
        self.rows.append(row)
        print(f"  {what}: {figure(row.ours)} {unit}", file=sys.stderr, flush=True)


def figure(value):
    if value != value:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(rows):
    lines = [
        "| what | vaxdb | beside it | | ratio | spread |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for row in rows:
        ratio = f"{row.theirs / row.ours:.2f}" if row.theirs == row.theirs else ""
        theirs = f"{figure(row.theirs)} {row.unit}" if ratio else ""
        lines.append(
            f"| {row.what} | {figure(row.ours)} {row.unit} | {row.other} | {theirs} | {ratio} "
            f"| {row.spread:.0%} |"
        )
    return "\n".join(lines)
