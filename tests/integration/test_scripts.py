"""The guide's three scripts: thin, from any directory, and never on the wrong database."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.backups import databases, fill
from support.program import ROOT


class Clone:
    """A project folder with the scripts and migrations, a home and a working directory."""

    def __init__(self, folder, vaxdb):
        self.folder = folder / "project with space"
        self.work = folder / "elsewhere"
        self.work.mkdir()
        self.vaxdb = vaxdb
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")
        shutil.copytree(ROOT / "backend", self.folder / "backend")

    def run(self, script, *arguments, cwd=None, **variables):
        environment = {**self.vaxdb.environment, "VAXDB": str(self.vaxdb.binary), **variables}
        return subprocess.run(
            [self.folder / "scripts" / script, *map(str, arguments)],
            cwd=cwd or self.work,
            env={key: value for key, value in environment.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def clone(scratch, vaxdb):
    return Clone(scratch, vaxdb)


def connection(database):
    return {
        "DB_HOST": database.server.host,
        "DB_PORT": str(database.server.port),
        "DB_USER": database.server.superuser,
        "DB_PASSWORD": database.server.password,
        "DB_NAME": database.name,
    }


SCRIPTS = (
    ("backup-db.sh", "production"),
    ("restore-db.sh", "staging", "x.sql.gz"),
    ("migrate.sh", "production"),
)


@pytest.mark.parametrize("command", SCRIPTS, ids=lambda command: command[0])
def test_without_a_database_nothing_is_touched(clone, command):
    script, env, *rest = command
    for label in (env, "development"):
        done = clone.run(script, label, *rest)
        assert done.returncode == 2 and "no database is configured" in done.stderr
    for half in ({"DB_HOST": "127.0.0.1"}, {"DB_NAME": "x"}):
        done = clone.run(script, env, *rest, **half)
        assert done.returncode == 2 and "set both, or neither" in done.stderr
    assert clone.run(script).returncode == 2
    assert clone.run(script, "prodction", *rest).returncode == 2
    assert not clone.vaxdb.state.exists()


def test_backup_and_restore_by_variables(clone, database, new_database):
    fill(database)
    target = new_database()
    fill(target, rows=10)
    done = clone.run("backup-db.sh", "production", **connection(database))
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert re.fullmatch(r"vaxtrace-production-\d{8}-\d{6}\.sql\.gz", path.name) and path.exists()
    relative = os.path.relpath(path, clone.work)
    done = clone.run("restore-db.sh", "staging", relative, **connection(target))
    assert done.returncode == 0, done.stderr
    assert target.scalar("SELECT count(*) FROM stock") == 2000
    # production keeps its guard, whatever the label
    for env in ("production", "staging"):
        done = clone.run("restore-db.sh", env, path, **connection(database))
        assert done.returncode == 3, done.stderr
    done = clone.run(
        "restore-db.sh", "production", path, "--confirm", database.name, **connection(database)
    )
    assert done.returncode == 0, done.stderr


def test_variables_override_the_configuration(clone, database, new_database):
    fill(database)
    other = new_database()
    fill(other, rows=10)
    config = f"[production]\nurl = {other.url}\n"
    (clone.folder / "vaxdb.ini").write_text(config)

    def rows(**more):
        done = clone.run("backup-db.sh", "production", "--json", **more)
        assert done.returncode == 0, done.stderr
        return int(re.search(r'"rows": (\d+)', done.stdout)[1])

    assert rows() == 10  # the configuration beside the scripts
    assert rows(**connection(database)) == 2000
    (clone.work / "vaxdb.ini").write_text(f"[production]\nurl = {database.url}\n")
    assert rows() == 2000  # the one in the working directory comes first


def test_a_bucket_is_not_ignored(clone, database):
    done = clone.run("backup-db.sh", "production", **connection(database), BACKUP_BUCKET="b")
    assert done.returncode == 2 and "no credentials for S3" in done.stderr


def test_the_password_is_on_no_command_line(clone, database, scratch):
    """A stand-in for the program that writes down how it was called."""
    spy = scratch / "spy"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >>"$0.log"\nprintf "%s" "$PGPASSWORD" >"$0.password"\n')
    spy.chmod(0o755)
    variables = {**connection(database), "DB_NAME": "it's a \\ name", "VAXDB": str(spy)}
    for script, *arguments in SCRIPTS:
        done = clone.run(script, *arguments, **variables)
        assert done.returncode == 0, done.stderr
    words = (scratch / "spy.log").read_text().splitlines()
    assert not any(database.server.password in word for word in words)
    assert any("dbname='it\\'s a \\\\ name'" in word for word in words)
    assert (scratch / "spy.password").read_text() == database.server.password


def test_migrate_says_what_the_guide_shows(clone, new_database):
    staging, database = new_database(), new_database()
    refused = clone.run("migrate.sh", "production", **connection(database))
    assert refused.returncode == 3 and "staging has not run it" in refused.stderr
    proved = clone.run("migrate.sh", "staging", **connection(staging))
    assert proved.returncode == 0, proved.stderr
    done = clone.run("migrate.sh", "production", **connection(database))
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    for number, name in ((1, "initial_schema"), (2, "performance_indexes"), (3, "advanced_indexes")):
        assert f"[INFO] Running migration: 00{number}_{name}.sql" in said
    assert said.count("[SUCCESS] ✓ Migration completed") == 3
    assert database.scalar("SELECT count(*) FROM schema_migrations") == 3


def test_a_script_works_through_a_link(clone, database, scratch):
    link = scratch / "nightly"
    link.symlink_to(clone.folder / "scripts/backup-db.sh")
    fill(database, rows=10)
    environment = {**clone.vaxdb.environment, "VAXDB": str(clone.vaxdb.binary), **connection(database)}
    done = subprocess.run([link, "production"], cwd="/", env=environment, check=False)
    assert done.returncode == 0
    assert database.name in databases(database.server)
