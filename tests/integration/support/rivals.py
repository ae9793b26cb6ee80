"""Other migration tools: their histories are adopted in tests, their speed is measured in benchmarks.

dbmate comes from npm with the servers (tests/servers.sh), sqitch from Debian (tools/install.sh)."""

import shutil
import subprocess
from pathlib import Path

from support.servers import clean_environment, npm_folder


def dbmate_path():
    """The program; a missing one is an error, never a skipped test."""
    return _present(npm_folder() / "node_modules/dbmate/bin/dbmate")


def sqitch_path():
    return _present(Path(shutil.which("sqitch") or "/usr/bin/sqitch"))


def _present(path):
    if not path.exists():
        raise RuntimeError(f"{path} is missing: ./run test installs it")
    return path


def dbmate(database, migrations, *arguments):
    """Runs dbmate on a database with a folder of migrations; the finished process."""
    # fmt: off
    return _run(
        [dbmate_path(), "--url", f"{database.url}?sslmode=disable", "--no-dump-schema",
         "--migrations-dir", migrations, *arguments],
        cwd=migrations,
        env=clean_environment(),
    )
    # fmt: on


def sqitch(database, project, *arguments):
    """Runs sqitch in a project's folder, on a database; the finished process."""
    environment = clean_environment() | database.environment
    environment |= {
        "SQITCH_FULLNAME": "Tester",
        "SQITCH_EMAIL": "tester@example.org",
        "HOME": str(project),
    }
    if arguments[0] != "init":  # which knows no targets
        environment["SQITCH_TARGET"] = f"db:pg:{database.name}"
    return _run([sqitch_path(), *arguments], cwd=project, env=environment)


def _run(arguments, **how):
    return subprocess.run(
        [str(argument) for argument in arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
        **how,
    )
