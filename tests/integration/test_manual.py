"""The manual pages say what --help says, and are well-formed roff."""

import re
import subprocess

import pytest
from support import help as helps
from support.program import ROOT


def rendered(roff):
    """The page as plain text of 80 columns; groff must have nothing to say about it."""
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii", "-rLL=80n", "-P-cbou"],
        input=roff,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.fixture
def pages(vaxdb):
    """{"vaxdb-migrate.1": its text}"""
    names = vaxdb.ok("manual", "--list").stdout.split()
    return {name: rendered(vaxdb.ok("manual", name).stdout) for name in names}


def section(page, title):
    """The lines of a section or of a subsection, up to the next heading of its kind or higher."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == title)
    depth = len(lines[start]) - len(lines[start].lstrip())
    found = []
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        found.append(line)
    return "\n".join(found)


def terms(part):
    """Terms of a section stand in column 7, what they mean in column 14: behind a short term, else in
    the next line. Prose stands in column 7 throughout."""
    lines = [*part.splitlines(), ""]
    for line, after in zip(lines, lines[1:]):
        if line[:7].strip() or line[7:8].strip() == "":
            continue
        if line[13:14] == " " and re.match(r"-|[a-z_]+ ", line[7:14]) and re.search(r"[ .]", line[14:]):
            yield line[7:14].strip()
        elif after.startswith(" " * 14):
            yield line[7:]


def flags(part):
    """{"--env": "-e, --env ENV", ...} of a section."""
    found = {re.search(r"--[a-z-]+", term): term for term in terms(part)}
    return {match[0]: term for match, term in found.items() if match and term.startswith("-")}


def spaceless(text):
    return re.sub(r"\s+", " ", text)


def test_there_is_a_page_for_every_group_and_for_the_configuration(vaxdb, pages):
    wanted = {f"vaxdb-{group}.1" for group in helps.groups(vaxdb)}
    assert set(pages) == wanted | {"vaxdb.1", "vaxdb.ini.5"}
    for name, page in pages.items():
        assert page.isascii(), name
        assert all(len(line) <= 80 for line in page.splitlines()), name
        titles = re.findall(r"^[A-Z][A-Z ]+$", page, re.M)
        required = {"NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"}
        assert required <= set(titles), name
        if name.endswith(".1"):
            assert {"EXIT STATUS", "FLAGS OF EVERY COMMAND"} <= set(titles), name


def test_synopsis_and_flags_are_those_of_help(vaxdb, pages):
    for name in helps.commands(vaxdb):
        shown = vaxdb.ok(*name, "--help").stdout
        page = pages[f"vaxdb-{name[0]}.1"]
        usage = helps.usage(shown)
        assert usage in [line.strip() for line in section(page, "SYNOPSIS").splitlines()]
        alone = len(name) == 1
        if alone:
            own = section(page, "FLAGS") if "\nFLAGS\n" in page else ""
        else:
            own = section(section(page, "COMMANDS"), usage)
        everywhere = flags(section(page, "FLAGS OF EVERY COMMAND"))
        wanted = helps.flags(shown)
        if not alone:  # a page of several commands has it for those that honour it
            wanted.setdefault("--dry-run", "--dry-run")
        assert {**everywhere, **flags(own)} == wanted, name


def test_a_synopsis_holds_nothing_but_the_commands(vaxdb, pages):
    usages = {helps.usage(vaxdb.ok(*name, "--help").stdout) for name in helps.commands(vaxdb)}
    shown = set()
    for name, page in pages.items():
        if name not in ("vaxdb.1", "vaxdb.ini.5"):
            lines = section(page, "SYNOPSIS").splitlines()
            shown |= {line.strip() for line in lines if line.strip()}
    assert shown == usages


def test_the_example_of_help_is_on_the_page(vaxdb, pages):
    for name in helps.commands(vaxdb):
        shown = vaxdb.ok(*name, "--help").stdout
        examples = section(pages[f"vaxdb-{name[0]}.1"], "EXAMPLES")
        commands = re.findall(r"^  (\S.*?)(?: {3}.*)?$", shown.partition("\nExample:\n")[2], re.M)
        assert commands, name
        for command in commands:
            assert command in examples, name


def test_every_setting_is_explained(vaxdb, pages):
    settings = [row["key"] for row in vaxdb.ok("config", "show", "--json").json["settings"]]
    assert list(terms(section(pages["vaxdb.ini.5"], "SETTINGS"))) == settings


def test_the_example_configuration_works(vaxdb, pages):
    lines = section(pages["vaxdb.ini.5"], "EXAMPLES").splitlines()
    vaxdb.write_config("\n".join(line.strip() for line in lines) + "\n")
    shown = vaxdb.ok("config", "show", "-e", "production", "--json").json["settings"]
    assert {row["key"]: row["value"] for row in shown}["retention_days"] == "90"


def test_exit_statuses_are_those_of_the_readme(pages):
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "README.md").read_text(), re.M)
    assert len(rows) >= 7
    page = spaceless(section(pages["vaxdb-migrate.1"], "EXIT STATUS"))
    for status, meaning in rows:
        assert f"{status} {meaning[0].upper()}{meaning[1:]}." in page


def test_the_build_makes_every_page(vaxdb):
    names = vaxdb.ok("manual", "--list").stdout.split()
    folder = vaxdb.binary.parent / "docs/man"
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for name in names:
        assert (folder / name).read_text() == vaxdb.ok("manual", name).stdout


def test_a_page_is_found_by_its_command_and_wrong_names_are_told(vaxdb):
    page = vaxdb.ok("manual", "migrate").stdout
    assert vaxdb.ok("manual", "vaxdb-migrate").stdout == page
    assert vaxdb.ok("manual", "vaxdb-migrate.1", "--json").json["text"] == page
    assert "did you mean vaxdb-migrate.1?" in vaxdb.fails(2, "manual", "vaxdb-migrat").stderr
    assert "--list" in vaxdb.fails(2, "manual", "moon").stderr
