"""Encrypted backups: created, verified, decrypted, restored, drilled; and by whom they are not."""

import gzip
import json
import os
import pty
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.backups import NASTY, databases, fill, fingerprint, rewrite_manifest
from support.waiting import wait_until

PASSPHRASE = "correct horse battery staple"
SECRET = re.compile(r"VAXDB-SECRET-1[0-9A-Z]+")


@pytest.fixture
def pair(new_vaxdb):
    """(program, recipient): another machine, on which the identity is."""
    other = new_vaxdb()
    made = other.ok("backup", "key", other.work / "identity", "--json").json
    assert made["made"] and made["recipient"].startswith("vaxdb1")
    other.environment["VAXDB_BACKUP_IDENTITY"] = str(other.work / "identity")
    return other, made["recipient"]


def create(vaxdb, database, *more, **env):
    made = vaxdb.ok("backup", "create", "-e", "production", "--url", database.url, "--json", *more, env=env)
    return Path(made.json["file"])


def carry(path, other):
    """The files of a backup on another machine."""
    folder = other.state / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    for beside in ("", ".json", ".sha256"):
        shutil.copy(f"{path}{beside}", folder)
    shutil.copy(str(path).replace(".sql.gz.enc", ".globals.sql.gz.enc"), folder)
    return folder / path.name


def manifest_of(path):
    return json.loads(Path(f"{path}.json").read_text())


def everything_in(folder):
    return b"".join(path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())


def text_of(data):
    """What it inflates to, without the word that pg_dump makes up anew each time."""
    return re.sub(rb"(?m)^(\\(?:un)?restrict) .*$", rb"\1", gzip.decompress(data))


def test_what_is_decrypted_is_the_plain_backup(vaxdb, pair, database):
    other, recipient = pair
    database.execute(NASTY)
    plain = create(vaxdb, database, "--jobs", "3")
    sealed = create(vaxdb, database, "--encrypt", recipient)
    assert sealed.name.endswith(".sql.gz.enc") and sealed.stat().st_mode & 0o777 == 0o600
    subprocess.run(["sha256sum", "-c", f"{sealed.name}.sha256"], cwd=sealed.parent, check=True)
    there = carry(sealed, other)
    written = other.ok("backup", "decrypt", there, "--json").json
    assert written["file"] == str(there)[: -len(".enc")]
    decrypted = Path(written["file"]).read_bytes()
    assert text_of(decrypted) == text_of(plain.read_bytes())
    vaxdb.ok("backup", "verify", written["file"])
    assert Path(written["file"]).stat().st_mode & 0o777 == 0o600
    streamed = subprocess.run(
        [other.binary, "backup", "decrypt", there.name, "-o", "-"],
        env=other.environment, cwd=other.work, capture_output=True, check=True,
    )  # fmt: skip
    assert streamed.stdout == decrypted
    assert "is there already" in other.fails(3, "backup", "decrypt", there).stderr
    assert "not encrypted" in vaxdb.fails(2, "backup", "decrypt", plain, "-o", plain.parent / "x").stderr
    assert {entry["encrypted"] for entry in vaxdb.ok("backup", "list", "--json").json["backups"]} == {
        True,
        False,
    }


def test_what_is_not_encrypted_says_little(vaxdb, pair, database):
    _, recipient = pair
    fill(database, sql="CREATE TABLE secrets AS SELECT 'Amina Yusuf' AS patient, true AS positive")
    path = create(vaxdb, database, "--encrypt", recipient)
    data = path.read_bytes()
    assert b"Amina" not in data and b"stock" not in data and b"\x1f\x8b" not in data[:2000]
    manifest = manifest_of(path)
    assert {table["name"] for table in manifest["tables"]} == {"stock", "secrets"}
    assert "digest" not in Path(f"{path}.json").read_text()
    assert manifest["encryption"]["recipients"] == [recipient]
    shown = vaxdb.ok("backup", "show", path)
    assert recipient in shown.stdout and manifest["encryption"]["key_id"] in shown.stdout


def test_roles_and_their_passwords_are_encrypted_too(vaxdb, pair, database, scratch):
    other, recipient = pair
    role = f"clerk_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    try:
        path = create(vaxdb, database, "--encrypt", recipient)
    finally:
        database.execute(f"DROP ROLE {role}")
    (beside,) = path.parent.glob("*.globals.sql.gz*")
    assert beside.name == path.name.replace(".sql.gz.enc", ".globals.sql.gz.enc")
    assert b"SCRAM" not in beside.read_bytes() and b"\x1f\x8b" not in beside.read_bytes()[:150]
    there = shutil.copy(beside, other.work)
    written = other.ok("backup", "decrypt", there, "--json").json["file"]
    text = gzip.decompress(Path(written).read_bytes()).decode()
    assert f"CREATE ROLE {role}" in text and "SCRAM-SHA-256" in text
    whole = beside.read_bytes()
    beside.write_bytes(whole[:-1] + b"x")
    vaxdb.fails(4, "backup", "verify", path)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    beside.write_bytes(whole)
    vaxdb.ok("backup", "push", path)
    assert (scratch / "store" / beside.name).read_bytes() == whole


def test_without_the_key_only_its_hash_is_checked(vaxdb, pair, new_vaxdb, database, new_database):
    other, recipient = pair
    fill(database)
    path = create(vaxdb, database, "--encrypt", recipient)
    assert vaxdb.ok("backup", "verify", path, "--json").json["rows"] == 2000  # the maker has the data key
    stranger = new_vaxdb()
    stranger.ok("backup", "key", stranger.work / "identity")
    for program in (stranger, other):
        there = carry(path, program)
        for level in "01":
            program.ok("backup", "verify", there, "--level", level)
        program.ok("backup", "show", there)
    assert other.ok("backup", "verify", other.state / "backups" / path.name, "--json").json["rows"] == 2000
    target = new_database()
    fill(target, rows=3)
    before = fingerprint(target)
    for identity in (None, str(stranger.work / "identity")):
        env = {"VAXDB_BACKUP_IDENTITY": identity}
        for command in (
            ("backup", "verify", path),
            ("backup", "decrypt", path, "-o", stranger.work / "x"),
            ("restore", path, "-e", "staging", "--url", target.url, "-y", "--confirm", target.name),
            ("drill", "run", path),
        ):
            outcome = stranger.fails(2, *command, env=env)
            assert "is encrypted" in outcome.stderr and "backup_identity" in outcome.stderr, outcome
    assert fingerprint(target) == before and not (stranger.work / "x").exists()


def test_it_is_restored_and_drilled(vaxdb, pair, database, new_database):
    other, recipient = pair
    fill(database)
    path = carry(create(vaxdb, database, "--encrypt", recipient), other)
    target = new_database()
    fill(target, rows=3)
    # The safety backup is of the same recipients.
    other.write_config(f"[vaxdb]\nbackup_recipient = {recipient}\n")
    arguments = ("-e", "staging", "--url", target.url, "--confirm", target.name, "--json")
    restored = other.ok("restore", path, *arguments).json
    assert restored["rows"] == 2000 and restored["safety_backup"].endswith(".sql.gz.enc")
    other.ok("restore", restored["safety_backup"], *arguments)
    assert target.scalar("SELECT count(*) FROM stock") == 3
    assert database.name in databases(database.server)
    drilled = other.ok("drill", "run", path, "--on", target.server.url("postgres"), "--json").json
    checks = {check["name"]: check["ok"] for check in drilled["checks"] if not check["skipped"]}
    assert drilled["verdict"] == "pass" and checks["content_equal"] and checks["row_counts"]


def test_damage_is_found_with_and_without_the_manifest(vaxdb, pair, database):
    _, recipient = pair
    fill(database)
    path = create(vaxdb, database, "--encrypt", recipient)
    whole = path.read_bytes()
    noise = random.Random(7)
    places = [0, 8, 40, 200, len(whole) - 1, len(whole) - 40, *noise.sample(range(len(whole)), 6)]
    for beside in (".json", ".sha256"):
        for place in places:
            for damaged in (
                whole[:place],
                whole[:place] + bytes([whole[place] ^ (1 << noise.randrange(8))]) + whole[place + 1 :],
            ):
                path.write_bytes(damaged)
                vaxdb.fails(4, "backup", "verify", path)
        path.write_bytes(whole)
        vaxdb.ok("backup", "verify", path)
        Path(f"{path}{beside}").unlink()  # from now on the file and the key must do
    path.write_bytes(whole)
    vaxdb.ok("backup", "verify", path)


def test_a_manifest_of_others_is_refused(vaxdb, pair, database):
    _, recipient = pair
    fill(database)
    path = create(vaxdb, database, "--encrypt", recipient)
    beside = Path(f"{path}.json")
    text = beside.read_text()

    def one_row_more(manifest):
        manifest["tables"][0]["rows"] += 1

    def be_plain(manifest):
        del manifest["encryption"], manifest["manifest_mac"]

    def lose_the_mac(manifest):
        manifest["manifest_mac"] = ""

    for lie in (one_row_more, be_plain, lose_the_mac):
        rewrite_manifest(beside, lie)
        outcome = vaxdb.fails(4, "backup", "verify", path)
        assert lie is be_plain or "who has the key" in outcome.stderr, outcome
        beside.write_text(text)
    vaxdb.ok("backup", "verify", path)


def test_a_plain_file_in_its_place_is_noticed(vaxdb, pair, database):
    _, recipient = pair
    fill(database)
    plain = create(vaxdb, database)
    vaxdb.write_config(f"[vaxdb]\nbackup_recipient = {recipient}\n")
    assert "not encrypted" in vaxdb.ok("backup", "verify", plain).stderr
    path = create(vaxdb, database)
    path.write_bytes(plain.read_bytes())
    assert "does not begin with the header" in vaxdb.fails(4, "backup", "verify", path).stderr


def test_what_did_not_change_is_the_same_bytes(vaxdb, pair, new_vaxdb, database):
    other, recipient = pair
    fill(database, rows=80_000, sql="CREATE TABLE small AS SELECT 1 AS i")

    def parts(*more):
        members = manifest_of(create(vaxdb, database, *more))["members"]
        return [part.split()[2] for part in members]

    vaxdb.write_config(f"[vaxdb]\nbackup_recipient = {recipient}\n")
    first = parts()
    database.execute("UPDATE small SET i = 2")
    second = parts()
    assert len(first) == len(second) > 6
    assert sum(a != b for a, b in zip(first, second)) == 1
    # A change of the recipients, or a lost state directory, is another key.
    another = other.ok("backup", "key", other.work / "second", "--json").json["recipient"]
    assert not set(parts("--encrypt", recipient, "--encrypt", another)) & set(second)
    assert parts() == second
    shutil.rmtree(vaxdb.state / "backup-keys")
    path = create(vaxdb, database)
    assert not {part.split()[2] for part in manifest_of(path)["members"]} & set(second)
    there = carry(path, other)
    other.ok("backup", "verify", there)


def test_a_key_of_another_machine_is_noticed(vaxdb, pair, new_vaxdb, database):
    other, recipient = pair
    fill(database)
    create(vaxdb, database, "--encrypt", recipient)
    forger = new_vaxdb()
    forged = carry(create(forger, database, "--encrypt", recipient), vaxdb)
    vaxdb.environment["VAXDB_BACKUP_IDENTITY"] = other.environment["VAXDB_BACKUP_IDENTITY"]
    assert "was not made on this machine" in vaxdb.ok("backup", "verify", forged).stderr


def test_a_passphrase_opens_it(vaxdb, new_vaxdb, database):
    fill(database)
    path = create(vaxdb, database, "--encrypt", "passphrase", VAXDB_BACKUP_PASSPHRASE=PASSPHRASE)
    again = create(vaxdb, database, "--encrypt", "passphrase", VAXDB_BACKUP_PASSPHRASE=PASSPHRASE)
    assert manifest_of(path)["encryption"] == manifest_of(again)["encryption"]
    changed = create(vaxdb, database, "--encrypt", "passphrase", VAXDB_BACKUP_PASSPHRASE="x" * 20)
    assert manifest_of(path)["encryption"]["key_id"] != manifest_of(changed)["encryption"]["key_id"]
    other = new_vaxdb()
    there = carry(path, other)
    wrong = other.fails(2, "backup", "verify", there, env={"VAXDB_BACKUP_PASSPHRASE": "not that one"})
    assert "does not open it" in wrong.stderr and "not that one" not in wrong.stderr
    assert "not known" in other.fails(2, "backup", "verify", there).stderr
    short = other.fails(2, "backup", "verify", there, env={"VAXDB_BACKUP_PASSPHRASE": "seven77"})
    assert "fewer than 8" in short.stderr and "seven77" not in short.stderr
    file = other.work / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o644)
    other.write_config(f"[vaxdb]\nbackup_passphrase_file = {file}\n")
    assert "chmod 600" in other.fails(3, "backup", "verify", there).stderr
    file.chmod(0o600)
    assert other.ok("backup", "verify", there, "--json").json["rows"] == 2000


def test_a_passphrase_is_typed_unseen(vaxdb, new_vaxdb, database):
    fill(database)
    path = create(vaxdb, database, "--encrypt", "passphrase", VAXDB_BACKUP_PASSPHRASE=PASSPHRASE)
    other = new_vaxdb()
    there = carry(path, other)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(other.binary, ["vaxdb", "backup", "verify", str(there)], other.environment)
    shown = b""
    while b"Passphrase" not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, PASSPHRASE.encode() + b"\n")
    try:
        while True:
            shown += os.read(terminal, 4096)
    except OSError:  # how a terminal says that nobody is left
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    os.close(terminal)
    assert b"good (level 2" in shown and PASSPHRASE.encode() not in shown


def test_no_secret_is_seen(vaxdb, pair, database, scratch):
    """Neither in messages, the manifest, files of the state, nor in the environment of children."""
    other, recipient = pair
    fill(database)
    # A pg_dump that keeps what `ps e` would show, of itself and of its parent.
    folder = scratch / "bin"
    folder.mkdir()
    for tool in ("pg_dump", "pg_restore"):
        real = f"/usr/lib/postgresql/15/bin/{tool}"
        program = folder / tool
        program.write_text(
            f"#!/bin/sh\ncat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/environ "
            f'/proc/$PPID/cmdline >>{scratch}/seen\nexec {real} "$@"\n'
        )
        program.chmod(0o755)
    outcome = vaxdb.ok(
        "backup", "create", "-v", "-e", "production", "--url", database.url,
        "--encrypt", "passphrase", "--encrypt", recipient,
        env={"VAXDB_BACKUP_PASSPHRASE": PASSPHRASE, "VAXDB_PG_BINDIR": str(folder)},
    )  # fmt: skip
    seen = (scratch / "seen").read_bytes()
    assert b"backup\0create" in seen and b"VAXDB_STATE_DIR" in seen
    assert PASSPHRASE.encode() not in seen
    assert PASSPHRASE not in outcome.stdout + outcome.stderr
    assert PASSPHRASE.encode() not in everything_in(vaxdb.state)
    identity = SECRET.search((other.work / "identity").read_text())[0]
    there = carry(Path(outcome.stdout.strip()), other)
    opened = other.ok("backup", "verify", "-v", there)
    made = other.ok("backup", "key", other.work / "identity")
    assert made.stdout.strip() == recipient
    assert not SECRET.search(opened.stdout + opened.stderr + made.stdout + made.stderr)
    assert identity.encode() not in everything_in(other.state)
    # The data key is in one place, which nobody else can read.
    (kept,) = (vaxdb.state / "backup-keys").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    key = json.loads(kept.read_text())["key"]
    assert len(key) == 64
    kept.unlink()
    everything = everything_in(vaxdb.state)
    assert key.encode() not in everything and bytes.fromhex(key) not in everything
    assert key not in outcome.stdout + outcome.stderr


def test_wrong_recipients_are_said_before_the_work(vaxdb, database):
    for given in ("VAXDB-SECRET-1QQQQ", "hunter2hunter2", "vaxdb1" + "q" * 58):
        outcome = vaxdb.fails(
            2, "backup", "create", "-e", "production", "--url", database.url, "--encrypt", given
        )
        assert given not in outcome.stderr and "backup key" in outcome.stderr, outcome
    assert not list((vaxdb.state / "backups").glob("*"))


def test_it_goes_to_the_store_and_back(vaxdb, pair, database, scratch):
    other, recipient = pair
    fill(database)
    settings = f"[vaxdb]\nbackup_url = {scratch}/store\nbackup_recipient = {recipient}\n"
    vaxdb.write_config(settings)
    path = create(vaxdb, database)
    assert {file.name for file in (scratch / "store").iterdir()} >= {path.name, f"{path.name}.json"}
    other.write_config(settings)
    pulled = other.ok("backup", "pull", "newest", "-e", "production", "--json").json["file"]
    assert Path(pulled).read_bytes() == path.read_bytes()
    other.ok("backup", "verify", pulled)
    shutil.rmtree(Path(pulled).parent)
    assert other.ok("backup", "pull", path.name[: -len(".sql.gz.enc")], "--json").json["file"] == pulled


def test_a_killed_run_leaves_nothing(vaxdb, pair, database, scratch):
    _, recipient = pair
    fill(database, rows=100_000)
    folder = scratch / "backups"
    arguments = ("backup", "create", "-e", "production", "--url", database.url, "--dir", folder)
    process = vaxdb.start(*arguments, "--encrypt", recipient)
    wait_until(lambda: folder.exists() and any(folder.glob(".*.sql.gz.enc.partial")))
    process.kill()
    process.communicate()
    assert not vaxdb.ok("backup", "list", "--dir", folder, "--json").json["backups"]
    made = create(vaxdb, database, "--dir", folder)
    assert {path.name for path in folder.iterdir()} == {
        *(f"{made.name}{suffix}" for suffix in ("", ".json", ".sha256")),
        made.name.replace(".sql.gz", ".globals.sql.gz"),
    }
