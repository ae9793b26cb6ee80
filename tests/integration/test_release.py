"""The optimised binary, which people run: everything else runs the sanitized one."""

import os
import shutil

import pytest
from support.program import ROOT


@pytest.mark.release
def test_from_an_empty_database_to_a_drill(vaxdb, database):
    shutil.copytree(ROOT / "backend", vaxdb.work / "backend")
    vaxdb.write_config(staging=database.url)
    assert len(vaxdb.ok("migrate", "up", "-e", "staging", "--json").json["applied"]) == 3
    loaded = vaxdb.ok("dev", "load", "--rows", 2000, "-e", "staging", "--json").json
    assert database.scalar("SELECT count(*) FROM stock_snapshots") == 2000
    made = vaxdb.ok("backup", "create", "-e", "staging", "--json").json
    assert made["rows"] > 2000, (made, loaded)
    drill = vaxdb.ok("drill", "run", "-e", "staging", "--json").json
    assert drill["verdict"] == "pass"
    assert all(check["ok"] for check in drill["checks"])


@pytest.mark.release
def test_a_backup_of_wide_rows_needs_bounded_memory(vaxdb, database):
    """256 MiB plus five times the widest row, however many workers meet such rows."""
    width = 100 << 20
    for table in range(4):
        database.execute(f"CREATE TABLE wide_{table} AS SELECT repeat('{table}abcdefg', {width // 8}) AS t")
    command = ("backup", "create", "-e", "production", "--url", database.url, "--jobs", "12")
    process = vaxdb.start(*command)
    _, status, usage = os.wait4(process.pid, 0)
    process.communicate()
    assert status == 0
    assert usage.ru_maxrss * 1024 < (256 << 20) + 5 * width
