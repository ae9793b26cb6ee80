#include "base/str.h"
#include "cli/commands.h"
#include "cli/index_print.h"
#include "cli/watching.h"
#include "flows/samples.h"

/* clang-format off */
static const OptionSpec unused_options[] = {
    {.name = "max-scans", .kind = OPTION_INT, .argument = "N", .fallback = "10", .min = 1,
     .max = 1000000000, .help = "indexes with fewer scans than this"},
    OPTION_END,
};

static const OptionSpec rebuild_options[] = {
    {.name = "table", .kind = OPTION_TEXT, .argument = "TABLE",
     .help = "all indexes of this table"},
    {.name = "wait", .kind = OPTION_DURATION, .argument = "TIME", .fallback = "5min",
     .help = "how long to wait for each transaction that is in the way; 0: for ever"},
    OPTION_END,
};

static const OptionSpec analyze_options[] = {
    {.name = "target", .kind = OPTION_INT, .argument = "N", .min = 1, .max = INDEX_TARGET_MAX,
     .help = "statistics target: 100 is PostgreSQL's default, more looks closer"},
    {.name = "column", .kind = OPTION_TEXT, .argument = "COLUMN",
     .help = "keep the target for this column from now on"},
    OPTION_END,
};
/* clang-format on */

static json_t *with_database(const Watching *watching)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "database", json_text(watching->identity.database));
    return object;
}

static bool open_list(Context *context, Watching *watching, IndexList *list, Error *err)
{
    return watching_open(context, watching, err) &&
           index_list(watching->session, context->arena, command_argument(context, 0), list, err);
}

static bool run_list(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    IndexList list;
    if (!open_list(context, &watching, &list, err))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching);
        (void)json_object_set_new(object, "indexes", index_list_json(&list));
        return command_print_json(context, object, err);
    }
    index_list_print(context, &list);
    return true;
}

static bool run_kinds(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    IndexList list;
    if (!open_list(context, &watching, &list, err))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching);
        (void)json_object_set_new(object, "indexes", index_kinds_json(&list));
        return command_print_json(context, object, err);
    }
    index_kinds_print(context, &list);
    return true;
}

static bool run_usage(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    IndexList list;
    IndexWindow window;
    bool all = !command_argument(context, 0);
    if (!open_list(context, &watching, &list, err) ||
        !index_window_read(watching.session, context->arena, &window, err) ||
        (all && !samples_keep_indexes(context->arena, watching.state, &watching.identity, &list,
                                      &window, err)))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching);
        index_window_json(object, &window);
        (void)json_object_set_new(object, "indexes", index_list_json(&list));
        return command_print_json(context, object, err);
    }
    index_window_print(context, &window);
    (void)fputc('\n', context->out);
    index_usage_print(context, &list);
    return true;
}

static bool run_unused(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    int64_t max_scans = options_int(context->options, "max-scans");
    IndexList list;
    IndexWindow window;
    UnusedReport report;
    if (!watching_open(context, &watching, err) ||
        !index_list(watching.session, context->arena, NULL, &list, err) ||
        !index_window_read(watching.session, context->arena, &window, err) ||
        !index_find_unused(watching.session, context->arena, &list, max_scans, &report, err) ||
        !samples_keep_indexes(context->arena, watching.state, &watching.identity, &list, &window,
                              err))
        return false;
    if (!context->json) {
        index_unused_print(context, &report, &window, max_scans);
        return true;
    }
    json_t *object = with_database(&watching);
    index_window_json(object, &window);
    (void)json_object_set_new(object, "max_scans", json_integer(max_scans));
    (void)json_object_set_new(object, "bytes", json_integer(report.unused_bytes));
    (void)json_object_set_new(object, "indexes", index_unused_json(&report));
    (void)json_object_set_new(object, "kept", index_kept_json(&report));
    return command_print_json(context, object, err);
}

static bool run_invalid(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    InvalidIndex *indexes = NULL;
    size_t count = 0;
    if (!watching_open(context, &watching, err) ||
        !index_find_invalid(watching.session, context->arena, &indexes, &count, err))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching);
        (void)json_object_set_new(object, "indexes", index_invalid_json(indexes, count));
        return command_print_json(context, object, err);
    }
    index_invalid_print(context, indexes, count);
    return true;
}

static bool run_rebuild(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    const char *index = command_argument(context, 0);
    const char *table = options_text(context->options, "table");
    if (!index == !table) {
        (void)error_set(err, ERR_USAGE, "name one index, or a table with --table");
        return error_hint(err, "vaxdb index rebuild idx_alerts_critical, or"
                               " vaxdb index rebuild --table alerts");
    }
    Rebuild rebuild;
    if (!watching_open(context, &watching, err) ||
        !index_rebuild(watching.session, context->arena, context->log, index, table,
                       options_int(context->options, "wait"), context->dry_run, &rebuild, err))
        return false;
    if (context->json) {
        json_t *object = with_database(&watching);
        (void)json_object_set_new(object, "sql", json_text(rebuild.sql));
        (void)json_object_set_new(object, "dry_run", json_boolean(context->dry_run));
        (void)json_object_set_new(object, "indexes", index_rebuilt_json(&rebuild));
        (void)json_object_set_new(object, "seconds",
                                  json_real((double)rebuild.duration_ms / 1000.0));
        return command_print_json(context, object, err);
    }
    if (context->dry_run)
        (void)fprintf(context->out, "%s\n", rebuild.sql);
    else
        index_rebuilt_print(context, &rebuild);
    return true;
}

static bool run_analyze(Context *context, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    AnalyzeSpec spec = {
        .table = command_argument(context, 0),
        .column = options_text(context->options, "column"),
        .target = options_int(context->options, "target"),
    };
    const char **sql = NULL;
    size_t count = 0;
    if (!watching_open(context, &watching, err) ||
        !index_analyze(watching.session, context->arena, &spec, context->dry_run, &sql, &count,
                       err))
        return false;
    json_t *statements = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(statements, json_text(sql[i]));
        if (!context->json)
            (void)fprintf(context->out, "%s\n", sql[i]);
    }
    json_t *object = with_database(&watching);
    (void)json_object_set_new(object, "sql", statements);
    (void)json_object_set_new(object, "dry_run", json_boolean(context->dry_run));
    if (context->json)
        return command_print_json(context, object, err);
    json_decref(object);
    return true;
}

/* clang-format off */
const Command cli_index_commands[] = {
    {.name = "index list", .synopsis = "[TABLE]",
     .summary = "every index: kind, size, scans and what it serves",
     .example = "vaxdb index list stock_snapshots",
     .min_arguments = 0, .max_arguments = 1, .run = run_list},
    {.name = "index usage", .synopsis = "[TABLE]",
     .summary = "how often each index is scanned, seldom ones first",
     .details = "With the time since when scans were counted, for a count without it says nothing. "
                "Each look is remembered; the checklist wants one a month.",
     .example = "vaxdb index usage -e production",
     .min_arguments = 0, .max_arguments = 1, .run = run_usage},
    {.name = "index unused", .synopsis = "",
     .summary = "indexes that are hardly scanned and serve nothing else",
     .details = "Never called unused: primary keys, unique and exclusion constraints, replica "
                "identities, indexes a table is clustered by, parts of partitioned indexes, the only "
                "support of a foreign key, and expressions whose statistics the planner reads. With "
                "less than 30 days of counting the candidates are listed as not yet evidence.",
     .example = "vaxdb index unused -e production --max-scans 50",
     .options = unused_options, .min_arguments = 0, .max_arguments = 0, .run = run_unused},
    {.name = "index invalid", .synopsis = "",
     .summary = "indexes whose build failed, and the statement that mends each",
     .details = "An index that is being built at this moment is not invalid.",
     .example = "vaxdb index invalid -e production",
     .min_arguments = 0, .max_arguments = 0, .run = run_invalid},
    {.name = "index kinds", .synopsis = "[TABLE]",
     .summary = "the kinds of the indexes: B-tree, partial, composite, covering, BRIN",
     .details = "An index that is several at once is named by the first of: brin, partial, covering, "
                "composite, btree. Other access methods (gin, gist, hash) go by their own names.",
     .example = "vaxdb index kinds stock_snapshots",
     .min_arguments = 0, .max_arguments = 1, .run = run_kinds},
    {.name = "index rebuild", .synopsis = "[INDEX]",
     .summary = "REINDEX CONCURRENTLY: makes a bloated index small again, without blocking",
     .details = "Reads and writes go on meanwhile. If it fails or is interrupted, what it left is "
                "dropped; the index itself stays as it was.",
     .example = "vaxdb index rebuild idx_stock_snapshots_facility_status_date",
     .options = rebuild_options, .min_arguments = 0, .max_arguments = 1, .honours_dry_run = true,
     .run = run_rebuild},
    {.name = "index analyze", .synopsis = "[TABLE]",
     .summary = "refresh the planner's statistics, of one table or of all",
     .details = "--target alone looks closer this once; with --column the closer look is kept for that "
                "column, whoever analyzes it.",
     .example = "vaxdb index analyze stock_snapshots --column facility_id --target 1000",
     .options = analyze_options, .min_arguments = 0, .max_arguments = 1, .honours_dry_run = true,
     .run = run_analyze},
    COMMAND_END,
};
/* clang-format on */
