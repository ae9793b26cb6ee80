"""A folder of migrations and a database to run them on."""

import hashlib

FINGERPRINT = """
SELECT 'column', attrelid::regclass::text || '.' || attname,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  AND relkind IN ('r', 'v', 'p') AND relname NOT LIKE 'schema_migrations%'
UNION ALL
SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisvalid
FROM pg_index JOIN pg_class c ON c.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'schema_migrations%'
UNION ALL
SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
  AND conrelid::regclass::text NOT LIKE 'schema_migrations%'
UNION ALL
SELECT 'function', oid::regprocedure::text, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'enum', t.typname, string_agg(enumlabel, ',' ORDER BY enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid GROUP BY t.typname
ORDER BY 1, 2, 3
"""


class Project:
    def __init__(self, vaxdb, database):
        self.vaxdb = vaxdb
        self.database = database
        self.folder = vaxdb.work / "backend/database/migrations"
        self.folder.mkdir(parents=True)

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def pair(self, stem, up, down):
        self.write(f"{stem}.sql", up)
        self.write(f"{stem}.down.sql", down)

    def _arguments(self, command, arguments):
        return ["migrate", command, "--url", self.database.url, *arguments]

    def run(self, command, *arguments, **more):
        return self.vaxdb(*self._arguments(command, arguments), **more)

    def ok(self, command, *arguments, **more):
        return self.vaxdb.ok(*self._arguments(command, arguments), **more)

    def fails(self, status, command, *arguments, **more):
        return self.vaxdb.fails(status, *self._arguments(command, arguments), **more)

    def start(self, command, *arguments, **more):
        return self.vaxdb.start(*self._arguments(command, arguments), **more)

    def applied(self, *arguments, **more):
        return self.ok("up", "--json", *arguments, **more).json["applied"]

    def states(self):
        status = self.ok("status", "--json").json
        return {row["name"]: row["state"] for row in status["migrations"]}

    def query(self, sql):
        with self.database.connect() as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql):
        return self.query(sql)[0][0]

    def exists(self, name):
        return self.value(f"SELECT to_regclass('{name}') IS NOT NULL")

    def ledger(self):
        return [name for (name,) in self.query("SELECT name FROM schema_migrations ORDER BY id")]

    def fingerprint(self):
        return self.query(FINGERPRINT)


def checksum(text):
    return hashlib.sha256(text.encode()).hexdigest()
