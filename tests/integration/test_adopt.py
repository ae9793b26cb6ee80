"""`migrate baseline`: a database that holds its migrations already is taken over."""

import zlib

import pytest
from support import rivals
from support.migrations import Project, checksum


@pytest.fixture
def project(vaxdb, database):
    project = Project(vaxdb, database)
    for name in ("001_a", "002_b", "003_c"):
        project.pair(name, f"CREATE TABLE {name[-1]} (id int);", f"DROP TABLE {name[-1]};")
    return project


def by_hand(project, *tables):
    for table in tables:
        project.database.execute(f"CREATE TABLE {table} (id int)")


def runs(project):
    return project.query("SELECT name, state FROM schema_migrations_runs ORDER BY id")


def evidence(project):
    records = project.vaxdb.ok("migrate", "evidence", "list", "--json").json["evidence"]
    return sorted((record["name"], record["kind"], record["roundtrip"]) for record in records)


def test_what_is_there_is_entered_and_not_run(project):
    by_hand(project, "a", "b")
    done = project.ok("baseline", "--to", "002_b", "--json").json
    assert done["baselined"] == ["001_a.sql", "002_b.sql"]
    assert done["already"] == 0 and not done["dry_run"]
    assert project.states() == {
        "001_a.sql": "applied",
        "002_b.sql": "applied",
        "003_c.sql": "pending",
    }
    assert runs(project) == [("001_a.sql", "baseline"), ("002_b.sql", "baseline")]
    assert project.value("SELECT checksum FROM schema_migrations WHERE name = '001_a.sql'") == (
        checksum("CREATE TABLE a (id int);")
    )
    assert project.ok("verify", "--json").json["drift"]["state"] == "none"
    assert evidence(project) == [
        ("001_a.sql", "baseline", "not_run"),
        ("002_b.sql", "baseline", "not_run"),
    ]
    assert project.applied() == ["003_c.sql"]
    project.ok("down", "2")
    assert project.exists("a") and not project.exists("b")


def test_a_change_by_hand_after_it_is_drift(project):
    by_hand(project, "a")
    project.ok("baseline", "--to", "001_a.sql")
    project.database.execute("ALTER TABLE a ADD COLUMN by_hand int")
    assert project.fails(4, "verify", "--json").json["drift"]["state"] == "found"


def test_entries_that_are_there_are_left_alone(project):
    project.applied("--to", "001_a")
    before = project.query("SELECT * FROM schema_migrations")
    by_hand(project, "b")
    again = project.ok("baseline", "--to", "002_b", "--json").json
    assert (again["baselined"], again["already"]) == (["002_b.sql"], 1)
    assert project.query("SELECT * FROM schema_migrations ORDER BY id LIMIT 1") == before
    once_more = project.ok("baseline", "--to", "002_b")
    assert "Nothing to do" in once_more.stdout
    assert runs(project) == [("001_a.sql", "done"), ("002_b.sql", "baseline")]


def test_a_dry_run_changes_nothing(project):
    dry = project.ok("baseline", "--to", "002_b", "--dry-run", "--json").json
    assert dry["baselined"] == ["001_a.sql", "002_b.sql"] and dry["dry_run"]
    assert not project.exists("schema_migrations")
    assert evidence(project) == []


def test_it_is_all_or_nothing(project):
    project.ok("up", "--to", "001_a")
    project.database.execute(
        "ALTER TABLE schema_migrations ADD CHECK (name NOT LIKE '003%')",
    )
    failed = project.fails(1, "baseline", "--to", "003_c")
    assert "nothing was changed" in failed.stderr
    assert project.ledger() == ["001_a.sql"]
    assert runs(project) == [("001_a.sql", "done")]


def test_a_half_done_one_is_refused(project):
    text = "-- migrate:transaction none\nCREATE TABLE half ();\nSELECT 1 / 0;\n"
    project.write("000_half.sql", text)
    project.fails(1, "up", "--no-lint")
    refused = project.fails(3, "baseline", "--to", "002_b")
    assert "migrate repair 000_half.sql" in refused.stderr
    assert project.ledger() == []


def test_a_changed_entry_is_named_and_left_alone(project):
    project.ok("up", "--to", "001_a")
    project.write("001_a.sql", "CREATE TABLE a (id int, more int);")
    done = project.ok("baseline", "--to", "002_b", "--json").json
    assert any("--accept-checksum" in warning for warning in done["warnings"])
    assert project.states()["001_a.sql"] == "changed"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "--to MIGRATION"),
        (["--to", "002_bb"], "did you mean 002_b.sql?"),
        (["--to", "004_advanced"], "did you mean 004_advanced_indexes_of_everything.sql?"),
        (["--to", "004"], "did you mean 004_advanced_indexes_of_everything.sql?"),
        (["--to", "nothing_like_it"], "migrate status"),
    ],
)
def test_what_cannot_be_meant_is_refused(project, arguments, said):
    project.write("004_advanced_indexes_of_everything.sql", "SELECT 1;")
    assert said in project.fails(2, "baseline", *arguments).stderr
    assert not project.exists("schema_migrations") or project.ledger() == []


def test_production_wants_its_name(project):
    vaxdb, database = project.vaxdb, project.database
    vaxdb.write_config(f"[production]\nurl = {database.url}\n")
    arguments = ["migrate", "baseline", "--to", "002_b", "-e", "production"]
    assert f"--confirm {database.name}" in vaxdb.fails(3, *arguments).stderr
    assert not project.exists("schema_migrations")
    vaxdb.ok(*arguments, "--confirm", database.name)
    assert project.ledger() == ["001_a.sql", "002_b.sql"]


# ---- from another tool's ledger ------------------------------------------------------------------

GOLANG = "CREATE TABLE {} (version bigint PRIMARY KEY, dirty boolean NOT NULL)"
FLYWAY = """
CREATE TABLE flyway_schema_history (
    installed_rank int PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
    type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int,
    installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(),
    execution_time int NOT NULL, success boolean NOT NULL)
"""


def ours(project, name="vaxdb_migrations"):
    project.vaxdb.write_config(f"[vaxdb]\nledger_table = {name}\n")


def hints(project):
    """What status says of ledgers of other tools."""
    warnings = project.ok("status", "--json").json["warnings"]
    return [warning for warning in warnings if "migrated by" in warning]


def rows(project, table):
    return project.query(f"SELECT * FROM {table} ORDER BY 1")


def entered(project, ledger="vaxdb_migrations"):
    text = "to_char(applied_at, 'YYYY-MM-DD HH24:MI')"
    return project.query(f"SELECT name, {text} FROM {ledger} ORDER BY id")


def flyway_checksum(text):
    """As Flyway sums: the lines of the file without their ends, as a signed number."""
    crc = 0
    for line in text.splitlines():
        crc = zlib.crc32(line.encode(), crc)
    return crc - (1 << 32) if crc >= 1 << 31 else crc


def flyway(project, files, **more):
    project.database.execute(FLYWAY)
    for rank, (name, text) in enumerate(files.items(), 1):
        row = {"version": str(rank), "type": "SQL", "success": True}
        row |= {"checksum": flyway_checksum(text)} | more.get(name.split("__")[0], {})
        version = "NULL" if row["version"] is None else f"'{row['version']}'"
        project.database.execute(
            f"INSERT INTO flyway_schema_history VALUES ({rank}, {version}, 'x', '{row['type']}', "
            f"'{name}', {row['checksum']}, 'x', '2026-01-0{rank} 12:34', 1, {row['success']})"
        )


def test_the_real_dbmate_is_taken_over(vaxdb, database):
    project = Project(vaxdb, database)
    for number in ("20260101000000", "20260102000000"):
        up, down = f"CREATE TABLE t{number} ();", f"DROP TABLE t{number};"
        project.write(f"{number}_t.sql", f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n")
    done = rivals.dbmate(database, project.folder, "up")
    assert done.returncode == 0, done.stdout
    project.pair("20260103000000_new", "CREATE TABLE new (a int);", "DROP TABLE new;")
    before = rows(project, "schema_migrations")
    for arguments in (["--from", "schema_migrations"], ["--to", "20260101000000_t"]):
        refused = project.fails(3, "baseline", *arguments)
        assert "schema_migrations is dbmate's ledger" in refused.stderr
        assert "\n      ledger_table = vaxdb_migrations\n" in refused.stderr
        assert "vaxdb migrate baseline --from schema_migrations" in refused.stderr
    assert "vaxdb migrate baseline --from" in project.fails(3, "up").stderr
    assert not project.exists("schema_migrations_runs")
    ours(project)
    assert hints(project) == [
        "this database has been migrated by dbmate: vaxdb migrate baseline --from schema_migrations"
    ]
    assert "migrated by dbmate" in project.run("up").stderr
    taken = project.ok("baseline", "--from", "schema_migrations", "--json").json
    assert hints(project) == []
    assert taken["baselined"] == ["20260101000000_t.sql", "20260102000000_t.sql"]
    assert taken["unmatched"] == []
    assert rows(project, "schema_migrations") == before
    assert project.applied("--no-lint") == ["20260103000000_new.sql"]
    project.ok("down", "2")
    assert project.exists("t20260101000000") and not project.exists("t20260102000000")


def test_an_entry_without_a_file_is_listed(project):
    project.database.execute("CREATE TABLE old (version varchar(255) PRIMARY KEY)")
    project.database.execute("INSERT INTO old VALUES ('002'), ('0099')")
    taken = project.ok("baseline", "--from", "old", "--json").json
    assert (taken["baselined"], taken["unmatched"]) == (["002_b.sql"], ["0099"])
    assert "0099" in project.ok("baseline", "--from", "old").stderr


def test_golang_migrate_counts_up_to_its_version(vaxdb, database):
    project = Project(vaxdb, database)
    for number in ("000001", "000002", "000010"):
        project.write(f"{number}_x.up.sql", f"CREATE TABLE x{number} ();")
        project.write(f"{number}_x.down.sql", f"DROP TABLE x{number};")
    database.execute(GOLANG.format("schema_migrations"))
    database.execute("INSERT INTO schema_migrations VALUES (2, false)")
    for arguments in (["--from", "schema_migrations"], ["--to", "000002_x.up"]):
        refused = project.fails(3, "baseline", *arguments)
        assert "golang-migrate's ledger" in refused.stderr
        assert "ledger_table = vaxdb_migrations" in refused.stderr
    ours(project)
    assert "by golang-migrate: vaxdb migrate baseline --from schema_migrations" in hints(project)[0]
    project.ok("baseline", "--from", "public.schema_migrations")
    states = {
        "000001_x.up.sql": "applied",
        "000002_x.up.sql": "applied",
        "000010_x.up.sql": "pending",
    }
    assert project.states() == states


def test_a_version_of_golang_migrate_without_its_file_is_listed(project):
    project.database.execute(GOLANG.format("old"))
    project.database.execute("INSERT INTO old VALUES (7, false)")
    taken = project.ok("baseline", "--from", "old", "--dry-run", "--json").json
    assert len(taken["baselined"]) == 3 and taken["unmatched"] == ["7"]


def test_an_empty_ledger_of_another_tool_is_none(project):
    ours(project)
    project.database.execute(GOLANG.format("schema_migrations"))
    project.database.execute("CREATE SCHEMA sqitch")
    project.database.execute("CREATE TABLE sqitch.changes (id int)")
    assert hints(project) == []


def test_a_dirty_version_is_refused(project):
    project.database.execute(GOLANG.format("old"))
    project.database.execute("INSERT INTO old VALUES (2, true)")
    refused = project.fails(3, "baseline", "--from", "old")
    assert "migrate force" in refused.stderr
    assert not project.exists("schema_migrations")


V1, V2, R = "CREATE TABLE a (id int);\r\n-- é\r\n", "CREATE TABLE b (id int);", "SELECT 1;\n\n"


def test_flyway_keeps_its_times_and_checksums(vaxdb, database):
    project = Project(vaxdb, database)
    files = {"V1__a.sql": V1, "V2__b.sql": V2, "R__view.sql": R}
    flyway(project, files, R={"version": None})
    for name, text in files.items():
        project.write(name, text.encode())
    project.write("V3__c.sql", "CREATE TABLE c (id int);")
    assert "Flyway: vaxdb migrate baseline --from flyway_schema_history" in hints(project)[0]
    project.ok("baseline", "--from", "flyway_schema_history")
    assert entered(project, "schema_migrations") == [
        ("V1__a.sql", "2026-01-01 12:34"),
        ("V2__b.sql", "2026-01-02 12:34"),
        ("R__view.sql", "2026-01-03 12:34"),
    ]
    assert project.states()["V3__c.sql"] == "pending"


def test_a_file_that_flyway_ran_otherwise_is_refused(vaxdb, database):
    project = Project(vaxdb, database)
    flyway(project, {"V1__a.sql": V1, "V2__b.sql": V2})
    project.write("V1__a.sql", V1.encode())
    project.write("V2__b.sql", V2 + " -- more")
    refused = project.fails(3, "baseline", "--from", "flyway_schema_history")
    assert "V2__b.sql" in refused.stderr and "V1__a.sql" not in refused.stderr
    assert not project.exists("schema_migrations")


def test_what_flyway_undid_is_pending_and_what_failed_refused(vaxdb, database):
    project = Project(vaxdb, database)
    files = {"V1__a.sql": V1, "V2__b.sql": V2, "U2__b.sql": "DROP TABLE b;"}
    undone = {"version": "2", "type": "UNDO_SQL"}
    flyway(project, files, U2=undone)
    project.write("V1__a.sql", V1.encode())
    project.write("V2__b.sql", V2)
    taken = project.ok("baseline", "--from", "flyway_schema_history", "--dry-run", "--json").json
    assert taken["baselined"] == ["V1__a.sql"]
    database.execute("UPDATE flyway_schema_history SET success = false WHERE installed_rank = 3")
    refused = project.fails(3, "baseline", "--from", "flyway_schema_history")
    assert "U2__b.sql" in refused.stderr
    database.execute("UPDATE flyway_schema_history SET success = true WHERE installed_rank = 3")
    database.execute("UPDATE flyway_schema_history SET success = false WHERE installed_rank = 1")
    refused = project.fails(3, "baseline", "--from", "flyway_schema_history")
    assert "V1__a.sql" in refused.stderr and "flyway repair" in refused.stderr


def test_versions_with_dots_and_what_runs_each_time(vaxdb, database):
    """Flyway's own names; 1.10 comes after 1.2, and a repeatable script is listed once a run."""
    project = Project(vaxdb, database)
    files = {
        "V1__a.sql": V1,
        "V1.2.1__b.sql": V2,
        "V1_10__c.sql": "SELECT 1;",
        "more/R__view.sql": "SELECT 'old';",
        "R__view.sql": R,
    }
    dotted = {"V1.2.1": {"version": "1.2.1"}, "V1_10": {"version": "1.10"}}
    repeated = {"R": {"version": None}, "more/R": {"version": None}}
    flyway(project, files, **dotted, **repeated)
    database.execute("UPDATE flyway_schema_history SET script = 'R__view.sql' WHERE script ~ 'R__'")
    for name, text in files.items():
        if "/" not in name:
            project.write(name, text.encode())
    project.write("V1.3__later.sql", "SELECT 2;")
    taken = project.ok("baseline", "--from", "flyway_schema_history", "--json").json
    assert sorted(taken["baselined"]) == [
        "R__view.sql",
        "V1.2.1__b.sql",
        "V1_10__c.sql",
        "V1__a.sql",
    ]
    assert taken["unmatched"] == []
    assert project.states()["V1.3__later.sql"] == "pending"


def test_what_was_before_flyway_is_there_too(vaxdb, database):
    project = Project(vaxdb, database)
    flyway(project, {"<< Flyway Baseline >>": "", "V1.3__c.sql": V2})
    database.execute(
        "UPDATE flyway_schema_history SET version = '1.2', type = 'BASELINE', checksum = NULL "
        "WHERE installed_rank = 1"
    )
    database.execute("UPDATE flyway_schema_history SET version = '1.3' WHERE installed_rank = 2")
    project.write("V1__a.sql", "SELECT 1;")
    project.write("V1.2__b.sql", "SELECT 2;")
    project.write("V1.3__c.sql", V2)
    project.write("V1.10__d.sql", "SELECT 3;")
    project.ok("baseline", "--from", "flyway_schema_history")
    assert project.states() == {
        "V1__a.sql": "applied",
        "V1.2__b.sql": "applied",
        "V1.3__c.sql": "applied",
        "V1.10__d.sql": "pending",
    }


def sqitch(database, folder, *steps):
    folder.mkdir(exist_ok=True)
    for arguments in steps:
        done = rivals.sqitch(database, folder, *arguments)
        assert done.returncode == 0, done.stdout


def test_projects_of_sqitch_are_told_apart(vaxdb, database, scratch):
    """Two of one ledger, with a change of the same name, of which one deployed it."""
    project = Project(vaxdb, database)
    one, two = scratch / "one", scratch / "two"
    note = ["-n", "What it is."]
    sqitch(database, one, ["init", "one", "--engine", "pg"], ["add", "users", *note], ["deploy"])
    sqitch(database, two, ["init", "two", "--engine", "pg"], ["add", "roles", *note], ["deploy"])
    sqitch(database, two, ["add", "users", *note])
    refused = project.fails(2, "baseline", "--from", "sqitch", "--dir", two / "deploy")
    assert "2 projects: one, two" in refused.stderr and "--project one" in refused.stderr
    arguments = ["baseline", "--from", "sqitch", "--dir", two / "deploy", "--json", "--project"]
    assert "no project tow" in project.fails(2, *arguments, "tow").stderr
    taken = project.ok(*arguments, "two").json
    assert taken["baselined"] == ["roles.sql"] and taken["unmatched"] == []
    database.execute("CREATE TABLE old (version varchar(255) PRIMARY KEY)")
    refused = project.fails(2, "baseline", "--from", "old", "--project", "two")
    assert "--project is for Sqitch" in refused.stderr


def test_a_reworked_change_is_several_files(vaxdb, database, scratch):
    project = Project(vaxdb, database)
    note = ["-n", "What it is."]
    sqitch(
        database,
        scratch,
        ["init", "one", "--engine", "pg"],
        ["add", "users", *note],
        ["tag", "v1", *note],
        ["deploy"],
        ["rework", "users", *note],
    )
    arguments = ["baseline", "--from", "sqitch", "--dir", scratch / "deploy"]
    refused = project.fails(3, *arguments)
    assert "of its 2 files 1 is deployed" in refused.stderr
    (scratch / "deploy/users.sql").write_text("SELECT 'reworked';")
    sqitch(database, scratch, ["deploy"])
    taken = project.ok(*arguments, "--json").json
    assert taken["baselined"] == ["users.sql", "users@v1.sql"]


def test_the_real_sqitch_is_taken_over(vaxdb, database, scratch):
    project = Project(vaxdb, database)
    sqitch(
        database,
        scratch,
        ["init", "one", "--engine", "pg"],
        ["add", "first", "-n", "The first."],
        ["add", "second", "-n", "The second."],
        ["deploy"],
        ["add", "third", "-n", "The third."],
    )
    folder = scratch / "deploy"
    # Sqitch knows the order by its plan; here the names have it.
    (folder / "first.sql").rename(folder / "001_first.sql")
    assert "by Sqitch: vaxdb migrate baseline --from sqitch.changes" in hints(project)[0]
    project.ok("baseline", "--from", "sqitch.changes", "--dir", folder)
    status = project.ok("status", "--json", "--dir", folder).json["migrations"]
    assert {row["name"]: row["state"] for row in status} == {
        "001_first.sql": "applied",
        "second.sql": "applied",
        "third.sql": "pending",
    }
    times = "SELECT to_char(%s::timestamp, 'YYYY-MM-DD HH24:MI') FROM %s ORDER BY %s"
    assert [time for _, time in entered(project, "schema_migrations")] == [
        time
        for (time,) in project.query(times % ("committed_at", "sqitch.changes", "committed_at"))
    ]


@pytest.mark.parametrize(
    "columns, said",
    [
        ("(a int)", "no ledger of a tool"),
        ("(id int, name text, checksum text, applied_at date)", "vaxdb has it"),
    ],
)
def test_a_table_of_nobody_is_refused(project, columns, said):
    project.database.execute(f"CREATE TABLE other {columns}")
    assert said in project.fails(2, "baseline", "--from", "other").stderr
    assert "no table" in project.fails(2, "baseline", "--from", "nothing").stderr
    project.fails(2, "baseline", "--from", "other", "--to", "001_a")
