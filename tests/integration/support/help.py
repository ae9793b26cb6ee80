"""What --help says, taken apart."""

import re


def commands(vaxdb):
    """Every command, found as a user finds it: by --help on each level."""
    found = []
    for group in groups(vaxdb):
        page = vaxdb.ok(group, "--help").stdout
        listed = re.findall(rf"^  vaxdb ({group}(?: [a-z]+)?)(?: |$)", commands_of(page), re.M)
        found += listed or [group]
    return [name.split() for name in found]


def groups(vaxdb):
    return re.findall(r"^  ([a-z]+) ", vaxdb.ok("--help").stdout, re.M)


def commands_of(page):
    """The part of a group's page that lists its commands."""
    return page.partition("\nCommands:\n")[2]


def usage(page):
    """The usage line of a command's page."""
    return re.search(r"^Usage: (.*)$", page, re.M)[1]


def flags(page):
    """{"--env": "-e, --env ENV", ...} of a command's page, in its order."""
    found = {}
    for heading in ("Flags", "Flags of every command"):
        part = page.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        for term in re.findall(r"^  ((?:-\w, |    )--[a-z-]+(?: \S+)?)(?:  |$)", part, re.M):
            found[re.search(r"--[a-z-]+", term)[0]] = term.strip()
    return found


def words_of(flag):
    """("-e", "--env") of "-e, --env ENV"."""
    return tuple(word.rstrip(",") for word in flag.split() if word.startswith("-"))
