"""What the documentation shows works as it stands, and its tables are what the program says."""

import re
import shutil
import subprocess
import sys

from support.program import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import document_rules  # noqa: E402

README = (ROOT / "README.md").read_text()
HANDBOOK = (ROOT / "docs/migrations.md").read_text()
LINKS = re.compile(r"\[[^\]]*\]\(([^)#]*)(?:#([^)]*))?\)")


def section(page, title):
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text, language):
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [block for kind, block in fenced if kind == language]


def places(text):
    """(file, line, column, severity, rule) of lint's findings."""
    return re.findall(r"^(\S+?):(\d+):(\d+): (\w+): .*\[([a-z-]+)\]$", text, re.M)


class Typist:
    """Types into a bash, in a folder like a clone in which vaxdb was built."""

    def __init__(self, vaxdb):
        self.vaxdb = vaxdb
        shutil.copytree(ROOT / "backend", vaxdb.work / "backend")
        (vaxdb.work / "build").mkdir()
        (vaxdb.work / "build/vaxdb").symlink_to(vaxdb.binary)

    def __call__(self, text):
        return subprocess.run(
            ["bash", "-euo", "pipefail"],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.vaxdb.work,
            env=self.vaxdb.environment,
            check=False,
        )


def test_the_walk_through_of_the_readme(vaxdb):
    text = section(README, "A change, from the idea to production")
    begin, bad, good, back = blocks(text, "sh")
    (shown,) = blocks(text, "")
    type_in = Typist(vaxdb)
    for step in (begin, bad):
        done = type_in(step)
        assert done.returncode == 0, done.stdout
    command = re.search(r"^`(build/vaxdb migrate lint.*?)` exits 4", text, re.M)[1]
    linted = type_in(command)
    assert linted.returncode == 4, linted.stdout
    assert places(shown) == places(linted.stdout)
    assert places(shown)

    staging = "build/vaxdb migrate up -e staging\n"
    assert staging in good
    refused = type_in(good.replace(staging, ""))
    assert refused.returncode == 3, refused.stdout
    assert "vaxdb migrate up -e staging" in refused.stdout
    for step in (good, back):
        done = type_in(step)
        assert done.returncode == 0, done.stdout
    status = vaxdb.ok("migrate", "status", "-e", "production", "--json").json["migrations"]
    assert [row["state"] for row in status] == ["applied"] * 3 + ["pending"]
    assert vaxdb.ok("backup", "list", "-e", "production", "--json").json["backups"]


def test_the_table_of_rules_is_current(vaxdb):
    rules = vaxdb.ok("migrate", "lint", "--rules", "--json").json["rules"]
    assert document_rules.with_rules(HANDBOOK, rules) == HANDBOOK, "run tools/document_rules.py"


def test_commands_and_flags_that_are_named_exist(vaxdb):
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text().partition(document_rules.START)[0]
        for line in re.findall(r"vaxdb ((?:migrate|backup|restore|drill) [^`\n|#>&(]*)", text):
            words = line.split()
            group = len(words) > 1 and words[0] != "restore" and re.fullmatch("[a-z]+", words[1])
            name = words[:2] if group else words[:1]
            shown = vaxdb.ok(*name, "--help").stdout
            for flag in re.findall(r"(?<!\S)--[a-z-]+", line):
                assert flag in shown, (path.name, line)


def test_links_lead_somewhere():
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target, anchor in LINKS.findall(path.read_text()):
            if "://" in target:
                continue
            page = (path.parent / target).resolve() if target else path
            assert page.exists(), (path.name, target)
            if anchor:
                headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
                anchors = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in headings]
                assert anchor in anchors, (path.name, target, anchor)
