#!/usr/bin/env python3
"""Counts the test cases of a run: test_summary.py FOLDER, which holds Meson's and pytest's results.

Prints a line for each part and, last and alone, "N passed, N failed, N skipped". Exits 1 when
something failed or nothing ran.
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count_cmocka(output):
    """(passed, failed, skipped) as cmocka prints them; None when the program did not get there."""
    ran = re.search(r"^\[=+\] (\d+) test\(s\) run\.", output, re.M)
    if not ran:
        return None

    def number(word):
        found = re.search(rf"^\[ +{word} +\] (\d+) test\(s\)", output, re.M)
        return int(found[1]) if found else 0

    # cmocka counts a failing setup or teardown as an error, on a line that has no total.
    passed, skipped = number("PASSED"), number("SKIPPED")
    return passed, max(int(ran[1]) - passed - skipped, number("FAILED")), skipped


def count_meson(path):
    passed = failed = skipped = 0
    for line in path.read_text().splitlines():
        test = json.loads(line)
        counted = count_cmocka(test.get("stdout", "") + "\n" + test.get("stderr", ""))
        good = test["result"] == "OK"
        if counted is None:  # not cmocka's, or it crashed: the program is one case
            counted = (int(good), int(not good), 0)
        elif not good and counted[1] == 0:  # every case passed, and a sanitizer found something
            counted = (counted[0], 1, counted[2])
        passed, failed, skipped = (a + b for a, b in zip((passed, failed, skipped), counted))
    return passed, failed, skipped


def count_pytest(path):
    total = failed = skipped = 0
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        total += int(suite.get("tests"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        skipped += int(suite.get("skipped"))
    return total - failed - skipped, failed, skipped


def main():
    sums = [0, 0, 0]
    for path in sorted(Path(sys.argv[1]).iterdir()):
        counted = count_pytest(path) if path.suffix == ".xml" else count_meson(path)
        print("%-24s %d passed, %d failed, %d skipped" % (path.stem + ":", *counted))
        sums = [a + b for a, b in zip(sums, counted)]
    print("%d passed, %d failed, %d skipped" % tuple(sums))
    sys.exit(1 if sums[1] or not sums[0] else 0)


if __name__ == "__main__":
    main()
