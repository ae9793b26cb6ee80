"""What every command has in common: help, wrong words, configuration, exit status, JSON."""

import re
import subprocess

import pytest
from support.help import commands


def test_help_on_every_level_fits_the_terminal_and_has_an_example(vaxdb):
    names = commands(vaxdb)
    assert ["dev", "start"] in names
    assert ["config", "show"] in names
    for name in names:
        page = vaxdb.ok(*name, "--help").stdout
        assert f"Usage: vaxdb {' '.join(name)}" in page
        assert "\nExample:\n  " in page, name
        too_wide = [line for line in page.splitlines() if len(line) > 80]
        assert not too_wide, (name, too_wide)


def test_no_command_shows_help_and_is_an_error(vaxdb):
    shown = vaxdb.fails(2)
    assert "Usage: vaxdb COMMAND" in shown.stderr
    assert vaxdb.ok("help").stdout == vaxdb.ok("--help").stdout
    assert vaxdb.ok("help", "dev", "start").stdout == vaxdb.ok("dev", "start", "--help").stdout


def test_version(vaxdb):
    assert re.fullmatch(r"vaxdb \d+\.\d+\.\d+\n", vaxdb.ok("--version").stdout)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["dve"], "did you mean `vaxdb dev`?"),
        (["dev", "strat"], "did you mean `vaxdb dev start`?"),
        (["dev", "strat", "--help"], "did you mean `vaxdb dev start`?"),
        (["help", "dev", "strat"], "did you mean `vaxdb dev start`?"),
        (["dev", "status", "--jsno"], "did you mean --json?"),
        (["config", "show", "-e", "prodction"], "did you mean -e production?"),
        (["config", "show", "--env"], "--env needs a value"),
        (["config", "show", "extra"], 'unexpected argument "extra"'),
        (["config", "show", "--json=yes"], "takes no value"),
        (["config", "show", "-e", "test", "-e", "test"], "given twice"),
        (["config", "show", "--dry-run"], "--dry-run"),
        (["xyzzy"], "`vaxdb --help` lists"),
    ],
)
def test_wrong_words_exit_2_and_name_the_right_ones(vaxdb, words, answer):
    assert answer in vaxdb.fails(2, *words).stderr


def test_global_flags_may_stand_anywhere(vaxdb):
    before = vaxdb.ok("-e", "staging", "--json", "config", "show").json
    between = vaxdb.ok("config", "--json", "-e", "staging", "show").json
    after = vaxdb.ok("config", "show", "--env=staging", "--json").json
    assert before == between == after
    assert before["env"] == "staging"


def test_errors_are_json_too(vaxdb):
    failed = vaxdb.fails(2, "config", "show", "-e", "moon", "--json")
    assert failed.json["error"]["code"] == "usage"
    assert "moon" in failed.json["error"]["message"]


def settings(outcome):
    return {row["key"]: (row["value"], row["source"]) for row in outcome.json["settings"]}


def test_configuration_is_looked_up_in_order(vaxdb):
    vaxdb.write_config("[vaxdb]\nname = nphcda\nretention_days = 40\n[production]\nname = national\n")
    production = settings(vaxdb.ok("config", "show", "-e", "production", "--json"))
    staging = settings(vaxdb.ok("config", "show", "-e", "staging", "--json"))
    assert production["name"] == ("national", "vaxdb.ini:5")
    assert staging["name"] == ("nphcda", "vaxdb.ini:2")
    assert staging["retention_days"] == ("40", "vaxdb.ini:3")
    assert production["pool_max"] == ("50", "default")
    assert settings(vaxdb.ok("config", "show", "--json"))["pool_max"] == ("10", "default")
    environment = vaxdb.ok("config", "show", "--json", env={"VAXDB_NAME": "mine"})
    assert settings(environment)["name"] == ("mine", "$VAXDB_NAME")


def test_paths_start_at_the_folder_of_the_file(vaxdb):
    vaxdb.write_config("[vaxdb]\nmigrations = db/changes\n")
    elsewhere = vaxdb.folder / "elsewhere"
    elsewhere.mkdir()
    shown = vaxdb.ok("config", "show", "--json", "-c", vaxdb.work / "vaxdb.ini", cwd=elsewhere)
    assert settings(shown)["migrations"][0] == str(vaxdb.work / "db/changes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[vaxdb]\nretenton_days = 3\n", "vaxdb.ini:2: unknown setting"),
        ("[vaxdb]\nretention_days = soon\n", 'vaxdb.ini:2: retention_days: "soon" is not valid'),
        ("[prodution]\nname = x\n", "did you mean [production]?"),
        ("name = x\n", "vaxdb.ini:1: a key before the first [section]"),
        ("[vaxdb]\nname\n", "vaxdb.ini:2: neither a section nor"),
        ("[vaxdb\n", "vaxdb.ini:1: a section is written [name]"),
        ("[vaxdb]\nname = a\nname = b\n", "vaxdb.ini:3: name is set twice, first on line 2"),
    ],
)
def test_a_wrong_configuration_exits_2_with_file_and_line(vaxdb, text, message):
    vaxdb.write_config(text)
    assert message in vaxdb.fails(2, "config", "show").stderr


def test_a_configuration_that_was_named_must_be_there(vaxdb):
    assert "vaxdb init" in vaxdb.fails(2, "config", "show", "-c", "nowhere.ini").stderr
    vaxdb.fails(2, "config", "show", env={"VAXDB_CONFIG": "nowhere.ini"})


def test_passwords_are_not_shown(vaxdb):
    vaxdb.write_config(
        staging="postgresql://app:s3cret@db/vaxtrace", production="host=db password='s3 cret' user=a"
    )
    for env in ("staging", "production"):
        shown = vaxdb.ok("config", "show", "-e", env).stdout
        assert "cret" not in shown
        assert "****" in shown


def test_init_writes_a_file_that_works_and_never_over_one(vaxdb):
    vaxdb.ok("init")
    path = vaxdb.work / "vaxdb.ini"
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    vaxdb.ok("config", "show")
    vaxdb.fails(3, "init")
    assert path.read_text() == text


def test_an_output_that_cannot_be_written_is_a_failure(vaxdb):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [vaxdb.binary, "config", "show"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=vaxdb.work,
            env=vaxdb.environment,
            check=False,
        )
    assert done.returncode == 1
    assert b"cannot write" in done.stderr
