"""Kills at any moment: `status` stays true, the next `up` goes on, and the schema ends up as if
nothing had happened.

$VAXDB_KILLS sets how many kills the long test does (100).
"""

import os
import random
import signal
import subprocess
import time

import pytest
from support.migrations import Project

KILLS = int(os.environ.get("VAXDB_KILLS", "100"))
SEED = int(os.environ.get("VAXDB_KILL_SEED", random.randrange(10**6)))
NAMES = [f"{number:03}_step" for number in range(1, 41)]


def in_transaction(n):
    rows = "".join(f"{row}\tx;{row}\n" for row in range(40))
    return (
        f"CREATE TABLE t{n} (id int PRIMARY KEY, v text);\nCOPY t{n} FROM STDIN;\n{rows}\\.\n"
        f"CREATE FUNCTION f{n}() RETURNS int BEGIN ATOMIC SELECT count(*) FROM t{n}; END;\n"
        f"INSERT INTO log VALUES ({n});\nALTER TABLE t{n} ADD COLUMN w int DEFAULT {n};\n"
    )


def concurrently(n):
    unless = "IF NOT EXISTS " if n % 2 else ""
    return (
        f"CREATE INDEX CONCURRENTLY {unless}big_a{n} ON big (a);\n"
        f"SET maintenance_work_mem = '8MB';\nCREATE UNIQUE INDEX CONCURRENTLY big_u{n} ON big (id);\n"
    )


def annotated(n):
    return (
        f"-- migrate:transaction none\nCREATE TABLE n{n} (id int);\n"
        f"INSERT INTO log VALUES ({n}); -- exactly once\n"
        f"CREATE INDEX CONCURRENTLY n{n}_id ON n{n} (id);\n"
        f"BEGIN;\nINSERT INTO log VALUES ({n} + 100);\nINSERT INTO log VALUES ({n} + 200);\nCOMMIT;\n"
        f"VACUUM n{n};\nREINDEX TABLE CONCURRENTLY n{n};\nALTER TABLE n{n} ADD COLUMN done int;\n"
    )


def dropping(n):
    return f"DROP INDEX CONCURRENTLY big_a{n - 1};\nALTER SYSTEM RESET work_mem;\n"


KINDS = [in_transaction, concurrently, in_transaction, annotated, in_transaction]

# What must be there when a step is applied; none of it may be there when it is pending.
MARKS = {
    in_transaction: ["t{n}", "t{n}_pkey"],
    concurrently: ["big_u{n}"],
    annotated: ["n{n}", "n{n}_id"],
    dropping: [],
}


def kinds():
    """One kind a step; the first makes what the others use."""
    chosen = {}
    for n in range(2, len(NAMES) + 1):
        before = chosen.get(n - 1)
        chosen[n] = dropping if before is concurrently and n % 3 == 0 else KINDS[n % 5]
    return chosen


STEPS = kinds()


def fill(project):
    project.write(
        f"{NAMES[0]}.sql",
        "CREATE TABLE log (n int); CREATE TABLE big (id int, a int);"
        "INSERT INTO big SELECT i, i % 100 FROM generate_series(1, 3000) AS i;",
    )
    for n, kind in STEPS.items():
        project.write(f"{NAMES[n - 1]}.sql", kind(n))


def picture(project):
    return project.fingerprint(), project.query("SELECT n FROM log ORDER BY n")


class Disturbed:
    """A project whose runs are ended early, over as many databases as it takes."""

    def __init__(self, vaxdb, new_database, server):
        self.vaxdb = vaxdb
        self.new_database = new_database
        self.server = server
        self.project = Project(vaxdb, new_database(server=server))
        fill(self.project)
        started = time.monotonic()
        self.project.ok("up")
        self.seconds = time.monotonic() - started
        self.wanted = picture(self.project)
        self.begin()

    def begin(self):
        self.project.database.drop()
        self.project.database = self.new_database(server=self.server)

    def wait_until_quiet(self):
        """A statement that was under way may still end; status says so."""
        until = time.monotonic() + 20
        while self.project.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vaxdb migrate' "
            "AND datname = current_database()"
        ):
            assert time.monotonic() < until
            time.sleep(0.005)

    def check_status(self):
        status = self.project.ok("status", "--json").json
        assert status["running"] is None
        rows = {row["name"]: row for row in status["migrations"]}
        there = {
            name
            for (name,) in self.project.query(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            )
        }
        states = []
        for n, kind in STEPS.items():
            row = rows[f"{NAMES[n - 1]}.sql"]
            marks = [mark.format(n=n) in there for mark in MARKS[kind]]
            states.append(row["state"])
            if row["state"] == "applied":
                assert all(marks), row
            elif row["state"] == "pending":
                assert not any(marks), row
            else:
                assert row["state"] == "partial" and kind is not in_transaction, row
        order = ["applied", "partial", "pending"]
        assert states == sorted(states, key=order.index)
        assert states.count("partial") <= 1
        return states

    def finish(self):
        """The next up goes on to the end; a new database for what follows."""
        self.project.ok("up")
        assert set(self.project.states().values()) == {"applied"}
        assert picture(self.project) == self.wanted
        self.begin()


def kill_runners(disturbed, chance, count):
    """Kills so many runs, at random moments; the states that were seen. How long a run is left alone
    follows the machine: longer when the last one got nowhere, shorter when it came to its end."""
    kills, seen, before = 0, set(), None
    patience = disturbed.seconds * 0.35
    while kills < count:
        process = disturbed.project.start("up")
        try:
            process.wait(chance.uniform(0, patience))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        kills += process.returncode != 0
        disturbed.wait_until_quiet()
        seen.update(states := disturbed.check_status())
        if process.returncode == 0:
            patience *= 0.8
        elif states == before:
            patience *= 1.1
        before = states
        if states[-1] == "applied" or chance.random() < 0.05:
            disturbed.finish()
    disturbed.finish()
    return seen


@pytest.mark.slow
def test_random_kills_of_the_runner(vaxdb, new_database, server):
    disturbed = Disturbed(vaxdb, new_database, server)
    print(f"VAXDB_KILL_SEED={SEED}, an undisturbed run takes {disturbed.seconds:.2f} s")
    seen = kill_runners(disturbed, random.Random(SEED), KILLS)
    assert KILLS < 50 or seen == {"applied", "pending", "partial"}


def test_the_server_ends_the_sessions_of_the_run(vaxdb, new_database, server):
    disturbed = Disturbed(vaxdb, new_database, server)
    chance = random.Random(SEED)
    for _ in range(8):
        process = disturbed.project.start("up")
        time.sleep(chance.uniform(0, disturbed.seconds * 0.35))
        disturbed.project.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'vaxdb migrate' AND datname = current_database()"
        )
        outcome = vaxdb.finish(process)
        assert outcome.status in (0, 1, 5), outcome
        disturbed.wait_until_quiet()
        disturbed.check_status()
    disturbed.finish()


def test_the_server_is_killed(vaxdb, new_database, own_server):
    server = own_server()
    disturbed = Disturbed(vaxdb, new_database, server)
    chance = random.Random(SEED)
    for _ in range(5):
        process = disturbed.project.start("up")
        time.sleep(chance.uniform(0, disturbed.seconds * 0.35))
        server.kill()
        outcome = vaxdb.finish(process)
        assert outcome.status in (0, 1, 5), outcome
        server.start()
        disturbed.check_status()
    disturbed.finish()
