"""The VaxTrace database for tests: its migrations by plain psql, and its queries."""

import re
import subprocess
from pathlib import Path

from .servers import clean_environment

ROOT = Path(__file__).parents[3]
MIGRATIONS = ROOT / "backend/database/migrations"
QUERIES = ROOT / "backend/database/queries"
NAMES = ("001_initial_schema", "002_performance_indexes", "003_advanced_indexes")


def run_file(database, path):
    """As the guide does it: psql -f, stopping at the first error."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(path)],
        env={**clean_environment(), **database.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def migrate(database, names=NAMES):
    for name in names:
        run_file(database, MIGRATIONS / f"{name}.sql")


def roll_back(database, names=NAMES):
    for name in reversed(names):
        run_file(database, MIGRATIONS / f"{name}.down.sql")


def run_query(connection, path):
    """Binds the parameters of a query as its file says and runs it; its rows."""
    text = path.read_text()
    values = []
    for _, bind in re.findall(r"^-- bind \$(\d+): (.*)$", text, re.M):
        row = connection.execute(bind).fetchone()
        values.append("NULL" if row is None or row[0] is None else f"'{row[0]}'")
    connection.execute(f"PREPARE query AS {text}")
    try:
        arguments = f"({', '.join(values)})" if values else ""
        return connection.execute(f"EXECUTE query {arguments}").fetchall()
    finally:
        connection.execute("DEALLOCATE query")
