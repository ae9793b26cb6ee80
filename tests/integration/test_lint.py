"""vaxdb migrate lint: what it finds, where it says it is, and how it prints it."""

import json
import re
from pathlib import Path

import pytest
from support.migrations import Project

GUIDE = Path(__file__).parents[2] / "backend/database/migrations"

# The folder that must not get through: what is wrong, and where.
WRONG = {
    "001_base.sql": "CREATE TABLE IF NOT EXISTS stock (id bigint PRIMARY KEY, a int, b int, "
    "photo bytea, at timestamptz);\n",
    "001_base.down.sql": "DROP TABLE IF EXISTS stock;\n",
    "002_recent.sql": "-- migrate:transaction none\n"
    "CREATE INDEX CONCURRENTLY idx_recent ON stock (a)\n"
    "    WHERE at > CURRENT_DATE - 7;\n"
    "CREATE INDEX CONCURRENTLY idx_sum ON stock (a + b);\n",
    "002_recent.down.sql": "DROP INDEX CONCURRENTLY IF EXISTS idx_recent;\n"
    "DROP INDEX CONCURRENTLY IF EXISTS idx_sum;\n",
    "002_photo.sql": "CREATE INDEX CONCURRENTLY idx_photo ON stock USING gin (photo);\n"
    "CREATE INDEX CONCURRENTLY idx_none ON no_table (a);\n"
    "CREATE INDEX CONCURRENTLY idx_nope ON stock (no_column);\n",
    "002_photo.down.sql": "SELECT 1;\n",
    "003_gone.down.sql": "DROP TABLE gone;\n",
    "004_pair.up.sql": "ALTER TABLE stock ADD COLUMN c int;\n",
    "004_pair.down.sql": "ALTER TABLE stock DROP COLUMN c;\n",
}
FOUND_BY_THE_TREE = {
    ("002_recent.sql", 1, "duplicate-number"),
    ("002_photo.sql", 1, "duplicate-number"),
    ("002_recent.sql", 3, "predicate-not-immutable"),
    ("002_recent.sql", 4, "index-expression-parentheses"),
    ("002_photo.down.sql", 1, "down-does-not-undo"),
    ("003_gone.down.sql", 1, "down-without-up"),
}
FOUND_BY_PLACE = {
    ("002_photo.sql", 1),
    ("002_photo.sql", 2),
    ("002_photo.sql", 3),
}


@pytest.fixture
def project(vaxdb, database):
    return Project(vaxdb, database)


def write(project, files):
    for name, text in files.items():
        project.write(name, text)


def alone(project, *arguments, status=0):
    """Without a database: nothing is configured and nothing may be started."""
    outcome = project.vaxdb("migrate", "lint", "--dir", project.folder, *arguments)
    assert outcome.status == status, outcome
    return outcome


def errors(outcome):
    return {
        (Path(found["file"]).name, found["line"], found["rule"])
        for found in outcome.json["findings"]
        if found["severity"] == "error"
    }


# ---- the folder that must not get through --------------------------------------------------------


def test_everything_wrong_is_found_with_its_place(project):
    write(project, WRONG)
    without = errors(alone(project, "--json", status=4))
    assert without >= FOUND_BY_THE_TREE
    found = errors(project.fails(4, "lint", "--json"))
    assert found >= FOUND_BY_THE_TREE
    assert {(file, line) for file, line, _ in found} >= FOUND_BY_PLACE
    assert not any(file.startswith("004_pair") for file, _, _ in without | found)


def test_up_applies_nothing_of_it(project):
    write(project, WRONG)
    project.fails(3, "up")
    assert not project.exists("stock")


def test_up_shows_every_error_that_refuses_it(project):
    project.write("001_a.sql", "CREATE TABLE a (id bigint);\nCREATE INDEX i ON a (id + 1);\n")
    project.write("002_b.sql", "CREATE TABLE b (id bigint);\nCREATE INDEX j ON missing (id);\n")
    refused = project.fails(3, "up").stderr
    assert "001_a.sql:2:" in refused and "[index-expression-parentheses]" in refused
    assert "    2 | CREATE INDEX i ON a (id + 1);\n" in refused
    assert "^" in refused and "help: " in refused
    assert "002_b.sql:2:" in refused and "[missing-table]" in refused
    assert re.search(r"lint found 2 errors and \d+ warnings in what would run", refused)
    assert "[missing-down]" not in refused  # a warning: counted, not shown
    assert "more: vaxdb migrate lint" not in refused
    shown = project.ok("up", "--dry-run").stdout
    assert "-- lint would refuse: lint found 2 errors" in shown
    assert shown.count("-- lint: ") == 2


def test_of_many_errors_up_shows_some(project):
    indexes = "".join(f"CREATE INDEX i{n} ON missing{n} (id);\n" for n in range(13))
    project.write("001_a.sql", indexes)
    refused = project.fails(3, "up").stderr
    assert refused.count("[missing-table]") == 10
    assert "and 3 more: vaxdb migrate lint -e development\n" in refused
    assert "lint found 13 errors" in refused


def test_what_refuses_is_in_the_json_too(project):
    project.write("001_a.sql", "CREATE INDEX i ON missing (id);\nCREATE INDEX j ON missing (id);\n")
    refused = project.fails(3, "up", "--json")
    lint = refused.json["lint"]
    assert lint["errors"] == 2 and lint["warnings"] >= 1
    found = [(f["line"], f["rule"]) for f in lint["findings"] if f["severity"] == "error"]
    assert found == [(1, "missing-table"), (2, "missing-table")]
    assert refused.json["error"]["message"].startswith("lint found 2 errors")
    assert "missing-table" not in refused.stderr


def test_the_guides_own_migrations_have_no_errors(vaxdb, any_database):
    project = Project(vaxdb, any_database)
    for path in GUIDE.glob("*.sql"):
        project.write(path.name, path.read_bytes())
    assert errors(alone(project, "--json")) == set()
    assert errors(project.ok("lint", "--json")) == set()
    project.ok("up")
    assert errors(project.ok("lint", "--json")) == set()
    names = [path.name for path in GUIDE.glob("*.sql")]
    assert errors(project.ok("lint", "--json", *names)) == set()


# ---- which files -----------------------------------------------------------------------------------


def test_applied_files_are_judged_only_when_named(project):
    project.pair("001_a", "CREATE TABLE a (id int PRIMARY KEY);", "DROP TABLE a;")
    project.ok("up")
    project.pair("002_b", "CREATE TABLE b (id int PRIMARY KEY);", "DROP TABLE b;")
    files = {found["file"] for found in project.ok("lint", "--json").json["findings"]}
    assert {Path(file).name for file in files} == {"002_b.sql", "002_b.down.sql"}
    files = {found["file"] for found in project.ok("lint", "--json", "001_a.sql").json["findings"]}
    assert {Path(file).name for file in files} == {"001_a.sql"}
    project.fails(2, "lint", "003_c.sql")


def test_a_named_file_sees_what_the_others_make(project):
    project.pair("001_a", "CREATE TABLE a (id bigint);", "DROP TABLE a;")
    project.pair("002_b", "CREATE INDEX CONCURRENTLY i ON a (id);", "DROP INDEX CONCURRENTLY i;")
    assert errors(project.ok("lint", "--json", "002_b.sql")) == set()


def test_a_large_table_makes_an_error_of_what_blocks_it(project):
    with project.database.connect() as connection:
        connection.execute("CREATE TABLE big (a int)")
        connection.execute("INSERT INTO big SELECT generate_series(1, 150000)")
        connection.execute("CREATE TABLE small (a int); INSERT INTO small VALUES (1)")
    with project.database.connect() as connection:
        connection.execute("ANALYZE")
    project.write("001_a.sql", "CREATE INDEX i ON big (a);\nCREATE INDEX j ON small (a);\n")
    outcome = project.fails(4, "lint", "--json")
    rule = "create-index-blocks-writes"
    severities = {f["line"]: f["severity"] for f in outcome.json["findings"] if f["rule"] == rule}
    assert severities == {1: "error", 2: "info"}
    message = next(f["message"] for f in outcome.json["findings"] if f["rule"] == rule)
    assert " rows, " in message
    severities = {f["severity"] for f in alone(project, "--json").json["findings"]}
    assert "error" not in severities


def test_what_only_the_server_knows_is_not_analysed(vaxdb, servers, new_database):
    project = Project(vaxdb, new_database(server=servers.get(18)))
    project.write("001_a.sql", "CREATE TABLE a (b int, c int GENERATED ALWAYS AS (b) VIRTUAL);\n")
    outcome = project.ok("lint", "--json")
    assert {f["rule"] for f in outcome.json["findings"]} >= {"not-analysed"}
    assert outcome.json["not_analysed"] == 1
    assert {rule for _, _, rule in errors(alone(project, "--json", status=4))} == {"syntax-error"}


def test_a_syntax_error_of_the_server_hides_nothing_after_it(project):
    project.write("001_a.sql", "SELEC 1;\nDROP DATABASE x;\n")
    rules = {(line, rule) for _, line, rule in errors(project.fails(4, "lint", "--json"))}
    assert rules >= {(1, "syntax-error"), (2, "drop-database")}


def test_names_are_still_checked_behind_a_syntax_error(project):
    project.write("001_a.sql", "CREATE TABLE a (b int);\nCREATE TABLE c (d int);\n")
    project.write("002_b.sql", "CREATE INDEX i ON a (b + 1);\nALTER TABLE c ADD COLUMM e int;\n")
    project.write("003_c.sql", "CREATE INDEX j ON a (nope);\nCREATE INDEX k ON c (e);\n")
    project.write("004_d.sql", "CREATE INDEX l ON none (x);\nDROP INDEX i;\n")
    places = {
        ("002_b.sql", 1, "index-expression-parentheses"),
        ("002_b.sql", 2, "syntax-error"),
        ("003_c.sql", 1, "missing-column"),
    }
    without = errors(alone(project, "--json", status=4))
    assert without >= places
    found = errors(project.fails(4, "lint", "--json"))
    assert found >= places | {("004_d.sql", 1, "missing-table")}
    silent = {("003_c.sql", 2), ("004_d.sql", 2)}
    assert not silent & {(file, line) for file, line, _ in without | found}


def test_half_a_migration_is_judged_by_its_rest(project):
    project.write("001_a.sql", "-- migrate:transaction none\nDROP SCHEMA IF EXISTS x;\nSELECT 1/0;\n")
    project.fails(1, "up")
    assert project.states() == {"001_a.sql": "partial"}
    rules = {found["rule"] for found in project.ok("lint", "--json").json["findings"]}
    assert "drop-schema" not in rules


# ---- which database --------------------------------------------------------------------------------


def test_a_database_that_was_asked_for_must_answer(project):
    project.write("001_a.sql", "SELECT 1;")
    url = "host=127.0.0.1 port=1 connect_timeout=1"
    outcome = project.vaxdb("migrate", "lint", "--dir", project.folder, "--url", url)
    assert outcome.status == 5


def test_one_that_is_only_configured_need_not(project):
    project.write("001_a.sql", "SELECT 1;")
    project.vaxdb.write_config(development="host=127.0.0.1 port=1 connect_timeout=1")
    outcome = alone(project)
    assert outcome.stderr.count("Without a database") == 1


# ---- how it prints -----------------------------------------------------------------------------------

ODD = {
    "001_a, b.sql": "SELECT 'ä'; \tDROP DATABASE \"x%y\";\n",
    "001_a, b.down.sql": "SELECT 1;\n",
}


def test_it_prints_like_a_compiler(project):
    write(project, ODD)
    lines = alone(project, status=4).stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "[drop-database]" in line)
    assert lines[at].endswith(
        "001_a, b.sql:1:14: error: the whole database x%y is lost [drop-database]"
    )
    assert lines[at + 1] == "    1 | SELECT 'ä'; \tDROP DATABASE \"x%y\";"
    assert lines[at + 2] == "      |             \t^~~~"
    assert lines[at + 3].startswith("      help: ")


def test_sarif(project):
    write(project, ODD)
    log = json.loads(alone(project, "--format", "sarif", status=4).stdout)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted(set(rules))
    result = next(r for r in run["results"] if r["ruleId"] == "drop-database")
    assert result["level"] == "error" and result["message"]["text"]
    assert {r["ruleId"] for r in run["results"]} <= set(rules)
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("001_a%2C%20b.sql")
    assert place["region"] == {"startLine": 1, "startColumn": 14, "endColumn": 18}


def test_github_annotations(project):
    write(project, ODD)
    lines = alone(project, "--format", "github", status=4).stdout.splitlines()
    line = next(line for line in lines if "drop-database" in line)
    assert line.startswith("::error file=")
    assert "001_a%2C b.sql,line=1,col=14,endColumn=18,title=drop-database::" in line
    assert "the whole database x%25y is lost%0Ahelp: " in line


def test_strict_counts_warnings(project):
    project.pair("001_a", "DROP TABLE t;", "SELECT 1;")
    project.write("002_b.sql", "SELECT 1;")
    alone(project)
    outcome = alone(project, "--strict", status=4)
    assert "--strict" in outcome.stderr
    alone(project, "--format", "xml", status=2)


def test_the_rules_are_listed(project):
    listed = alone(project, "--rules", "--json").json["rules"]
    assert len(listed) >= 45
    text = alone(project, "--rules").stdout
    for rule in listed:
        assert rule["rule"] + ": " + rule["severity"] in text
        assert rule["reason"] and rule["help"]


# ---- how fast --------------------------------------------------------------------------------------


def test_large_files_are_judged_to_the_end(project):
    """Linear work: anything quadratic in one of these would run into the time limit."""
    project.write("001_many.sql", "DROP TABLE t;" * 20_000)
    project.write("002_wide.sql", "CREATE TABLE w (%s);" % ", ".join(
        f"c{i} char(3)" for i in range(1_500)
    ))
    project.write("003_data.sql", "INSERT INTO t (a) VALUES " + ", ".join(
        f"('{i:060d}')" for i in range(30_000)
    ) + ";")
    outcome = alone(project, "--json")
    assert outcome.json["statements"] == 20_002
    rules = [found["rule"] for found in outcome.json["findings"]]
    assert rules.count("drop-table") == 20_000
    assert rules.count("char-n") == 1_500
