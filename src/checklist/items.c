#include "checklist/facts.h"

#define TUNING     "Performance Tuning"
#define INDEXING   "Indexing"
#define POOLING    "Connection Pooling"
#define BACKUPS    "Backups"
#define MIGRATIONS "Migrations"

/* clang-format off */
const CheckItem checklist_items[CHECKLIST_COUNT] = {
    {"tuning.indexes", TUNING, "Indexes: All WHERE/JOIN columns indexed",
     "Every query of the application (queries_dir) is planned with sequential scans discouraged: a"
     " table of more than 1,000 rows that is then still read whole has no index for that WHERE or"
     " JOIN. Every foreign key has an index that supports it.",
     probe_tuning_indexes, "vaxdb index list{env}"},
    {"tuning.statistics", TUNING, "Statistics: Updated with ANALYZE",
     "Every table of more than 1,000 rows has been analyzed, and fewer than 20 % of its rows have"
     " changed since.",
     probe_tuning_statistics, "vaxdb index analyze{env}"},
    {"tuning.configuration", TUNING, "Configuration: work_mem, shared_buffers tuned",
     "shared_buffers is between an eighth and 40 % of the machine's memory (or 2 GiB and more), and"
     " work_mem at least 4 MB and no more than all connections together can have (pgtune's rules)."
     " Only for a server on this machine: the memory of another cannot be seen.",
     probe_tuning_configuration, "psql -c \"ALTER SYSTEM SET shared_buffers = ...\", then restart the server"},
    {"tuning.full-scans", TUNING, "Queries: No full table scans on large tables",
     "No query of the application (queries_dir), planned as it would run now, reads a table of more"
     " than 10,000 rows whole to keep fewer than 10 % of them.",
     probe_tuning_full_scans, "vaxdb monitor slow{env}"},
    {"tuning.connections", TUNING, "Connections: Pool sized appropriately",
     "pool_max times pool_instances (vaxdb.ini) fits into the server's max_connections, less what is"
     " reserved, and connections in use are below 80 % of that.",
     probe_tuning_connections, "vaxdb pool size{env}"},
    {"tuning.monitoring", TUNING, "Monitoring: pg_stat_statements enabled",
     "The server has loaded pg_stat_statements and this database has its extension.",
     probe_tuning_monitoring, "CREATE EXTENSION pg_stat_statements;"},

    {"indexing.where-columns", INDEXING, "Columns in WHERE clauses are indexed",
     "Every query of the application (queries_dir) is planned as it would run, and with sequential"
     " scans discouraged: no table of more than 1,000 rows is then still read whole to be filtered,"
     " and none of more than 10,000 as it would run to keep fewer than 10 %.",
     probe_indexing_where, "vaxdb index list{env}"},
    {"indexing.join-columns", INDEXING, "Columns in JOIN conditions are indexed",
     "Every foreign key, the columns that joins follow, has a valid index whose first columns are"
     " its columns, in any order.",
     probe_indexing_join, "CREATE INDEX CONCURRENTLY ON ... (...);"},
    {"indexing.partial", INDEXING, "Frequently filtered columns use partial indexes",
     "There is at least one valid index with a WHERE clause. Whether there should be more is advice,"
     " and not looked at here.",
     probe_indexing_partial, "vaxdb index kinds{env}"},
    {"indexing.covering", INDEXING, "Dashboard queries use covering indexes",
     "There is at least one valid index with INCLUDE columns. Whether there should be more is advice,"
     " and not looked at here.",
     probe_indexing_covering, "vaxdb index kinds{env}"},
    {"indexing.brin", INDEXING, "Time-series data uses BRIN indexes",
     "Every table of more than 100,000 rows that only grows and lies in the order of a date or time"
     " column (correlation 0.9) has a BRIN index.",
     probe_indexing_brin, "vaxdb index kinds{env}"},
    {"indexing.usage-monitored", INDEXING, "Index usage is monitored monthly",
     "`vaxdb index usage` or `index unused` looked at this database within 31 days; each look is"
     " remembered in the state of this machine.",
     probe_indexing_monitored, "vaxdb index usage{env}"},
    {"indexing.unused-removed", INDEXING, "Unused indexes are removed",
     "After at least 30 days of counting no index had fewer than 10 scans without serving anything"
     " else. A shorter time proves nothing.",
     probe_indexing_unused, "vaxdb index unused{env}"},

    {"pooling.cores", POOLING, "Pool size is based on CPU cores",
     "pool_max stands in vaxdb.ini and is not above the guide's formula, (cores x 2) + spindles. Only"
     " for a server on this machine: the cores of another cannot be seen.",
     probe_pooling_cores, "vaxdb pool size{env}"},
    {"pooling.min-connections", POOLING, "Min connections are configured",
     "pool_min stands in vaxdb.ini, is at least 1 and at most pool_max. The application's own setting"
     " cannot be seen.",
     probe_pooling_min, "set pool_min in vaxdb.ini and min in the application"},
    {"pooling.connection-timeout", POOLING, "Connection timeout is set",
     "pool_connect_timeout stands in vaxdb.ini and is at most 30 s. The application's own setting"
     " cannot be seen.",
     probe_pooling_connect_timeout,
     "set pool_connect_timeout in vaxdb.ini and connectionTimeoutMillis in the application"},
    {"pooling.idle-timeout", POOLING, "Idle timeout is configured",
     "pool_idle_timeout stands in vaxdb.ini, and no connection to this database has been idle for ten"
     " times as long.",
     probe_pooling_idle_timeout,
     "set pool_idle_timeout in vaxdb.ini and idleTimeoutMillis in the application"},
    {"pooling.monitored", POOLING, "Pool health is monitored",
     "`vaxdb monitor connections` or `monitor report` looked at this database within a day; each look"
     " is remembered in the state of this machine.",
     probe_pooling_monitored, "vaxdb monitor connections{env}"},
    {"pooling.retry", POOLING, "Retry logic is implemented",
     "Would be seen in the application's code, which vaxdb cannot look at: connecting again after a"
     " failure, a few times, with growing pauses. vaxdb's own commands try 3 times from 1 s on.",
     probe_pooling_retry, "review the application: retry connects with exponential backoff"},
    {"pooling.load-tested", POOLING, "Load testing has been performed",
     "A recorded load test of this database with as many clients as the pool has connections.",
     probe_pooling_load, "pgbench -n -c 16 -j 2 -T 60 -f QUERY.sql, against staging"},

    {"backups.daily", BACKUPS, "Automated daily backups are configured",
     "The newest backup of this environment is less than 26 hours old, and cron or a systemd timer of"
     " this machine makes backups.",
     probe_backups_daily, "0 2 * * * vaxdb backup create{env}      (a line for crontab -e)"},
    {"backups.compressed", BACKUPS, "Backups are compressed",
     "The manifest of the newest backup: its size and what it unpacks to.",
     probe_backups_compressed, "vaxdb backup create{env}"},
    {"backups.off-site", BACKUPS, "Backups are stored off-site",
     "backup_url is set and holds the newest backup.",
     probe_backups_offsite, "set backup_url in vaxdb.ini, or copy the folder of backups elsewhere daily"},
    {"backups.checksums", BACKUPS, "SHA256 checksums are verified",
     "The newest backup was verified whole (SHA-256, unpacked, rows counted) and passed.",
     probe_backups_checksums, "vaxdb backup verify{env}"},
    {"backups.restore-tested", BACKUPS, "Restore process is tested monthly",
     "The last drill of this environment, a backup restored and checked, is less than 31 days old"
     " and passed.",
     probe_backups_drilled, "vaxdb drill run{env}"},
    {"backups.retention", BACKUPS, "Retention policy is defined (30-90 days)",
     "retention_days (vaxdb.ini) is between 30 and 90.",
     probe_backups_retention, "retention_days = 30      (in vaxdb.ini)"},
    {"backups.pre-restore", BACKUPS, "Pre-restore backups are created",
     "`vaxdb restore` makes a backup of a database before it replaces it, and refuses to go on"
     " without; those that it made are in the folder of backups.",
     probe_backups_before_restore, "vaxdb restore{env} FILE      (without --no-safety-backup)"},

    {"migrations.tracked", MIGRATIONS, "All migrations are tracked in schema_migrations",
     "The ledger exists; no applied file is missing, changed or half done, and none is pending.",
     probe_migrations_tracked, "vaxdb migrate status{env}"},
    {"migrations.down-files", MIGRATIONS, "Each migration has a .down.sql file",
     "Every file in the folder of migrations has its .down.sql.",
     probe_migrations_down, "vaxdb migrate verify{env}"},
    {"migrations.staging-first", MIGRATIONS, "Migrations are run in staging first",
     "Everything in production's ledger is in staging's with the same checksum. Asked of production,"
     " with staging configured.",
     probe_migrations_staging, "vaxdb migrate up -e staging"},
    {"migrations.backup-first", MIGRATIONS, "Backup is created before production migration",
     "A backup of production finished within the 24 hours before the last migration was applied.",
     probe_migrations_backup, "vaxdb backup create{env}"},
    {"migrations.rollback-documented", MIGRATIONS, "Rollback procedure is documented",
     "A .md file beside the migrations, or in docs/ or the folder of vaxdb.ini, has \"rollback\" or"
     " \"roll back\" in it.",
     probe_migrations_rollback, "write docs/rollback.md around: vaxdb migrate rollback{env} --confirm DATABASE"},
    {"migrations.version-control", MIGRATIONS, "Migration files are in version control",
     "git knows every file in the folder of migrations, and none differs from what was committed.",
     probe_migrations_versioned, "git add DIR && git commit      (DIR: the folder of migrations)"},
    {"migrations.commented", MIGRATIONS, "Complex migrations are commented",
     "Every file of more than 10 statements, or with functions, DO blocks or changes of data, begins"
     " with a comment.",
     probe_migrations_commented, "begin the file with a comment: what it changes and why"},
};
/* clang-format on */
