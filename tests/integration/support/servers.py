"""Real PostgreSQL servers for tests: Debian's 15, and the other majors from npm.

A Server is a child of the test process, without pg_ctl in between: it ends with the tests however
they end. PostgreSQL refuses root, so run by root it belongs to the user `postgres`.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import psycopg

MAJORS = (13, 14, 15, 16, 17, 18)
DEBIAN_MAJOR = 15
PASSWORD = "p@ss/word 1"  # must survive quoting in URLs, conninfo strings and .pgpass

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "512MB",
    "min_wal_size": "32MB",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "pg_stat_statements",
    "log_line_prefix": "%m [%p] %q%a %u@%d ",
    "timezone": "UTC",
}


@lru_cache
def npm_folder():
    """What servers.sh installs: the servers of other majors, and dbmate."""
    script = Path(__file__).parents[2] / "servers.sh"
    done = subprocess.run([str(script)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("the packages from npm could not be installed (see above)")
    return Path(done.stdout.strip())


def bindir(major):
    """Folder of the server's programs; a missing one is an error, never a skipped test."""
    if major == DEBIAN_MAJOR:
        folder = Path(f"/usr/lib/postgresql/{major}/bin")
    else:
        folder = npm_folder() / f"node_modules/postgresql-{major}/native/bin"
    if not (folder / "postgres").exists():
        raise RuntimeError(f"PostgreSQL {major} is missing in {folder}: ./run test installs it")
    return folder


def server_user():
    """Who servers run as: None for the caller, `postgres` when that is root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def as_user(user):
    """Arguments for subprocess that start a child as user (None: the caller)."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_with_parent():
    """Runs in the child: a fast shutdown when the test process dies, even by SIGKILL."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


def clean_environment():
    """The environment of children: nothing of the developer's own that steers PostgreSQL."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DB_", "VAXDB_", "AWS_"))}
    kept.pop("BACKUP_BUCKET", None)
    kept.setdefault("LC_ALL", "C.UTF-8")
    return kept


class Server:
    """One cluster in a folder of its own. Superuser `postgres`, password PASSWORD."""

    def __init__(self, folder, major=DEBIAN_MAJOR, settings=None, wal_segment_mib=1):
        self.folder = Path(folder)
        self.wal_segment_mib = wal_segment_mib  # PostgreSQL's own default is 16
        self.major = major
        self.bindir = bindir(major)
        self.settings = {**SETTINGS, **(settings or {})}
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.host = "127.0.0.1"
        self.port = None
        self.superuser = "postgres"
        self.password = PASSWORD
        self._process = None

    def create(self):
        self.folder.mkdir(mode=0o755)
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        if server_user():
            shutil.chown(self.folder, server_user().pw_uid, server_user().pw_gid)
            shutil.chown(password_file, server_user().pw_uid)
        # fmt: off
        arguments = [
            self.bindir / "initdb", "-D", self.data, "-U", self.superuser, "-A", "scram-sha-256",
            f"--pwfile={password_file}", "--no-sync", f"--wal-segsize={self.wal_segment_mib}",
            "-E", "UTF8", "--locale=C.UTF-8",
        ]
        # fmt: on
        done = subprocess.run(
            list(map(str, arguments)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=clean_environment(),
            text=True,
            check=False,
            **as_user(server_user()),
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb of PostgreSQL {self.major} failed:\n{done.stdout}")
        return self

    def start(self, timeout_s=60):
        """Starts it and waits until it answers; on the port it had, else on a free one."""
        assert not self.is_running()
        for _ in range(3):  # a free port may be taken by another before the server binds it
            port = self.port or free_port()
            self._spawn(port)
            if self._wait_until_ready(port, timeout_s):
                self.port = port
                return self
            if self.port or "could not bind" not in self.log.read_text(errors="replace"):
                break
        tail = self.log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"PostgreSQL {self.major} did not start:\n{tail}")

    def _spawn(self, port):
        settings = {**self.settings, "port": port, "unix_socket_directories": self.folder}
        flags = [f"-c{name}={value}" for name, value in settings.items()]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [str(self.bindir / "postgres"), "-D", str(self.data), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=clean_environment(),
                start_new_session=True,
                preexec_fn=end_with_parent,
                **as_user(server_user()),
            )

    def _wait_until_ready(self, port, timeout_s):
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if self._process.poll() is not None:
                return False
            try:
                psycopg.connect(self.url(port=port), connect_timeout=5).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.02)
        self.kill()
        return False

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    def stop(self, how=signal.SIGINT):
        """Fast shutdown; SIGTERM is smart, SIGQUIT immediate. Stopped already is fine."""
        if not self.is_running():
            return
        self._process.send_signal(how)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        """As a power cut: the postmaster and every backend are gone at once."""
        if self.is_running():
            # The children notice that the postmaster has died, but only in their own time.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for child in _members_of_session(self._process.pid):
                _kill_quietly(child)

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def url(self, dbname="postgres", user=None, password=None, port=None):
        """postgresql://... by loopback, with the password."""
        name = quote(user or self.superuser, safe="")
        word = quote(self.password if password is None else password, safe="")
        return f"postgresql://{name}:{word}@{self.host}:{port or self.port}/{quote(dbname, safe='')}"

    def environment(self, dbname="postgres"):
        """PG* variables with which psql, pg_dump and the like reach it."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.superuser,
            "PGPASSWORD": self.password,
            "PGDATABASE": dbname,
        }

    def connect(self, dbname="postgres", autocommit=True, **more):
        return psycopg.connect(self.url(dbname), autocommit=autocommit, **more)

    def execute(self, sql, parameters=None, dbname="postgres"):
        """Runs one statement on a connection of its own; the rows, if it gives any."""
        with self.connect(dbname) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else None


def _members_of_session(session):
    """Processes of a session: PostgreSQL's backends make process groups of their own in it."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            yield int(entry)


def _kill_quietly(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Database:
    """One database of a server."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    @property
    def url(self):
        return self.server.url(self.name)

    @property
    def environment(self):
        return self.server.environment(self.name)

    def create(self):
        self.server.execute(f'CREATE DATABASE "{self.name}" TEMPLATE template0')
        return self

    def drop(self):
        self.server.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def connect(self, autocommit=True, **more):
        return self.server.connect(self.name, autocommit, **more)

    def execute(self, sql, parameters=None):
        """Runs one statement on a connection of its own; the rows, if it gives any."""
        return self.server.execute(sql, parameters, self.name)

    def scalar(self, sql, parameters=None):
        """The one value that a query gives."""
        ((value,),) = self.execute(sql, parameters)
        return value
