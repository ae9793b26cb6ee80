-- majors: 13-18
-- What the server has room for. reserved_connections came with PostgreSQL 16. The server is on this
-- machine when it is reached by a Unix socket, or when both ends have the same address.
SELECT current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
          AND pid <> pg_backend_pid()) AS in_use,
       coalesce(inet_server_addr() = inet_client_addr(), true) AS local
