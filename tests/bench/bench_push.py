"""A day's growth of the national data set, pushed to an S3 server (OpenStack Swift) that has the backup
of the day before. The other figure is the size of the backup, which any other tool would send.

The day's rows are those of the last day there, again, a day later and with ids of their own."""

import json

from bench import ROOT, Sample, command
from servers import laboratory
from support.swift import KEY, SECRET, Swift

TITLE = "Off-site: a push of a day's growth"
ROWS = 1_000_000
MIGRATIONS = ROOT / "backend/database/migrations"
BUCKET = "backups"

# What grows every day, and by which column.
GROWING = {
    "stock_snapshots": "snapshot_time",
    "audit_logs": "created_at",
    "cce_telemetry": "recorded_at",
    "stock_ledger": "created_at",
    "alerts": "created_at",
}
COLUMNS = """
SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position),
    string_agg(CASE WHEN column_name = 'id' THEN 'gen_random_uuid()'
        WHEN data_type = 'date' THEN quote_ident(column_name) || ' + 1'
        WHEN data_type LIKE 'timestamp%%' THEN quote_ident(column_name) || ' + interval ''1 day'''
        ELSE quote_ident(column_name) END, ', ' ORDER BY ordinal_position)
FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'
"""


def add_a_day(server, database):
    for table, moment in GROWING.items():
        names, values = server.execute(COLUMNS.format(table=table), dbname=database)[0]
        server.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {moment} >= "
            f"(SELECT date_trunc('day', max({moment})) FROM {table}) ORDER BY {moment}",
            dbname=database,
        )


def run(bench):
    with laboratory() as (server, vaxdb, folder):
        swift = Swift()
        try:
            swift.start().client.create_bucket(Bucket=BUCKET)
            push_days(bench, server, vaxdb, folder, swift)
        finally:
            swift.close()


def push_days(bench, server, vaxdb, folder, swift):
    environment = {
        **vaxdb.environment,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": swift.endpoint,
    }

    def program(*arguments):
        url = server.url("national")
        command(bench.binary, *arguments, "--url", url, env=environment, cwd=vaxdb.work)()

    def backup():
        before = set(folder.glob("*.sql.gz"))
        program("backup", "create", "--dir", folder)
        (made,) = (
            path for path in set(folder.glob("*.sql.gz")) - before if ".globals." not in path.name
        )
        return made

    def push(path):
        report = folder / "push.json"
        line = 'VAXDB_BACKUP_URL=$2 "$0" backup push "$1" --json > "$3"'
        place = f"s3://{BUCKET}"
        command(
            "bash", "-c", line, bench.binary, path, place, report, env=environment, cwd=vaxdb.work
        )()
        return json.loads(report.read_text())["sent_bytes"]

    server.execute("CREATE DATABASE national")
    program("migrate", "up", "--dir", MIGRATIONS, "-y")
    program("dev", "load", "--rows", ROWS, "-y")
    yesterday = backup()
    push(yesterday)
    add_a_day(server, "national")
    today = backup()
    sent = push(today)
    growth = today.stat().st_size - yesterday.stat().st_size
    size = today.stat().st_size
    commands = ["build/vaxdb backup push FILE"]
    bench.add(
        "bytes sent", "MB", [Sample(sent / 1e6, 0)], [Sample(size / 1e6, 0)], "the whole file",
        commands=commands,
    )  # fmt: skip
    bench.add("bytes sent for each that the backup grew by", "", [Sample(sent / growth, 0)])
