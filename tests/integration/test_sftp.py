"""backup push and pull by SFTP, to a real server (Debian's sshd)."""

import subprocess
from pathlib import Path

import pytest

from support.backups import fill
from support.sftp import Sftp
from support.waiting import wait_until

NOISE = (
    "CREATE TABLE noise AS SELECT g, "
    + " || ".join(f"encode(sha512(('{i}:' || g)::bytea), 'base64')" for i in range(4))
    + " FROM generate_series(1, 12000) g;"
)


@pytest.fixture(scope="module")
def sshd(base_folder):
    server = Sftp(base_folder)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def sftp(sshd):
    """With an empty store."""
    for path in sshd.store.rglob("*"):
        if not path.is_dir():
            path.unlink()
    return sshd


@pytest.fixture
def path(vaxdb, database):
    """Of a backup of 3 MB."""
    fill(database, sql=NOISE)
    command = ("backup", "create", "-e", "production", "--url", database.url, "--json")
    return Path(vaxdb.ok(*command).json["file"])


def use(vaxdb, server, url=None, **settings):
    lines = {
        "backup_url": url or server.url,
        "sftp_key": server.key,
        "sftp_known_hosts": server.known_hosts,
        "backup_retry": "1s",
        **settings,
    }
    vaxdb.write_config("[vaxdb]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items()))


def backup_files(path):
    stem = path.name.removesuffix(".sql.gz")
    return {file.name: file.read_bytes() for file in path.parent.glob(f"{stem}.*")}


def forget(path):
    for name in backup_files(path):
        (path.parent / name).unlink()


def test_push_and_pull(vaxdb, sftp, path):
    use(vaxdb, sftp)
    files = backup_files(path)
    assert len(files) == 4, "data, roles, checksum, manifest"
    result = vaxdb.ok("backup", "push", "--json").json
    assert sftp.files() == files
    assert result["url"] == sftp.url and result["sent_bytes"] == sum(map(len, files.values()))
    assert {entry.stat().st_mode & 0o777 for entry in sftp.store.iterdir()} == {0o600}
    assert vaxdb.ok("backup", "push", "--json").json["already"]
    forget(path)
    vaxdb.ok("backup", "pull", "newest", "-e", "production")
    assert backup_files(path) == files
    assert vaxdb.ok("backup", "pull", path.name, "--json").json["already"]
    vaxdb.fails(2, "backup", "pull", "no-such-20260101-000000")


def test_folders_are_made_and_the_home_is_one(vaxdb, sftp, path):
    use(vaxdb, sftp, f"{sftp.url}/of \"this\" site/daily")
    vaxdb.ok("backup", "push")
    folder = sftp.store / 'of "this" site' / "daily"
    assert {file.name for file in folder.iterdir()} == set(backup_files(path))
    home = f"sftp://{sftp.name}@127.0.0.1:{sftp.port}/~/store"
    use(vaxdb, sftp, home)
    vaxdb.fails(2, "backup", "pull", "newest")
    vaxdb.ok("backup", "push")
    assert all((sftp.store / name).exists() for name in backup_files(path))


def test_a_server_that_is_not_known_gets_nothing(vaxdb, sftp, path, scratch):
    (scratch / "empty").write_text("")
    use(vaxdb, sftp, sftp_known_hosts=scratch / "empty")
    assert "sftp_known_hosts" in vaxdb.fails(3, "backup", "push").stderr
    known = sftp.known_hosts.read_text()
    other = (sftp.folder / "key.pub").read_text()
    (scratch / "other").write_text(" ".join([known.split()[0], *other.split()]) + "\n")
    use(vaxdb, sftp, sftp_known_hosts=scratch / "other")
    vaxdb.fails(3, "backup", "push")
    assert not sftp.files()


def test_a_key_that_is_not_taken(vaxdb, sftp, path, scratch):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch / "k"], check=True)
    use(vaxdb, sftp, sftp_key=scratch / "k")
    outcome = vaxdb.fails(3, "backup", "push")
    assert "sftp_key" in outcome.stderr
    assert not sftp.files()
    outcome = vaxdb.fails(2, "backup", "push", env={"VAXDB_BACKUP_URL": "sftp://u:pa55@h/x"})
    assert "pa55" not in outcome.stderr
    vaxdb.fails(2, "backup", "push", env={"VAXDB_BACKUP_URL": "sftp://h/x"})


def partials(server):
    return [path for path in server.store.iterdir() if path.name.startswith(".")]


def kill_in_the_middle(vaxdb, server, path):
    process = vaxdb.start("backup", "push", path, "--bwlimit", "1M")
    wait_until(lambda: any(partial.stat().st_size > 500_000 for partial in partials(server)))
    server.kill()
    try:
        return vaxdb.finish(process)
    finally:
        server.start()


def test_a_server_killed_in_the_middle(vaxdb, sftp, path):
    """What has arrived is not sent again."""
    use(vaxdb, sftp)
    outcome = kill_in_the_middle(vaxdb, sftp, path)
    assert outcome.status == 5 and "type it again" in outcome.stderr
    (partial,) = partials(sftp)
    there = partial.stat().st_size
    assert list(sftp.files()) == [partial.name]
    vaxdb.fails(2, "backup", "pull", "newest")
    outcome = vaxdb.ok("backup", "push", path, "--json")
    assert "Continuing" in outcome.stderr
    files = backup_files(path)
    assert sftp.files() == files
    assert outcome.json["sent_bytes"] == sum(map(len, files.values())) - there


def test_what_is_there_must_be_of_this_file(vaxdb, sftp, path):
    use(vaxdb, sftp)
    kill_in_the_middle(vaxdb, sftp, path)
    (partial,) = partials(sftp)
    content = partial.read_bytes()
    partial.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    vaxdb.ok("backup", "push", path)
    assert sftp.files() == backup_files(path)
    (sftp.store / f"{path.name}.json").unlink()
    (sftp.store / path.name).write_bytes(b"of an earlier push")
    vaxdb.ok("backup", "push", path)
    assert sftp.files() == backup_files(path)


def test_a_pull_continues_where_it_was_cut(vaxdb, sftp, path):
    use(vaxdb, sftp, backup_retry="20s")
    vaxdb.ok("backup", "push")
    files = backup_files(path)
    forget(path)
    process = vaxdb.start("backup", "pull", "newest", "--bwlimit", "1M", "--json")
    wait_until(lambda: any(p.stat().st_size > 500_000 for p in path.parent.glob(".*.gz.partial")))
    sftp.kill()
    sftp.start()
    assert vaxdb.finish(process).status == 0
    assert backup_files(path) == files


def test_what_is_damaged_there_is_not_pulled(vaxdb, sftp, path):
    use(vaxdb, sftp)
    vaxdb.ok("backup", "push")
    forget(path)
    there = sftp.store / path.name
    there.write_bytes(there.read_bytes()[:-1])
    vaxdb.fails(4, "backup", "pull", "newest")
    assert not backup_files(path)
