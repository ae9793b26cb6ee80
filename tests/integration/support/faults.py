"""Migration runs that are ended early, in every way there is, and what must hold after each.

A folder of steps of all kinds; every fault falls somewhere into an up or a down over it. Then
`status` must tell what the catalogue shows, and the next run goes on; in the end schema and data are
as if nothing had happened."""

import os
import signal
import subprocess
import time

import psycopg

from .migrations import Project
from .waiting import wait_until
from .wire import HOW, Wire

NAMES = [f"{number:03}_step" for number in range(1, 25)]
SESSIONS = "application_name = 'vaxdb migrate' AND datname = current_database()"


def in_transaction(n):
    rows = "".join(f"{row}\tx;{row}\n" for row in range(40))
    up = (
        f"CREATE TABLE t{n} (id int PRIMARY KEY, v text);\nCOPY t{n} FROM STDIN;\n{rows}\\.\n"
        f"CREATE FUNCTION f{n}() RETURNS int BEGIN ATOMIC SELECT count(*) FROM t{n}; END;\n"
        f"INSERT INTO log VALUES ({n});\nALTER TABLE t{n} ADD COLUMN w int DEFAULT {n};\n"
    )
    down = f"DROP FUNCTION f{n};\nDROP TABLE t{n};\nDELETE FROM log WHERE n = {n};\n"
    return up, down


def together(n):
    """Small enough for one message."""
    up = f"CREATE TABLE t{n} (id int PRIMARY KEY);\nINSERT INTO log VALUES ({n});\n"
    return up, f"DROP TABLE t{n};\nDELETE FROM log WHERE n = {n};\n"


def concurrently(n):
    unless = "IF NOT EXISTS " if n % 2 else ""
    up = (
        f"CREATE INDEX CONCURRENTLY {unless}big_a{n} ON big (a);\n"
        f"SET maintenance_work_mem = '8MB';\nCREATE UNIQUE INDEX CONCURRENTLY big_u{n} ON big (id);\n"
    )
    down = (
        f"DROP INDEX CONCURRENTLY IF EXISTS big_u{n};\nDROP INDEX CONCURRENTLY IF EXISTS big_a{n};\n"
    )
    return up, down


def annotated(n):
    up = (
        f"-- migrate:transaction none\nCREATE TABLE n{n} (id int);\n"
        f"INSERT INTO log VALUES ({n}); -- exactly once\n"
        f"CREATE INDEX CONCURRENTLY n{n}_id ON n{n} (id);\n"
        f"BEGIN;\nINSERT INTO log VALUES ({n} + 100);\nINSERT INTO log VALUES ({n} + 200);\nCOMMIT;\n"
        f"VACUUM n{n};\nREINDEX TABLE CONCURRENTLY n{n};\nALTER TABLE n{n} ADD COLUMN done int;\n"
    )
    down = f"DROP TABLE IF EXISTS n{n};\nDELETE FROM log WHERE n % 100 = {n};\n"
    return up, down


def dropping(n):
    up = f"DROP INDEX CONCURRENTLY big_a{n - 1};\nALTER SYSTEM RESET work_mem;\n"
    return up, f"CREATE INDEX CONCURRENTLY IF NOT EXISTS big_a{n - 1} ON big (a);\n"


KINDS = [in_transaction, concurrently, together, annotated, in_transaction]

# What must be there when a step is applied; none of it may be there when it is pending.
MARKS = {
    in_transaction: ["t{n}", "t{n}_pkey"],
    together: ["t{n}", "t{n}_pkey"],
    concurrently: ["big_u{n}"],
    annotated: ["n{n}", "n{n}_id"],
    dropping: [],
}
IN_TRANSACTION = {in_transaction, together}


def steps():
    """One kind a step; the first makes what the others use."""
    chosen = {}
    for n in range(2, len(NAMES) + 1):
        before = chosen.get(n - 1)
        chosen[n] = dropping if before is concurrently and n % 3 == 0 else KINDS[n % 5]
    return chosen


STEPS = steps()


def fill(project, kinds):
    """kinds: the kind of each step by its number, from 2."""
    project.write(
        f"{NAMES[0]}.sql",
        "CREATE TABLE log (n int); CREATE TABLE big (id int, a int);"
        "INSERT INTO big SELECT i, i % 100 FROM generate_series(1, 3000) AS i;",
    )
    for n, kind in kinds.items():
        up, down = kind(n)
        if n % 4 == 0:  # both in one file
            text = f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"
            project.write(f"{NAMES[n - 1]}.sql", text)
        else:
            project.pair(NAMES[n - 1], up, down)


def picture(project):
    return project.fingerprint(), project.query("SELECT n FROM log ORDER BY n")


def check_status(project, kinds):
    """`status` must tell what the catalogue shows. The states of the steps, and is a down half done?"""
    status = project.ok("status", "--json").json
    assert status["running"] is None
    rows = {row["name"]: row for row in status["migrations"]}
    there = {
        name
        for (name,) in project.query(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
    }
    _check_invalid(project, status)
    half_down = False
    states = []
    for n, kind in kinds.items():
        row = rows[f"{NAMES[n - 1]}.sql"]
        marks = [mark.format(n=n) in there for mark in MARKS[kind]]
        states.append(row["state"])
        if row["state"] == "applied":
            assert all(marks), row
        elif row["state"] == "pending":
            assert not any(marks), row
        else:
            assert row["state"] == "partial" and kind not in IN_TRANSACTION, row
            half_down = row["direction"] == "down"
    order = ["applied", "partial", "pending"]
    assert states == sorted(states, key=order.index)
    assert states.count("partial") <= 1
    return states, half_down


def _check_invalid(project, status):
    """An INVALID index is named, with the file that left it."""
    invalid = {
        name
        for (name,) in project.query(
            "SELECT relname FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
            "WHERE NOT indisvalid AND relnamespace = 'public'::regnamespace"
        )
    }
    named = {one["index"].split(".")[-1].strip('"') for one in status["invalid_indexes"]}
    assert named == invalid, status
    assert all(one["migration"] for one in status["invalid_indexes"]), status


class Disturbed:
    """A project whose runs are ended early, over as many databases as it takes."""

    def __init__(self, vaxdb, new_database, server, chance):
        self.vaxdb = vaxdb
        self.chance = chance
        self.server = server
        self.seen = set()
        self.faults = {}
        self._new_database = new_database
        self._next = ("up",)
        self.project = Project(vaxdb, new_database(server=server))
        self.wire = Wire(server)
        fill(self.project, STEPS)
        started = time.monotonic()
        self.vaxdb.ok("migrate", "up", "--url", self.wire.url(self.project.database))
        self.seconds = time.monotonic() - started
        self.patience = self.seconds * 0.35
        self.messages = self.wire.messages
        self.wanted = picture(self.project)
        self.begin()

    def begin(self):
        self.project.database.drop()
        self.project.database = self._new_database(server=self.server)

    # ---- what ends runs ----

    def _wait(self, process, seconds=None):
        """Is it still running then?"""
        try:
            process.wait(self.chance.uniform(0, self.patience) if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def killed_runner(self, process):
        if self._wait(process):
            process.send_signal(signal.SIGKILL)

    def interrupted(self, process):
        if self._wait(process):
            process.send_signal(self.chance.choice([signal.SIGINT, signal.SIGTERM]))

    def _wait_for_session(self, process):
        """The run must have come as far as that for its sessions to be ended."""
        wait_until(lambda: process.poll() is not None or self._sessions())
        self._wait(process)

    def _sessions(self):
        found = self.project.query(f"SELECT pid FROM pg_stat_activity WHERE {SESSIONS}")
        return [pid for (pid,) in found]

    def terminated_session(self, process):
        """One of the two connections, or both."""
        self._wait_for_session(process)
        some = self.chance.choice(["true", "true", "backend_start = first", "backend_start > first"])
        self.project.query(
            "SELECT pg_terminate_backend(pid) FROM (SELECT *, min(backend_start) OVER () AS first "
            f"FROM pg_stat_activity WHERE {SESSIONS}) AS sessions WHERE {some}"
        )

    def killed_backend(self, process):
        """The postmaster then ends all of them, and recovers."""
        self._wait_for_session(process)
        if pids := self._sessions():
            os.kill(self.chance.choice(pids), signal.SIGKILL)
            wait_until(self._answers)

    def killed_server(self, process):
        self._wait(process)
        self.server.kill()
        self._wait(process, 5)
        self.server.start()

    def cut_network(self, process):
        """At any message; the run was started through the wire."""
        self._wait(process, 60)
        self.wire.mend()

    def _answers(self):
        try:
            self.project.value("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    # ---- one fault ----

    def _start(self, fault):
        command, *arguments = self._next
        if fault != self.cut_network:
            return self.project.start(command, *arguments)
        most = max(2, int(self.messages * 0.35))
        self.wire.cut_at(self.chance.randint(1, most), self.chance.choice(HOW))
        url = self.wire.url(self.project.database)
        return self.vaxdb.start("migrate", command, *arguments, "--url", url)

    def strike(self, fault, rivals=0):
        """Starts a run, and rivals beside it, and lets the fault fall into it; was it one?"""
        before = self.states() if fault == self.killed_runner else None
        others = [self.project.start("up") for _ in range(rivals)] if self._next[0] == "up" else []
        process = self._start(fault)
        fault(process)
        statuses = [self._end(one) for one in [process, *others]]
        self.wait_until_quiet()
        states = self.check_status()
        ended_early = any(status != 0 for status in statuses)
        if ended_early:
            self.faults[fault.__name__] = self.faults.get(fault.__name__, 0) + 1
        if fault == self.killed_runner and statuses[0] == 0:
            self.patience = max(self.patience * 0.8, self.seconds * 0.02)
        elif states == before:
            self.patience *= 1.1
        self._choose(states)
        return ended_early

    def _end(self, process):
        outcome = self.vaxdb.finish(process)
        # A signal in the first moment of the program finds no handler yet.
        signals = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
        assert outcome.status in (0, 1, 5, 130, *signals), outcome
        return outcome.status

    def _choose(self, states):
        """What the next run does: mostly on, sometimes back. A half-done down is gone on with."""
        if self._half_down:
            self._next = ("down",)
        elif states[-1] == "applied" and self.chance.random() < 0.5:
            self.finish()
        elif states[-1] == "applied" or (states[0] != "pending" and self.chance.random() < 0.15):
            done = len([state for state in states if state != "pending"])
            self._next = ("down", str(self.chance.randint(1, done)))
        else:
            self._next = ("up",)

    # ---- what must hold ----

    def wait_until_quiet(self):
        """A statement that was under way may still end; status says so."""
        wait_until(lambda: not self._sessions())

    def states(self):
        return list(self.project.states().values())[1:]

    def check_status(self):
        states, self._half_down = check_status(self.project, STEPS)
        self.seen.update(states)
        return states

    def finish(self):
        """The next runs go on to the end; a new database for what follows."""
        if self._next[0] == "down" and self._half_down:
            self.project.ok("down")
        self.project.ok("up")
        assert set(self.project.states().values()) == {"applied"}
        assert self.project.ok("verify", "--json").json["drift"]["state"] == "none"
        assert picture(self.project) == self.wanted
        self._next = ("up",)
        self._half_down = False
        self.begin()
