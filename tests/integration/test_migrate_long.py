"""Statements that take long: how far they are, whom they wait for, and what is left when they are
interrupted."""

import os
import pty
import re
import select
import signal
import subprocess
import termios

import pytest
from support.migrations import Project
from support.waiting import wait_until

# An index over slow(id) takes more than a second: 100 pages of one row each.
SLOW_TABLE = """
CREATE TABLE big (id int, filler char(5000)) WITH (fillfactor = 10);
ALTER TABLE big ALTER filler SET STORAGE PLAIN;
INSERT INTO big SELECT i, 'x' FROM generate_series(1, 100) AS i;
CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM pg_sleep(0.01); RETURN n; END';
"""
BUILD = "CREATE INDEX CONCURRENTLY big_slow ON big (slow(id));\n"
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase ~ '^building'"


@pytest.fixture
def project(vaxdb, database):
    project = Project(vaxdb, database)
    project.write("001_big.sql", SLOW_TABLE)
    project.ok("up")
    return project


def read_until(process, pattern):
    """Lines of stderr up to the one that pattern is found in."""
    lines = []
    while not lines or not re.search(pattern, lines[-1]):
        line = process.stderr.readline()
        assert line, "".join(lines)
        lines.append(line)
    return "".join(lines)


# ---- how far ------------------------------------------------------------------------------------


def test_a_build_says_how_far_it_is(vaxdb, any_database):
    project = Project(vaxdb, any_database)
    project.write("001_big.sql", SLOW_TABLE)
    project.write("002_index.sql", BUILD)
    done = project.ok("up")
    assert re.search(
        r"big_slow: building index: scanning table: \d+ of 100 blocks, \d+ blocks/s, [<\d.]+ m?s left",
        done.stderr,
    ), done


def test_quiet_says_nothing(project):
    project.write("002_index.sql", BUILD)
    assert project.ok("up", "-q").stderr == ""


def test_a_terminal_gets_a_bar_that_is_taken_away(project):
    project.write("002_index.sql", BUILD)
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 70))  # too narrow for the bar, the label and the figures
    command = [str(project.vaxdb.binary), "migrate", "up", "--url", project.database.url]
    with subprocess.Popen(
        command,
        cwd=project.vaxdb.work,
        env=project.vaxdb.environment,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                select.select([master], [], [])
                part = os.read(master, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            shown += part
    os.close(master)
    assert process.returncode == 0, shown
    text = shown.decode()
    lines = re.findall(r"\r([^\r\n]*?)\x1b\[K", text)
    assert re.search(r"big_slow.*: \d+ of 100 blocks, \d+ blocks/s", text), text
    assert lines and max(map(len, lines)) < 70, lines
    assert text.rstrip().endswith("completed"), text


def test_the_rate_is_that_of_the_build_alone(project):
    """Not of the wait before it, in which what an earlier run left was removed."""
    project.write("002_index.sql", BUILD)
    interrupt_build(project, signal.SIGINT)
    with project.database.connect() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM big")
        process = project.start("up")
        said = read_until(process, f"process {reader.info.backend_pid} ")
        assert "Removing the INVALID index" in said
        reader.execute("COMMIT")
    outcome = project.vaxdb.finish(process)
    rates = re.findall(r"of 100 blocks, (\d+) blocks/s", outcome.stderr)
    assert outcome.status == 0 and rates, outcome
    assert all(0 < int(rate) < 200 for rate in rates), outcome


# ---- who blocks ---------------------------------------------------------------------------------


def test_blockers_are_named_and_again_when_they_change(project):
    project.database.execute("CREATE TABLE other ()")
    project.write("002_a.sql", "LOCK TABLE big; CREATE TABLE a (); LOCK TABLE other;")
    with project.database.connect() as first, project.database.connect() as second:
        first.execute("SET application_name = 'the first'")
        first.execute("BEGIN; LOCK TABLE big IN SHARE MODE")
        second.execute("BEGIN; LOCK TABLE other")
        process = project.start("up", "--lock-timeout", "1min")
        said = read_until(process, f"process {first.info.backend_pid} ")
        assert "002_a.sql: waiting for a lock" in said
        line = said.splitlines()[-1]
        assert "(the first, user postgres, idle in transaction, for " in line
        assert line.endswith("BEGIN; LOCK TABLE big IN SHARE MODE")
        first.execute("COMMIT")
        said = read_until(process, f"process {second.info.backend_pid} ")
        assert f"process {first.info.backend_pid} " not in said
        second.execute("COMMIT")
    assert project.vaxdb.finish(process).status == 0


def test_a_lock_timeout_names_who_had_it(project):
    project.write("002_a.sql", "ALTER TABLE big ADD COLUMN a int")
    with project.database.connect() as blocker:
        blocker.execute("SET application_name = 'a report'; BEGIN; SELECT count(*) FROM big")
        pid = blocker.info.backend_pid
        said = project.fails(1, "up", "--lock-timeout", "200ms", "-q").stderr
    hint = said[said.index("the lock is held by") :]
    assert f"process {pid} (a report, user postgres, idle in tr" in hint
    assert "SELECT count(*) FROM big" in hint
    assert "--lock-timeout 1min" in hint
    assert "nothing of 002_a.sql was kept" in hint


def test_a_build_that_waits_for_an_old_snapshot_names_it(project):
    project.write("002_index.sql", BUILD.replace("slow(id)", "id"))
    with project.database.connect() as reader:
        reader.execute("SET application_name = 'a long report'")
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        process = project.start("up")
        said = read_until(process, f"process {reader.info.backend_pid} ")
        assert "002_index.sql: waiting for old snapshots:" in said
        assert "(a long report, user postgres, idle in transaction, for " in said
        reader.execute("COMMIT")
    assert project.vaxdb.finish(process).status == 0


# ---- what is left -------------------------------------------------------------------------------


def interrupt_build(project, number):
    process = project.start("up")
    wait_until(lambda: project.value(BUILDING) == 1)
    process.send_signal(number)
    outcome = project.vaxdb.finish(process, timeout_s=20)
    assert outcome.status == 130, outcome
    return outcome


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_is_mentioned_until_it_is_mended(project, number):
    project.write("002_index.sql", BUILD)
    said = interrupt_build(project, number).stderr
    assert project.value(BUILDING) == 0
    assert 'the index "public"."big_slow" is INVALID now' in said
    assert "`vaxdb migrate up` removes it and builds it anew" in said
    assert "DROP INDEX CONCURRENTLY" in said

    status = project.ok("status")
    assert "big_slow" in status.stderr and "left by 002_index.sql" in status.stderr
    (invalid,) = project.ok("status", "--json").json["invalid_indexes"]
    assert invalid["migration"] == "002_index.sql" and "big_slow" in invalid["index"]
    findings = project.fails(4, "verify", "--json").json["findings"]
    assert [one["problem"] for one in findings] == ["partial", "invalid"]

    project.ok("up")
    assert project.value("SELECT bool_and(indisvalid) FROM pg_index")
    assert project.ok("status", "--json").json["invalid_indexes"] == []
    project.ok("verify")


def test_an_invalid_unique_index_is_mentioned_after_its_failure(project):
    project.database.execute("INSERT INTO big VALUES (1, 'again')")
    project.write("002_index.sql", "CREATE UNIQUE INDEX CONCURRENTLY big_id ON big (id);\n")
    said = project.fails(1, "up").stderr
    assert "is INVALID now" in said and "big_id" in said


def test_an_interrupted_drop_is_mentioned(project):
    project.database.execute("CREATE INDEX big_id ON big (id)")
    project.write("002_drop.sql", "DROP INDEX CONCURRENTLY big_id;\n")
    with project.database.connect() as reader:
        reader.execute("BEGIN; SELECT count(*) FROM big")
        process = project.start("up")
        read_until(process, f"process {reader.info.backend_pid} ")
        process.send_signal(signal.SIGINT)
        outcome = project.vaxdb.finish(process, timeout_s=20)
    assert outcome.status == 130
    assert "is INVALID now: `vaxdb migrate up` drops it for good" in outcome.stderr
    (invalid,) = project.ok("status", "--json").json["invalid_indexes"]
    assert invalid["migration"] == "002_drop.sql"
    project.ok("up")
    assert not project.exists("big_id")


def test_an_invalid_index_of_somebody_else_is_mentioned(project):
    project.database.execute("INSERT INTO big VALUES (1, 'again')")
    with pytest.raises(Exception, match="could not create unique index"):
        project.database.execute("CREATE UNIQUE INDEX CONCURRENTLY theirs ON big (id)")
    (invalid,) = project.ok("status", "--json").json["invalid_indexes"]
    assert invalid["migration"] is None
    assert "REINDEX INDEX CONCURRENTLY" in invalid["message"]


def test_an_index_that_is_being_built_is_not_called_invalid(project):
    project.write("002_index.sql", BUILD)
    process = project.start("up")
    wait_until(lambda: project.value(BUILDING) == 1)
    status = project.ok("status", "--json").json
    assert status["running"] and status["invalid_indexes"] == []
    assert project.vaxdb.finish(process).status == 0
