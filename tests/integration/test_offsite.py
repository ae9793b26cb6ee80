"""backup push and pull: to a folder, and to a real S3 server (OpenStack Swift)."""

import datetime
import gzip
import hashlib
import itertools
import os
import shutil
import signal
from pathlib import Path

import pytest

from support.backups import fill, fingerprint, rewrite_manifest
from support.faulty_http import CUT, FaultyHttp
from support.program import Vaxdb
from support.servers import Database
from support.swift import KEY, SECRET, Swift
from support.waiting import wait_until

PARTS = 4  # of the large backup: 8 MiB each
NOISE = " || ".join(f"encode(sha512(('{i}:' || g)::bytea), 'base64')" for i in range(4))
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def swift():
    server = Swift()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def bucket(swift):
    name = f"bucket{next(_numbers)}"
    swift.client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def way(swift):
    proxy = FaultyHttp(swift.ports["proxy"])
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def large_backups(base_folder, server):
    """Two of a database: one that goes in PARTS parts, and the next day's, a quarter larger: at two
    places, of which one is not at the end."""
    program = Vaxdb(base_folder / "vaxdb-large")
    database = Database(server, f"large_{os.getpid()}")
    made = []
    database.create()
    database.execute("CREATE TABLE a AS SELECT 'of every day'")
    for table in ("t", "u"):
        database.execute(f"CREATE TABLE {table} (g int, noise text)")
    for rows in ({"t": (1, 70000), "u": (1, 35000)}, {"t": (70001, 85000), "u": (35001, 45000)}):
        for table, (first, last) in rows.items():
            series = f"generate_series({first}, {last}) g"
            database.execute(f"INSERT INTO {table} SELECT g, {NOISE} FROM {series}")
        command = ("backup", "create", "-e", "production", "--url", database.url, "--json")
        made.append(program.ok(*command).json)
    assert (PARTS - 1) << 23 < made[0]["bytes"] <= PARTS << 23, made
    database.drop()
    yield [Path(backup["file"]) for backup in made]
    shutil.rmtree(program.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def large_backup(large_backups):
    return large_backups[0]


@pytest.fixture(scope="module")
def daily_backups(base_folder, server):
    """Of one day, encrypted; of the next, encrypted and not; of the third, when only a table has come
    and a sequence moved."""
    program = Vaxdb(base_folder / "vaxdb-daily")
    database = Database(server, f"daily_{os.getpid()}")
    recipient = program.ok("backup", "key", program.work / "identity", "--json").json["recipient"]
    made = []

    def create(*more):
        command = ("backup", "create", "-e", "production", "--url", database.url, "--json", *more)
        made.append(Path(program.ok(*command, "--compress", "fast").json["file"]))

    def grow(first, last):
        database.execute(f"INSERT INTO t SELECT g, {NOISE} FROM generate_series({first}, {last}) g")

    database.create()
    database.execute("CREATE SEQUENCE s; CREATE TABLE t (g int, noise text)")
    grow(1, 42000)
    create("--encrypt", recipient)
    grow(42001, 46000)
    create("--encrypt", recipient)
    create()
    database.execute("CREATE TABLE a AS SELECT 'of today'; SELECT nextval('s')")
    create()
    database.drop()
    yield made
    shutil.rmtree(program.folder, ignore_errors=True)


def use(vaxdb, endpoint, url, secret=SECRET, **settings):
    """Configures vaxdb for the S3 server."""
    vaxdb.environment |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": secret}
    lines = {"backup_url": url, "s3_endpoint": endpoint, "backup_retry": "2s", **settings}
    vaxdb.write_config("[vaxdb]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items()))


def make(vaxdb, database, *more):
    fill(database)
    return Path(
        vaxdb.ok("backup", "create", "-e", "production", "--url", database.url, "--json", *more).json[
            "file"
        ]
    )


def forget(path):
    for file in path.parent.glob(f"{path.name.removesuffix('.sql.gz')}.*"):
        file.unlink()


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_folder_is_a_store(vaxdb, database, scratch):
    path = make(vaxdb, database)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    pushed = vaxdb.ok("backup", "push", "--json").json
    assert pushed["file"] == str(path) and pushed["url"] == f"{scratch}/store"
    assert not pushed["already"]
    here = {name: data for name, data in contents(path.parent).items() if not name.startswith(".")}
    assert contents(scratch / "store") == here
    assert vaxdb.ok("backup", "push", path.name, "--json").json["already"]
    forget(path)
    pulled = vaxdb.ok("backup", "pull", path.name, "--json").json
    assert pulled["file"] == str(path) and contents(path.parent) == here
    assert vaxdb.ok("backup", "pull", "newest", "--json").json["already"]
    vaxdb.ok("backup", "verify", path)
    vaxdb.fails(2, "backup", "pull", "newest", "-e", "staging")
    vaxdb.fails(2, "backup", "pull", "no-such-20260101-000000")
    vaxdb.fails(2, "backup", "pull", "../x")


def test_nothing_configured_says_what_to_set(vaxdb, database):
    make(vaxdb, database)
    assert "backup_url" in vaxdb.fails(2, "backup", "push").stderr
    vaxdb.write_config("[vaxdb]\nbackup_url = s3://b\n")
    assert "AWS_ACCESS_KEY_ID" in vaxdb.fails(2, "backup", "push").stderr


def test_what_is_damaged_is_neither_pushed_nor_pulled(vaxdb, database, scratch):
    path = make(vaxdb, database)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    vaxdb.fails(4, "backup", "push")
    assert not (scratch / "store").exists()
    path.write_bytes(whole)
    vaxdb.ok("backup", "push")
    forget(path)
    (scratch / "store" / path.name).write_bytes(whole[:-1] + b"x")
    vaxdb.fails(4, "backup", "pull", "newest")
    assert not contents(path.parent)
    assert not vaxdb.ok("backup", "list", "--json").json["backups"]


def test_another_backup_of_that_name_is_left_alone(vaxdb, database, scratch):
    """Two sites with the same name, environment and prefix, in the same second."""
    path = make(vaxdb, database)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    vaxdb.ok("backup", "push")
    before = contents(scratch / "store")
    path.write_bytes(gzip.compress(b"-- another\n"))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    Path(f"{path}.sha256").write_text(f"{sha256}  {path.name}\n")
    rewrite_manifest(
        Path(f"{path}.json"),
        lambda value: value.update(sha256=sha256, packed_bytes=path.stat().st_size),
    )
    assert "another backup" in vaxdb.fails(3, "backup", "push", path).stderr
    assert "another backup" in vaxdb.fails(3, "backup", "pull", path.name).stderr
    assert contents(scratch / "store") == before


def test_s3_and_back(vaxdb, database, swift, bucket):
    path = make(vaxdb, database)
    use(vaxdb, swift.endpoint, f"s3://{bucket}/a b/production")
    assert vaxdb.ok("backup", "push", "--json").json["url"] == f"s3://{bucket}/a b/production"
    there = swift.folder / f"{bucket}-copy"
    swift.aws("s3", "cp", "--recursive", f"s3://{bucket}/a b/production", there)
    assert contents(there) == contents(path.parent)
    head = swift.client.head_object(Bucket=bucket, Key=f"a b/production/{path.name}")
    assert head["Metadata"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert vaxdb.ok("backup", "push", "--json").json["already"]
    before = contents(path.parent)
    forget(path)
    vaxdb.ok("backup", "pull", "newest", "-e", "production")
    assert contents(path.parent) == before


def test_listings_are_read_to_their_last_page(vaxdb, database, bucket, way):
    path = make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}/p")
    vaxdb.ok("backup", "push")
    forget(path)
    asked = []

    def page(request):
        if "list-type" not in request.query:
            return None
        asked.append(request.query.get("continuation-token"))
        if len(asked) == 1:
            return 200, (
                b"<ListBucketResult><IsTruncated>true</IsTruncated>"
                b"<NextContinuationToken>a/+b=</NextContinuationToken></ListBucketResult>"
            )
        return 200, (
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>"
            f"<Key>p/{path.name}.json</Key><Size>1</Size></Contents></ListBucketResult>"
        ).encode()

    way.fault = page
    vaxdb.ok("backup", "pull", "newest")
    assert asked == [None, ["a/+b="]]
    way.fault = lambda request: (
        (200, b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")
        if "list-type" in request.query
        else None
    )
    assert "not complete" in vaxdb.fails(1, "backup", "pull", "newest").stderr


def test_large_files_go_in_parts(vaxdb, swift, bucket, way, large_backup):
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", large_backup, "--jobs", "3")
    assert sorted(way.sent_parts()) == list(range(1, PARTS + 1))
    assert swift.content(bucket, large_backup.name) == large_backup.read_bytes()
    vaxdb.ok("backup", "pull", large_backup.name)
    vaxdb.ok("backup", "verify", large_backup.name, "--level", "1")


def test_a_wrong_secret_is_refused_and_never_shown(vaxdb, database, swift, bucket):
    path = make(vaxdb, database)
    use(vaxdb, swift.endpoint, f"s3://{bucket}", secret="wr0ng-Secret")
    outcome = vaxdb.fails(3, "backup", "push", "-v")
    assert "AWS_SECRET_ACCESS_KEY" in outcome.stderr and "403" in outcome.stderr
    assert "wr0ng-Secret" not in outcome.stderr + outcome.stdout
    assert not swift.names(bucket)
    outcome = vaxdb.fails(2, "backup", "push", path, env={"VAXDB_BACKUP_URL": "s3://k:pa55@b/x"})
    assert "pa55" not in outcome.stderr


def test_no_secret_in_the_arguments_of_a_process(vaxdb, database, bucket, way):
    make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}", secret="s3cret-In-Env")
    seen = []
    process = vaxdb.start("backup", "push", "-v")

    def look(_):
        seen.append(Path(f"/proc/{process.pid}/cmdline").read_bytes())

    way.fault = look
    outcome = vaxdb.finish(process)
    assert seen and all(b"s3cret-In-Env" not in line for line in seen)
    assert "s3cret-In-Env" not in outcome.stderr
    for request in way.requests:
        assert "s3cret-In-Env" not in str(request.headers) + request.target


def test_no_bucket_says_so(vaxdb, database, swift):
    make(vaxdb, database)
    use(vaxdb, swift.endpoint, "s3://never-made")
    assert "NoSuchBucket" in vaxdb.fails(1, "backup", "push").stderr


def test_a_server_killed_in_the_middle(vaxdb, swift, bucket, way, large_backup):
    """What has arrived is not sent again."""
    use(vaxdb, way.endpoint, f"s3://{bucket}")

    def kill(request):
        if request.query.get("partNumber") == ["3"]:
            swift.kill_one("proxy")
            way.fault = lambda request: None

    way.fault = kill
    try:
        outcome = vaxdb.fails(5, "backup", "push", large_backup, "--jobs", "1")
        assert "type it again" in outcome.stderr
    finally:
        swift.start_one("proxy")
    assert not swift.names(bucket), "half a backup is there"
    way.requests.clear()
    outcome = vaxdb.ok("backup", "push", large_backup)
    assert "Continuing" in outcome.stderr
    assert sorted(way.sent_parts()) == [3, 4]
    assert swift.content(bucket, large_backup.name) == large_backup.read_bytes()


def test_parts_of_another_file_are_not_taken(vaxdb, swift, bucket, way, large_backup):
    """An unfinished upload under this name whose second part is not ours."""
    upload = {"Bucket": bucket, "Key": large_backup.name}
    upload["UploadId"] = swift.client.create_multipart_upload(**upload)["UploadId"]
    data = large_backup.read_bytes()
    for number, content in ((1, data[: 1 << 23]), (2, bytes(1 << 23))):
        swift.client.upload_part(**upload, PartNumber=number, Body=content)
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", large_backup)
    assert sorted(way.sent_parts()) == [2, 3, 4]
    assert swift.content(bucket, large_backup.name) == data


def test_ctrl_c_keeps_what_has_arrived(vaxdb, bucket, way, large_backup):
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    process = vaxdb.start("backup", "push", large_backup, "--jobs", "1", "--bwlimit", "6M")
    wait_until(lambda: 2 in way.sent_parts())
    process.send_signal(signal.SIGINT)
    assert vaxdb.finish(process).status == 130
    way.requests.clear()
    vaxdb.ok("backup", "push", large_backup)
    assert 1 not in way.sent_parts()


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_a_busy_server_is_tried_again(vaxdb, database, bucket, way, status):
    make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}", backup_retry="20s")
    refused = []

    def busy(request):
        if request.method == "PUT" and not refused:
            refused.append(request)
            return status, b"<Error><Code>SlowDown</Code></Error>"
        return None

    way.fault = busy
    vaxdb.ok("backup", "push")
    puts = [request.target for request in way.requests if request.method == "PUT"]
    assert puts.count(refused[0].target) == 2 and puts[:2] == [refused[0].target] * 2


def test_every_try_is_signed_anew(vaxdb, database, bucket, way):
    make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}", backup_retry="30s")
    puts = []

    def busy(request):
        if request.method != "PUT":
            return None
        puts.append(request)
        return CUT if len(puts) < 4 else None  # the fourth is more than a second behind the first

    way.fault = busy
    vaxdb.ok("backup", "push")
    assert len({request.headers["x-amz-date"] for request in puts}) > 1
    assert len({request.headers["authorization"] for request in puts}) > 1


def test_a_wrong_clock_is_mended(vaxdb, database, swift, bucket, way):
    """A refusal says in its Date what the time is. Here a server of 2028, then Swift of today."""
    path = make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    answers = [(403, b""), (404, b"")]
    way.date = "Sat, 01 Jan 2028 00:00:00 GMT"
    way.fault = lambda request: answers.pop(0) if answers else None
    vaxdb.ok("backup", "push")
    first, second, third, fourth = way.requests[:4]
    assert first.target == second.target and third.target == fourth.target
    years = [request.headers["x-amz-date"][:4] for request in (first, second, third, fourth)]
    assert years == [years[0], "2028", "2028", years[0]]
    assert path.name in swift.names(bucket)


def test_a_complete_that_failed_is_not_believed(vaxdb, swift, bucket, way, large_backup):
    """S3 may answer 200 and then say in the body that it did not work."""
    use(vaxdb, way.endpoint, f"s3://{bucket}", backup_retry="1s")

    def lie(request):
        if request.method == "POST" and "uploadId" in request.query:
            return 200, (
                b'  <?xml version="1.0"?><Error><Code>InternalError</Code>'
                b"<Message>try again</Message></Error>"
            )
        return None

    way.fault = lie
    assert "InternalError" in vaxdb.fails(5, "backup", "push", large_backup).stderr
    assert not swift.names(bucket)
    way.fault = lambda request: None
    way.requests.clear()
    vaxdb.ok("backup", "push", large_backup)
    assert way.sent_parts() == []


def test_a_final_refusal_leaves_no_upload(vaxdb, swift, bucket, way, large_backup):
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    way.fault = lambda request: (
        (400, b"<Error><Code>InvalidPart</Code></Error>")
        if request.method == "POST" and "uploadId" in request.query
        else None
    )
    assert "InvalidPart" in vaxdb.fails(1, "backup", "push", large_backup).stderr
    assert not swift.client.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_a_lost_answer_to_complete(vaxdb, swift, bucket, way, large_backup):
    """It was done, and the second try finds no such upload: the object itself says so."""
    use(vaxdb, way.endpoint, f"s3://{bucket}", backup_retry="20s")

    def lose(request, _status, _body):
        if request.method == "POST" and "uploadId" in request.query:
            way.after = lambda *_: None
            return CUT
        return None

    way.after = lose
    vaxdb.ok("backup", "push", large_backup)
    assert large_backup.name in swift.names(bucket)


def test_a_pull_continues_where_it_was_cut(vaxdb, bucket, way, large_backup):
    use(vaxdb, way.endpoint, f"s3://{bucket}", backup_retry="20s")
    vaxdb.ok("backup", "push", large_backup)
    way.requests.clear()
    way.cut_after = 5_000_000  # bytes of the next large answer
    vaxdb.ok("backup", "pull", large_backup.name)
    ranges = [
        request.headers["range"]
        for request in way.requests
        if request.method == "GET" and request.path.endswith(".sql.gz")
    ]
    assert ranges[0] is None and ranges[1].startswith("bytes=") and ranges[1] != "bytes=0-"
    vaxdb.ok("backup", "verify", large_backup.name, "--level", "1")


def test_what_a_killed_pull_leaves_is_no_backup(vaxdb, bucket, way, large_backup):
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", large_backup)
    process = vaxdb.start("backup", "pull", large_backup.name, "--bwlimit", "2M")
    folder = vaxdb.state / "backups"
    wait_until(lambda: any(path.stat().st_size > 0 for path in folder.glob(".*.gz.partial")))
    process.kill()
    process.communicate()
    assert not vaxdb.ok("backup", "list", "--json").json["backups"]
    vaxdb.ok("backup", "pull", large_backup.name)
    assert not list(folder.glob(".*"))


def test_credentials_that_may_only_write(vaxdb, database, swift, bucket, way):
    path = make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    way.fault = lambda request: (
        (403, b"<Error><Code>AccessDenied</Code></Error>")
        if request.method in ("GET", "HEAD")
        else None
    )
    vaxdb.ok("backup", "push")
    assert path.name in swift.names(bucket)


def test_create_pushes_and_says_when_it_could_not(vaxdb, database, scratch, swift, bucket):
    use(vaxdb, swift.endpoint, f"s3://{bucket}")
    path = make(vaxdb, database)
    assert path.name in swift.names(bucket)
    command = ("backup", "create", "-e", "production", "--url", database.url)
    use(vaxdb, "http://127.0.0.1:9", f"s3://{bucket}")
    outcome = vaxdb.fails(6, *command)
    made = Path(outcome.stdout.strip())
    assert f"vaxdb backup push {made}" in outcome.stderr
    vaxdb.ok("backup", "verify", made)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    vaxdb.ok("backup", "push", made)


def test_the_guides_bucket(vaxdb, database, swift, bucket):
    use(vaxdb, swift.endpoint, "")
    path = make(vaxdb, database)
    vaxdb.ok("backup", "push", env={"BACKUP_BUCKET": bucket})
    assert path.name in swift.names(bucket)


def test_prune_off_site(vaxdb, database, scratch):
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    newest = make(vaxdb, database)
    store = scratch / "store"

    def put_copy(name, days, **changes):
        """Another backup with the same content: what is remembered of one holds for the other."""
        moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
        old = store / f"vaxtrace-production-{name}-000000.sql.gz"
        for suffix in ("", ".sha256", ".json"):
            shutil.copy(f"{newest}{suffix}", f"{old}{suffix}")
        shutil.copy(str(newest).replace(".sql.gz", ".globals.sql.gz"),
                    str(old).replace(".sql.gz", ".globals.sql.gz"))  # fmt: skip
        text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        rewrite_manifest(
            Path(f"{old}.json"), lambda value: value.update(file=old.name, finished_at=text, **changes)
        )
        return old

    old = put_copy("20200101", 50)
    older = put_copy("20190101", 60)
    unknown = put_copy("20180101", 90, sha256="0" * 64)
    (store / "vaxtrace-production-20170101-000000.sql.gz").write_bytes(b"no manifest: not ours")
    prune = ("backup", "prune", "--off-site", "-e", "production", "--json", "--keep-yearly", "0")
    before = contents(store)
    planned = vaxdb.ok(*prune, "--keep-min", "2", "--dry-run").json
    assert [row["file"] for row in planned["removed"]] == [older.name]
    reasons = {row["file"]: row["reason"] for row in planned["kept"]}
    assert "never verified" in reasons[unknown.name] and contents(store) == before
    assert not vaxdb.ok("backup", "prune", "-e", "production", "--json").json["removed"]
    broken = store / "vaxtrace-production-20210101-000000.sql.gz.json"
    broken.write_text("{")
    assert "incomplete" in vaxdb.fails(3, *prune, "--keep-min", "2").stderr
    broken.unlink()
    assert contents(store) == before
    vaxdb.ok(*prune, "--keep-min", "2")
    stem = older.name.removesuffix(".sql.gz")
    assert contents(store) == {name: data for name, data in before.items() if not name.startswith(stem)}
    vaxdb.ok(*prune, "--keep-min", "1")
    assert not old.exists() and (store / newest.name).exists() and newest.exists()


def test_list_says_what_is_off_site(vaxdb, database, scratch):
    path = make(vaxdb, database)
    assert vaxdb.ok("backup", "list", "--json").json["backups"][0]["offsite_at"] is None
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    vaxdb.ok("backup", "push", path)
    (entry,) = vaxdb.ok("backup", "list", "--json").json["backups"]
    assert entry["offsite_at"] and entry["offsite_url"] == f"{scratch}/store"
    assert "Off-site" in vaxdb.ok("backup", "list").stdout


# ---- restored and drilled from there ------------------------------------------------------------------


def test_a_drill_of_the_copy_in_the_store(vaxdb, database, bucket, way):
    path = make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}/p", drill_from_store="on")
    vaxdb.ok("backup", "push")
    forget(path)
    report = vaxdb.ok("drill", "run", "-e", "production", "--json").json
    assert report["verdict"] == "pass" and report["backup"] == f"s3://{bucket}/p/{path.name}"
    assert report["phases"][0]["name"] == "pull"
    assert not contents(path.parent) and not (vaxdb.state / "offsite").exists()
    assert f"p/{path.name}" in vaxdb.ok("drill", "list", "--json").stdout
    vaxdb.fails(2, "drill", "run", "-e", "staging")


def test_a_drill_finds_that_the_copy_in_the_store_is_damaged(vaxdb, database, scratch):
    path = make(vaxdb, database)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    vaxdb.ok("backup", "push")
    there = scratch / "store" / path.name
    there.write_bytes(there.read_bytes()[:-1] + b"x")
    assert "damaged" in vaxdb.fails(4, "drill", "run", "--from-store", "-e", "production").stderr
    assert "damaged" in vaxdb.fails(4, "drill", "run", f"file://{there}").stderr
    assert not (vaxdb.state / "offsite").exists()


def test_a_restore_from_the_store(vaxdb, database, new_database, swift, bucket):
    path = make(vaxdb, database)
    use(vaxdb, swift.endpoint, f"s3://{bucket}/p")
    vaxdb.ok("backup", "push")
    before = contents(path.parent)
    forget(path)
    target = new_database()
    place = f"s3://{bucket}/p/{path.name}"
    command = ("restore", place, "-e", "staging", "--url", target.url)
    result = vaxdb.ok(*command, "--json").json
    assert result["database"] == target.name
    assert target.scalar("SELECT count(*) FROM stock") == 2000
    assert contents(path.parent) == before
    assert "here already" in vaxdb.ok(*command, "--no-safety-backup", "a test").stderr
    vaxdb.fails(2, *command[:1], f"s3://{bucket}/p/", *command[2:])
    vaxdb.fails(2, *command[:1], f"s3://{bucket}/other/{path.name}", *command[2:])


def test_a_damaged_copy_in_the_store_is_not_restored(vaxdb, database, scratch):
    path = make(vaxdb, database)
    vaxdb.write_config(f"[vaxdb]\nbackup_url = {scratch}/store\n")
    vaxdb.ok("backup", "push")
    forget(path)
    there = scratch / "store" / path.name
    there.write_bytes(there.read_bytes()[:-1] + b"x")
    before = fingerprint(database)
    vaxdb.fails(4, "restore", f"file://{there}", "-e", "staging", "--url", database.url)
    assert fingerprint(database) == before and not contents(path.parent)


# ---- what the store has already ----------------------------------------------------------------------


def put_bytes(way):
    """Of the bodies of all puts."""
    return sum(
        int(request.headers["content-length"]) for request in way.requests if request.method == "PUT"
    )


def test_only_what_is_new_is_sent(vaxdb, swift, bucket, way, large_backups):
    first, second = large_backups
    growth = second.stat().st_size - first.stat().st_size
    use(vaxdb, way.endpoint, f"s3://{bucket}/a b")
    result = vaxdb.ok("backup", "push", first, "--json").json
    assert result["reused"] is None and result["sent_bytes"] == put_bytes(way)
    way.requests.clear()
    result = vaxdb.ok("backup", "push", second, "--json").json
    assert result["reused"] == first.name and result["sent_bytes"] == put_bytes(way)
    assert result["sent_bytes"] <= 1.5 * growth + (1 << 18), growth
    assert not [name for name in swift.names(bucket) if "piece" in name]
    assert swift.content(bucket, f"a b/{second.name}") == second.read_bytes()
    head = swift.client.head_object(Bucket=bucket, Key=f"a b/{second.name}")
    assert head["Metadata"]["sha256"] == hashlib.sha256(second.read_bytes()).hexdigest()
    vaxdb.ok("backup", "pull", "newest", "-e", "production")
    vaxdb.ok("backup", "verify", "newest")


def test_of_an_encrypted_backup_too_only_what_is_new_is_sent(vaxdb, swift, bucket, daily_backups):
    first, second = daily_backups[:2]
    growth = second.stat().st_size - first.stat().st_size
    use(vaxdb, swift.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", first)
    result = vaxdb.ok("backup", "push", second, "--json").json
    assert result["reused"] == first.name and result["sent_bytes"] <= 1.5 * growth + (1 << 18)
    assert swift.content(bucket, second.name) == second.read_bytes()


def test_a_new_table_is_all_that_is_sent(vaxdb, swift, bucket, daily_backups):
    """With its statements at the begin, which take along the 5 MiB that S3 wants; and the end."""
    first, second = daily_backups[2:]
    use(vaxdb, swift.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", first)
    result = vaxdb.ok("backup", "push", second, "--json").json
    assert result["reused"] == first.name and result["sent_bytes"] < (5 << 20) + (1 << 18)
    assert swift.content(bucket, second.name) == second.read_bytes()


def test_a_server_that_cannot_copy_gets_all_of_it(vaxdb, swift, bucket, way, large_backups):
    first, second = large_backups
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", first)
    for answer in (
        (501, b"<Error><Code>NotImplemented</Code></Error>"),
        (200, b"<Error><Code>InvalidRequest</Code></Error>"),
        (200, b"<CopyPartResult><ETag>x</ETag></CopyPartResult>"),
    ):
        way.fault = lambda request, answer=answer: (
            answer if "x-amz-copy-source" in request.headers else None
        )
        result = vaxdb.ok("backup", "push", second, "--json").json
        assert result["reused"] is None and result["sent_bytes"] > second.stat().st_size
        assert swift.content(bucket, second.name) == second.read_bytes()
        swift.client.delete_object(Bucket=bucket, Key=second.name)


def test_what_is_copied_must_be_what_the_file_has(vaxdb, swift, bucket, way, large_backups):
    """Yesterday's object is not what its manifest says any more."""
    first, second = large_backups
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", first)
    swift.client.put_object(Bucket=bucket, Key=first.name, Body=bytes(first.stat().st_size))
    vaxdb.ok("backup", "push", second)
    assert any("x-amz-copy-source" in request.headers for request in way.requests)
    assert swift.content(bucket, second.name) == second.read_bytes()


def copies(requests):
    """What was asked to be copied where: (object, part)."""
    return {
        (request.path.rpartition("/")[2], request.query["partNumber"][0])
        for request in requests
        if "x-amz-copy-source" in request.headers
    }


def test_a_composed_push_is_continued(vaxdb, swift, bucket, way, large_backups):
    first, second = large_backups
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push", first)
    copied = []

    def kill(request):
        if "x-amz-copy-source" in request.headers:
            copied.append(request)
        elif copied and "partNumber" in request.query:
            return CUT
        return None

    way.fault = kill
    vaxdb.fails(5, "backup", "push", second, "--jobs", "1")
    way.fault = lambda request: None
    way.requests.clear()
    assert "Continuing" in vaxdb.ok("backup", "push", second).stderr
    assert (second.name, "1") in copies(copied) and len(copies(copied)) == 2
    assert (second.name, "1") not in copies(way.requests)
    assert swift.content(bucket, second.name) == second.read_bytes()
    assert not [name for name in swift.names(bucket) if "piece" in name]
    assert "Uploads" not in swift.client.list_multipart_uploads(Bucket=bucket)


def test_what_is_put_carries_its_md5(vaxdb, database, bucket, way):
    """A bucket with an Object Lock wants it."""
    make(vaxdb, database)
    use(vaxdb, way.endpoint, f"s3://{bucket}")
    vaxdb.ok("backup", "push")
    puts = [request for request in way.requests if request.method == "PUT"]
    assert len(puts) == 4, "data, roles, checksum, manifest"
    for request in puts:
        assert "content-md5" in request.headers["authorization"]
        assert len(request.headers["content-md5"]) == 24
