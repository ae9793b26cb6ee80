"""Each rule of tools/lint finds what it is for, and nothing in a sound tree."""

import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS / "lint"))

import rules  # noqa: E402
from repository import Repository  # noqa: E402


@pytest.fixture
def tree(tmp_path):
    """A function that writes files and returns the repository that holds them, over a sound one."""

    def write(**files):
        sound = {
            ".npmrc": "omit-lockfile-registry-resolved=true\n",
            "src/main.c": '#include "cli/command.h"\n',
            "src/pg/meson.build": "sources += files('session.c')\n",
            "src/pg/README.md": "# pg\n",
            "src/pg/session.c": '#include "base/error.h"\n\n#include <libpq-fe.h>\n',
            "src/pg/sql/meson.build": "sql_files = files('one.sql')\n",
            "src/pg/sql/one.sql": "-- majors: 13-18\nSELECT 1\n",
        }
        for name, text in {**sound, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Repository(tmp_path)

    return write


def found(rule, repository):
    return [(str(f.path), f.line, f.message) for f in rules.RULES[rule](repository)]


@pytest.mark.parametrize("rule", ["arrows", "sizes", "texts", "rooms", "sql"])
def test_a_sound_tree_has_no_findings(rule, tree):
    assert found(rule, tree()) == []


@pytest.mark.parametrize(
    "path, include, words",
    [
        ("src/base/x.c", '"pg/session.h"', "arrows point down"),
        ("src/pg/x.c", '"state/state.h"', "arrows point down"),  # within a row
        ("src/backup/x.h", '"migrate/runner.h"', "arrows point down"),
        ("src/conf/x.c", '  "flows/target.h"', "arrows point down"),
        ("src/flows/x.c", '"nowhere/x.h"', "in no room"),
        ("src/nowhere/x.c", '"base/error.h"', "not in the list of rooms"),
        ("src/backup/x.c", "<libpq-fe.h>", "for src/pg alone"),
        ("src/pg/x.c", "<sqlite3.h>", "for src/state alone"),
        ("src/main.c", "<sqlite3.h>", "for src/state alone"),
    ],
)
def test_arrows(path, include, words, tree):
    ((where, _, message),) = found("arrows", tree(**{path: f"#include {include}\n"}))
    assert where == path
    assert words in message


def test_arrows_may_point_down_and_stay_in_the_room(tree):
    text = '#include "flows/drill.h"\n#include "backup/dump.h"\n#include "base/error.h"\n'
    assert found("arrows", tree(**{"src/flows/x.c": text})) == []


def test_headers_of_the_room_are_written_with_it(tree):
    files = {"src/pg/x.c": '#include "x.h"\n#include "sql_texts.h"\n', "src/pg/x.h": "\n"}
    ((_, line, message),) = found("arrows", tree(**files))
    assert line == 1
    assert '"pg/x.h"' in message


def c_function(lines):
    body = "".join(f"    call({number});\n" for number in range(lines - 2))
    return "static int name(int a,\n                int b)\n{\n" + body + "}\n"


def test_sizes_of_c_functions(tree):
    table = "static const int numbers[] = {\n" + "    1,\n" * 300 + "};\n"
    text = table + c_function(100) + c_function(101)
    findings = found("sizes", tree(**{"src/pg/x.c": text}))
    assert findings == [("src/pg/x.c", 302 + 102 + 3, "function name has 101 lines")]


def test_sizes_of_python_functions(tree):
    text = "def long():\n" + "    pass\n" * 100
    assert found("sizes", tree(**{"tools/x.py": text}))[0][2] == "function long has 101 lines"


def test_sizes_of_files(tree):
    long = "int a;\n" * 1001
    files = {"src/pg/x.c": long, "src/pg/x_table.c": long, "src/pg/y.c": "int a;\n" * 1000}
    assert found("sizes", tree(**files)) == [("src/pg/x.c", 1000, "the file has 1001 lines")]


HOST = "registry." + "npmjs.org"  # in two parts, so that this file is sound itself
PLACE = "/wo" + "rk/clone"


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("docs/x.md", f"see https://{HOST}/x\n", "host of a package registry"),
        ("src/pg/x.c", f'open("{PLACE}/x");\n', "path of one machine"),
        ("src/pg/x.c", "int a; \n", "white space"),
        ("src/pg/x.c", "\tint a;\n", "a tab"),
        ("src/pg/x.c", "int a;", "no newline"),
        ("tests/package-lock.json", '{"resolved": "x"}\n', "where a package came from"),
        (".npmrc", "fund=false\n", "must have the line"),
    ],
)
def test_texts(name, text, words, tree):
    ((where, _, message),) = found("texts", tree(**{name: text}))
    assert where == name
    assert words in message


def test_texts_leaves_other_paths_alone(tree):
    text = "a network/rooted thing, $HOME/root/x, scratch/root/y, /path/to/scripts\n"
    assert found("texts", tree(**{"docs/x.md": text})) == []


@pytest.mark.parametrize(
    "files, words",
    [
        ({"src/conf/ini.h": "\n"}, "every room has one"),
        ({"src/pg/README.md": "line\n" * 61}, "longer than a page"),
        ({"src/pg/forgotten.c": "\n"}, "is not built"),
        ({"tests/unit/meson.build": "['other']\n", "tests/unit/test_x.c": "\n"}, "is not built"),
    ],
)
def test_rooms(files, words, tree):
    ((_, _, message),) = found("rooms", tree(**files))
    assert words in message


def test_rooms_knows_unit_tests_by_their_names(tree):
    files = {"tests/unit/meson.build": "['x']\n", "tests/unit/test_x.c": "\n"}
    assert found("rooms", tree(**files)) == []


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("one.sql", "SELECT 1\n", "the first line"),
        ("one.sql", "-- majors: 18-13\nSELECT 1\n", "wrong way round"),
        ("two.sql", "-- majors: 13-18\nSELECT 2\n", "is not built"),
    ],
)
def test_sql(name, text, words, tree):
    ((_, _, message),) = found("sql", tree(**{f"src/pg/sql/{name}": text}))
    assert words in message
