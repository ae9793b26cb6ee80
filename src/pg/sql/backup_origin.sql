-- majors: 13-18
-- Where a backup comes from: written into its manifest, under the snapshot of the dump. The columns
-- of pg_database that only some majors have are read through JSON.
SELECT d.datname AS database,
       pg_get_userbyid(d.datdba) AS owner,
       pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate,
       d.datctype AS ctype,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') AS locale_provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
       pg_database_size(d.oid) AS bytes,
       current_setting('server_version') AS server_version,
       (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
            ELSE pg_current_wal_lsn() END::text AS lsn,
       floor(extract(epoch FROM clock_timestamp()))::bigint AS snapshot_at,
       pg_export_snapshot() AS snapshot
FROM pg_database AS d
WHERE d.datname = current_database()
