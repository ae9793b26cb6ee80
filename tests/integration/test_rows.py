"""Rows that the server sends in binary become the text that it would have written itself."""

import subprocess

from support.program import binary

# Of each type what is at its edges; the rows are as many as the longest list.
EDGES = {
    "boolean": ["true", "false"],
    "smallint": ["0", "-1", "9", "10", "99", "100", "32767", "-32768"],
    "integer": ["0", "7", "-10", "2147483647", "-2147483648", "1000000000"],
    "bigint": ["0", "9223372036854775807", "-9223372036854775808", "100", "-99", "10000000000"],
    "oid": ["0", "4294967295", "2147483648"],
    "numeric": [
        *("0", "0.0", "0.00000", "1", "-1", "10000", "9999", "-10000.0001", "0.0001", "0.00001", "1e-20"),
        *("123456789.123456789", "1e130000", "1e-16383", "-0.5", "100000000", "99999999.99999", "NaN"),
        *("12345678901234567890.10", "1.0000", "0.1234", "0.12345", "-0.00012345678", "1e4", "1e5", "0.9999"),
    ],
    "numeric(12,3)": ["1.5", "-999999999.999", "0", "0.001"],
    "text": [
        *("''", "'a'", "e'\\\\'", "e'\\\\N'", "e'\\\\.'", "e'a\\tb\\nc\\rd\\be\\ff\\vg'", "e'\\x01\\x07\\x0e\\x1f\\x7f'"),
        *("'sixteen letters!'", "'seventeen letters'", "e'fifteen letter\\\\'", "e'\\\\sixteen letters'"),
        *("repeat('x', 16383) || e'\\\\y'", "repeat(e'\\\\', 40000)", "repeat('x', 32768)", "repeat(e'ä\\tb', 9999)"),
        *("'ä€😀'", "' '", "(SELECT string_agg(chr(i), '') FROM generate_series(1, 700) AS i)"),
    ],
    "varchar(9)": ["''", "'abc'", "e'\\\\'"],
    "char(5)": ["''", "'ab'", "e'\\t'"],
    "name": ["''", "'abc'", "repeat('n', 63)"],
    "json": ["'{\"a\" :  [1, null], \"a\":\"\\\\n\"}'", "'1'", "'\"\\\\\\\\ \\\\t\"'"],
    "jsonb": ["'{\"b\": \"\\\\n\", \"a\": [1.50, null, {}]}'", "'1'", "'\"\"'", "'\"\\\\\\\\\"'"],
    "bytea": [
        *("''", "'\\x00'", "'\\xdeadbeef5c0a'", "decode(repeat('0f1e2d3c4b5a6978', 2), 'hex')"),
        "decode(repeat('9a', 16384), 'hex')",
        "decode(repeat('bc', 70001), 'hex')",
    ],
    "uuid": [
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "'01234567-89ab-cdef-0123-456789abcdef'",
    ],
    "date": [
        *("infinity", "-infinity", "4714-11-24 BC", "4713-12-31 BC", "0001-12-31 BC", "0001-01-01", "0002-01-01 BC"),
        *("1999-12-31", "2000-01-01", "2000-02-28", "2000-02-29", "2000-03-01", "1900-02-28", "1900-03-01"),
        *("9999-12-31", "10000-01-01", "5874897-12-31", "2024-02-29", "0005-02-29 BC", "0004-02-28 BC"),
    ],
    "time": ["00:00:00", "24:00:00", "23:59:59.999999", "12:34:56.7", "01:02:03.000001", "04:05:06.120"],
    "timestamp": [
        *("infinity", "-infinity", "4714-11-24 00:00:00 BC", "0044-03-15 23:59:59.999999 BC", "1999-12-31 23:59:59.999999"),
        *("2000-01-01", "294276-12-31 23:59:59.999999", "10000-01-01 00:00:00.1", "1970-01-01 00:00:00.00001"),
    ],
    "timestamptz": [
        *("infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "0044-03-15 12:00:00+00 BC", "1883-11-18 12:03:58+00"),
        *("2000-01-01 00:00:00+00", "294276-12-31 23:59:59.999999+00", "2026-11-23 21:30:00.5+05:45"),
    ],
    "mood": ["'sad'", "'so so'", "e'it''s a \\\\'"],
    "positive": ["1", "2147483647"],
}

RANDOM = {
    "boolean": "random() < 0.5",
    "smallint": "(random() * 65535 - 32768)::smallint",
    "integer": "((random() * 2 - 1) * 2147483647 * power(10, -floor(random() * 10)))::int",
    "bigint": "((random() * 2 - 1) * 9.2e18 * power(10, -floor(random() * 19)))::bigint",
    "oid": "(random() * 4294967295)::bigint::oid",
    "numeric": "round((random() - 0.5)::numeric * power(10::numeric, (random() * 60 - 20)::int), (random() * 40)::int)",
    "numeric(12,3)": "(random() * 2e8 - 1e8)::numeric(12,3)",
    "text": "(SELECT string_agg(chr(1 + (random() * 130)::int), '') FROM generate_series(1, (i % 40)))",
    "jsonb": "jsonb_build_object('a', random(), chr(1 + (random() * 300)::int), i)",
    "bytea": "decode(repeat(md5(random()::text), i % 5) || repeat('5c', i % 33), 'hex')",
    "uuid": "md5(random()::text)::uuid",
    "date": "date '2000-01-01' + ((random() - 0.4) * power(10, 1 + i % 6))::int",
    "time": "time '00:00' + random() * interval '24 hours'",
    "timestamp": "timestamp '2000-01-01' + (random() - 0.5) * power(10, i % 6) * interval '1 day'",
    "timestamptz": "timestamptz '2000-01-01' + (random() - 0.5) * power(10, i % 6) * interval '1 day'",
}

SETTINGS = "SET TimeZone = 'UTC'; SET DateStyle = ISO; SET bytea_output = hex"


def literal(type_name, value):
    quoted = type_name.startswith(("date", "time", "numeric"))
    return f"'{value}'" if quoted else value


def copied(connection, what, form):
    with connection.cursor().copy(f"COPY {what} TO STDOUT (FORMAT {form})") as stream:
        return b"".join(stream)


def test_rows_in_binary_become_the_text_of_the_server(any_database):
    any_database.execute("CREATE TYPE mood AS ENUM ('sad', 'so so', e'it''s a \\\\')")
    any_database.execute("CREATE DOMAIN positive_base AS int; CREATE DOMAIN positive AS positive_base")
    edges = {name: [literal(name, value) for value in values] for name, values in EDGES.items()}
    if any_database.server.major >= 14:
        edges["numeric"] += ["'Infinity'", "'-Infinity'"]
    names = list(edges)
    longest = max(map(len, edges.values()))
    rows = [
        ", ".join((edges[name] + ["NULL"] * (longest - len(edges[name])))[row] for name in names)
        for row in range(longest)
    ]
    columns = ", ".join(f"c{number} {name}" for number, name in enumerate(names))
    chosen = ", ".join(RANDOM.get(name, "NULL") for name in names)
    any_database.execute(f"CREATE TABLE t ({columns}); SELECT setseed(0.5)")
    for row in rows:
        any_database.execute(f"INSERT INTO t VALUES ({row})")
    any_database.execute(f"INSERT INTO t SELECT {chosen} FROM generate_series(1, 3000) AS i")
    types = any_database.scalar(
        "SELECT string_agg(CASE WHEN typtype = 'e' THEN 'enum' WHEN typtype = 'd' THEN '23' "
        "ELSE t.oid::text END, ' ' ORDER BY attnum) FROM pg_attribute JOIN pg_type AS t "
        "ON t.oid = atttypid WHERE attrelid = 't'::regclass AND attnum > 0"
    )
    with any_database.connect() as connection:
        connection.execute(SETTINGS)
        given, wanted = (copied(connection, "t", form) for form in ("binary", "text"))
    program = binary().parent / "tests/integration/rows"
    made = subprocess.run([program, *types.split()], input=given, capture_output=True)
    assert made.returncode == 0, made.stderr
    different = [pair for pair in zip(made.stdout.splitlines(), wanted.splitlines()) if pair[0] != pair[1]]
    assert not different, different[:3]
    assert made.stdout == wanted
