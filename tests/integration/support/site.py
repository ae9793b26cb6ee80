"""A project with a staging and a production database, as a team has it."""

import sqlite3
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from .backups import rewrite_manifest
from .migrations import Project

UTC = "%Y-%m-%dT%H:%M:%SZ"
PAST_THE_GATES = ("--skip-staging", "a test", "--no-backup", "a test")


class Site(Project):
    """Commands take the environment first: `site.run_on("staging", "up")`. `database` is
    production's."""

    def __init__(self, vaxdb, staging, production, settings=""):
        super().__init__(vaxdb, production)
        self.staging = staging
        self.production = production
        self.configure(settings)

    def configure(self, settings):
        text = f"[vaxdb]\n{settings}\n"
        self.vaxdb.write_config(text, staging=self.staging.url, production=self.production.url)

    def _on(self, env, command, arguments):
        return ["migrate", *command.split(), "-e", env, *arguments]

    def run_on(self, where, command, *arguments, **more):
        return self.vaxdb(*self._on(where, command, arguments), **more)

    def ok_on(self, where, command, *arguments, **more):
        return self.vaxdb.ok(*self._on(where, command, arguments), **more)

    def fails_on(self, status, where, command, *arguments, **more):
        return self.vaxdb.fails(status, *self._on(where, command, arguments), **more)

    def begin(self):
        """What is in the folder is in both databases, with a backup of production's; quickly, since
        how it came there is not what a test is about."""
        for env in ("staging", "production"):
            self.ok_on(env, "up", "--skip-staging", "the beginning")

    def write_query(self, name, sql):
        folder = self.vaxdb.work / "backend/database/queries"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.sql").write_text(sql)

    def applied_on_production(self):
        return self.ok_on("production", "up", "--json").json["applied"]

    def backups(self):
        listed = self.vaxdb.ok("backup", "list", "-e", "production", "--json").json
        return [backup["path"] for backup in listed["backups"]]

    def runs(self, columns, where="true"):
        return self.query(
            f"SELECT {columns} FROM schema_migrations_runs WHERE {where} ORDER BY id"
        )


def age_backup(path, hours):
    """Makes a backup older than it is."""

    def earlier(moment):
        return (datetime.strptime(moment, UTC) - timedelta(hours=hours)).strftime(UTC)

    def change(manifest):
        for key in ("started_at", "finished_at"):
            manifest[key] = earlier(manifest[key])
        manifest["snapshot"]["at"] = earlier(manifest["snapshot"]["at"])

    rewrite_manifest(Path(f"{path}.json"), change)


def broken_pg_dump(folder):
    """Variables under which no backup can be made."""
    tool = folder / "pg_dump"
    tool.write_text("#!/bin/sh\n[ \"$1\" = --version ] && exec /usr/lib/postgresql/15/bin/pg_dump \"$@\"\n"
                    "echo no dump today >&2\nexit 3\n")
    tool.chmod(0o755)
    return {"VAXDB_PG_BINDIR": str(folder)}


@contextmanager
def state_locked(vaxdb):
    """Nothing is written to the state for as long."""
    state = sqlite3.connect(vaxdb.state / "vaxdb.sqlite", isolation_level=None)
    state.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        state.execute("ROLLBACK")
        state.close()
