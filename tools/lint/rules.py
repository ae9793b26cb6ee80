"""The rules of this repository that need no compiler. A rule takes a Repository and yields
Findings; RULES names them all."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

from repository import Finding

# An include may only point down this list; within a row not at all.
ROOMS = (
    ("cli",),
    ("demo",),
    ("daemon",),
    ("checklist",),
    ("flows",),
    ("lint",),
    ("index", "pool", "backup", "migrate", "monitor", "dataset"),
    ("store", "state", "http", "pg"),
    ("conf",),
    ("base",),
)
LEVEL = {room: level for level, row in enumerate(ROOMS) for room in row}

# Libraries that one room hides from the others.
WALLS = {
    "sqlite3.h": "state",
    "libpq-fe.h": "pg",
    "pg_query.h": "pg",
    "jansson.h": "base",
    "curl/curl.h": "store",
    "microhttpd.h": "http",
    "stringprep.h": "pool",
}

FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 100
README_LINES_MAX = 60
TEXT_FILES = (".c", ".h", ".py", ".sh", ".bash", ".zsh", ".sql", ".md", ".build", ".json", ".js",
              ".ts", ".css")


def included(repository, path):
    """(line, name, quoted) of every #include."""
    for number, text in repository.lines(path):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', text)
        if match:
            yield number, match[2], match[1] == '"'


def check_arrows(repository):
    """Rooms include only what is below them."""
    for path in repository.files(".c", ".h", under="src"):
        room = path.parts[1] if len(path.parts) > 2 else None  # None: main.c, which is above all
        if room is not None and room not in LEVEL:
            yield Finding(path, 1, f"room {room} is not in the list of rooms (tools/lint/rules.py)")
            continue
        for line, name, quoted in included(repository, path):
            wall = WALLS.get(name)
            if wall and room != wall:
                yield Finding(path, line, f"{name} is for src/{wall} alone")
            if not quoted:
                continue
            target = name.split("/")[0]
            if "/" not in name:
                if room and repository.exists(path.parent / name):
                    yield Finding(path, line, f'write it "{room}/{name}"')
            elif target not in LEVEL:
                yield Finding(path, line, f"{name} is in no room that is listed")
            elif room and target != room and LEVEL[target] <= LEVEL[room]:
                yield Finding(path, line, f"src/{room} must not include {name}: arrows point down")


def is_table(path):
    return path.stem.endswith(("_table", "_tables"))


def c_functions(lines):
    """(name, first line, number of lines) of each function. clang-format puts the brace of a
    function, and of nothing else, alone at the start of a line; the next brace there ends it."""
    start = None
    name = "?"
    for number, text in lines:
        if text == "{":
            start = number
        elif text.startswith("}") and start is not None:
            yield name, start, number - start + 1
            start = None
        elif start is None and (match := re.match(r"[a-zA-Z_].*?\b(\w+)\(", text)):
            name = match[1]


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_sizes(repository):
    """At most 1,000 lines a file and 100 a function; tables (NAME_table.c) apart."""
    for path in repository.files(".c", ".h", ".py", ".sh", ".sql", ".js", ".css", ".md"):
        if is_table(path):
            continue
        lines = repository.lines(path)
        if len(lines) > FILE_LINES_MAX:
            yield Finding(path, FILE_LINES_MAX, f"the file has {len(lines)} lines")
        functions = []
        if path.suffix in (".c", ".h"):
            functions = c_functions(lines)
        elif path.suffix == ".py":
            try:
                functions = python_functions(repository.read(path))
            except SyntaxError:
                continue  # check_scripts says so
        for name, line, length in functions:
            if length > FUNCTION_LINES_MAX:
                yield Finding(path, line, f"function {name} has {length} lines")


# Written so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    r"\b(?:registry\.npmjs|registry\.yarnpkg|(?:deb|security|snapshot)\.debian|pypi"
    r"|files\.pythonhosted|proxy\.golang|deb\.nodesource)\.(?:org|com)\b"
)
OWN_PATHS = re.compile(r"(?<![\w.*}$])/(?:work|root|home/\w+)/\w")
NPMRC_LINE = "omit-lockfile-registry-resolved=true"


def check_texts(repository):
    """No host of a package registry, no path of somebody's machine, no stray white space."""
    for path in repository.files():
        if "corpus" in path.parts:  # bytes for parsers
            continue
        if path.suffix not in TEXT_FILES and path.name not in ("run", ".npmrc", "Makefile"):
            continue
        text = repository.read(path)
        for number, line in enumerate(text.splitlines(), start=1):
            if REGISTRIES.search(line):
                yield Finding(path, number, "names the host of a package registry")
            if OWN_PATHS.search(line):
                yield Finding(path, number, "names a path of one machine")
            if line != line.rstrip() and path.suffix != ".md":
                yield Finding(path, number, "white space at the end of the line")
            if "\t" in line and path.suffix in (".c", ".h", ".py", ".sh", ".bash", ".sql"):
                yield Finding(path, number, "a tab")
            if path.name == "package-lock.json" and '"resolved"' in line:
                yield Finding(path, number, "names where a package came from")
        if text and not text.endswith("\n"):
            yield Finding(path, text.count("\n") + 1, "no newline at the end of the file")
    if not repository.exists(".npmrc") or NPMRC_LINE not in repository.read(".npmrc").splitlines():
        yield Finding(Path(".npmrc"), 1, f"must have the line {NPMRC_LINE}")


def check_rooms(repository):
    """Every room has a README.md of at most a page, and its sources are built."""
    for folder in sorted((repository.root / "src").glob("*/")):
        room = folder.relative_to(repository.root)
        if not list(folder.glob("*.[ch]")):
            continue
        readme = room / "README.md"
        if not repository.exists(readme):
            yield Finding(readme, 1, "every room has one: why it exists, its invariants, its entry")
        elif len(repository.lines(readme)) > README_LINES_MAX:
            yield Finding(readme, README_LINES_MAX, "is longer than a page")
    # A file that is in no list is never built, and a test in none never runs.
    for path in repository.files(".c", under="src") + repository.files(".c", under="tests"):
        build = path.parent / "meson.build"
        parent = path.parent.parent / "meson.build"
        listed = {path.name, path.stem, re.sub("^(test|fuzz)_", "", path.stem)}
        lists = [repository.read(name) for name in (build, parent) if repository.exists(name)]
        if not any(f"'{name}'" in text for name in listed for text in lists):
            if str(path) != "src/main.c":
                yield Finding(path, 1, f"is not built: {build} does not list it")


def check_sql(repository):
    """Every catalogue query names its majors, and is built."""
    folder = Path("src/pg/sql")
    build = repository.read(folder / "meson.build") if repository.exists(folder) else ""
    for path in repository.files(".sql", under=folder):
        first = repository.read(path).partition("\n")[0]
        majors = re.fullmatch(r"-- majors: (\d+)-(\d+)", first)
        if not majors:
            yield Finding(path, 1, "the first line must be '-- majors: FIRST-LAST'")
        elif int(majors[1]) > int(majors[2]):
            yield Finding(path, 1, "the majors are the wrong way round")
        if f"'{path.name}'" not in build:
            yield Finding(path, 1, f"is not built: {folder}/meson.build does not list it")


def is_shell(repository, path):
    if path.suffix in (".sh", ".bash"):
        return True
    if path.suffix or not (repository.root / path).is_file():
        return False
    with open(repository.root / path, "rb") as file:
        return re.match(rb"#!\s*/(usr/)?bin/(env )?(ba|da)?sh\b", file.read(40)) is not None


def check_scripts(repository):
    """Python compiles and has no unused names; shell scripts parse and pass shellcheck."""
    for path in repository.files(".py"):
        try:
            ast.parse(repository.read(path))
        except SyntaxError as error:
            yield Finding(path, error.lineno or 1, f"{error.msg}")
    yield from tool_findings(repository, ["pyflakes3"], repository.files(".py"))
    scripts = [path for path in repository.files() if is_shell(repository, path)]
    yield from tool_findings(repository, ["shellcheck", "-x", "--format=gcc"], scripts)


def tool_findings(repository, command, paths):
    """Runs a tool on the files and takes its "file:line:column: message" lines."""
    if not paths:
        return
    if not shutil.which(command[0]):
        raise RuntimeError(f"{command[0]} is missing: ./run lint installs it")
    done = subprocess.run(
        [*command, *map(str, paths)],
        cwd=repository.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = 0
    for line in done.stdout.splitlines():
        match = re.match(r"([^:\s]+):(\d+):(?:\d+:)? ?(.*)", line)
        if match:
            found += 1
            yield Finding(Path(match[1]), int(match[2]), match[3])
    if done.returncode and not found:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}")


RULES = {
    "arrows": check_arrows,
    "sizes": check_sizes,
    "texts": check_texts,
    "rooms": check_rooms,
    "sql": check_sql,
    "scripts": check_scripts,
}
