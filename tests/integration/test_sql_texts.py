"""Every text of src/pg/sql prepares on each major that it names."""

import os
import re
from pathlib import Path

import pytest
from support.servers import DEBIAN_MAJOR, MAJORS, Database

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src/pg/sql"
SCHEMA = ROOT / "backend/database/migrations/001_initial_schema.sql"
TEXTS = sorted(FOLDER.glob("*.sql"))


def majors_of(path):
    first, last = re.match(r"-- majors: (\d+)-(\d+)\n", path.read_text()).groups()
    return range(int(first), int(last) + 1)


def prepare(connection, text):
    """Parse without Execute, as libpq does it: parameters need no types."""
    result = connection.pgconn.prepare(b"", text.encode())
    return result.error_message.decode()


@pytest.fixture(scope="module")
def connection(any_server):
    """To a database with the tables of VaxTrace: the tour's texts name them."""
    database = Database(any_server, f"texts_{os.getpid()}").create()
    with database.connect() as opened:
        opened.execute(SCHEMA.read_text())
        yield opened
    database.drop()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_prepares_on_each_major_it_names(path, any_server, connection):
    if any_server.major not in majors_of(path):
        return  # nothing is promised there
    text = path.read_text()
    needs = re.search(r"^-- needs: (\w+)$", text, re.M)
    if needs:
        name = needs[1]
        available = connection.execute(
            "SELECT FROM pg_available_extensions WHERE name = %s", [name]
        ).fetchone()
        if available is None and any_server.major != DEBIAN_MAJOR:
            pytest.skip(f"PostgreSQL {any_server.major} has no {name} here")
        connection.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
    assert prepare(connection, text) == ""


def test_every_major_has_some_texts():
    assert TEXTS
    for major in MAJORS:
        assert any(major in majors_of(path) for path in TEXTS)


def test_a_wrong_text_is_noticed(server):
    with server.connect() as connection:
        assert "no_such_column" in prepare(connection, "SELECT no_such_column FROM pg_class")
        assert prepare(connection, "SELECT relname FROM pg_class WHERE relname = $1") == ""
