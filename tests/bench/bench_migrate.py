"""300 small files (a table, an index and a comment each) from nothing. Beside it psql runs the same
files: in one session, which is what the server alone costs, and as scripts do it, one psql a file.
psql keeps no ledger, takes no lock and checks nothing."""

from bench import command, measure
from servers import laboratory

TITLE = "Migrations"
FILES = 300
PSQL = "/usr/lib/postgresql/15/bin/psql"


def write_files(folder):
    folder.mkdir()
    for number in range(1, FILES + 1):
        name = f"table_{number:03}"
        (folder / f"{number:03}_{name}.sql").write_text(
            f"CREATE TABLE {name} (id bigint PRIMARY KEY, name text NOT NULL, at timestamptz);\n"
            f"CREATE INDEX {name}_at ON {name} (at);\n"
            f"COMMENT ON TABLE {name} IS 'number {number}';\n"
        )
        (folder / f"{number:03}_{name}.down.sql").write_text(f"DROP TABLE {name};\n")
    return sorted(path for path in folder.iterdir() if not path.name.endswith(".down.sql"))


def run(bench):
    with laboratory() as (server, vaxdb, folder):
        files = write_files(folder / "migrations")

        def empty():
            server.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            server.execute("CREATE DATABASE bench")

        url = server.url("bench")
        up = [bench.binary, "migrate", "up", "--dir", folder / "migrations", "--url", url]
        psql = [PSQL, "-qX", "-v", "ON_ERROR_STOP=1"]
        options = [part for path in files for part in ("-f", path)]
        each = f'for file in "$@"; do {" ".join(psql)} -1 -f "$file" || exit 1; done'
        environment = server.environment("bench")
        ours = measure(command(*up, env=vaxdb.environment, cwd=vaxdb.work), before=empty)
        once = measure(command(*psql, *options, env=environment), before=empty)
        often = measure(command("sh", "-c", each, "sh", *files, env=environment), before=empty)
        what = f"`migrate up` of {FILES} files"
        commands = [
            "build/vaxdb migrate up --dir migrations --url URL",
            "psql -f 001.sql -f 002.sql ...",
            'for file in migrations/*.sql; do psql -1 -f "$file"; done',
        ]
        bench.add(what, "s", ours, once, "one psql for all", commands=commands)
        bench.add(what, "s", ours, often, "one psql a file")
