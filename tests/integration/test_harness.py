"""The fixtures themselves: what other tests take for granted."""

import signal

import psycopg
import pytest
from support import rivals


def test_any_server_is_the_major_it_says(any_server):
    ((version,),) = any_server.execute("SHOW server_version_num")
    assert int(version) // 10000 == any_server.major
    ((preloaded,),) = any_server.execute("SHOW shared_preload_libraries")
    assert preloaded == "pg_stat_statements"
    any_server.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def test_hypopg_is_there_on_debians_server(database):
    database.execute("CREATE EXTENSION hypopg")


def test_databases_are_fresh_and_apart(new_database):
    first, second = new_database(), new_database("with space")
    first.execute("CREATE TABLE only_here ()")
    assert second.scalar("SELECT to_regclass('only_here') IS NULL")


def test_an_own_server_can_be_killed_and_comes_back(own_server):
    server = own_server(settings={"max_connections": "17"})
    assert server.execute("SHOW max_connections") == [("17",)]
    with server.connect() as connection:
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    port = server.port
    server.start()
    assert server.port == port
    server.stop(signal.SIGTERM)
    assert not server.is_running()


def test_two_servers_are_not_the_same_cluster(own_server, server):
    query = "SELECT system_identifier FROM pg_control_system()"
    assert own_server().execute(query) != server.execute(query)


def test_dbmate_is_a_real_one(database, scratch):
    (scratch / "1_one.sql").write_text("-- migrate:up\nCREATE TABLE one (a int);\n-- migrate:down\n")
    done = rivals.dbmate(database, scratch, "up")
    assert done.returncode == 0, done.stdout
    assert database.execute("SELECT version FROM schema_migrations") == [("1",)]


def test_sqitch_is_a_real_one(database, scratch):
    for arguments in (["init", "one", "--engine", "pg"], ["add", "first", "-n", "The first."]):
        done = rivals.sqitch(database, scratch, *arguments)
        assert done.returncode == 0, done.stdout
    done = rivals.sqitch(database, scratch, "deploy")
    assert done.returncode == 0, done.stdout
    assert database.execute("SELECT change FROM sqitch.changes") == [("first",)]
