"""Fixtures of the integration tests.

    server          PostgreSQL 15, shared by the session: do not restart it or change its settings
    any_server      the same for every major: the test runs six times
    database        a fresh database of server (`.url`, `.execute(sql)`, `.connect()`), dropped after
    any_database    the same on every major
    new_database    a function that makes more of them: new_database("name", server=...)
    connection      an autocommit psycopg connection to database
    own_server      a function that starts servers of the test's own, to be killed or filled:
                    own_server(major=15, settings={"max_connections": "20"})
    vaxdb           the program, isolated: vaxdb("migrate", "status", "--json").json
    new_vaxdb       a function that makes more of them: new_vaxdb(user="postgres")
    scratch         a folder of the test's own that every user may pass through, with a short path

Servers, ports and folders are the test run's own; everything is gone after it.
"""

import itertools
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from support.place import fast_folder
from support.program import SANITIZER_STATUS, Vaxdb
from support.servers import DEBIAN_MAJOR, MAJORS, Database, Server

_numbers = itertools.count(1)


def pytest_configure():
    # A terminated run cleans up as one that was interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def base_folder():
    """Not pytest's own: that one is 0700, and servers run as another user; and sockets and state
    directories want a short path."""
    parent = os.environ.get("VAXDB_TEST_ROOT")  # ./run cleans up there whatever happens
    prefix = "" if parent else "vaxdb-test-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent or fast_folder()))
    folder.chmod(0o755)
    reports = folder / "sanitizer"
    reports.mkdir()
    reports.chmod(0o1777)
    options = f"log_path={reports}/report:exitcode={SANITIZER_STATUS}"
    os.environ["ASAN_OPTIONS"] = options
    os.environ["UBSAN_OPTIONS"] = f"{options}:print_stacktrace=1"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def sanitizer_reports(base_folder):
    """What a sanitizer said of any process, also of children whose stderr no test reads."""
    yield
    reports = sorted((base_folder / "sanitizer").iterdir())
    texts = [path.read_text(errors="replace") for path in reports]
    for path in reports:
        path.unlink()
    assert not texts, "\n".join(texts)


@pytest.fixture
def scratch(base_folder):
    folder = base_folder / f"scratch{next(_numbers)}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Servers:
    """The shared servers, each started when the first test wants it."""

    def __init__(self, folder):
        self._folder = folder
        self._running = {}

    def get(self, major):
        if major not in self._running:
            server = Server(self._folder / f"pg{major}", major).create()
            self._running[major] = server.start()
        server = self._running[major]
        assert server.is_running(), f"a test ended the shared PostgreSQL {major}"
        return server

    def close(self):
        for server in self._running.values():
            server.stop(signal.SIGQUIT)


@pytest.fixture(scope="session")
def servers(base_folder):
    shared = Servers(base_folder)
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def server(servers):
    return servers.get(DEBIAN_MAJOR)


@pytest.fixture(scope="session", params=MAJORS, ids=lambda major: f"pg{major}")
def any_server(request, servers):
    return servers.get(request.param)


@pytest.fixture
def new_database(request):
    made = []

    def create(name=None, server=None):
        server = server or request.getfixturevalue("server")
        database = Database(server, name or f"test_{os.getpid()}_{next(_numbers)}")
        database.create()
        made.append(database)
        return database

    yield create
    for database in made:
        if database.server.is_running():
            database.drop()


@pytest.fixture
def database(new_database, server):
    return new_database(server=server)


@pytest.fixture
def any_database(new_database, any_server):
    return new_database(server=any_server)


@pytest.fixture
def connection(database):
    with database.connect() as opened:
        yield opened


@pytest.fixture
def own_server(base_folder):
    made = []

    def create(major=DEBIAN_MAJOR, settings=None, start=True):
        server = Server(base_folder / f"own{next(_numbers)}", major, settings).create()
        made.append(server)
        return server.start() if start else server

    yield create
    for server in made:
        server.remove()


@pytest.fixture
def new_vaxdb(base_folder):
    made = []

    def create(user=None):
        program = Vaxdb(base_folder / f"vaxdb{next(_numbers)}", user)
        made.append(program)
        return program

    yield create
    for program in made:
        program.close()
        shutil.rmtree(program.folder, ignore_errors=True)


@pytest.fixture
def vaxdb(new_vaxdb):
    return new_vaxdb()
