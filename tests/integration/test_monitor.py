"""vaxdb monitor: the guide's metrics on every major, and who waits for whom."""

import threading

import psycopg
import pytest
from support.waiting import wait_until


def monitor(vaxdb, what, database, *more):
    return vaxdb.ok("monitor", what, "--url", database.url, "--json", *more).json


def test_slow_wants_more_than_100_calls(vaxdb, any_database):
    any_database.execute("CREATE EXTENSION pg_stat_statements")
    with any_database.connect(prepare_threshold=None) as connection:
        for _ in range(101):
            connection.execute("SELECT pg_sleep(0.002) AS nap")
        for _ in range(100):
            connection.execute("SELECT 1 AS seldom")
    queries = monitor(vaxdb, "slow", any_database)["queries"]
    naps = [query for query in queries if "pg_sleep" in query["query"]]
    assert len(naps) == 1 and queries[0] == naps[0]
    assert naps[0]["calls"] == 101
    assert 2 <= naps[0]["mean_ms"] <= naps[0]["max_ms"] <= naps[0]["total_ms"]
    assert not any("seldom" in query["query"] for query in queries)
    more = monitor(vaxdb, "slow", any_database, "--min-calls", 99)["queries"]
    assert any("seldom" in query["query"] for query in more)
    assert len(monitor(vaxdb, "slow", any_database, "--min-calls", 0, "--limit", 1)["queries"]) == 1
    text = vaxdb.ok("monitor", "slow", "--url", any_database.url).stdout
    assert "pg_sleep" in text


def test_slow_where_the_extension_is_in_another_schema(vaxdb, any_database):
    any_database.execute('CREATE SCHEMA "Odd schema"')
    any_database.execute('CREATE EXTENSION pg_stat_statements SCHEMA "Odd schema"')
    any_database.execute("CREATE TABLE things ()")
    assert monitor(vaxdb, "slow", any_database, "--min-calls", 0)["queries"]


def test_slow_of_an_old_extension_version(vaxdb, database):
    """An upgraded server may keep the version whose columns are total_time and mean_time."""
    database.execute("CREATE EXTENSION pg_stat_statements VERSION '1.4'")
    database.execute("ALTER EXTENSION pg_stat_statements UPDATE TO '1.7'")
    database.execute("SELECT 42 AS answer")
    queries = monitor(vaxdb, "slow", database, "--min-calls", 0)["queries"]
    assert any("answer" in query["query"] and query["mean_ms"] > 0 for query in queries)


def test_slow_of_this_database_only(vaxdb, new_database):
    here, there = new_database(), new_database()
    here.execute("CREATE EXTENSION pg_stat_statements")
    there.execute("SELECT 7 AS elsewhere")
    queries = monitor(vaxdb, "slow", here, "--min-calls", 0)["queries"]
    assert queries and not any("elsewhere" in query["query"] for query in queries)


def test_slow_without_the_extension(vaxdb, any_database):
    failed = vaxdb.fails(1, "monitor", "slow", "--url", any_database.url)
    assert "CREATE EXTENSION pg_stat_statements" in failed.stderr
    report = monitor(vaxdb, "report", any_database)
    assert "pg_stat_statements" in report["slow"]["error"]
    assert report["connections"]["max_connections"] == 100


def test_slow_where_it_is_not_preloaded(vaxdb, own_server):
    server = own_server(settings={"shared_preload_libraries": ""})
    server.execute("CREATE EXTENSION pg_stat_statements")
    failed = vaxdb.fails(1, "monitor", "slow", "--url", server.url())
    assert "shared_preload_libraries" in failed.stderr


def test_tables(vaxdb, any_database):
    # Each on a connection of its own, whose end tells the server's statistics.
    any_database.execute("CREATE SCHEMA audit")
    any_database.execute("CREATE TABLE small AS SELECT 1 AS a")
    any_database.execute("CREATE TABLE audit.large AS SELECT g FROM generate_series(1, 20000) g")
    any_database.execute("CREATE INDEX ON audit.large (g)")
    any_database.execute("ANALYZE audit.large")
    any_database.execute("DELETE FROM audit.large WHERE g <= 5000")
    wait_until(lambda: monitor(vaxdb, "tables", any_database)["tables"][0]["dead_rows"] == 5000)
    large, small = monitor(vaxdb, "tables", any_database)["tables"]
    assert (large["schema"], large["name"], small["name"]) == ("audit", "large", "small")
    assert large["rows"] == 15000
    assert large["last_analyze"] and not small["last_analyze"]
    assert large["bytes"] == any_database.scalar("SELECT pg_total_relation_size('audit.large')")
    assert large["index_bytes"] > 0 == small["index_bytes"]
    assert len(monitor(vaxdb, "tables", any_database, "--limit", 1)["tables"]) == 1
    assert "audit.large" in vaxdb.ok("monitor", "tables", "--url", any_database.url).stdout


def test_tables_does_not_wait_for_an_exclusive_lock(vaxdb, database):
    database.execute("CREATE TABLE held AS SELECT 1 AS a")
    with database.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        (held,) = monitor(vaxdb, "tables", database)["tables"]
        assert held["bytes"] is None
        holder.rollback()


def test_connections_by_state(vaxdb, any_database):
    with (
        any_database.connect(application_name="idler") as idle,
        any_database.connect(autocommit=False, application_name="opener") as open_one,
        any_database.connect(autocommit=False) as failed,
        any_database.connect(application_name="worker") as busy,
    ):
        idle.execute("SELECT 'long ago'")
        open_one.execute("SELECT 'left open'")
        with pytest.raises(psycopg.Error):
            failed.execute("SELECT 1/0")
        sleeper = threading.Thread(
            target=lambda: pytest.raises(psycopg.Error, busy.execute, "SELECT pg_sleep(60)")
        )
        sleeper.start()
        wait_until(lambda: monitor(vaxdb, "connections", any_database)["active"] == 1)
        # fmt: off
        seen = monitor(vaxdb, "connections", any_database,
                       "--longer-than", "1ms", "--idle-longer-than", "1ms")
        # fmt: on
        assert seen["total"] == 4
        assert seen["idle"] == 1
        assert (seen["idle_in_transaction"], seen["idle_in_failed_transaction"]) == (1, 1)
        assert [session["query"] for session in seen["long_running"]] == ["SELECT pg_sleep(60)"]
        assert seen["long_running"][0]["application"] == "worker"
        assert {session["query"] for session in seen["idle_sessions"]} >= {"SELECT 'left open'"}
        by_application = {row["application"]: row for row in seen["applications"]}
        assert by_application["idler"]["idle"] == 1
        quiet = monitor(vaxdb, "connections", any_database)
        assert quiet["long_running"] == [] and quiet["idle_sessions"] == []
        text = vaxdb.ok("monitor", "connections", "--url", any_database.url).stdout
        assert "No long-running statement." in text
        busy.cancel()
        sleeper.join()


@pytest.fixture
def queue_of_locks(any_database):
    """holder <- waiter <- later: two sessions wait in line for a table that a third holds."""
    any_database.execute("CREATE TABLE alerts (id int)")
    connections = [
        any_database.connect(autocommit=False, application_name=name)
        for name in ("holder", "waiter", "later")
    ]
    holder, waiter, later = connections
    holder.execute("INSERT INTO alerts VALUES (1)")
    threads = []

    def waits(connection, statement):
        def run():
            try:
                connection.execute(statement)
            except psycopg.Error:
                pass

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        pid = connection.info.backend_pid
        wait_until(
            lambda: any_database.scalar(
                "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [pid]
            )
        )

    waits(waiter, "ALTER TABLE alerts ADD COLUMN title text")
    waits(later, "SELECT * FROM alerts")
    yield [connection.info.backend_pid for connection in connections]
    for connection in connections:
        connection.cancel()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()


def test_locks_as_a_tree(vaxdb, any_database, queue_of_locks):
    holder, waiter, later = queue_of_locks
    seen = monitor(vaxdb, "locks", any_database)
    assert seen["waiting"] == 2
    (root,) = seen["trees"]
    assert root["pid"] == holder and not root["waiting"]
    assert (root["state"], root["application"]) == ("idle in transaction", "holder")
    assert root["query"].startswith("INSERT INTO alerts")
    (second,) = root["blocks"]
    assert second["pid"] == waiter and second["blocked_by"] == [holder]
    assert second["lock"] == "AccessExclusiveLock on alerts"
    assert second["waiting_seconds"] >= 0
    (third,) = second["blocks"]
    assert third["pid"] == later and third["blocked_by"] == [waiter]
    text = vaxdb.ok("monitor", "locks", "--url", any_database.url).stdout
    assert f"holds: pid {holder}" in text and f"  waits: pid {waiter}" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_locks_of_a_prepared_transaction(vaxdb, own_server):
    server = own_server(settings={"max_prepared_transactions": "2"})
    server.execute("CREATE TABLE t (a int)")
    with server.connect(autocommit=False) as first:
        first.execute("LOCK TABLE t")
        first.execute("PREPARE TRANSACTION 'forgotten'")
    with server.connect() as second:
        thread = threading.Thread(
            target=lambda: pytest.raises(psycopg.Error, second.execute, "SELECT * FROM t")
        )
        thread.start()

        def tree():
            return vaxdb.ok("monitor", "locks", "--url", server.url(), "--json").json["trees"]

        wait_until(tree)
        (root,) = tree()
        assert root["pid"] == 0 and root["state"] == "prepared transaction"
        second.cancel()
        thread.join()


def test_locks_when_nobody_waits(vaxdb, any_database):
    seen = monitor(vaxdb, "locks", any_database)
    assert (seen["waiting"], seen["trees"]) == (0, [])


def test_report(vaxdb, any_database):
    any_database.execute("CREATE EXTENSION pg_stat_statements")
    any_database.execute("CREATE TABLE t (id int PRIMARY KEY, a int)")
    any_database.execute("CREATE INDEX t_a ON t (a)")
    report = monitor(vaxdb, "report", any_database)
    assert report["slow"]["queries"] == []
    assert report["tables"][0]["name"] == "t"
    assert (report["indexes"]["count"], report["indexes"]["unused"]) == (2, 1)
    assert report["locks"]["waiting"] == 0
    text = vaxdb.ok("monitor", "report", "--url", any_database.url).stdout
    for heading in ("Query performance", "Table sizes", "Index usage", "Connections", "Locks"):
        assert heading in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_role_without_privileges_is_told(vaxdb, server, database):
    role = f"plain_{database.name}"
    server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        with database.connect():
            url = server.url(database.name, user=role, password="x")
            seen = vaxdb("monitor", "connections", "--url", url, "--json")
            if seen.status == 0:
                assert seen.json["sees_other_roles"] is False
                assert seen.json["unknown"] == 1
    finally:
        database.execute(f"DROP OWNED BY {role}")
        server.execute(f"DROP ROLE {role}")
