"""The files of this repository, and what a finding is. Needs no git: a bare system has none."""

import os
from pathlib import Path
from typing import NamedTuple

SKIPPED_FOLDERS = {".git", ".cache", "node_modules", "__pycache__", "subprojects"}


class Finding(NamedTuple):
    path: Path  # relative to the repository
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


class Repository:
    def __init__(self, root):
        self.root = Path(root)

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        """(number, text) of every line."""
        return list(enumerate(self.read(path).splitlines(), start=1))

    def exists(self, path):
        return (self.root / path).exists()

    def files(self, *patterns, under="."):
        """Relative paths, sorted, of the files whose name ends as one of the patterns."""
        found = []
        for folder, folders, names in os.walk(self.root / under):
            here = Path(folder).relative_to(self.root)
            folders[:] = [
                name
                for name in folders
                if name not in SKIPPED_FOLDERS
                and not (here == Path(".") and name.startswith("build"))
            ]
            found += [
                here / name
                for name in names
                if not patterns or any(name.endswith(pattern) for pattern in patterns)
            ]
        return sorted(found)
