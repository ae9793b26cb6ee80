-- majors: 13-18
-- Can pg_stat_statements be asked here? Its settings are in pg_settings only when its library is
-- loaded; the extension tells the schema its view is in.
SELECT EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'pg_stat_statements.max') AS is_loaded,
       (SELECT n.nspname FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_stat_statements') AS schema_name,
       (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements')
           AS version,
       EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_stat_statements')
           AS is_available
