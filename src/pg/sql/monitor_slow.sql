-- majors: 13-18
-- needs: pg_stat_statements
-- The statements of this database with the longest mean time, of those called more than $1 times; at
-- most $2. The caller puts the extension's schema on the search path. Columns are read by name from
-- JSON because they follow the extension's version and not the server's: an upgraded server may
-- still have total_time where newer versions have total_exec_time. The ranking leaves the texts out,
-- which may be large; they are fetched for those that are shown.
WITH ranked AS (
    SELECT s.userid, s.dbid, s.queryid, s.calls, s.rows,
           coalesce(j ->> 'mean_exec_time', j ->> 'mean_time')::float8 AS mean_ms,
           coalesce(j ->> 'max_exec_time', j ->> 'max_time')::float8 AS max_ms,
           coalesce(j ->> 'total_exec_time', j ->> 'total_time')::float8 AS total_ms
    FROM pg_stat_statements(false) AS s, LATERAL to_jsonb(s) AS j
    WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND s.calls > $1::bigint
    ORDER BY mean_ms DESC
    LIMIT $2::bigint
)
SELECT r.calls, r.rows AS row_count, r.mean_ms, r.max_ms, r.total_ms, r.queryid::text AS query_id,
       pg_get_userbyid(r.userid) AS role_name,
       coalesce(t.query, '<insufficient privilege>') AS query
FROM ranked AS r
LEFT JOIN (SELECT DISTINCT ON (userid, dbid, queryid) userid, dbid, queryid, query
           FROM pg_stat_statements(true)
           WHERE queryid IN (SELECT queryid FROM ranked)
           ORDER BY userid, dbid, queryid) AS t USING (userid, dbid, queryid)
ORDER BY r.mean_ms DESC, r.queryid
