"""The last line of ./run test tells the truth."""

import json
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/test_summary.py"

CMOCKA = """[==========] Running 4 test(s).
[ RUN      ] a
[       OK ] a
[==========] 4 test(s) run.
[  PASSED  ] 2 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] c
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] d
"""
PYTEST = """<?xml version="1.0"?><testsuites>
<testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/></testsuites>
"""


@pytest.fixture
def summary(tmp_path):
    def run(**files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        done = subprocess.run(
            ["/usr/bin/python3", SCRIPT, tmp_path], stdout=subprocess.PIPE, text=True, check=False
        )
        return done.stdout.splitlines()[-1], done.returncode

    return run


def meson(*tests):
    return "".join(
        json.dumps({"name": "x", "result": result, "stdout": text}) + "\n" for result, text in tests
    )


def test_counts_cases_of_every_part(summary):
    files = {"unit_json": meson(("FAIL", CMOCKA)), "integration_xml": PYTEST}
    assert summary(**files) == ("6 passed, 4 failed, 4 skipped", 1)


def test_a_program_that_crashed_is_a_failure(summary):
    text = "[==========] Running 4 test(s).\n[ RUN      ] a\n"
    assert summary(unit_json=meson(("FAIL", text))) == ("0 passed, 1 failed, 0 skipped", 1)


def test_a_sanitizer_at_the_end_is_a_failure(summary):
    text = "[==========] 4 test(s) run.\n[  PASSED  ] 4 test(s).\n==1==ERROR: LeakSanitizer\n"
    assert summary(unit_json=meson(("FAIL", text))) == ("4 passed, 1 failed, 0 skipped", 1)


def test_all_good(summary):
    text = "[==========] 4 test(s) run.\n[  PASSED  ] 4 test(s).\n"
    files = {"unit_json": meson(("OK", text), ("OK", "a program of its own"))}
    assert summary(**files) == ("5 passed, 0 failed, 0 skipped", 0)


def test_nothing_is_not_good(summary):
    assert summary(unit_json="") == ("0 passed, 0 failed, 0 skipped", 1)
