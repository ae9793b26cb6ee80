/* What several probes look at, gathered once when first asked for; and the probes themselves. */
#pragma once

#include "backup/folder.h"
#include "checklist/checklist.h"
#include "index/index.h"
#include "monitor/monitor.h"

#define LARGE_TABLE_ROWS 10000 /* a full scan of fewer rows is no harm */
#define SMALL_TABLE_ROWS 1000  /* nothing is learned from fewer */
#define SELECTIVE_PART   0.10  /* a scan that wants fewer of the rows could use an index */
#define MONTH_DAYS       31
#define DAY_S            INT64_C(86400)
#define BRIN_TABLE_ROWS  100000

/* A table that a query of the application reads whole. */
typedef struct {
    const char *query; /* name of its file */
    const char *table;
    const char *filter; /* its condition; NULL: none */
    int64_t table_rows;
    double wanted_part; /* of the rows, as the planner estimates */
} FullScan;

typedef struct {
    FullScan *items;
    size_t count, capacity;
} FullScans;

typedef struct {
    const char *directory; /* of the queries; NULL: there is none */
    size_t queries;
    FullScans as_planned; /* what would run now */
    FullScans no_index;   /* what has no index to use at all */
    StrList failed;       /* queries that could not be planned: name and reason */
} QueryPlans;

struct Facts {
    const ChecklistSpec *spec;
    Arena *arena;
    const IndexList *indexes;
    const TableList *tables;
    const IndexWindow *window;
    const UnusedReport *unused;
    const BareForeignKey *bare_keys;
    size_t bare_key_count;
    bool bare_keys_read;
    const QueryPlans *plans;
    const BackupList *backups; /* of this environment and name, newest first */
};

bool facts_indexes(Facts *facts, const IndexList **list, Error *err) MUST_CHECK;
bool facts_tables(Facts *facts, const TableList **tables, Error *err) MUST_CHECK;
bool facts_window(Facts *facts, const IndexWindow **window, Error *err) MUST_CHECK;
bool facts_unused(Facts *facts, const UnusedReport **report, Error *err) MUST_CHECK;
bool facts_bare_keys(Facts *facts, const BareForeignKey **keys, size_t *count,
                     Error *err) MUST_CHECK;
bool facts_plans(Facts *facts, const QueryPlans **plans, Error *err) MUST_CHECK;
bool facts_backups(Facts *facts, const BackupList **list, Error *err) MUST_CHECK;
const char *facts_backup_directory(const Facts *facts);
/* The largest table; NULL when there is none. */
bool facts_largest_table(Facts *facts, const TableInfo **table, Error *err) MUST_CHECK;
int64_t facts_rows_of(const TableList *tables, const char *schema, const char *name);

/* Gathers plans (plans.c): EXPLAIN of each query with its bindings, nothing is run. */
bool plans_read(const ChecklistSpec *spec, const TableList *tables, QueryPlans *plans,
                Error *err) MUST_CHECK;

/* How a probe answers; each returns true, so that it can end in `return check_pass(...)`. */
bool check_pass(Facts *facts, CheckOutcome *outcome, const char *format, ...) PRINTF_LIKE(3, 4);
bool check_warn(Facts *facts, CheckOutcome *outcome, const char *format, ...) PRINTF_LIKE(3, 4);
bool check_fail(Facts *facts, CheckOutcome *outcome, const char *format, ...) PRINTF_LIKE(3, 4);
bool check_skip(Facts *facts, CheckOutcome *outcome, const char *format, ...) PRINTF_LIKE(3, 4);
/* Replaces the fix of the table. */
void check_fix(Facts *facts, CheckOutcome *outcome, const char *format, ...) PRINTF_LIKE(3, 4);
/* "a, b, c and 4 more" of items. */
const char *facts_some(Arena *arena, const StrList *items, size_t shown);

bool probe_tuning_indexes(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_tuning_statistics(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_tuning_configuration(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_tuning_full_scans(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_tuning_connections(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_tuning_monitoring(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;

bool probe_indexing_where(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_indexing_join(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_indexing_partial(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_indexing_covering(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_indexing_brin(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_indexing_monitored(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_indexing_unused(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;

bool probe_pooling_cores(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_pooling_min(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_pooling_connect_timeout(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_pooling_idle_timeout(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_pooling_monitored(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_pooling_retry(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_pooling_load(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;

bool probe_backups_daily(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_backups_compressed(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_backups_offsite(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_backups_checksums(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_backups_drilled(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_backups_retention(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_backups_before_restore(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;

bool probe_migrations_tracked(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_migrations_down(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_migrations_staging(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_migrations_backup(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_migrations_rollback(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_migrations_versioned(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;
bool probe_migrations_commented(Facts *facts, CheckOutcome *outcome, Error *err) MUST_CHECK;

/* A scheduled backup in cron or systemd under root ("" for this machine): path and line of the
 * first that names the backup script or command; NULL when there is none. */
const char *schedule_find_backup(Arena *arena, const char *root);
