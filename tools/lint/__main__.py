"""Everything that ./run lint checks: `python3 tools/lint [CHECK...]`.

Without a name all but the long ones. Prints a line for each finding, "file:line: message", and exits
1 when there is one."""

import sys
import time
from pathlib import Path

from analyzers import CHECKS, LONG
from repository import Repository
from rules import RULES


def main():
    checks = {**RULES, **CHECKS}
    known = {**checks, **LONG}
    unknown = [name for name in sys.argv[1:] if name not in known]
    if unknown:
        sys.exit(f"no such check: {unknown[0]} (there are: {', '.join(known)})")
    repository = Repository(Path(__file__).resolve().parents[2])
    total = 0
    for name in sys.argv[1:] or checks:
        started = time.monotonic()
        findings = sorted(known[name](repository))
        for finding in findings:
            print(f"{finding} ({name})", flush=True)
        total += len(findings)
        seconds = time.monotonic() - started
        print(f"{name}: {len(findings)} findings, {seconds:.1f} s", file=sys.stderr, flush=True)
    if total:
        sys.exit(f"lint: {total} findings")
    print("lint: nothing found", file=sys.stderr)


if __name__ == "__main__":
    main()
