-- majors: 13-18
-- The settings that the checklist holds against the memory of the machine, in bytes, and whether the
-- server runs on this machine (Unix socket, or the same address at both ends).
SELECT pg_size_bytes(current_setting('shared_buffers')) AS shared_buffers_bytes,
       pg_size_bytes(current_setting('work_mem')) AS work_mem_bytes,
       current_setting('max_connections')::int AS max_connections,
       current_setting('max_worker_processes')::int AS max_worker_processes,
       coalesce(inet_server_addr() = inet_client_addr(), true) AS local
