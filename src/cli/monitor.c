#include "base/str.h"
#include "cli/commands.h"
#include "cli/monitor_print.h"
#include "cli/watching.h"
#include "flows/samples.h"

/* clang-format off */
static const OptionSpec slow_options[] = {
    {.name = "min-calls", .kind = OPTION_INT, .argument = "N", .fallback = "100", .min = 0,
     .max = 1000000000, .help = "only statements called more often than this"},
    {.name = "limit", .kind = OPTION_INT, .argument = "N", .fallback = "10", .min = 1, .max = 10000,
     .help = "at most so many"},
    OPTION_END,
};

static const OptionSpec tables_options[] = {
    {.name = "limit", .kind = OPTION_INT, .argument = "N", .fallback = "10", .min = 1, .max = 100000,
     .help = "at most so many"},
    OPTION_END,
};

static const OptionSpec connections_options[] = {
    {.name = "longer-than", .kind = OPTION_DURATION, .argument = "TIME", .fallback = "5min",
     .help = "statements that have run longer are listed"},
    {.name = "idle-longer-than", .kind = OPTION_DURATION, .argument = "TIME", .fallback = "1min",
     .help = "and transactions left open without work for longer"},
    OPTION_END,
};
/* clang-format on */

static json_t *with_database(const Watching *watching, const char *key, json_t *value)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "database", json_text(watching->identity.database));
    if (key)
        (void)json_object_set_new(object, key, value);
    return object;
}

static bool run_slow(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    int64_t min_calls = options_int(context->options, "min-calls");
    SlowQueries queries;
    if (!watching_open(context, &watching, err) ||
        !monitor_slow(watching.session, context->arena, min_calls,
                      options_int(context->options, "limit"), &queries, err))
        return false;
    if (context->json)
        return command_print_json(
            context, with_database(&watching, "queries", monitor_slow_json(&queries)), err);
    monitor_slow_print(context, &queries, min_calls);
    return true;
}

static bool run_tables(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    TableList tables;
    if (!watching_open(context, &watching, err) ||
        !monitor_tables(watching.session, context->arena, options_int(context->options, "limit"),
                        &tables, err))
        return false;
    if (context->json)
        return command_print_json(
            context, with_database(&watching, "tables", monitor_tables_json(&tables)), err);
    monitor_tables_print(context, &tables);
    return true;
}

static bool run_connections(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    double long_s = (double)options_int(context->options, "longer-than") / 1000.0;
    double idle_s = (double)options_int(context->options, "idle-longer-than") / 1000.0;
    Connections connections;
    if (!watching_open(context, &watching, err) ||
        !monitor_connections(watching.session, context->arena, long_s, idle_s, &connections, err) ||
        !samples_keep_connections(watching.state, &watching.identity, &connections, err))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching, NULL, NULL);
        (void)json_object_update_new(object, monitor_connections_json(&connections));
        return command_print_json(context, object, err);
    }
    monitor_connections_print(context, &connections);
    return true;
}

static bool run_locks(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    LockTree tree;
    if (!watching_open(context, &watching, err) ||
        !monitor_locks(watching.session, context->arena, &tree, err))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching, NULL, NULL);
        (void)json_object_update_new(object, monitor_locks_json(&tree));
        return command_print_json(context, object, err);
    }
    monitor_locks_print(context, &tree);
    return true;
}

/* The report: everything above with the guide's thresholds. What one part lacks does not stop the
 * others. */
typedef struct {
    SlowQueries slow;
    Error slow_error; /* code ERR_NONE: slow is there */
    TableList tables;
    IndexList indexes;
    IndexWindow window;
    UnusedReport unused;
    size_t invalid_count;
    Connections connections;
    LockTree locks;
} Report;

static bool collect_indexes(Session *session, Arena *arena, Report *report, Error *err)
{
    InvalidIndex *invalid = NULL;
    return index_list(session, arena, NULL, &report->indexes, err) &&
           index_window_read(session, arena, &report->window, err) &&
           index_find_unused(session, arena, &report->indexes, INDEX_DEFAULT_MAX_SCANS,
                             &report->unused, err) &&
           index_find_invalid(session, arena, &invalid, &report->invalid_count, err);
}

static bool collect(const Watching *watching, Arena *arena, Report *report, Error *err)
{
    Session *session = watching->session;
    if (!monitor_slow(session, arena, MONITOR_MIN_CALLS, MONITOR_TOP, &report->slow,
                      &report->slow_error) &&
        report->slow_error.code != ERR_FAILED) {
        *err = report->slow_error;
        return false;
    }
    return monitor_tables(session, arena, MONITOR_TOP, &report->tables, err) &&
           collect_indexes(session, arena, report, err) &&
           monitor_connections(session, arena, MONITOR_LONG_SECONDS, MONITOR_IDLE_IN_TX_SECONDS,
                               &report->connections, err) &&
           samples_keep_connections(watching->state, &watching->identity, &report->connections,
                                    err) &&
           monitor_locks(session, arena, &report->locks, err);
}

static json_t *report_json(const Watching *watching, const Report *report)
{
    json_t *object = with_database(watching, NULL, NULL);
    json_t *slow = json_object();
    if (report->slow_error.code == ERR_NONE) {
        (void)json_object_set_new(slow, "queries", monitor_slow_json(&report->slow));
    } else {
        (void)json_object_set_new(slow, "error", json_text(report->slow_error.message));
        (void)json_object_set_new(slow, "hint", json_text(report->slow_error.hint));
    }
    json_t *indexes = json_object();
    (void)json_object_set_new(indexes, "count", json_integer((json_int_t)report->indexes.count));
    (void)json_object_set_new(indexes, "unused",
                              json_integer((json_int_t)report->unused.unused_count));
    (void)json_object_set_new(indexes, "unused_bytes", json_integer(report->unused.unused_bytes));
    (void)json_object_set_new(indexes, "invalid", json_integer((json_int_t)report->invalid_count));
    (void)json_object_set_new(indexes, "counted_since", json_text(report->window.since));
    (void)json_object_set_new(indexes, "enough", json_boolean(report->window.enough));
    (void)json_object_set_new(object, "slow", slow);
    (void)json_object_set_new(object, "tables", monitor_tables_json(&report->tables));
    (void)json_object_set_new(object, "indexes", indexes);
    (void)json_object_set_new(object, "connections",
                              monitor_connections_json(&report->connections));
    (void)json_object_set_new(object, "locks", monitor_locks_json(&report->locks));
    return object;
}

static void print_heading(const Context *context, const char *title)
{
    (void)fprintf(context->out, "\n%s\n", title);
    for (size_t i = 0; i < str_width(title); i++)
        (void)fputc('-', context->out);
    (void)fputc('\n', context->out);
}

static void print_index_usage(const Context *context, const Report *report)
{
    FILE *out = context->out;
    (void)fprintf(out, "%zu indexes; %zu with fewer than %d scans that serve nothing else (%s).\n",
                  report->indexes.count, report->unused.unused_count, INDEX_DEFAULT_MAX_SCANS,
                  str_bytes(context->arena, report->unused.unused_bytes));
    (void)fprintf(out, "Counted since %s: %.0f days%s.\n", report->window.since,
                  report->window.days, report->window.enough ? "" : ", too short to prove much");
    if (report->unused.unused_count)
        (void)fprintf(out, "Which: vaxdb index unused%s\n", watching_flags(context));
    if (report->invalid_count)
        (void)fprintf(out, "%zu invalid: vaxdb index invalid%s\n", report->invalid_count,
                      watching_flags(context));
}

static void print_report(const Context *context, const Report *report)
{
    print_heading(context, "Query performance: the slowest statements by mean time");
    if (report->slow_error.code == ERR_NONE)
        monitor_slow_print(context, &report->slow, MONITOR_MIN_CALLS);
    else
        (void)fprintf(context->out, "Cannot say: %s.\nTo enable it: %s\n",
                      report->slow_error.message, report->slow_error.hint);
    print_heading(context, "Table sizes: the largest tables");
    monitor_tables_print(context, &report->tables);
    print_heading(context, "Index usage");
    print_index_usage(context, report);
    print_heading(context, "Connections");
    monitor_connections_print(context, &report->connections);
    print_heading(context, "Locks");
    monitor_locks_print(context, &report->locks);
}

static bool run_report(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    Report report = {0};
    if (!watching_open(context, &watching, err) ||
        !collect(&watching, context->arena, &report, err))
        return false;
    if (context->json)
        return command_print_json(context, report_json(&watching, &report), err);
    (void)fprintf(context->out, "Database %s\n", watching.identity.database);
    print_report(context, &report);
    return true;
}

/* clang-format off */
const Command cli_monitor_commands[] = {
    {.name = "monitor report", .synopsis = "",
     .summary = "statements, tables, indexes, connections and locks at a glance",
     .details = "The guide's four metrics with its thresholds, and who waits for whom. What cannot be "
                "asked (pg_stat_statements missing) is said in its place.",
     .example = "vaxdb monitor report -e production",
     .min_arguments = 0, .max_arguments = 0, .run = run_report},
    {.name = "monitor slow", .synopsis = "",
     .summary = "the slowest statements, from pg_stat_statements",
     .details = "Statements of this database called more than 100 times, the ten with the longest mean "
                "time. Times are those of execution on the server.",
     .example = "vaxdb monitor slow -e production --min-calls 1000",
     .options = slow_options, .min_arguments = 0, .max_arguments = 0, .run = run_slow},
    {.name = "monitor tables", .synopsis = "",
     .summary = "the largest tables: size, dead rows, full scans, last ANALYZE and VACUUM",
     .example = "vaxdb monitor tables --limit 20",
     .options = tables_options, .min_arguments = 0, .max_arguments = 0, .run = run_tables},
    {.name = "monitor connections", .synopsis = "",
     .summary = "connections by state, long-running statements, transactions left open",
     .details = "A session that is merely idle is not long-running, whatever its last statement took.",
     .example = "vaxdb monitor connections -e production --longer-than 30s",
     .options = connections_options, .min_arguments = 0, .max_arguments = 0, .run = run_connections},
    {.name = "monitor locks", .synopsis = "",
     .summary = "who waits for a lock and who holds it, as a tree",
     .details = "Each tree starts with the session that holds others up. Each waiter stands once, under "
                "the one before it in the queue.",
     .example = "vaxdb monitor locks -e production",
     .min_arguments = 0, .max_arguments = 0, .run = run_locks},
    COMMAND_END,
};
/* clang-format on */
