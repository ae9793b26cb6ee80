"""The checks that need a compiler: format, warnings, clang-tidy and cppcheck.

What clang-tidy and cppcheck say of a file is kept under .cache/lint by a hash of all that it
depends on (the file, the headers of ours that it includes, however deep, its flags, the settings
and the tool's version), so that a second run looks only at what has changed."""

import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from repository import Finding
from rules import included, tool_findings

BUILD = Path("build-lint")
CACHE = Path(".cache/lint")
ANALYZER_NODES = {"src": 20000, "tests": 2000, "tools": 2000}

CPPCHECK = (
    "cppcheck",
    "--enable=warning,performance,portability",
    "--inline-suppr",
    "--std=c11",
    "--library=gnu",
    "--quiet",
    "--template={file}:{line}:{column}: {message} [{id}]",
    "--suppressions-list=tools/lint/cppcheck.txt",
    "-D_GNU_SOURCE",
    "-D__GNUC__=12",
    '-DVAXDB_VERSION=""',
    "-Isrc",
    "-Itests/unit",
)


def run(repository, command):
    done = subprocess.run(
        list(map(str, command)),
        cwd=repository.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def check_format(repository):
    """clang-format with .clang-format; one finding a file is enough."""
    paths = repository.files(".c", ".h", under="src") + repository.files(".c", ".h", under="tests")
    seen = set()
    command = ["clang-format", "--dry-run", "-Werror"]
    for finding in tool_findings(repository, command, paths):
        if finding.path not in seen:
            seen.add(finding.path)
            yield finding._replace(message="is not formatted: ./run format")


def build(repository):
    """Builds everything with warnings as errors; the generated headers are there after."""
    return run(repository, ["ninja", "-C", BUILD, "-k", "0"])


def check_warnings(repository):
    """Everything builds without a warning."""
    status, output = build(repository)
    if status == 0:
        return
    found = 0
    for line in output.splitlines():
        match = re.match(r"(\S+?):(\d+):\d+: (?:fatal )?(?:error|warning): (.*)", line)
        if match:
            found += 1
            path = os.path.relpath(repository.root / BUILD / match[1], repository.root)
            yield Finding(Path(path), int(match[2]), match[3])
    if not found:
        raise RuntimeError(f"{BUILD} does not build:\n{output}")


class Dependencies:
    """Hash of a source with the headers of ours that it includes."""

    def __init__(self, repository):
        self.repository = repository
        self.generated = {path.name: path for path in (repository.root / BUILD).rglob("*.h")}

    @lru_cache(maxsize=None)
    def headers(self, path):
        found = set()
        for _, name, quoted in included(self.repository, path):
            for base in ("src", path.parent, "tests/unit"):
                header = Path(base) / name
                if quoted and self.repository.exists(header):
                    header = Path(os.path.normpath(header))
                    found |= {header} | self.headers(header)
                    break
            else:
                if quoted and name in self.generated:
                    found.add(self.generated[name].relative_to(self.repository.root))
        return frozenset(found)

    def digest(self, path, *more):
        total = hashlib.sha256()
        for part in more:
            total.update(str(part).encode() + b"\0")
        for file in [path, Path("src/base/poison.h"), *sorted(self.headers(path))]:
            total.update(str(file).encode() + b"\0")
            total.update((self.repository.root / file).read_bytes())
        return total.hexdigest()


def analysed(repository, tool, jobs):
    """Findings of jobs, pairs (command, digest); both cores, results from the cache."""
    folder = repository.root / CACHE / tool
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {digest for _, digest in jobs}
    for old in folder.iterdir():  # what is of no use any more
        if old.name not in wanted:
            old.unlink()
    todo = [(command, digest) for command, digest in jobs if not (folder / digest).exists()]
    if todo:
        print(f"{tool}: {len(todo)} of {len(jobs)} files", file=sys.stderr, flush=True)

    def work(job):
        command, digest = job
        status, output = run(repository, command)
        lines = [line for line in output.splitlines() if re.match(r"\S+:\d+:\d+: ", line)]
        if status not in (0, 1) or (status and not lines):
            raise RuntimeError(f"{' '.join(map(str, command))} failed ({status}):\n{output}")
        partial = folder / f"{digest}.partial"
        partial.write_text("".join(line + "\n" for line in lines))
        partial.rename(folder / digest)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, todo))
    seen = set()
    for _, digest in jobs:
        for line in (folder / digest).read_text().splitlines():
            path, number, _, message = line.split(":", 3)
            # clang-tidy names files from the build directory, or absolutely
            inside = repository.root / (BUILD if path.startswith("../") else ".")
            path = os.path.relpath(inside / path, repository.root)
            finding = Finding(Path(path), int(number), message.strip())
            if finding not in seen and not message.strip().startswith("note:"):
                seen.add(finding)  # one in a header is found from every file that includes it
                yield finding


def compile_commands(repository):
    """(path, flags) of our own sources as Meson compiles them."""
    for entry in json.loads(repository.read(BUILD / "compile_commands.json")):
        path = Path(os.path.relpath(Path(entry["directory"]) / entry["file"], repository.root))
        if path.parts[0] in ("src", "tests", "tools"):
            yield path, entry["command"]


def tool_version(command):
    return subprocess.run([command, "--version"], stdout=subprocess.PIPE, check=True).stdout


def clang_tidy(repository, name, arguments_for):
    """arguments_for(path) are those that a file gets beside the common ones."""
    build(repository)
    dependencies = Dependencies(repository)
    settings = repository.read(".clang-tidy")
    version = tool_version("clang-tidy")
    command = ["clang-tidy", "-p", BUILD, "--quiet", "--extra-arg=-Wno-unknown-warning-option"]
    jobs = {}
    for path, flags in compile_commands(repository):
        words = [*command, *arguments_for(path)]
        digest = dependencies.digest(path, version, settings, words, flags)
        jobs[path] = ([*words, path], digest)
    yield from analysed(repository, name, list(jobs.values()))


def check_clang_tidy(repository):
    """clang-tidy with .clang-tidy. The analyzer gives a function up after ANALYZER_NODES states of
    its program, a small part of what it takes by itself; tests, where sanitizers see each path run,
    sooner."""

    def arguments_for(path):
        option = ("-analyzer-config", f"max-nodes={ANALYZER_NODES[path.parts[0]]}")
        return [f"--extra-arg={word}" for part in option for word in ("-Xclang", part)]

    yield from clang_tidy(repository, "clang-tidy", arguments_for)


def check_clang_tidy_deep(repository):
    """The same as deep as the analyzer goes by itself: for ./run soak."""
    yield from clang_tidy(repository, "clang-tidy-deep", lambda _path: [])


def check_cppcheck(repository):
    """cppcheck, file by file."""
    dependencies = Dependencies(repository)
    settings = repository.read("tools/lint/cppcheck.txt")
    version = tool_version("cppcheck")
    paths = {path for path, _ in compile_commands(repository)}
    jobs = [
        ([*CPPCHECK, path], dependencies.digest(path, version, settings, CPPCHECK))
        for path in sorted(paths)
    ]
    yield from analysed(repository, "cppcheck", jobs)


CHECKS = {
    "format": check_format,
    "warnings": check_warnings,
    "clang-tidy": check_clang_tidy,
    "cppcheck": check_cppcheck,
}
# Too long for CI: run when they are named.
LONG = {"clang-tidy-deep": check_clang_tidy_deep}
