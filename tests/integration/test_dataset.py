"""dev load: the VaxTrace data set."""

import signal
import time

import pytest
from support.servers import Database
from support.vaxtrace import MIGRATIONS, QUERIES, migrate, run_file, run_query

ROWS = 20000
UNTIL = "2026-06-30"
ARGUMENTS = ("dev", "load", "--until", UNTIL, "--json", "--rows")

OBJECTS = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text
        FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT conrelid::regclass::text || conname, pg_get_constraintdef(oid),
        convalidated::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgrelid::regclass::text || tgname, pg_get_triggerdef(oid), tgenabled::text
        FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2"""

CONTENT = """
    SELECT (SELECT count(*) FROM stock_snapshots), (SELECT count(*) FROM audit_logs),
        (SELECT md5(string_agg(id::text || quantity_on_hand, '' ORDER BY id)) FROM stock_snapshots)"""


class Loaded:
    """A migrated database, loaded once for all tests that only read."""

    def __init__(self, database, outcome, objects):
        self.database = database
        self.result = outcome.json
        self.objects = objects


@pytest.fixture(scope="session")
def loaded(server, base_folder):
    from support.program import Vaxdb

    database = Database(server, "loaded_vaxtrace").create()
    migrate(database)
    objects = database.execute(OBJECTS)
    program = Vaxdb(base_folder / "vaxdb-loaded")
    outcome = program.ok(*ARGUMENTS, ROWS, "--url", database.url)
    yield Loaded(database, outcome, objects)
    program.close()
    database.drop()


@pytest.fixture
def vaxtrace(new_database):
    """A migrated, empty database."""
    database = new_database()
    migrate(database)
    return database


def test_rows_are_as_many_as_told(loaded):
    assert loaded.result["tables"]["stock_snapshots"] == ROWS
    for table, rows in loaded.result["tables"].items():
        assert loaded.database.scalar(f"SELECT count(*) FROM {table}") == rows, table
    assert loaded.result["tables"]["audit_logs"] == 10 * ROWS
    assert loaded.result["rows_per_second"] > 0
    assert loaded.database.execute(
        "SELECT type::text, count(*) FROM locations WHERE type <> 'facility' GROUP BY 1 ORDER BY 1"
    ) == [("lga", 774), ("state", 37), ("zone", 6)]


def test_the_series_ends_on_the_day_asked_for(loaded):
    (row,) = loaded.database.execute("SELECT max(snapshot_date)::text FROM stock_snapshots")
    assert row == (UNTIL,)
    (row,) = loaded.database.execute(
        "SELECT count(*) FROM stock_snapshots WHERE snapshot_date = %s", [UNTIL]
    )
    assert row == (12 * loaded.result["facilities"],)


def test_everything_on_the_tables_is_put_back(loaded):
    assert loaded.database.execute(OBJECTS) == loaded.objects


def test_balances_are_the_sum_of_the_ledger(loaded):
    """Each day of each facility and vaccine, not only the last."""
    assert loaded.database.execute(
        """SELECT count(*) FROM stock_snapshots AS s
           LEFT JOIN LATERAL (
               SELECT coalesce(sum(quantity), 0) AS balance FROM stock_ledger AS l
               WHERE l.facility_id = s.facility_id AND l.vaccine_id = s.vaccine_id
                   AND l.transaction_date <= s.snapshot_date) AS l ON true
           WHERE l.balance <> s.quantity_on_hand"""
    ) == [(0,)]


def test_balance_after_follows_the_time_of_the_entries(loaded):
    assert loaded.database.execute(
        """SELECT count(*) FROM (
               SELECT balance_after, sum(quantity) OVER (
                   PARTITION BY facility_id, vaccine_id ORDER BY created_at) AS balance
               FROM stock_ledger) AS l
           WHERE balance <> balance_after"""
    ) == [(0,)]


def test_status_follows_months_of_stock(loaded):
    assert loaded.database.execute(
        """SELECT count(*) FROM stock_snapshots WHERE stock_status <> CASE
               WHEN quantity_on_hand = 0 THEN 'stockout'
               WHEN months_of_stock < 3 THEN 'understocked'
               WHEN months_of_stock <= 6 THEN 'optimal'
               ELSE 'overstocked' END::stock_status
           OR abs(months_of_stock - quantity_on_hand / average_monthly_consumption::real) > 0.0101"""
    ) == [(0,)]
    statuses = dict(
        loaded.database.execute("SELECT stock_status::text, count(*) FROM stock_snapshots GROUP BY 1")
    )
    assert set(statuses) == {"optimal", "understocked", "stockout", "overstocked"}
    assert statuses["stockout"] < ROWS / 10


def test_open_stockout_alerts_are_the_empty_shelves(loaded):
    assert loaded.database.execute(
        """SELECT facility_id, vaccine_id FROM alerts
           WHERE alert_type = 'stockout' AND resolved_at IS NULL
           EXCEPT SELECT facility_id, vaccine_id FROM stock_snapshots
           WHERE snapshot_date = %s AND stock_status = 'stockout'""",
        [UNTIL],
    ) == []
    assert loaded.database.scalar(
        "SELECT count(*) FROM alerts WHERE alert_type = 'stockout' AND resolved_at IS NULL"
    ) == loaded.database.scalar(
        "SELECT count(*) FROM stock_snapshots WHERE snapshot_date = %s AND quantity_on_hand = 0",
        [UNTIL],
    )


def test_receipts_are_what_requisitions_brought(loaded):
    """Nothing is received without an order, save what was under way when the series began."""
    assert loaded.database.execute(
        """SELECT count(*) FROM requisition_line_items AS i
           JOIN requisitions AS r ON r.id = i.requisition_id
           WHERE i.quantity_received > 0 AND NOT EXISTS (
               SELECT FROM stock_ledger AS l
               WHERE l.facility_id = r.facility_id AND l.vaccine_id = i.vaccine_id
                   AND l.transaction_type = 'receipt' AND l.quantity = i.quantity_received
                   AND l.transaction_date = r.received_at::date)"""
    ) == [(0,)]


def test_excursions_agree_in_telemetry_and_snapshots(loaded):
    assert loaded.database.execute(
        """SELECT count(*) FROM (
               SELECT facility_id, (recorded_at AT TIME ZONE 'UTC')::date AS snapshot_date,
                   count(*) FILTER (WHERE temperature_out_of_range) AS hours
               FROM cce_telemetry GROUP BY 1, 2) AS t
           JOIN stock_snapshots AS s USING (facility_id, snapshot_date)
           WHERE s.temp_excursion_count <> t.hours"""
    ) == [(0,)]


def test_times_are_distinct_and_in_the_order_of_insertion(loaded):
    for table, column in (
        ("audit_logs", "created_at"),
        ("cce_telemetry", "recorded_at"),
        ("stock_snapshots", "snapshot_time"),
    ):
        assert loaded.database.execute(
            f"""SELECT count(*) FROM (
                    SELECT {column} AS time, lag({column}) OVER (ORDER BY ctid) AS before
                    FROM {table}) AS t WHERE time <= before"""
        ) == [(0,)], table


def test_nothing_lies_in_the_future(loaded):
    columns = loaded.database.execute(
        """SELECT table_name, column_name FROM information_schema.columns
           JOIN pg_tables ON tablename = table_name AND schemaname = 'public'
           WHERE data_type = 'timestamp with time zone' AND column_name <> 'expected_at'"""
    )
    assert len(columns) > 30
    for table, column in columns:
        latest = loaded.database.scalar(f"SELECT max({column}) < '2026-07-01 00:00Z' FROM {table}")
        assert latest is not False, (table, column)


def test_dashboard_reads_only_the_covering_index(loaded):
    loaded.database.execute("VACUUM stock_snapshots")
    with loaded.database.connect() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        plan = connection.execute(
            """EXPLAIN (ANALYZE, COSTS OFF)
               SELECT snapshot_date, quantity_on_hand, months_of_stock, stock_status
               FROM stock_snapshots
               WHERE facility_id = (SELECT facility_id FROM stock_snapshots LIMIT 1)
                   AND vaccine_id = (SELECT vaccine_id FROM stock_snapshots LIMIT 1)"""
        ).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "Index Only Scan using idx_stock_snapshots_facility_vaccine_covering" in text
    assert "Heap Fetches: 0" in text


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_queries_give_rows(loaded, path):
    with loaded.database.connect() as connection:
        rows = run_query(connection, path)
    # So few facilities seldom help each other on the last day.
    assert rows or path.stem == "open_transfers_between_facilities"


first_load = []


def test_the_same_arguments_give_the_same_data_on_every_major(vaxdb, any_database):
    migrate(any_database)
    arguments = (*ARGUMENTS, 2000, "--url", any_database.url)
    digest = vaxdb.ok(*arguments, env={"TZ": "Asia/Tokyo"}).json["digest"]
    assert vaxdb.ok(*arguments, "-y").json["digest"] == digest
    first_load.append((digest, any_database.execute(CONTENT)))
    assert first_load[-1] == first_load[0]


def test_another_seed_or_day_gives_another_digest(vaxdb, loaded):
    digests = {loaded.result["digest"]}
    for seed, until in ((2, UNTIL), (1, "2026-07-01")):
        outcome = vaxdb.ok(
            *("dev", "load", "--rows", ROWS, "--dry-run", "--json"),
            *("--seed", seed, "--until", until),
        )
        digests.add(outcome.json["digest"])
    assert len(digests) == 3


def test_dry_run_tells_the_digest_and_touches_nothing(vaxdb, loaded):
    before = loaded.database.execute(CONTENT)
    result = vaxdb.ok(*ARGUMENTS, ROWS, "--dry-run", "--url", loaded.database.url).json
    assert result["digest"] == loaded.result["digest"]
    assert result["tables"] == loaded.result["tables"]
    assert loaded.database.execute(CONTENT) == before


@pytest.mark.parametrize("rows", [1, 11, 13, 4999])
def test_any_number_of_rows_is_exact(vaxdb, vaxtrace, rows):
    vaxdb.ok(*ARGUMENTS, rows, "--url", vaxtrace.url)
    assert vaxtrace.scalar("SELECT count(*) FROM stock_snapshots") == rows


def test_a_database_without_the_schema_is_refused(vaxdb, database):
    outcome = vaxdb.fails(3, *ARGUMENTS, 1000, "--url", database.url)
    assert "vaxdb migrate up" in outcome.stderr
    run_file(database, MIGRATIONS / "001_initial_schema.sql")
    database.execute("ALTER TABLE alerts RENAME COLUMN title TO heading")
    outcome = vaxdb.fails(3, *ARGUMENTS, 1000, "--url", database.url)
    assert "title" in outcome.stderr


def test_data_is_replaced_only_when_told_so(vaxdb, vaxtrace):
    vaxdb.ok(*ARGUMENTS, 1000, "--url", vaxtrace.url)
    outcome = vaxdb.fails(3, *ARGUMENTS, 2000, "--url", vaxtrace.url)
    assert "-y" in outcome.stderr
    assert vaxtrace.scalar("SELECT count(*) FROM stock_snapshots") == 1000
    vaxdb.ok(*ARGUMENTS, 2000, "-y", "--url", vaxtrace.url)
    assert vaxtrace.scalar("SELECT count(*) FROM stock_snapshots") == 2000


def test_production_wants_its_name(vaxdb, vaxtrace):
    vaxdb.write_config(production=vaxtrace.url)
    load = (*ARGUMENTS, 1000, "-e", "production")
    vaxdb.fails(3, *load, "-y")
    vaxdb.fails(3, *load, "--confirm", "other")
    assert vaxtrace.scalar("SELECT count(*) FROM stock_snapshots") == 0
    vaxdb.ok(*load, "--confirm", vaxtrace.name)
    assert vaxtrace.scalar("SELECT count(*) FROM stock_snapshots") == 1000


def test_odd_objects_are_put_back_as_they_were(vaxdb, vaxtrace):
    with vaxtrace.connect() as connection:
        connection.execute("CREATE TABLE log (what text)")
        connection.execute(
            """CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NEW; END $$"""
        )
        for name, how in (("t_plain", ""), ("t_always", "ENABLE ALWAYS"), ("t_off", "DISABLE")):
            connection.execute(
                f"CREATE TRIGGER {name} BEFORE INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION note()"
            )
            if how:
                connection.execute(f"ALTER TABLE alerts {how} TRIGGER {name}")
        connection.execute("ALTER TABLE alerts ADD COLUMN note text DEFAULT 'none'")
        connection.execute(
            "ALTER TABLE alerts ADD CONSTRAINT no_check FOREIGN KEY (note)"
            " REFERENCES locations (code) DEFERRABLE INITIALLY DEFERRED NOT VALID"
        )
        connection.execute("ALTER TABLE alerts ALTER COLUMN note DROP DEFAULT")
        connection.execute(
            'CREATE UNIQUE INDEX "odd ""name" ON users (lower(email)) WITH (fillfactor = 70)'
        )
        connection.execute("""COMMENT ON INDEX "odd ""name" IS 'it''s odd'""")
        connection.execute("COMMENT ON CONSTRAINT users_pkey ON users IS 'the key'")
        connection.execute("ALTER TABLE users REPLICA IDENTITY USING INDEX users_email_key")
        connection.execute("ALTER TABLE users CLUSTER ON users_pkey")
        connection.execute("""ALTER INDEX "odd ""name" ALTER COLUMN 1 SET STATISTICS 321""")
        connection.execute(
            "CREATE TABLE other (id int PRIMARY KEY, alert uuid REFERENCES alerts (id))"
        )
        connection.execute("CREATE INDEX broken ON users (full_name)")
        connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass"
        )
    marks = """
        SELECT coalesce(obj_description('"odd ""name"'::regclass), ''),
            (SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint
                WHERE conname = 'users_pkey'),
            (SELECT indexrelid::regclass::text FROM pg_index WHERE indisreplident),
            (SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered),
            (SELECT reloptions::text FROM pg_class WHERE relname = 'odd "name'),
            (SELECT attstattarget FROM pg_attribute WHERE attrelid = '"odd ""name"'::regclass)"""
    objects, before = vaxtrace.execute(OBJECTS), vaxtrace.execute(marks)
    vaxdb.ok(*ARGUMENTS, 2000, "--url", vaxtrace.url)
    # TRUNCATE builds every index anew, so the broken one is sound now.
    definition = "CREATE INDEX broken ON public.users USING btree (full_name)"
    objects = [(*row[:2], "true") if row[1] == definition else row for row in objects]
    assert vaxtrace.execute(OBJECTS) == objects
    assert vaxtrace.execute(marks) == before
    assert None not in before[0]
    assert vaxtrace.scalar("SELECT count(*) FROM log") == 0


def wait_for(database, text):
    """Until a load is at a statement; the backend's pid."""
    until = time.monotonic() + 60
    with database.connect() as connection:
        while time.monotonic() < until:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND query LIKE %s AND pid <> pg_backend_pid() AND state = 'active'",
                [text],
            ).fetchone()
            if row:
                return row[0]
            time.sleep(0.002)
    raise AssertionError(f"the load never came to {text}")


def wait_until_gone(database, pid):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not database.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]):
            return
        time.sleep(0.01)
    raise AssertionError("the server went on without its client")


BIG = (*ARGUMENTS, 40000, "--seed", "2", "-y", "--url")
COPY = "COPY %"
BUILD = "CREATE INDEX%"


@pytest.mark.parametrize("phase", [COPY, BUILD], ids=["copy", "build"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
def test_an_ended_load_leaves_the_old_data(vaxdb, vaxtrace, how, phase):
    vaxdb.ok(*ARGUMENTS, 1000, "--url", vaxtrace.url)
    before = vaxtrace.execute(CONTENT), vaxtrace.execute(OBJECTS)
    process = vaxdb.start(*BIG, vaxtrace.url)
    pid = wait_for(vaxtrace, phase)
    process.send_signal(how)
    if how == signal.SIGINT:
        assert vaxdb.finish(process).status == 130
    else:
        process.communicate()
    wait_until_gone(vaxtrace, pid)
    assert (vaxtrace.execute(CONTENT), vaxtrace.execute(OBJECTS)) == before


def test_a_dead_server_leaves_the_old_data(vaxdb, own_server):
    server = own_server()
    database = Database(server, "vaxtrace").create()
    migrate(database)
    vaxdb.ok(*ARGUMENTS, 2000, "--url", database.url)
    before = database.execute(CONTENT), database.execute(OBJECTS)
    process = vaxdb.start(*BIG, database.url)
    wait_for(database, COPY)
    server.kill()
    outcome = vaxdb.finish(process)
    assert outcome.status == 5, outcome
    server.start()
    assert (database.execute(CONTENT), database.execute(OBJECTS)) == before


def test_a_second_load_at_once_is_refused(vaxdb, vaxtrace):
    process = vaxdb.start(*BIG, vaxtrace.url)
    wait_for(vaxtrace, COPY)
    vaxdb.fails(3, *ARGUMENTS, 1000, "-y", "--url", vaxtrace.url)
    process.send_signal(signal.SIGINT)
    assert vaxdb.finish(process).status == 130


def test_wrong_arguments_exit_2(vaxdb, vaxtrace):
    for wrong in (("--rows", "0"), ("--rows", "many"), ("--until", "2026-02-30"),
                  ("--until", "1999-12-31"), ("--seed", "-1")):
        vaxdb.fails(2, "dev", "load", *wrong, "--url", vaxtrace.url)
