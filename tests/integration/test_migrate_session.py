"""What a file does to its session is gone for the next one, however either of them is sent."""

import pytest
from support.migrations import Project

LEAK = """
CREATE TABLE leak{n} (id serial);
INSERT INTO leak{n} DEFAULT VALUES;
LISTEN somebody;
PREPARE kept AS SELECT 1;
DECLARE held CURSOR WITH HOLD FOR SELECT 1;
CREATE TEMP TABLE left_over ();
SELECT pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock_shared(8);
SET work_mem = '7MB';
SET my.own = 'x';
SET TIME ZONE 'Asia/Tokyo';
SET default_transaction_deferrable = on;
SET session_replication_role = replica;
SET search_path = '';
{last}
"""
WHO = ["SET ROLE pg_monitor;", "SET SESSION AUTHORIZATION pg_monitor;"]

CLEAN = """
DO $$
BEGIN
    ASSERT session_user = 'postgres', session_user;
    ASSERT current_user = 'postgres', current_user;
    ASSERT current_setting('search_path') = '"$user", public', 'search_path';
    ASSERT current_setting('work_mem') = '4MB', 'work_mem';
    ASSERT coalesce(current_setting('my.own', true), '') = '', 'my.own';
    ASSERT current_setting('TimeZone') = 'UTC', 'TimeZone';
    ASSERT current_setting('default_transaction_deferrable') = 'off', 'deferrable';
    ASSERT current_setting('session_replication_role') = 'origin', 'replication role';
    ASSERT NOT EXISTS (SELECT FROM pg_listening_channels()), 'LISTEN';
    ASSERT NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'kept'), 'PREPARE';
    ASSERT NOT EXISTS (SELECT FROM pg_cursors WHERE name = 'held'), 'WITH HOLD';
    ASSERT to_regclass('pg_temp.left_over') IS NULL, 'a temporary table';
    ASSERT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid IN (7, 8)
                       AND pid = pg_backend_pid()), 'an advisory lock';
    BEGIN
        PERFORM currval('leak{n}_id_seq');
        ASSERT false, 'currval';
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        NULL;
    END;
END $$;
CREATE TABLE clean{n} ();
"""

# In one message, statement by statement, each on its own.
SENT = {
    "together": "{}",
    "one by one": "CREATE TABLE rows{n} (id int);\nCOPY rows{n} FROM STDIN;\n1\n\\.\n{}",
    "without a transaction": "-- migrate:transaction none\n{}",
}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("first", SENT)
def test_nothing_of_a_file_meets_the_next(vaxdb, any_database, first, who):
    project = Project(vaxdb, any_database)
    wanted = []
    for n, then in enumerate(SENT, 1):
        for number, text, how in ((2 * n, LEAK, first), (2 * n + 1, CLEAN, then)):
            text = text.replace("{n}", str(n)).replace("{last}", who)
            head = SENT[how].replace("{n}", str(number))
            project.write(f"{number:03}_f.sql", head.replace("{}", text))
            wanted.append(f"{number:03}_f.sql")
    assert project.applied("--no-lint") == wanted
    assert project.exists("public.clean3")


def test_a_failed_file_leaves_nothing_for_the_next_run_of_it(vaxdb, database):
    """What ran before the failure does not run again, but for its settings: the rest needs them."""
    project = Project(vaxdb, database)
    text = (
        "-- migrate:transaction none\nCREATE SCHEMA apart;\nSET search_path = apart;\n"
        "CREATE TABLE one ();\nSELECT {};\nCREATE TABLE two ();\n"
    )
    project.write("001_a.sql", text.format("1 / 0"))
    project.fails(1, "up", "--no-lint")
    project.write("001_a.sql", text.format("1"))
    project.write("002_b.sql", "CREATE TABLE three ();\n")
    assert project.applied("--no-lint") == ["001_a.sql", "002_b.sql"]
    assert project.exists("apart.two") and project.exists("public.three")
