"""The script that migrated databases before vaxdb: every file of the folder in the order of its name,
downs too, by a psql that goes on after errors, and each listed as applied."""

import hashlib
import subprocess


def earlier_script(project):
    project.database.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (id SERIAL PRIMARY KEY, name VARCHAR(255) "
        "NOT NULL UNIQUE, checksum VARCHAR(64) NOT NULL, applied_at TIMESTAMP NOT NULL DEFAULT "
        "now())"
    )
    listed = dict(project.query("SELECT name, checksum FROM schema_migrations"))
    for path in sorted(project.folder.glob("*.sql")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if listed.get(path.name) == digest:
            continue
        subprocess.run(
            ["psql", "-X", "-q", "-d", project.database.url, "-f", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
        project.database.execute(
            f"INSERT INTO schema_migrations (name, checksum) VALUES ('{path.name}', '{digest}') ON "
            "CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()"
        )
