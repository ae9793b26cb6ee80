"""./run itself, as far as it can be tried without installing anything."""

import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "run"


def run(*arguments):
    return subprocess.run(
        [RUN, *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["help"], ["--help"], []])
def test_help_names_every_command(arguments):
    done = run(*arguments)
    assert done.returncode == 0
    for command in ("demo", "build", "test", "lint", "format", "bench", "soak"):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("arguments", [["biuld"], ["test", "nothing"]])
def test_a_wrong_word_is_usage(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
