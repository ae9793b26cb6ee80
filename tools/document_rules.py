#!/usr/bin/env python3
"""Writes the table of lint's rules into docs/migrations.md, as `vaxdb migrate lint --rules` knows
them: document_rules.py [PROGRAM]. A test compares."""

import json
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/migrations.md"
START = "<!-- rules: made by tools/document_rules.py -->\n"
END = "<!-- end of rules -->\n"


def table(rules):
    """The rules as Markdown, by severity, then by name."""
    lines = []
    for severity, title in (("error", "Errors"), ("warning", "Warnings"), ("info", "Remarks")):
        lines += [f"### {title}", "", "| rule | why | what is safe |", "|---|---|---|"]
        for rule in sorted(rules, key=lambda rule: rule["rule"]):
            if rule["severity"] != severity:
                continue
            marks = " (1)" * rule["needs_database"] + " (2)" * rule["certain"]
            cells = [f"`{rule['rule']}`{marks}", rule["reason"], rule["help"]]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    lines += ["(1) needs the database: `-e` or `--url`. (2) the server would refuse it: cannot be ignored.", ""]
    return "\n".join(lines)


def with_rules(page, rules):
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table(rules)}\n{END}{after}"


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/vaxdb"
    listed = subprocess.run(
        [program, "migrate", "lint", "--rules", "--json"], capture_output=True, check=True
    )
    PAGE.write_text(with_rules(PAGE.read_text(), json.loads(listed.stdout)["rules"]))


if __name__ == "__main__":
    main()
