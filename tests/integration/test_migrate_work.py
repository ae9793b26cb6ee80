"""How files reach the server: several statements in one message, errors in the right place all the
same; and work that grows with the files and no faster."""

import resource

import pytest
from support.migrations import Project
from support.waiting import wait_until

LOCK_WORK = 0x76617877


@pytest.fixture
def project(vaxdb, database):
    return Project(vaxdb, database)


# ---- one message --------------------------------------------------------------------------------

ERRORS = [
    # An error with a position, after text whose characters and bytes differ.
    ("CREATE TABLE \"é\" ();\nCOMMENT ON TABLE \"é\" IS 'größer';\nSELECT 1, nowhere;\n", 3, 11),
    # Without a position: the statement's first line.
    ("CREATE TABLE a (id int PRIMARY KEY);\n\n-- twice\nINSERT INTO a\n  VALUES (1), (1);\n", 4, 1),
    # In the frame of BEGIN and COMMIT, which is left out.
    ("BEGIN;\nCREATE TABLE a ();\nCREATE TABLE a ();\nCOMMIT;\n", 3, 1),
    # After many that went well.
    ("SELECT 1;\n" * 40 + "SELECT oops();\n" + "SELECT 1;\n" * 40, 41, 8),
]


@pytest.mark.parametrize("text, line, column", ERRORS)
def test_errors_have_their_place_in_the_file(project, text, line, column):
    project.write("001_a.sql", text)
    failed = project.fails(1, "up", "--no-lint", "--json").json["error"]
    assert (failed["file"], failed["line"], failed["column"]) == ("001_a.sql", line, column)
    assert not project.exists("a")
    assert project.states() == {"001_a.sql": "pending"}


def test_a_syntax_error_of_an_older_server_has_its_place(vaxdb, servers, new_database):
    project = Project(vaxdb, new_database(server=servers.get(13)))
    project.write(
        "001_a.sql",
        "CREATE TABLE a (id int);\nSELECT 1;\n"
        "MERGE INTO a USING a AS b ON true WHEN MATCHED THEN DO NOTHING;\nSELECT 2;\n",
    )
    failed = project.fails(1, "up", "--no-lint", "--json").json["error"]
    assert (failed["line"], failed["column"]) == (3, 1), failed
    assert not project.exists("a")


def test_an_error_at_commit_leaves_nothing(project):
    project.write(
        "001_a.sql",
        "CREATE TABLE a (id int PRIMARY KEY);\n"
        "CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
        "INSERT INTO b VALUES (1);\n",
    )
    failed = project.fails(1, "up")
    assert "violates foreign key" in failed.stderr
    assert "nothing of 001_a.sql was kept" in failed.stderr
    assert not project.exists("a")
    assert project.states() == {"001_a.sql": "pending"}


def test_a_lock_that_another_run_has_got_stops_this_one(project):
    """A run whose locks are gone, here because a file gave one back, must not go on beside another."""
    project.write("001_a.sql", "SELECT pg_advisory_unlock_all(); SELECT pg_sleep(1);")
    project.write("002_b.sql", "CREATE TABLE b ();")
    process = project.start("up")
    with project.database.connect() as rival:
        key = wait_until(
            lambda: rival.execute(
                "SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = "
                f"{LOCK_WORK} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
        )[0]
        take = f"SELECT pg_try_advisory_lock({LOCK_WORK}, {key})"
        wait_until(lambda: rival.execute(take).fetchone()[0])
        refused = project.vaxdb.finish(process)
    assert refused.status == 3, refused
    assert "another run has it now" in refused.stderr
    assert project.ledger() == ["001_a.sql"]
    assert not project.exists("b")


# ---- linear -------------------------------------------------------------------------------------


def cpu_seconds(project, *arguments):
    """User time of a run, which the machine's other load changes little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    project.ok(*arguments)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def growth(project, write, *command):
    """How much more the same work takes for twice as much: 2 where it is linear, 4 where it is
    quadratic. The least of a few tries counts."""
    figures = []
    for factor in (1, 2):
        write(factor)
        figures.append(min(cpu_seconds(project, *(command or ["verify"])) for _ in range(3)))
    return figures[1] / figures[0]


@pytest.mark.parametrize("command", [["verify"], ["lint"], ["up", "--dry-run", "--no-lint"]])
def test_statements_without_number(project, command):
    project.write("000_a.sql", "CREATE TABLE a (id int, t text);\n")

    def write(factor):
        project.write("001_a.sql", "INSERT INTO a VALUES (1, 'x');\n" * 10_000 * factor)

    assert growth(project, write, *command) < 3


def test_statements_without_number_run(project):
    text = "CREATE TABLE {table} (id int);\n" + "INSERT INTO {table} VALUES (1);\n" * 20_000
    project.write("001_a.sql", text.replace("{table}", "a"))
    one = cpu_seconds(project, "up", "--no-lint")
    more = text.replace("{table}", "b") + "INSERT INTO b VALUES (1);\n" * 20_000
    project.write("002_b.sql", more)
    two = cpu_seconds(project, "up", "--no-lint")
    assert project.value("SELECT count(*) FROM b") == 40_000
    assert two / one < 3


def test_ten_megabytes_in_one_statement(project):
    def write(factor):
        project.write("001_a.sql", f"SELECT '{'x' * 5_000_000 * factor}';\n")

    assert growth(project, write) < 3


def test_ten_megabytes_of_copy_run(project):
    rows = "".join(f"{number}\t{'y' * 90}\n" for number in range(100_000))
    project.write("001_a.sql", f"CREATE TABLE a (n int, t text);\nCOPY a FROM STDIN;\n{rows}\\.\n")
    project.ok("up")
    assert project.value("SELECT count(*) FROM a") == 100_000


def test_thousands_of_files(project):
    def write(factor):
        for number in range(1, 1000 * factor + 1):
            project.write(f"{number:05}_t.sql", f"CREATE TABLE t{number} (id int);\n")

    assert growth(project, write) < 3
