"""Completion, in a real bash and a real zsh on a terminal: what is offered exists, and what exists is
offered."""

import subprocess

import pytest
from support import help as helps
from support.shells import Shell, script, sourced

SHELLS = ("bash", "zsh")


@pytest.fixture(params=SHELLS)
def shell(request, vaxdb):
    for name in ("staging.sql.gz", "vaxdb.ini"):
        (vaxdb.work / name).write_text("")
    migrations = vaxdb.work / "db/migrations"
    migrations.mkdir(parents=True)
    for name in ("001_first.sql", "001_first.down.sql", "002_second.sql", "README.md"):
        (migrations / name).write_text("")
    opened = Shell(vaxdb, request.param, sourced(vaxdb, request.param))
    yield opened
    opened.close()


def plain(candidates):
    """zsh completes an option's "=" as part of it."""
    return sorted(candidate.rstrip("=/") for candidate in candidates)


def test_commands_are_those_of_help(shell, vaxdb):
    names = helps.commands(vaxdb)
    assert shell.complete("vaxdb ") == sorted([*helps.groups(vaxdb), "help"])
    for group in helps.groups(vaxdb):
        verbs = sorted(name[1] for name in names if name[0] == group and len(name) > 1)
        if verbs:
            assert shell.complete(f"vaxdb {group} ") == verbs


def test_flags_of_every_command_are_those_of_help(shell, vaxdb):
    for name in helps.commands(vaxdb):
        page = vaxdb.ok(*name, "--help").stdout
        wanted = {word for flag in helps.flags(page).values() for word in helps.words_of(flag)}
        offered = shell.complete(f"vaxdb {' '.join(name)} -")
        assert set(plain(offered)) == wanted, name


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vaxdb mig", ["migrate"]),
        ("vaxdb -e staging --json migrate st", ["status"]),
        ("vaxdb --url postgresql://a:b@c:5432/d?x=y migrate st", ["status"]),
        ("vaxdb help migrate st", ["status"]),
        ("vaxdb -e ", ["development", "production", "staging", "test"]),
        ("vaxdb -qe st", ["staging"]),
        ("vaxdb migrate status --env prod", ["production"]),
        ("vaxdb migrate status --env=st", ["staging"]),
        ("vaxdb -v migrate status -qe st", ["staging"]),
        ("vaxdb migrate up --to ", ["001_first.sql", "002_second.sql"]),
        ("vaxdb migrate up --dir db/migrations --to 001", ["001_first.sql"]),
        ("vaxdb migrate up --dir=elsewhere --to ", []),
        ("vaxdb migrate up --interrupted ", ["again", "done"]),
        ("vaxdb migrate up --wait ", []),
        ("vaxdb migrate up --di", ["--dir"]),
        ("vaxdb completion ", ["bash", "zsh"]),
        ("vaxdb completion bash --ver", ["--verbose", "--version"]),
        ("vaxdb backup show --dir ", ["db"]),
        ("vaxdb -c vax", ["vaxdb.ini"]),
        ("vaxdb restore -e staging st", ["staging.sql.gz"]),
        ("vaxdb restore -- st", ["staging.sql.gz"]),
        ("vaxdb nonsense ", []),
    ],
)
def test_what_is_offered(shell, line, offered):
    assert plain(shell.complete(line)) == offered


def test_migrations_where_the_configuration_has_them(shell, vaxdb):
    (vaxdb.work / "changes").mkdir()
    (vaxdb.work / "changes/007_other.sql").write_text("")
    (vaxdb.work / "vaxdb.ini").write_text("[vaxdb]\nmigrations = changes\n")
    assert shell.complete("vaxdb migrate up --to ") == ["007_other.sql"]


def test_zsh_loads_it_from_fpath(vaxdb):
    folder = vaxdb.folder / "functions"
    folder.mkdir()
    script(vaxdb, "zsh").rename(folder / "_vaxdb")
    setup = (
        f"fpath=('{folder}' $fpath); autoload -Uz compinit; compinit -u -d '{vaxdb.folder}/dump'"
    )
    shell = Shell(vaxdb, "zsh", setup)
    try:
        assert shell.complete("vaxdb migrate st") == ["status"]
        assert shell.complete("vaxdb migrate st") == ["status"]
    finally:
        shell.close()


def test_the_scripts_do_not_depend_on_a_configuration(vaxdb):
    vaxdb.write_config("nonsense\n")
    for name in SHELLS:
        text = vaxdb.ok("completion", name).stdout
        subprocess.run([name, "-n"], input=text, text=True, check=True)
        assert vaxdb.ok("completion", name, "--json").json["script"] == text


def test_another_shell_is_named_as_unknown(vaxdb):
    failed = vaxdb.fails(2, "completion", "fish")
    assert '"fish" is not valid' in failed.stderr
    assert "bash, zsh" in failed.stderr
    assert "bash|zsh" in vaxdb.fails(2, "completion").stderr


def test_where_no_argument_may_follow_flags_are_offered(shell):
    offered = plain(shell.complete("vaxdb migrate status "))
    assert {"--dir", "--json", "--env"} <= set(offered)
