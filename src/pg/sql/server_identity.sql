-- majors: 13-18
-- What tells one database from every other: the identifier initdb gave the cluster, and its name.
SELECT s.system_identifier::text AS system_identifier, current_database() AS database
FROM pg_control_system() AS s
