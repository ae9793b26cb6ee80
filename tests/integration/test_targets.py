"""Which database a command works on: never silently the wrong one."""

import time

import pytest
from support.servers import free_port

ANY = ("monitor", "connections")


@pytest.mark.parametrize("env", ["staging", "production"])
def test_staging_and_production_are_never_guessed(vaxdb, env):
    variables = {"PGDATABASE": "postgres", "PGHOST": "127.0.0.1", "PGPORT": "1"}
    for extra in ({}, variables):
        failed = vaxdb.fails(2, *ANY, "-e", env, env=extra)
        assert f"no database is configured for {env}" in failed.stderr
        assert "vaxdb init" in failed.stderr
        assert "vaxdb dev start" in failed.stderr
    assert not vaxdb.state.exists()
    assert list(vaxdb.work.iterdir()) == []


def test_a_configuration_that_names_others_does_not_help_staging(vaxdb, database):
    path = vaxdb.write_config(production=database.url)
    failed = vaxdb.fails(2, *ANY, "-e", "staging")
    assert f"[staging] in {path}" in failed.stderr


def test_development_is_the_private_cluster_and_says_so(vaxdb):
    started = vaxdb.ok(*ANY, "--json")
    assert "Starting the private PostgreSQL" in started.stderr
    again = vaxdb.ok(*ANY, "--json")
    assert "Starting" not in again.stderr
    assert not (vaxdb.work / "vaxdb.ini").exists()


def test_a_url_reaches_a_database_outside_the_configuration(vaxdb, database):
    vaxdb.ok(*ANY, "--url", database.url)
    vaxdb.ok(*ANY, "-d", database.url)
    assert not (vaxdb.state / "cluster").exists()
    both = vaxdb.fails(2, *ANY, "--url", database.url, "-d", database.url)
    assert "say the same" in both.stderr


def test_pg_variables_complete_a_conninfo(vaxdb, database):
    server = database.server
    variables = {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": server.superuser,
        "PGPASSWORD": server.password,
    }
    vaxdb.ok(*ANY, "-d", database.name, env=variables)


def test_a_malformed_url_is_a_usage_error(vaxdb):
    failed = vaxdb.fails(2, *ANY, "--url", "postgresql://[::1")
    assert "not valid" in failed.stderr


def test_a_server_that_does_not_answer_exits_5_after_retries(vaxdb):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    failed = vaxdb.fails(5, *ANY, "--url", url, "--json")
    assert failed.stderr.count("trying again") == 2
    assert failed.json["error"]["code"] == "unreachable"
    assert failed.json["error"]["hint"]


def test_what_time_cannot_mend_is_not_tried_again(vaxdb, database):
    server = database.server
    wrong = f"postgresql://{server.superuser}:wrong@{server.host}:{server.port}/{database.name}"
    for url in (wrong, database.url.replace(database.name, "not_there")):
        begun = time.monotonic()
        failed = vaxdb.fails(5, *ANY, "--url", url)
        assert "trying again" not in failed.stderr
        assert time.monotonic() - begun < 30
        assert "wrong@" not in failed.stderr


def test_a_server_that_comes_up_late_is_reached(vaxdb, own_server):
    server = own_server(start=False)
    server.port = free_port()
    url = server.url("postgres")
    process = vaxdb.start(*ANY, "--url", url)
    for line in process.stderr:
        if "trying again" in line:
            break
    server.start()
    assert vaxdb.finish(process).status == 0


def test_guards_follow_the_database_and_not_the_label(vaxdb, database):
    """A database seen as production is guarded by whatever name it is opened later."""
    migrations = vaxdb.work / "migrations"
    migrations.mkdir()
    (migrations / "001_t.sql").write_text("CREATE TABLE t ();\n")
    (migrations / "001_t.down.sql").write_text("DROP TABLE t;\n")
    vaxdb.ok("migrate", "up", "--url", database.url)
    vaxdb.ok("migrate", "redo", "--url", database.url)  # nobody's production yet
    vaxdb.write_config(production=database.url, staging=database.url)
    vaxdb.ok("migrate", "status", "-e", "production")
    server = database.server
    same = f"host={server.host} port={server.port} dbname={database.name} user={server.superuser}"
    for where in (
        ["--url", database.url],
        ["-e", "staging"],
        ["-e", "staging", "-y"],
        ["-d", same],
        ["-e", "production", "-y"],
    ):
        refused = vaxdb.fails(3, "migrate", "down", *where, env={"PGPASSWORD": server.password})
        assert f"--confirm {database.name}" in refused.stderr, where
    assert database.scalar("SELECT to_regclass('t') IS NOT NULL")
    vaxdb.fails(3, "migrate", "down", "--url", database.url, "--confirm", "other")
    vaxdb.ok("migrate", "down", "--url", database.url, "--confirm", database.name)
    assert database.scalar("SELECT to_regclass('t') IS NULL")
