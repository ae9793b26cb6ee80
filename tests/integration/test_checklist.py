"""vaxdb checklist: the guide's 34 items, each with evidence, and what moves them."""

import os
import subprocess

import pytest
from support.waiting import wait_until

SECTIONS = {
    "Performance Tuning": 6,
    "Indexing": 7,
    "Connection Pooling": 7,
    "Backups": 7,
    "Migrations": 7,
}


def checklist(vaxdb, database, *ids, status=None, env=None):
    where = ("-e", env) if env else ("--url", database.url)
    outcome = vaxdb("checklist", *where, "--json", *ids)
    if status is not None:
        assert outcome.status == status, outcome
    assert outcome.status in (0, 4), outcome
    return outcome.json


def item(vaxdb, database, name, env=None):
    (found,) = checklist(vaxdb, database, name, env=env)["items"]
    return found


def test_all_items_have_evidence(vaxdb, any_database):
    seen = checklist(vaxdb, any_database, status=4)
    items = seen["items"]
    assert len(items) == 34 and len({row["id"] for row in items}) == 34
    for section, count in SECTIONS.items():
        assert sum(row["section"] == section for row in items) == count
    for row in items:
        assert row["status"] in ("pass", "warn", "fail", "skip")
        assert row["title"] and row["evidence"].strip()
        assert (row["fix"] is None) == (row["status"] == "pass")
    assert sum(seen["totals"].values()) == 34
    for status, total in seen["totals"].items():
        assert total == sum(row["status"] == status for row in items)


def test_text(vaxdb, database):
    outcome = vaxdb("checklist", "--url", database.url)
    assert outcome.status == 4
    lines = outcome.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert [line for line in lines if line in SECTIONS] == list(SECTIONS)
    items = lines[: lines.index("Begin with:")]
    marks = [line[2:6] for line in items if line[:2] == "  " and line[2:6].isupper()]
    assert len(marks) == 34 and set(marks) <= {"PASS", "WARN", "FAIL", "SKIP"}
    assert "Begin with:" in outcome.stdout and "could not be looked at" in outcome.stdout


def test_explain_needs_no_database(vaxdb):
    rows = vaxdb.ok("checklist", "--explain", "--json").json["items"]
    assert len(rows) == 34 and all(len(row["evidence_rule"]) > 30 for row in rows)
    text = vaxdb.ok("checklist", "--explain", "pooling.retry").stdout
    assert "Retry logic is implemented" in text and "code" in text
    assert all(len(line) <= 80 for line in vaxdb.ok("checklist", "--explain").stdout.splitlines())


def test_selection(vaxdb, database):
    assert len(checklist(vaxdb, database, "backups")["items"]) == 7
    assert item(vaxdb, database, "pooling.retry")["status"] == "skip"
    assert checklist(vaxdb, database, "pooling.retry", status=0)["totals"]["skip"] == 1
    failed = vaxdb.fails(2, "checklist", "indexing.brim", "--url", database.url)
    assert "indexing.brin" in failed.stderr


def test_nagios(vaxdb, database, own_server):
    def nagios(*ids, url=database.url):
        outcome = vaxdb("checklist", "--nagios", "--url", url, *ids)
        assert len(outcome.stdout.splitlines()) == 1
        return outcome.status, outcome.stdout

    assert nagios("tuning.monitoring")[0] == 2
    assert nagios("pooling.min-connections")[0] == 1
    assert nagios("pooling.retry")[0] == 3
    assert nagios("backups.retention")[0] == 0
    status, line = nagios()
    assert status == 2 and line.startswith("CHECKLIST CRITICAL - ") and "fail=" in line
    status, line = nagios(url=own_server(start=False).url(port=1))
    assert status == 3 and "UNKNOWN" in line


def test_unreachable(vaxdb, own_server):
    vaxdb.fails(5, "checklist", "--url", own_server(start=False).url(port=1))


def test_monitoring(vaxdb, database):
    assert item(vaxdb, database, "tuning.monitoring")["status"] == "fail"
    database.execute("CREATE EXTENSION pg_stat_statements")
    assert item(vaxdb, database, "tuning.monitoring")["status"] == "pass"


def test_looking_is_remembered(vaxdb, database):
    assert item(vaxdb, database, "indexing.usage-monitored")["status"] == "fail"
    assert item(vaxdb, database, "pooling.monitored")["status"] == "fail"
    vaxdb.ok("index", "usage", "--url", database.url)
    vaxdb.ok("monitor", "connections", "--url", database.url)
    assert item(vaxdb, database, "indexing.usage-monitored")["status"] == "pass"
    assert item(vaxdb, database, "pooling.monitored")["status"] == "pass"


def test_unused_is_skipped_while_the_statistics_are_young(vaxdb, database):
    database.execute("CREATE TABLE t (a int)")
    database.execute("CREATE INDEX ON t (a)")
    seen = item(vaxdb, database, "indexing.unused-removed")
    assert seen["status"] == "skip" and "of 30 days" in seen["evidence"]


@pytest.fixture
def visits(vaxdb, any_database):
    """20,000 visits, the queries that ask for them, and no index that they need."""
    with any_database.connect() as connection:
        connection.execute(
            """
            CREATE TABLE clinics (id int PRIMARY KEY);
            CREATE TABLE visits (id int PRIMARY KEY, clinic_id int NOT NULL REFERENCES clinics,
                                 status text NOT NULL, at timestamptz NOT NULL);
            INSERT INTO clinics SELECT generate_series(1, 2000);
            INSERT INTO visits SELECT g, g % 2000 + 1, 's' || g % 7, now() FROM generate_series(1, 20000) g;
            """
        )
    queries = vaxdb.work / "backend/database/queries"
    queries.mkdir(parents=True)
    (queries / "visits_of_clinic.sql").write_text(
        "-- Screen: a clinic.\n-- bind $1: SELECT min(id) FROM clinics\n"
        "SELECT * FROM visits WHERE clinic_id = $1;\n"
    )
    return any_database


def test_where_and_join_columns(vaxdb, visits):
    assert item(vaxdb, visits, "tuning.statistics")["status"] == "fail"
    vaxdb.ok("index", "analyze", "--url", visits.url)
    wait_until(lambda: item(vaxdb, visits, "tuning.statistics")["status"] == "pass")
    names = ["indexing.where-columns", "tuning.full-scans", "tuning.indexes"]
    for seen in checklist(vaxdb, visits, *names)["items"]:
        assert seen["status"] == "fail" and "visits in visits_of_clinic" in seen["evidence"]
    join = item(vaxdb, visits, "indexing.join-columns")
    assert join["status"] == "fail" and "visits(clinic_id)" in join["evidence"]
    visits.execute(join["fix"])
    names.append("indexing.join-columns")
    assert checklist(vaxdb, visits, *names, status=0)["totals"]["pass"] == 4


def test_where_columns_are_not_judged_without_queries_or_rows(vaxdb, database):
    seen = item(vaxdb, database, "indexing.where-columns")
    assert seen["status"] == "skip" and "queries" in seen["evidence"]


def test_kinds_of_indexes(vaxdb, database):
    database.execute("CREATE TABLE t AS SELECT g AS a, 's1' AS b FROM generate_series(1, 20000) g")
    vaxdb.ok("index", "analyze", "--url", database.url)
    names = ("indexing.partial", "indexing.covering")
    assert checklist(vaxdb, database, *names)["totals"]["warn"] == 2
    database.execute("CREATE INDEX ON t (a) WHERE b = 's1'")
    database.execute("CREATE INDEX ON t (a) INCLUDE (b)")
    assert checklist(vaxdb, database, *names)["totals"]["pass"] == 2


def test_brin(vaxdb, database):
    assert item(vaxdb, database, "indexing.brin")["status"] == "skip"
    database.execute(
        "CREATE TABLE log AS SELECT g AS id, '2026-01-01'::timestamptz + g * interval '1 s' AS at"
        " FROM generate_series(1, 120000) g"
    )
    database.execute("ANALYZE log")
    seen = item(vaxdb, database, "indexing.brin")
    assert seen["status"] == "warn" and "log(at)" in seen["evidence"]
    database.execute(seen["fix"])
    assert item(vaxdb, database, "indexing.brin")["status"] == "pass"


def test_pool_settings(vaxdb, database):
    names = ("min-connections", "connection-timeout", "idle-timeout")

    def statuses(text):
        vaxdb.write_config(text, development=database.url)
        return [item(vaxdb, database, f"pooling.{name}", "development")["status"] for name in names]

    assert statuses("") == ["warn"] * 3
    assert statuses(
        "[vaxdb]\npool_max = 9\npool_min = 2\npool_connect_timeout = 2s\npool_idle_timeout = 30s\n"
    ) == ["pass"] * 3
    assert statuses("[vaxdb]\npool_min = 0\npool_connect_timeout = 5min\npool_idle_timeout = 0\n") == [
        "fail", "warn", "fail"]  # fmt: skip


def test_pool_size(vaxdb, database):
    cores = os.sysconf("SC_NPROCESSORS_ONLN")
    vaxdb.write_config(f"[vaxdb]\npool_max = {2 * cores}\n", development=database.url)
    assert item(vaxdb, database, "pooling.cores", "development")["status"] == "pass"
    vaxdb.write_config("[vaxdb]\npool_max = 50\npool_instances = 2\n", development=database.url)
    assert item(vaxdb, database, "tuning.connections", "development")["status"] == "fail"


def test_retention_and_off_site(vaxdb, database):
    for days, status in ((7, "fail"), (30, "pass"), (90, "pass"), (365, "warn")):
        vaxdb.write_config(f"[vaxdb]\nretention_days = {days}\n", production=database.url)
        assert item(vaxdb, database, "backups.retention", "production")["status"] == status
    assert item(vaxdb, database, "backups.off-site", "production")["status"] == "fail"
    vaxdb.write_config("[vaxdb]\nbackup_url = s3://bucket\n", production=database.url)
    assert item(vaxdb, database, "backups.off-site", "production")["status"] == "skip"
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {vaxdb.folder}/store\n", production=database.url)
    vaxdb.ok("backup", "create", "-e", "production")
    assert item(vaxdb, database, "backups.off-site", "production")["status"] == "pass"
    (there,) = (vaxdb.folder / "store").glob("*[0-9].sql.gz")
    there.unlink()
    assert item(vaxdb, database, "backups.off-site", "production")["status"] == "fail"
    vaxdb.write_config("[vaxdb]\nbackup_url = s3://bucket\n", production=database.url)
    seen = item(vaxdb, database, "backups.off-site", "production")
    assert seen["status"] == "fail" and "credentials" in seen["evidence"]


def test_backups(vaxdb, database):
    database.execute("CREATE TABLE t AS SELECT g, repeat('x', 50) FROM generate_series(1, 500) g")
    vaxdb.write_config(staging=database.url)

    def status(name):
        return item(vaxdb, database, f"backups.{name}", "staging")["status"]

    assert (status("daily"), status("compressed"), status("checksums")) == ("fail", "skip", "skip")
    assert status("restore-tested") == "fail"
    made = vaxdb.ok("backup", "create", "-e", "staging", "--json").json
    assert status("daily") in ("warn", "pass")  # pass where this machine has a schedule
    assert status("compressed") == "pass"
    vaxdb.ok("backup", "verify", made["file"])
    assert status("checksums") == "pass"
    assert status("pre-restore") == "pass"


@pytest.fixture
def migrations(vaxdb):
    folder = vaxdb.work / "migrations"
    folder.mkdir()
    (folder / "001_first.sql").write_text("CREATE TABLE first (a int);\n")
    (folder / "001_first.down.sql").write_text("DROP TABLE first;\n")
    return folder


def test_migrations(vaxdb, database, migrations):
    vaxdb.write_config(development=database.url)

    def seen(name):
        return item(vaxdb, database, f"migrations.{name}", "development")

    assert seen("tracked")["status"] == "fail"
    vaxdb.ok("migrate", "up", "-e", "development")
    assert seen("tracked")["status"] == "pass"
    assert seen("down-files")["status"] == "pass"
    assert seen("commented")["status"] == "pass"
    assert seen("staging-first")["status"] == "skip"
    (migrations / "002_second.sql").write_text("UPDATE first SET a = 1;\n")
    assert seen("tracked")["status"] == "warn"
    assert "002_second" in seen("down-files")["evidence"]
    assert "002_second" in seen("commented")["evidence"]
    (migrations / "002_second.sql").write_text("-- Every row starts at one.\nUPDATE first SET a = 1;\n")
    assert seen("commented")["status"] == "pass"
    (migrations / "001_first.sql").write_text("CREATE TABLE first (a bigint);\n")
    assert seen("tracked")["status"] == "fail"
    assert seen("rollback-documented")["status"] == "warn"
    (migrations / "README.md").write_text("To roll back: vaxdb migrate down\n")
    assert seen("rollback-documented")["status"] == "pass"


def test_migrations_in_version_control(vaxdb, database, migrations):
    def seen():
        return item(vaxdb, database, "migrations.version-control")

    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=vaxdb.work, check=True, capture_output=True)

    assert seen()["status"] == "fail"
    git("init")
    assert "not known to git" in seen()["evidence"]
    git("add", "migrations")
    git("commit", "-m", "First")
    assert seen()["status"] == "pass"
    (migrations / "001_first.sql").write_text("CREATE TABLE first (a text);\n")
    assert seen()["status"] == "warn"


def test_staging_first_by_evidence(vaxdb, new_database, migrations):
    """Evidence tells, without staging, which may be on a host that is not seen from here."""
    staging, production = new_database(), new_database()

    def seen():
        return item(vaxdb, production, "migrations.staging-first", "production")

    vaxdb.write_config(staging=staging.url, production=production.url)
    vaxdb.ok("migrate", "up", "-e", "staging")
    vaxdb.ok("migrate", "up", "-e", "production")
    vaxdb.write_config(production=production.url)
    found = seen()
    assert (found["status"], found["evidence"]) == ("pass", "evidence proves all 1 of production")
    (migrations / "002_second.sql").write_text("CREATE TABLE second (a int);\n")
    (migrations / "002_second.down.sql").write_text("DROP TABLE second;\n")
    vaxdb.ok("migrate", "up", "-e", "production", "--skip-staging", "a test")
    assert seen()["status"] == "skip"
    vaxdb.write_config(staging=staging.url, production=production.url)
    found = seen()
    assert found["status"] == "fail" and "002_second.sql" in found["evidence"]
    # One whose round trip was skipped is proved by nothing, and was in staging all the same.
    vaxdb.ok("migrate", "up", "-e", "staging", "--skip-staging", "a test")
    found = seen()
    assert found["status"] == "pass" and "of 2 in production 1 are proved" in found["evidence"]


def test_staging_first_after_a_baseline(vaxdb, new_database, migrations):
    production = new_database()
    vaxdb.write_config(production=production.url)
    production.execute("CREATE TABLE first (a int)")
    vaxdb.ok("migrate", "baseline", "-e", "production", "--to", "001_first", "--confirm", production.name)
    assert item(vaxdb, production, "migrations.staging-first", "production")["status"] == "pass"


def test_staging_first_and_backup_first(vaxdb, new_database, migrations):
    staging, production = new_database(), new_database()
    vaxdb.write_config(staging=staging.url, production=production.url)

    def seen(name):
        return item(vaxdb, production, f"migrations.{name}", "production")

    assert seen("staging-first")["status"] == "skip"
    assert seen("backup-first")["status"] == "skip"
    ledger = """CREATE TABLE schema_migrations (id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL UNIQUE,
        checksum VARCHAR(64) NOT NULL, applied_at TIMESTAMP NOT NULL DEFAULT NOW());"""
    row = "INSERT INTO schema_migrations (name, checksum) VALUES ('001_first.sql', repeat('a', 64))"
    production.execute(ledger)
    production.execute(row)
    assert seen("staging-first")["status"] == "fail"
    assert seen("backup-first")["status"] == "fail"
    staging.execute(ledger)
    staging.execute(row)
    assert seen("staging-first")["status"] == "pass"
    vaxdb.ok("backup", "create", "-e", "production")
    # The ledger's time must be after the second in which the backup ended.
    production.execute("UPDATE schema_migrations SET applied_at = now() + interval '1 minute'")
    assert seen("backup-first")["status"] == "pass"


def test_a_role_without_privileges_gets_no_false_pass(vaxdb, server, database):
    database.execute("CREATE TABLE secret AS SELECT g FROM generate_series(1, 5000) g")
    role = f"plain_{database.name}"
    server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        url = server.url(database.name, user=role, password="x")
        outcome = vaxdb("checklist", "--url", url, "--json")
        assert outcome.status in (0, 1, 4), outcome
        if outcome.status != 1:
            assert len(outcome.json["items"]) == 34
    finally:
        server.execute(f"DROP ROLE {role}")
