"""300 small files of two statements (a table, and an index on it) from nothing, one transaction a file,
each run into a database of its own. Beside it: one psql over all of them, which is what the server
alone costs, with no ledger, no lock and no transaction around two statements; a psql a file, as
scripts do it; dbmate and sqitch with the same statements. All take turns, so that what the machine
does meanwhile falls on all alike.

Then 5,000 files that make 100 tables: what looking at them costs. For status and verify all are
applied, for lint none is."""

from bench import command, measure, measure_in_turn
from servers import laboratory
from support.rivals import dbmate_path, sqitch_path

TITLE = "Migrations"
FILES = 300
MANY = 5000
TABLES = 100
PSQL = "/usr/lib/postgresql/15/bin/psql"
QUIETLY = [PSQL, "-qX", "-v", "ON_ERROR_STOP=1"]


def up_of(number):
    return (
        f"CREATE TABLE table_{number:03} (id bigint PRIMARY KEY, name text NOT NULL);\n"
        f"CREATE INDEX table_{number:03}_name ON table_{number:03} (name);\n"
    )


def down_of(number):
    return f"DROP TABLE table_{number:03};\n"


def numbers():
    return range(1, FILES + 1)


def write_pairs(folder):
    folder.mkdir()
    for number in numbers():
        (folder / f"{number:03}_table.sql").write_text(up_of(number))
        (folder / f"{number:03}_table.down.sql").write_text(down_of(number))
    (folder.parent / "all.sql").write_text("".join(map(up_of, numbers())))


def write_dbmate(folder):
    folder.mkdir()
    for number in numbers():
        text = f"-- migrate:up\n{up_of(number)}\n-- migrate:down\n{down_of(number)}"
        (folder / f"{number:03}_table.sql").write_text(text)


def write_sqitch(folder):
    for part, text_of in (("deploy", up_of), ("revert", down_of)):
        (folder / part).mkdir(parents=True)
        for number in numbers():
            text = f"BEGIN;\n{text_of(number)}COMMIT;\n"
            (folder / part / f"table_{number:03}.sql").write_text(text)
    who = "2026-01-01T00:00:00Z Bench <bench@example.org> # a table"
    plan = "".join(f"table_{number:03} {who}\n" for number in numbers())
    (folder / "sqitch.plan").write_text(f"%syntax-version=1.0.0\n%project=bench\n\n{plan}")
    (folder / "sqitch.conf").write_text(f"[core]\n\tengine = pg\n[engine \"pg\"]\n\tclient = {PSQL}\n")


class Databases:
    """A new database for each run. None is dropped meanwhile: a file system is slow in giving away
    again what was freed just now."""

    def __init__(self, server):
        self._server = server
        self._number = 0

    def next(self):
        self._number += 1
        self._server.execute(f"CREATE DATABASE {self.name}")

    @property
    def name(self):
        return f"bench_{self._number}"

    @property
    def url(self):
        return self._server.url(self.name)

    @property
    def environment(self):
        return self._server.environment(self.name)


def few_files(bench, server, vaxdb, folder):
    write_pairs(folder / "migrations")
    write_dbmate(folder / "dbmate")
    write_sqitch(folder / "sqitch")
    databases = Databases(server)
    files = sorted(
        path for path in (folder / "migrations").iterdir() if not path.name.endswith(".down.sql")
    )
    each = f'for file in "$@"; do {" ".join(QUIETLY)} -1 -f "$file" || exit 1; done'
    nobody = {"SQITCH_FULLNAME": "Bench", "SQITCH_EMAIL": "bench@example.org", "HOME": str(folder)}

    def ours():
        arguments = ["migrate", "up", "--dir", folder / "migrations", "--url", databases.url]
        command(bench.binary, *arguments, env=vaxdb.environment, cwd=vaxdb.work)()

    def floor():
        command(*QUIETLY, "-f", folder / "all.sql", env=databases.environment)()

    def psql_a_file():
        command("sh", "-c", each, "sh", *files, env=databases.environment)()

    def dbmate():
        url = f"{databases.url}?sslmode=disable"
        where = ["--no-dump-schema", "--migrations-dir", folder / "dbmate"]
        command(dbmate_path(), "--url", url, *where, "migrate", cwd=folder)()

    def sqitch():
        environment = {**databases.environment, **nobody}
        target = f"db:pg:{databases.name}"
        command(sqitch_path(), "deploy", target, env=environment, cwd=folder / "sqitch")()

    mine, *others = measure_in_turn(
        [ours, floor, psql_a_file, dbmate, sqitch], before=databases.next
    )
    names = ["one psql for all", "a psql a file", "dbmate", "sqitch"]
    commands = [
        "build/vaxdb migrate up --dir migrations --url URL",
        "cat migrations/*_table.sql > all.sql; psql -f all.sql",
        'for file in migrations/*_table.sql; do psql -1 -f "$file"; done',
        "dbmate --url URL --no-dump-schema --migrations-dir dbmate migrate",
        "sqitch deploy db:pg:NAME",
    ]
    for name, theirs in zip(names, others):
        bench.add(f"`migrate up` of {FILES} files", "s", mine, theirs, name, commands=commands)


def write_many(folder):
    folder.mkdir()
    for number in range(1, MANY + 1):
        table, column = f"table_{number % TABLES:03}", f"column_{number // TABLES:02}"
        if number <= TABLES:
            up, down = f"CREATE TABLE {table} (id bigint PRIMARY KEY);\n", f"DROP TABLE {table};\n"
        else:
            up = f"ALTER TABLE {table} ADD COLUMN {column} text;\n"
            down = f"ALTER TABLE {table} DROP COLUMN {column};\n"
        (folder / f"{number:05}_{column}.sql").write_text(up)
        (folder / f"{number:05}_{column}.down.sql").write_text(down)


def many_files(bench, server, vaxdb, folder):
    write_many(folder / "many")
    server.execute("CREATE DATABASE many")
    server.execute("CREATE DATABASE nothing")

    def run(word, database="many"):
        words = ["migrate", word, "--dir", folder / "many", "--url", server.url(database)]
        return command(bench.binary, *words, env=vaxdb.environment, cwd=vaxdb.work)

    run("up")()
    for word in ("status", "verify", "lint"):
        bench.add(
            f"`migrate {word}` over {MANY:,} files",
            "s",
            measure(run(word, "nothing" if word == "lint" else "many")),
            commands=[f"build/vaxdb migrate {word} --dir many --url URL"],
        )


def run(bench):
    with laboratory() as (server, vaxdb, folder):
        few_files(bench, server, vaxdb, folder)
        many_files(bench, server, vaxdb, folder)
