"""The national data set as `vaxdb dev load` makes it, and then a database of one table of as much data:
each dumped, verified and restored by us and by what a user would pick instead, in turn, by the clock.

Our dump counts and digests the rows of every table, writes a manifest, syncs what it wrote and
verifies it by reading it all again; the others do none of that. Our restore begins with a
verification and ends with ANALYZE and a count of every table; the others are followed by the same
ANALYZE. All restores begin by creating the database. Sizes are of the files; their ratio is that of
bytes."""

import json
import shutil

from bench import ROOT, Sample, command, measure, measure_in_turn
from servers import laboratory

TITLE = "Backup and restore"
ROWS = 1_000_000
ONE_TABLE_ROWS = 4_000_000
RUNS = 3
MIGRATIONS = ROOT / "backend/database/migrations"
BINARIES = "/usr/lib/postgresql/15/bin"
PSQL, PG_DUMP, PG_RESTORE = (f"{BINARIES}/{name}" for name in ("psql", "pg_dump", "pg_restore"))
LEVELS = ("balanced", "fast", "small")

ONE_TABLE = f"""
CREATE TABLE readings (id bigint PRIMARY KEY, facility_id integer NOT NULL, taken_at timestamptz
    NOT NULL, temperature numeric(5, 2), battery integer, note text, device uuid NOT NULL);
INSERT INTO readings SELECT n, n % 35000, timestamptz '2026-01-01' + n * interval '37 s',
    (random() * 12 - 2)::numeric(5, 2), (random() * 100)::integer,
    CASE WHEN n % 7 = 0 THEN 'the door was open at ' || n % 24 || ' h, asked ' || md5(n::text) END,
    md5((n % 35000)::text)::uuid FROM generate_series(1, {ONE_TABLE_ROWS}) AS n;
CREATE INDEX readings_facility ON readings (facility_id, taken_at);
"""

DUMPS = {
    "`pg_dump` to `gzip`": "{pg_dump} {name} | gzip > {folder}/dump.sql.gz",
    "`pg_dump` to `pigz`": "{pg_dump} {name} | pigz > {folder}/dump.pigz.gz",
    "`pg_dump -Fd -j2`": "{pg_dump} -Fd -j2 -f {folder}/dump.directory {name}",
    "`pg_dump` to `zstd -T2`": "{pg_dump} {name} | zstd -q -T2 -o {folder}/dump.zst",
}
RESTORES = {
    "`gunzip` to `psql`": "gunzip -c {folder}/dump.sql.gz | {psql} -qX -v ON_ERROR_STOP=1 -d {copy}",
    "`pg_restore -j2`": "{pg_restore} -j2 -d {copy} {folder}/dump.directory",
}


class Database:
    """One database, its dumps, and copies made of them."""

    def __init__(self, bench, server, vaxdb, folder, name, what):
        self.bench, self.server, self.vaxdb = bench, server, vaxdb
        self.folder, self.name, self.what = folder / name, name, what
        self.copies = 0
        self.ours = {}  # the last backup of each level
        self.folder.mkdir()

    @property
    def copy(self):
        return f"{self.name}_copy_{self.copies}"

    def program(self, *arguments):
        run = [self.bench.binary, *arguments, "--url", self.server.url(self.name)]
        return command(*run, env=self.vaxdb.environment, cwd=self.vaxdb.work)

    def shell(self, line):
        line = line.format(
            pg_dump=PG_DUMP, psql=PSQL, pg_restore=PG_RESTORE,
            folder=self.folder, name=self.name, copy=self.copy,
        )  # fmt: skip
        command("bash", "-o", "pipefail", "-c", line, env=self.server.environment(self.name))()

    def create(self, level):
        def action():
            self.program("backup", "create", "--compress", level, "--dir", self.folder / level)()

        return action

    def remove_dumps(self):
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def dump(self):
        """Times of all dumps, by name; the files of the last round stay."""
        actions = {level: self.create(level) for level in LEVELS}
        for name, line in DUMPS.items():
            actions[name] = lambda line=line: self.shell(line)
        samples = {name: [] for name in actions}
        for number in range(RUNS + 1):
            self.remove_dumps()
            for name, action in actions.items():
                sample = measure(action, runs=1, warm_up=False)
                samples[name] += sample if number else []
        for level in LEVELS:
            (self.ours[level],) = (
                path for path in (self.folder / level).glob("*.sql.gz") if ".globals." not in path.name
            )
        return samples

    def report_dumps(self, samples):
        commands = ["build/vaxdb backup create --compress LEVEL --url URL"]
        commands += [
            line.format(pg_dump="pg_dump", folder=".", name="NAME") for line in DUMPS.values()
        ]
        for level in LEVELS:
            for name in DUMPS:
                self.bench.add(
                    f"{self.what}: backup, `{level}`", "s", samples[level], samples[name], name,
                    commands=commands,
                )  # fmt: skip
        gzip = Sample((self.folder / "dump.sql.gz").stat().st_size / 1e6, 0)
        for level in LEVELS:
            size = Sample(self.ours[level].stat().st_size / 1e6, 0)
            self.bench.add(f"{self.what}: size, `{level}`", "MB", [size], [gzip], "`gzip -6`")

    def verify(self):
        file = self.ours["balanced"]
        raw_bytes = json.loads(file.with_name(file.name + ".json").read_text())["raw_bytes"]
        ours, gunzip = measure_in_turn(
            [
                self.program("backup", "verify", file),
                command("gzip", "-t", self.folder / "dump.sql.gz"),
            ],
            runs=RUNS,
        )
        self.bench.add(
            f"{self.what}: verify, level 2, of {raw_bytes / 1e6:,.0f} MB of SQL", "s", ours, gunzip,
            "`gzip -t`", commands=["build/vaxdb backup verify FILE", "gzip -t dump.sql.gz"],
        )  # fmt: skip

    def restore(self):
        def ours():
            self.program("restore", self.ours["balanced"], "--database", self.copy, "-y")()

        def theirs(line):
            self.server.execute(f"CREATE DATABASE {self.copy}")
            self.shell(line)
            self.server.execute("ANALYZE", dbname=self.copy)

        def clear():
            self.server.execute(f"DROP DATABASE IF EXISTS {self.copy}")
            self.copies += 1
            self.server.execute("CHECKPOINT")

        actions = [ours, *(lambda line=line: theirs(line) for line in RESTORES.values())]
        mine, *others = measure_in_turn(actions, runs=RUNS, before=clear)
        clear()
        commands = ["build/vaxdb restore FILE --database COPY --url URL -y"]
        commands += [
            line.format(psql="psql", pg_restore="pg_restore", folder=".", copy="COPY")
            for line in RESTORES.values()
        ]
        for name, samples in zip(RESTORES, others):
            self.bench.add(
                f"{self.what}: restore, indexes, ANALYZE", "s", mine, samples, name, commands=commands
            )

    def run(self):
        self.report_dumps(self.dump())
        self.verify()
        self.restore()


def run(bench):
    with laboratory() as (server, vaxdb, folder):
        national = Database(bench, server, vaxdb, folder, "national", "many tables")
        server.execute("CREATE DATABASE national")
        national.program("migrate", "up", "--dir", MIGRATIONS, "-y")()
        national.program("dev", "load", "--rows", ROWS, "-y")()
        national.run()
        server.execute("DROP DATABASE national")
        server.execute("CREATE DATABASE single")
        server.execute(ONE_TABLE, dbname="single")
        server.execute("VACUUM (ANALYZE)", dbname="single")
        Database(bench, server, vaxdb, folder, "single", "one table").run()
