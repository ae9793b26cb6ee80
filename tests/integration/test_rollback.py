"""`vaxdb migrate rollback`: five steps, each of which stops it where it fails."""

import os
import re
import time

import pytest
from support.site import PAST_THE_GATES, Site, age_backup, broken_pg_dump, state_locked
from support.waiting import wait_until

STOCK = "CREATE TABLE stock (id bigint PRIMARY KEY, amount bigint NOT NULL);\n"
NOTES = "ALTER TABLE stock ADD COLUMN note text;\n"
WEEK_S = 7 * 24 * 3600


@pytest.fixture
def site(vaxdb, new_database):
    site = Site(vaxdb, new_database(), new_database())
    site.pair("001_stock", STOCK, "DROP TABLE stock;\n")
    site.pair("002_notes", NOTES, "ALTER TABLE stock DROP COLUMN note;\n")
    site.write_query("amounts", "-- What is there.\nSELECT sum(amount) FROM stock;\n")
    site.ok_on("production", "up", *PAST_THE_GATES)
    site.production.execute("INSERT INTO stock SELECT i, i, 'n' FROM generate_series(1, 50) i")
    return site


def roll_back(site, *more, **keywords):
    return site.run_on(
        "production", "rollback", "--confirm", site.production.name, *more, **keywords
    )


def test_five_steps(site):
    done = roll_back(site)
    assert done.status == 0, done
    steps = [line for line in done.stdout.splitlines() if line.startswith("[") and "/5]" in line]
    assert [line[:5] for line in steps] == [f"[{n}/5]" for n in range(1, 6)]
    (backup,) = site.backups()
    assert backup in steps[0]
    assert re.search(r"Verified: 5\d rows of 4 tables", steps[1])
    assert "1 of 1 work" in steps[3]
    assert "Kept until" in steps[4]
    assert site.ledger() == ["001_stock.sql"]
    ((recorded,),) = site.runs("backup_id", "direction = 'down'")
    assert recorded == os.path.basename(backup)


def test_json_says_what_was_done(site):
    report = roll_back(site, "--json").json
    assert report["undone"] == ["002_notes.sql"]
    assert report["backup"] == site.backups()[0]
    assert report["reached"] == "done" and report["queries"] == 1
    # The table that the query reads goes with the first migration.
    stopped = roll_back(site, "--json")
    assert stopped.status == 4
    assert stopped.json["undone"] == ["001_stock.sql"]
    assert stopped.json["reached"] == "queries"
    assert "amounts" in stopped.json["broken"][0]


def test_production_wants_its_name(site):
    refused = site.fails_on(3, "production", "rollback", "-y")
    assert f"--confirm {site.production.name}" in refused.stderr
    assert site.ledger() == ["001_stock.sql", "002_notes.sql"]
    assert site.backups() == []


def test_the_backup_is_kept_whatever_prune_would_delete(site):
    report = roll_back(site, "--json").json
    (backup,) = site.backups()
    keep_until = time.strptime(report["keep_until"], "%Y-%m-%dT%H:%M:%SZ")
    assert WEEK_S - 60 < time.mktime(keep_until) - time.timezone - time.time() < WEEK_S + 3600
    listed = site.vaxdb.ok("backup", "list", "-e", "production", "--json").json["backups"]
    assert [row["keep_until"] for row in listed] == [report["keep_until"]]
    age_backup(backup, 48)
    newer = site.vaxdb.ok("backup", "create", "-e", "production", "--json").json["file"]
    site.vaxdb.ok("backup", "create", "-e", "production")
    age_backup(newer, 36)
    pruned = site.vaxdb.ok(
        *("backup", "prune", "-e", "production", "--json"),
        *("--keep-days", "1", "--keep-min", "1", "--keep-yearly", "0"),
    ).json
    assert [row["path"] for row in pruned["removed"]] == [newer]
    (kept,) = [row for row in pruned["kept"] if row["path"] == backup]
    assert kept["reason"] == f"made before migrate rollback, kept until {report['keep_until'][:10]}"


def test_nothing_to_undo_makes_no_backup(site):
    done = roll_back(site, "--to", "002_notes.sql")
    assert done.status == 0, done
    assert "Nothing to do" in done.stdout
    assert site.backups() == []


def test_it_stops_where_the_backup_fails(site, scratch):
    refused = roll_back(site, env=broken_pg_dump(scratch))
    assert refused.status == 1
    assert "no dump today" in refused.stderr
    assert "stopped at step 1 of 5 (backup)" in refused.stderr
    assert "the database is as it was" in refused.stderr
    assert f"vaxdb migrate rollback -e production --confirm {site.production.name}" in refused.stderr
    assert site.ledger() == ["001_stock.sql", "002_notes.sql"]
    assert site.backups() == []


def test_it_stops_where_the_down_fails(site):
    site.production.execute("CREATE VIEW notes AS SELECT note FROM stock")
    refused = roll_back(site)
    assert refused.status == 1
    assert "stopped at step 3 of 5 (down)" in refused.stderr
    assert "0 of 1 downs have run" in refused.stderr
    (backup,) = site.backups()
    assert f"vaxdb restore -e production {backup} --confirm {site.production.name}" in refused.stderr
    assert site.ledger() == ["001_stock.sql", "002_notes.sql"]
    # The command that it names works once the reason is gone.
    site.production.execute("DROP VIEW notes")
    assert roll_back(site).status == 0


def test_it_stops_half_way_and_counts(site):
    site.production.execute("CREATE VIEW amounts AS SELECT amount FROM stock")
    refused = roll_back(site, "2")
    assert "1 of 2 downs have run" in refused.stderr
    assert site.ledger() == ["001_stock.sql"]


def test_it_stops_where_a_query_works_no_more(site):
    site.write_query("notes", "-- The newest note.\nSELECT note FROM stock LIMIT 1;\n")
    site.write_query("broken", "-- Was broken before.\nSELECT nothing FROM nowhere;\n")
    refused = roll_back(site)
    assert refused.status == 4
    assert "stopped at step 4 of 5 (queries)" in refused.stderr
    assert "notes: " in refused.stderr
    assert "broken: " not in refused.stderr
    assert "vaxdb migrate up -e production" in refused.stderr
    assert site.ledger() == ["001_stock.sql"]
    # The backup is held although the last step was never reached.
    listed = site.vaxdb.ok("backup", "list", "-e", "production", "--json").json["backups"]
    assert listed[0]["keep_until"]


def test_a_query_that_failed_before_is_told_apart(site):
    site.write_query("broken", "-- Was broken before.\nSELECT nothing FROM nowhere;\n")
    done = roll_back(site, "--json")
    assert done.status == 0, done
    assert done.json["queries"] == 1
    assert done.json["broken"] == []
    assert done.json["broken_before"][0].startswith("broken: ")
    assert done.json["reached"] == "done"


def test_a_damaged_folder_of_queries_stops_it_before_anything(site):
    site.write_query("empty", "-- nothing\n")
    refused = roll_back(site)
    assert refused.status == 2
    assert "stopped at step 1 of 5" in refused.stderr
    assert site.backups() == []


def test_elsewhere_it_wants_no_name(site):
    site.ok_on("staging", "up", *PAST_THE_GATES)
    done = site.ok_on("staging", "rollback")
    assert "[5/5]" in done.stdout


def test_dry_run_shows_and_does_nothing(site):
    shown = site.ok_on("production", "rollback", "--dry-run")
    assert "DROP COLUMN note" in shown.stdout
    assert site.backups() == []
    assert site.ledger() == ["001_stock.sql", "002_notes.sql"]


# ---- the steps whose failure needs help ----------------------------------------------------------


def test_it_stops_where_the_backup_is_not_verified(site, scratch):
    """A pg_dump that waits, so that vaxdb's state is held when the backup is there."""
    tool = scratch / "pg_dump"
    tool.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --version ] || {{ touch {scratch}/begun; while [ ! -e {scratch}/go ]; do sleep 0.05; done; }}\n'
        'exec /usr/lib/postgresql/15/bin/pg_dump "$@"\n'
    )
    tool.chmod(0o755)
    where = ("-e", "production", "--confirm", site.production.name)
    run = site.vaxdb.start("migrate", "rollback", *where, env={"VAXDB_PG_BINDIR": str(scratch)})
    wait_until(lambda: (scratch / "begun").exists())
    with state_locked(site.vaxdb):
        (scratch / "go").touch()
        stopped = site.vaxdb.finish(run)
    assert stopped.status == 1, stopped
    assert "[1/5] Backup: " in stopped.stdout and "[2/5]" not in stopped.stdout
    assert "stopped at step 2 of 5 (verify)" in stopped.stderr
    assert "the database is as it was" in stopped.stderr
    assert f"vaxdb migrate rollback -e production --confirm {site.production.name}" in stopped.stderr
    assert site.ledger() == ["001_stock.sql", "002_notes.sql"]
    assert roll_back(site).status == 0


def test_it_says_so_where_the_backup_cannot_be_kept(site):
    """The same, when the down has begun."""
    with site.production.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE stock IN ACCESS SHARE MODE")
        run = site.vaxdb.start(
            "migrate", "rollback", "-e", "production", "--confirm", site.production.name
        )
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'stock'::regclass"
        wait_until(lambda: site.production.scalar(blocked))
        with state_locked(site.vaxdb):
            holder.execute("ROLLBACK")
            stopped = site.vaxdb.finish(run)
    assert stopped.status == 1, stopped
    assert "[4/5] Queries: 1 of 1 work" in stopped.stdout
    assert "stopped at step 5 of 5 (keep)" in stopped.stderr
    (backup,) = site.backups()
    assert f"the rollback itself is done; keep {backup} for 7 days yourself" in stopped.stderr
    assert site.ledger() == ["001_stock.sql"]
