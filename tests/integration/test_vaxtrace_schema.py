"""The migrations of the VaxTrace database, by plain psql, on every major."""

import pytest
from support.vaxtrace import MIGRATIONS, NAMES, QUERIES, migrate, roll_back, run_file, run_query

EVERYTHING = """
    SELECT 'relation', relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'type', typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function', proname::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2"""

INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"

# As the guide prints them, save for CONCURRENTLY and IF NOT EXISTS.
GUIDE = {
    "idx_alerts_critical": "CREATE INDEX idx_alerts_critical ON public.alerts USING btree"
    " (facility_id, created_at DESC)"
    " WHERE ((severity = 'critical'::alert_severity) AND (resolved_at IS NULL))",
    "idx_stock_snapshots_facility_status_date": "CREATE INDEX"
    " idx_stock_snapshots_facility_status_date ON public.stock_snapshots USING btree"
    " (facility_id, stock_status, snapshot_date DESC)",
    "idx_stock_snapshots_facility_vaccine_covering": "CREATE INDEX"
    " idx_stock_snapshots_facility_vaccine_covering ON public.stock_snapshots USING btree"
    " (facility_id, vaccine_id)"
    " INCLUDE (quantity_on_hand, months_of_stock, stock_status, snapshot_date)",
    "idx_audit_logs_brin_timestamp": "CREATE INDEX idx_audit_logs_brin_timestamp"
    " ON public.audit_logs USING brin (created_at)",
}


def test_up_twice_and_down_leaves_nothing(any_database):
    database = any_database
    before = database.execute(EVERYTHING)
    migrate(database)
    made = database.execute(EVERYTHING)
    assert len(made) > 100
    migrate(database)
    assert database.execute(EVERYTHING) == made
    roll_back(database)
    assert database.execute(EVERYTHING) == before
    roll_back(database)
    migrate(database)
    assert database.execute(EVERYTHING) == made


def test_each_down_undoes_its_own_up(database):
    states = []
    for name in NAMES:
        states.append(database.execute(EVERYTHING))
        run_file(database, MIGRATIONS / f"{name}.sql")
    for name in reversed(NAMES):
        run_file(database, MIGRATIONS / f"{name}.down.sql")
        assert database.execute(EVERYTHING) == states.pop(), name


def test_the_guides_indexes_are_there_word_for_word(database):
    migrate(database)
    indexes = dict(database.execute(INDEXES))
    for name, definition in GUIDE.items():
        assert indexes[name] == definition


def test_every_foreign_key_has_an_index(database):
    migrate(database)
    assert not database.execute(
        """SELECT conrelid::regclass::text, conname FROM pg_constraint AS c
           WHERE contype = 'f' AND NOT EXISTS (
               SELECT FROM pg_index WHERE indrelid = c.conrelid AND indpred IS NULL
                   AND indkey[0] = c.conkey[1])"""
    )


def test_updated_at_is_kept_by_the_database(database):
    migrate(database)
    database.execute(
        "INSERT INTO locations (code, name, type, updated_at)"
        " VALUES ('Z', 'Zone', 'zone', '2020-01-01')"
    )
    database.execute("UPDATE locations SET name = 'zone'")
    assert database.scalar("SELECT updated_at > now() - interval '1 hour' FROM locations")


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_queries_run_on_an_empty_database(empty_vaxtrace, path):
    """A drill of a fresh database must not fail for want of rows."""
    rows = run_query(empty_vaxtrace, path)
    assert rows == []


@pytest.fixture(scope="module")
def empty_vaxtrace(server):
    from support.servers import Database

    database = Database(server, "empty_vaxtrace").create()
    migrate(database)
    with database.connect() as connection:
        yield connection
    database.drop()
