"""backup adopt, backup schedule."""

import gzip
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from support.backups import NASTY, NASTY_ROWS, NASTY_TABLES, fill


def dump(database, path):
    """As a script of before did it."""
    path.parent.mkdir(exist_ok=True)
    done = subprocess.run(
        ["pg_dump"], env={**os.environ, **database.environment}, capture_output=True, check=True
    )
    path.write_bytes(gzip.compress(done.stdout))
    return path


def adopt(vaxdb, *files, status=0):
    outcome = vaxdb("backup", "adopt", "-e", "production", "--database", "vaccines", "--json", *files)
    assert outcome.status == status, outcome
    return outcome.json


def listed(vaxdb):
    return vaxdb.ok("backup", "list", "-e", "production", "--json").json["backups"]


def test_an_adopted_dump_is_a_backup(vaxdb, database, scratch):
    database.execute(NASTY)
    path = dump(database, scratch / "old" / "prod_20260102_030405.sql.gz")
    before = path.read_bytes()
    (made,) = adopt(vaxdb, path)["adopted"]
    assert (made["tables"], made["rows"]) == (NASTY_TABLES, NASTY_ROWS)
    assert made["snapshot_at"] == "2026-01-02T03:04:05Z"
    assert os.listdir(path.parent) == [path.name] and path.read_bytes() == before
    inside = Path(made["file"])
    subprocess.run(["sha256sum", "-c", f"{inside.name}.sha256"], cwd=inside.parent, check=True)
    manifest = json.loads(Path(f"{inside}.json").read_text())
    assert manifest["adopted"] is True and manifest["database"]["name"] == "vaccines"
    assert manifest["server"]["version_number"] // 10000 == database.server.major
    assert manifest["sha256"] == hashlib.sha256(before).hexdigest()
    (entry,) = listed(vaxdb)
    assert entry["verified"] and entry["reason"] == "backup adopt" and entry["problem"] is None
    assert vaxdb.ok("backup", "verify", "-e", "production", "--json").json["manifest"]
    report = vaxdb.ok("drill", "run", "-e", "production", "--json").json
    assert report["verdict"] == "pass"
    (indexes,) = [check for check in report["checks"] if check["name"] == "indexes_valid"]
    assert indexes["skipped"] and "adopted" in indexes["detail"]


def test_timestamps_of_another_time_zone_are_no_difference(vaxdb, database, scratch, monkeypatch):
    """Such a dump has them as its session saw them, and does not say in which zone that was."""
    fill(database, sql="CREATE TABLE plain AS SELECT i FROM generate_series(1, 10) AS i")
    monkeypatch.setenv("PGTZ", "Africa/Lagos")
    adopt(vaxdb, dump(database, scratch / "old" / "lagos_20260102_030405.sql.gz"))
    report = vaxdb.ok("drill", "run", "-e", "production", "--json").json
    (content,) = [check for check in report["checks"] if check["name"] == "content_equal"]
    assert report["verdict"] == "pass" and content["skipped"]
    assert "time zone" in content["detail"] and content["detail"].endswith("compared: public.stock")


def test_what_is_damaged_is_not_adopted(vaxdb, database, scratch):
    fill(database)
    good = dump(database, scratch / "old" / "good.sql.gz")
    cut = good.with_name("cut.sql.gz")
    cut.write_bytes(good.read_bytes()[:-20])
    unfinished = good.with_name("unfinished.sql.gz")
    text = gzip.decompress(good.read_bytes())
    unfinished.write_bytes(gzip.compress(text[: text.rindex(b"-- PostgreSQL database dump complete")]))
    lying = good.with_name("lying.sql.gz")
    shutil.copy(good, lying)
    Path(f"{lying}.sha256").write_text(f"{'0' * 64}  {lying.name}\n")
    outcome = adopt(vaxdb, cut, unfinished, good, lying, status=4)
    assert [Path(row["file"]).name for row in outcome["adopted"]] == ["good.sql.gz"]
    assert {Path(row["file"]).name for row in outcome["failed"]} == {
        cut.name,
        unfinished.name,
        lying.name,
    }
    (entry,) = listed(vaxdb)
    assert entry["file"] == "good.sql.gz"
    assert not (vaxdb.state / "backups" / cut.name).exists()


def test_names_that_cannot_be_adopted(vaxdb, database, scratch):
    fill(database, rows=10)
    good = dump(database, scratch / "old" / "good.sql.gz")
    plain = good.with_name("plain.sql")
    plain.write_bytes(gzip.decompress(good.read_bytes()))
    vaxdb.fails(2, "backup", "adopt", plain)
    vaxdb.fails(2, "backup", "adopt", scratch / "nowhere.sql.gz")
    vaxdb.fails(2, "backup", "adopt")
    adopt(vaxdb, good)
    adopt(vaxdb, good, status=3)  # it is one already
    other = scratch / "other" / "good.sql.gz"
    other.parent.mkdir()
    shutil.copy(good, other)
    adopt(vaxdb, other, status=3)
    folder = vaxdb.state / "backups"
    loose = folder / "loose.sql.gz"
    shutil.copy(good, loose)
    other.rename(other.with_name("loose.sql.gz"))
    assert "another file" in adopt(vaxdb, other.with_name("loose.sql.gz"), status=3)["failed"][0]["error"]
    adopt(vaxdb, loose)  # in the folder already
    assert len(listed(vaxdb)) == 2


def test_an_adopted_dump_evicts_none_of_ours(vaxdb, database, scratch):
    fill(database, rows=10)
    vaxdb.write_config(production=database.url)
    ours = Path(vaxdb.ok("backup", "create", "-e", "production", "--json").json["file"])
    good = dump(database, scratch / "old" / "good.sql.gz")
    vaxdb.ok("backup", "adopt", "-e", "production", good)
    databases = {entry["file"]: entry["database"] for entry in listed(vaxdb)}
    assert databases == {ours.name: database.name, good.name: database.name}
    rows = vaxdb.ok("backup", "prune", "-e", "production", "--keep-days", "1", "--json").json
    assert not rows["removed"] and len(rows["kept"]) == 2


def test_a_schedule_can_be_installed(vaxdb, scratch):
    vaxdb.write_config("[vaxdb]\nbackup_time = 03:30\n", production="postgresql:///x")
    printed = vaxdb.ok("backup", "schedule", "-e", "production").stdout
    made = vaxdb.ok("backup", "schedule", "-e", "production", "--json").json
    assert made["cron"] in printed and made["service"]["text"] in printed
    assert f"--config {vaxdb.work}/vaxdb.ini" in made["cron"] and str(vaxdb.state) in made["cron"]
    assert re.search(r"^30 \d+ \* \* \* ", made["cron"], re.M)
    assert "OnCalendar=*-*-* 03:30:00 Africa/Lagos\n" in made["timer"]["text"]
    only = vaxdb.ok("backup", "schedule", "-e", "production", "--format", "cron").stdout
    assert only == made["cron"]
    units = vaxdb.ok("backup", "schedule", "-e", "production", "--format", "systemd").stdout
    assert "OnCalendar" in units and "crontab" not in units
    vaxdb.write_config("[vaxdb]\nbackup_time = 3pm\n")
    assert "3pm" in vaxdb.fails(2, "backup", "schedule").stderr
    vaxdb.write_config("[vaxdb]\ntimezone = Mars/Base\n")
    assert "Mars/Base" in vaxdb.fails(2, "backup", "schedule").stderr


@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_the_schedule_makes_a_backup_and_prunes(vaxdb, database, kind):
    """Also where the backup could not be pushed, and not where there is none."""
    fill(database, rows=10)
    status, trace = run_schedule(vaxdb, database.url, kind)
    assert status == 0 and trace.count("backup prune -e production") == 1, trace
    assert len(listed(vaxdb)) == 1
    status, trace = run_schedule(vaxdb, database.url, kind, backup_url="/dev/null/store")
    assert status == 6 and "backup prune" in trace, trace
    assert len(listed(vaxdb)) == 2
    status, trace = run_schedule(vaxdb, "postgresql://127.0.0.1:9/x?connect_timeout=1", kind)
    assert status == 5 and "backup prune" not in trace, trace


def run_schedule(vaxdb, url, kind, **settings):
    """As cron or systemd runs it, with the shell's trace."""
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    vaxdb.write_config(f"[vaxdb]\nconnect_timeout = 1s\n{lines}", production=url)
    text = vaxdb.ok("backup", "schedule", "-e", "production", "--format", kind).stdout
    environment = {key: vaxdb.environment[key] for key in ("PATH", "HOME") if key in vaxdb.environment}
    if kind == "cron":  # the first five words are the time, \\% is %
        (line,) = [line for line in text.splitlines() if not line.startswith("#")]
        command = ["/bin/sh", "-xc", line.split(None, 5)[5].replace("\\%", "%")]
    else:
        environment["VAXDB_STATE_DIR"] = str(vaxdb.state)
        (line,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
        command = shlex.split(line.replace("$$", "$").replace("-c", "-xc", 1))
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True)
    assert kind == "systemd" or not done.stdout, done
    return done.returncode, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_reads_the_units(vaxdb, scratch):
    made = vaxdb.ok("backup", "schedule", "-e", "test", "--json").json
    for unit in ("service", "timer"):
        (scratch / made[unit]["name"]).write_text(made[unit]["text"])
    done = subprocess.run(
        ["systemd-analyze", "verify", *scratch.glob("vaxdb-backup-test.*")], capture_output=True, text=True
    )
    assert done.returncode == 0, done
