"""`migrate up` on staging and production: what refuses, what is passed by, what is recorded."""

import json
import os
from pathlib import Path

import pytest
from support.migrations import checksum
from support.site import Site, age_backup, broken_pg_dump

STOCK = "-- Stock of a facility.\nCREATE TABLE stock (id bigint PRIMARY KEY, amount bigint NOT NULL);\n"
UNSTOCK = "DROP TABLE stock;\n"
NOTES = "ALTER TABLE stock ADD COLUMN note text;\n"
UNNOTES = "ALTER TABLE stock DROP COLUMN note;\n"


@pytest.fixture
def site(vaxdb, new_database):
    site = Site(vaxdb, new_database(), new_database())
    site.pair("001_stock", STOCK, UNSTOCK)
    return site


@pytest.fixture
def live(site):
    """001 is in staging and in production, 002 is pending."""
    site.begin()
    site.pair("002_notes", NOTES, UNNOTES)
    return site


def refused(site, *more):
    """Production's refusal; nothing was applied and no backup was made for it."""
    ledger, backups = production_ledger(site), site.backups()
    outcome = site.fails_on(3, "production", "up", *more)
    assert production_ledger(site) == ledger
    assert site.backups() == backups
    return outcome.stderr


def production_ledger(site):
    return site.ledger() if site.exists("schema_migrations") else []


# ---- the way it should be ------------------------------------------------------------------------


def test_staging_then_production(site):
    proved = site.ok_on("staging", "up", "--json").json
    assert proved["applied"] == ["001_stock.sql"]
    assert proved["backup"] is None
    assert proved["roundtrip"]["passed"]
    done = site.ok_on("production", "up", "--json").json
    assert done["applied"] == ["001_stock.sql"]
    assert done["overrides"] == [] and done["warnings"] == []
    assert done["backup"] == site.backups()[0] and done["backup_is_new"]
    ((backup, overrides),) = site.runs("backup_id, overrides")
    assert backup == os.path.basename(done["backup"]) and overrides is None
    assert done["seconds"] > 0


def test_nothing_pending_asks_for_nothing(live):
    (live.folder / "002_notes.sql").unlink()
    (live.folder / "002_notes.down.sql").unlink()
    before = live.backups()
    done = live.ok_on("production", "up", "--json").json
    assert done["applied"] == [] and done["backup"] is None
    assert live.backups() == before


def test_development_has_no_gate(site, new_database):
    elsewhere = new_database()
    done = site.vaxdb.ok("migrate", "up", "--url", elsewhere.url, "--json").json
    assert done["applied"] == ["001_stock.sql"]
    assert done["backup"] is None and done["roundtrip"] is None
    assert site.vaxdb.ok("migrate", "evidence", "--json").json["evidence"] == []


def test_the_gate_follows_the_database_not_the_label(live):
    for label in (("--url", live.production.url), ("-e", "staging", "--url", live.production.url)):
        outcome = live.vaxdb.fails(3, "migrate", "up", *label)
        assert "production refuses 002_notes.sql" in outcome.stderr


def test_what_is_applied_already_needs_no_evidence(site):
    """A database that was there before vaxdb."""
    for database in (site.staging, site.production):
        database.execute(STOCK)
        database.execute(
            "CREATE TABLE schema_migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE,"
            " checksum varchar(64) NOT NULL, applied_at timestamp NOT NULL DEFAULT now())"
        )
        database.execute(
            f"INSERT INTO schema_migrations (name, checksum) VALUES ('001_stock.sql', '{checksum(STOCK)}')"
        )
    site.pair("002_notes", NOTES, UNNOTES)
    assert "staging has not run it" in refused(site)
    site.ok_on("staging", "up")
    assert site.ok_on("production", "up", "--json").json["applied"] == ["002_notes.sql"]


def test_several_files_continue_each_other(live):
    live.pair("003_more", "ALTER TABLE stock ADD COLUMN more text;\n", "ALTER TABLE stock DROP COLUMN more;\n")
    live.ok_on("staging", "up", "--to", "002_notes.sql")
    assert "production refuses 003_more.sql: staging has not run it" in refused(live)
    live.ok_on("staging", "up")
    assert live.applied_on_production() == ["002_notes.sql", "003_more.sql"]


# ---- what refuses --------------------------------------------------------------------------------


def test_what_staging_has_not_run(live):
    said = refused(live)
    assert "production refuses 002_notes.sql: staging has not run it" in said
    assert "vaxdb migrate up -e staging" in said
    assert "vaxdb migrate evidence import FILE" in said
    assert "vaxdb migrate up -e production --skip-staging REASON" in said


def test_a_file_that_was_changed_since(live):
    live.ok_on("staging", "up")
    live.write("002_notes.sql", NOTES + "-- a change\n")
    assert "002_notes.sql: it was changed since staging ran it" in refused(live)
    live.ok_on("staging", "down")
    live.ok_on("staging", "up")
    assert live.applied_on_production() == ["002_notes.sql"]


def test_a_down_that_was_changed_since(live):
    live.ok_on("staging", "up")
    live.write("002_notes.down.sql", UNNOTES + "-- a change\n")
    assert "its down was changed since staging proved it" in refused(live)


def test_a_migration_without_a_down(live):
    (live.folder / "002_notes.down.sql").unlink()
    proved = live.ok_on("staging", "up", "--no-lint")
    assert "has no down: production will refuse it" in proved.stderr
    assert 'its round trip in staging is "no_down"' in refused(live, "--no-lint")


def test_a_round_trip_that_fails_refuses_on_staging(live):
    live.write("002_notes.down.sql", "ALTER TABLE stock ALTER COLUMN note SET DEFAULT 'x';\n")
    outcome = live.fails_on(3, "staging", "up", "--no-lint")
    assert "round trip (up, down, up) of 002_notes.sql failed" in outcome.stderr
    assert "note" in outcome.stderr.split("failed", 1)[1]
    assert live.staging.scalar("SELECT count(*) FROM schema_migrations") == 1
    live.ok_on("staging", "up", "--no-lint", "--skip-staging", "the note stays")
    said = refused(live, "--no-lint")
    assert 'its round trip in staging is "not_run": skipped: the note stays' in said


def test_a_production_that_has_drifted(live):
    live.ok_on("staging", "up")
    live.production.execute("CREATE INDEX by_hand ON stock (amount)")
    live.ok_on("production", "verify", "--accept", "a hotfix")
    said = refused(live)
    assert "the schema that it would find is not the one that staging ran it on" in said
    assert "+ index public.by_hand" in said
    assert "drift_ignore" in said
    live.configure("drift_ignore = index public.by_hand")
    assert live.applied_on_production() == ["002_notes.sql"]


def test_a_staging_that_has_drifted(live):
    live.staging.execute("CREATE TABLE by_hand (a int)")
    live.ok_on("staging", "up")
    said = refused(live)
    assert "- table public.by_hand" in said
    live.configure("drift_ignore = other*, public.by_hand*")
    assert live.applied_on_production() == ["002_notes.sql"]


def test_an_extension_more_is_no_drift(live):
    live.ok_on("staging", "up")
    live.production.execute("CREATE EXTENSION pgcrypto")
    assert live.applied_on_production() == ["002_notes.sql"]


def test_drift_while_it_ran_is_a_loud_warning(live):
    """Something else changed production: an event trigger stands for it."""
    live.ok_on("staging", "up")
    live.production.execute(
        "CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('meddle.done', true) IS DISTINCT FROM 'yes' THEN"
        " PERFORM set_config('meddle.done', 'yes', true);"
        " EXECUTE 'CREATE TABLE meddled (a int)'; END IF; END $$;"
        " CREATE EVENT TRIGGER meddler ON ddl_command_end WHEN TAG IN ('ALTER TABLE')"
        " EXECUTE FUNCTION meddle()"
    )
    live.configure("drift_ignore = *medd*.*, *meddle*")
    done = live.run_on("production", "up")
    assert done.status == 0, done
    assert "meddled" not in done.stderr  # listed: no warning
    live.production.execute("DROP TABLE meddled")
    live.configure("drift_ignore = *meddle(*, *meddler*, *event*")
    live.pair("003_more", "ALTER TABLE stock ADD COLUMN more text;\n", "ALTER TABLE stock DROP COLUMN more;\n")
    live.ok_on("staging", "up")
    live.ok_on("production", "verify", "--accept", "the table went")
    warned = live.ok_on("production", "up")
    assert "THE SCHEMA IS NOT WHAT IT WAS IN STAGING" in warned.stderr
    assert "+ table public.meddled" in warned.stderr


def test_another_major_in_staging(vaxdb, new_database, servers):
    site = Site(vaxdb, new_database(server=servers.get(14)), new_database())
    site.pair("001_stock", STOCK, UNSTOCK)
    site.ok_on("staging", "up")
    assert "staging ran it on PostgreSQL 14, this is 15" in refused(site)


# ---- what is passed by ---------------------------------------------------------------------------


def overrides_of(site):
    return json.loads(site.runs("overrides")[-1][0])


def test_overrides_are_recorded_and_shown(live):
    done = live.ok_on(
        "production", "up", "--skip-staging", "staging burnt down", "--no-backup", "no disk", "--no-lint"
    )
    assert overrides_of(live) == {
        "no_lint": True,
        "skip_staging": "staging burnt down",
        "no_backup": "no disk",
    }
    for reason in ("staging burnt down", "no disk", "lint"):
        assert reason in done.stderr
    assert live.runs("backup_id")[-1][0] is None
    said = live.ok_on("production", "status", "--json").json["overrides"][-1]
    assert (said["name"], said["direction"], said["state"]) == ("002_notes.sql", "up", "done")
    assert said["said"] == overrides_of(live) and said["backup"] is None and said["at"]
    shown = live.ok_on("production", "status").stderr
    assert "2 runs with a reason kept" in shown and "--json" in shown


def test_overrides_in_json(live):
    report = live.ok_on("production", "up", "--skip-staging", "why", "--json").json
    assert report["overrides"] == ["staging's evidence: why"]
    assert report["backup"] in live.backups()
    assert overrides_of(live) == {"skip_staging": "why"}


@pytest.mark.parametrize("flag", ["--skip-staging", "--no-backup"])
def test_a_reason_is_wanted(live, flag):
    for empty in ("", "  "):
        outcome = live.fails_on(2, "production", "up", flag, empty)
        assert f"{flag} wants a reason" in outcome.stderr
    assert live.ledger() == ["001_stock.sql"]


def test_what_is_not_asked_is_not_recorded(site, new_database):
    elsewhere = new_database()
    site.vaxdb.ok("migrate", "up", "--url", elsewhere.url, "--skip-staging", "x", "--no-backup", "y")
    assert elsewhere.scalar("SELECT overrides FROM schema_migrations_runs") is None


# ---- redo and down on staging -------------------------------------------------------------------


def proofs(site, name):
    records = site.vaxdb.ok("migrate", "evidence", "--json").json["evidence"]
    return [record for record in records if record["name"] == name]


def test_a_redo_on_staging_proves_anew(live):
    live.ok_on("staging", "up", "--skip-staging", "in haste")
    assert '"not_run"' in refused(live)
    assert live.ok_on("staging", "redo", "--json").json["done"] == ["002_notes.sql"] * 2
    newest = proofs(live, "002_notes.sql")[0]
    assert newest["roundtrip"] == "passed"
    assert newest["fingerprint_before"] == proofs(live, "001_stock.sql")[0]["fingerprint_after"]
    assert newest["fingerprint_after"] != newest["fingerprint_before"]
    assert live.applied_on_production() == ["002_notes.sql"]


def test_a_redo_proves_the_file_as_it_is_now(live):
    live.ok_on("staging", "up")
    live.write("002_notes.sql", NOTES + "-- a change\n")
    live.ok_on("staging", "redo")
    assert proofs(live, "002_notes.sql")[0]["up_checksum"] == checksum(NOTES + "-- a change\n")
    assert live.applied_on_production() == ["002_notes.sql"]


def test_a_redo_that_is_not_proved_stops_after_the_down(live):
    live.ok_on("staging", "up")
    live.write("002_notes.sql", NOTES + "CREATE TABLE left_behind (a int);\n")
    said = live.fails_on(3, "staging", "redo").stderr
    assert "the down has run, the up has not: " in said
    live.write("002_notes.sql", NOTES)
    assert live.ok_on("staging", "up", "--json").json["applied"] == ["002_notes.sql"]


def test_a_down_on_staging_takes_no_evidence_back(live):
    live.ok_on("staging", "up")
    before = proofs(live, "002_notes.sql")
    live.ok_on("staging", "down")
    assert proofs(live, "002_notes.sql") == before
    assert live.applied_on_production() == ["002_notes.sql"]


def test_production_redoes_what_is_applied_behind_a_backup(live):
    live.ok_on("staging", "up")
    live.ok_on("production", "up")
    for backup in live.backups():
        age_backup(backup, 25)
    known = live.backups()
    name = live.production.name
    assert "--confirm" in live.fails_on(3, "production", "redo").stderr
    assert live.backups() == known
    assert live.ok_on("production", "redo", "--confirm", name, "--json").json["done"] == ["002_notes.sql"] * 2
    (made,) = set(live.backups()) - set(known)
    assert live.runs("backup_id", "name LIKE '002%'")[-2:] == [(os.path.basename(made),)] * 2


def test_production_does_not_redo_a_changed_file(live):
    live.ok_on("staging", "up")
    live.ok_on("production", "up")
    live.write("002_notes.sql", NOTES + "-- a change\n")
    live.ok_on("staging", "redo")
    said = live.fails_on(3, "production", "redo", "--confirm", live.production.name).stderr
    assert "production refuses a redo of 002_notes.sql: it is changed" in said
    assert f"vaxdb migrate rollback -e production --confirm {live.production.name}" in said
    assert len(live.runs("id", "name LIKE '002%'")) == 1


def test_what_staging_has_without_evidence_a_redo_proves(live):
    """As after the loss of the state directory."""
    live.ok_on("staging", "up")
    for path in live.vaxdb.state.glob("vaxdb.sqlite*"):
        path.unlink()
    said = refused(live)
    assert "staging has not run it" in said and "vaxdb migrate redo -e staging" in said
    live.ok_on("staging", "redo")
    assert live.applied_on_production() == ["002_notes.sql"]


# ---- the backup ----------------------------------------------------------------------------------


def test_a_young_verified_backup_is_enough(live):
    live.ok_on("staging", "up")
    made = live.vaxdb.ok("backup", "create", "-e", "production", "--json").json["file"]
    count = len(live.backups())
    done = live.ok_on("production", "up", "--json").json
    assert done["backup"] == made and not done["backup_is_new"]
    assert len(live.backups()) == count


def test_an_old_backup_is_not(live):
    live.ok_on("staging", "up")
    for backup in live.backups():
        age_backup(backup, 25)
    old = live.backups()
    done = live.ok_on("production", "up", "--json").json
    assert done["backup_is_new"] and done["backup"] not in old


def test_the_age_is_a_setting(live):
    live.ok_on("staging", "up")
    for backup in live.backups():
        age_backup(backup, 25)
    live.configure("backup_max_age = 48h")
    assert not live.ok_on("production", "up", "--json").json["backup_is_new"]


def test_a_backup_that_was_damaged_since_is_not(live):
    live.ok_on("staging", "up")
    (backup,) = live.backups()
    data = bytearray(Path(backup).read_bytes())
    data[len(data) // 2] ^= 1
    Path(backup).write_bytes(data)
    done = live.ok_on("production", "up", "--json")
    assert done.json["backup_is_new"]
    assert "is damaged now" in done.stderr


def test_another_databases_backup_is_not(live, new_database):
    live.ok_on("staging", "up")
    for backup in live.backups():
        age_backup(backup, 25)
    other = new_database()
    theirs = live.vaxdb.ok("backup", "create", "-e", "production", "--url", other.url, "--json").json["file"]
    done = live.ok_on("production", "up", "--json").json
    assert done["backup_is_new"] and done["backup"] != theirs


def test_a_backup_that_fails_refuses(live, scratch):
    live.ok_on("staging", "up")
    for backup in live.backups():
        age_backup(backup, 25)
    outcome = live.fails_on(3, "production", "up", env=broken_pg_dump(scratch))
    assert "there is no verified backup, so nothing was migrated" in outcome.stderr
    assert "no dump today" in outcome.stderr
    assert "vaxdb migrate up -e production --no-backup REASON" in outcome.stderr
    assert live.ledger() == ["001_stock.sql"]


def test_the_backup_is_held_for_a_week(live):
    listed = live.vaxdb.ok("backup", "list", "-e", "production", "--json").json["backups"]
    assert listed[0]["keep_until"]
    age_backup(listed[0]["path"], 48)
    for _ in range(2):
        live.vaxdb.ok("backup", "create", "-e", "production")
    pruned = live.vaxdb.ok("backup", "prune", "-e", "production", "--keep-days", "1", "--keep-min", "1")
    assert "made before migrate up, kept until" in pruned.stdout
    assert len(live.backups()) == 3


# ---- lint ----------------------------------------------------------------------------------------


def test_lint_refuses_everywhere(live, new_database):
    live.write("002_notes.sql", "DROP TABLE stock;\nCREATE TABLE oops (a int;\n")
    elsewhere = new_database()
    for where in (("-e", "staging"), ("-e", "production"), ("--url", elsewhere.url)):
        outcome = live.vaxdb("migrate", "up", *where)
        assert outcome.status in (3, 4), outcome
        assert "002_notes.sql" in outcome.stderr
    assert live.staging.scalar("SELECT count(*) FROM schema_migrations") == 1


# ---- dry run -------------------------------------------------------------------------------------


def test_dry_run_says_what_the_guards_would(live):
    shown = live.ok_on("production", "up", "--dry-run")
    assert "-- staging would refuse: production refuses 002_notes.sql" in shown.stdout
    assert "ADD COLUMN note" in shown.stdout
    live.ok_on("staging", "up", "--dry-run")
    assert live.staging.scalar("SELECT count(*) FROM schema_migrations") == 1
    live.ok_on("staging", "up")
    before = live.backups()
    guards = live.ok_on("production", "up", "--dry-run", "--json").json["guards"]
    assert guards == ["lint: no errors", "drift: none", "staging: every file is proved", f"backup: {before[0]}"]
    assert live.ledger() == ["001_stock.sql"] and live.backups() == before
