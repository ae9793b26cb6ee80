"""`vaxdb dev load` generates the VaxTrace data set, sends it and leaves it analysed, in one
transaction, into a migrated PostgreSQL 15. Beside it psql replays a dump of the very same rows: what
the server costs with no generating at all. The time is of the whole, all tables and indexes, by the
clock; the processor time is of the client alone."""

from bench import ROOT, command, measure
from servers import laboratory

TITLE = "Loading the data set"
ROWS = 50000
PSQL = "/usr/lib/postgresql/15/bin/psql"
PG_DUMP = "/usr/lib/postgresql/15/bin/pg_dump"


def run(bench):
    with laboratory() as (server, vaxdb, folder):
        server.execute("CREATE DATABASE vaxtrace")
        environment = server.environment("vaxtrace")
        psql = [PSQL, "-qX", "-v", "ON_ERROR_STOP=1", "-f"]
        for path in sorted((ROOT / "backend/database/migrations").glob("*.sql")):
            if not path.name.endswith(".down.sql"):
                command(*psql, path, env=environment)()
        url = server.url("vaxtrace")
        load = command(
            bench.binary, "dev", "load", "--rows", ROWS, "--url", url, "-y",
            env=vaxdb.environment, cwd=vaxdb.work,
        )  # fmt: skip
        ours = measure(load)
        rows = server.execute(
            "SELECT sum(n_live_tup)::bigint FROM pg_stat_user_tables", dbname="vaxtrace"
        )[0][0]
        dump = folder / "rows.sql"
        command(PG_DUMP, "--data-only", "--disable-triggers", "-f", dump, env=environment)()

        def empty():
            tables = server.execute(
                "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables "
                "WHERE schemaname = 'public'",
                dbname="vaxtrace",
            )[0][0]
            server.execute(f"TRUNCATE {tables} CASCADE", dbname="vaxtrace")

        theirs = measure(command(*psql, dump, "-1", env=environment), before=empty)
        commands = [
            f"build/vaxdb dev load --rows {ROWS} --url URL -y",
            "pg_dump --data-only --disable-triggers -f rows.sql && psql -1 -f rows.sql",
        ]
        bench.add(
            f"{ROWS:,} snapshots, {rows:,} rows in all", "s", ours, theirs,
            "`psql -f` of a dump", commands=commands,
        )  # fmt: skip
        bench.add(
            "processor time of the client", "s", ours, theirs, "`psql -f` of a dump",
            pick=lambda sample: sample.cpu_seconds,
        )  # fmt: skip
