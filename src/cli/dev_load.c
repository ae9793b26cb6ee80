#include "base/clock.h"
#include "base/str.h"
#include "base/table.h"
#include "cli/commands.h"
#include "dataset/dataset.h"
#include "flows/target.h"

#define DAY_S 86400

static const OptionSpec load_options[] = {
    {.name = "rows",
     .kind = OPTION_INT,
     .argument = "N",
     .fallback = "1000000",
     .help = "rows of stock_snapshots; the other tables follow",
     .min = 1,
     .max = DATASET_MAX_ROWS},
    {.name = "seed",
     .kind = OPTION_INT,
     .argument = "S",
     .fallback = "1",
     .help = "another seed gives another country"},
    {.name = "until",
     .kind = OPTION_DATE,
     .argument = "DATE",
     .help = "last day of the series (default: yesterday, UTC)"},
    OPTION_END,
};

static bool read_spec(const Context *context, DatasetSpec *spec, Error *err)
{
    const Options *options = context->options;
    int64_t until = options_given(options, "until") ? options_int(options, "until")
                                                    : clock_unix_s() / DAY_S - 1;
    spec->rows = options_int(options, "rows");
    spec->seed = (uint64_t)options_int(options, "seed");
    spec->until = (int32_t)until;
    return dataset_check_until(spec->until, err);
}

static json_t *tables_json(const DatasetResult *result)
{
    json_t *tables = json_object();
    for (size_t t = 0; t < TABLE_COUNT; t++)
        (void)json_object_set_new(tables, result->tables[t].name,
                                  json_integer(result->tables[t].rows));
    return tables;
}

static json_t *result_json(const Context *context, const DatasetSpec *spec,
                           const DatasetResult *result)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "rows", json_integer(spec->rows));
    (void)json_object_set_new(object, "seed", json_integer((json_int_t)spec->seed));
    (void)json_object_set_new(object, "until", json_text(clock_date(context->arena, spec->until)));
    (void)json_object_set_new(object, "digest", json_text(result->digest));
    (void)json_object_set_new(object, "facilities", json_integer(result->facilities));
    (void)json_object_set_new(object, "days", json_integer(result->days));
    (void)json_object_set_new(object, "tables", tables_json(result));
    (void)json_object_set_new(object, "total_rows", json_integer(result->rows));
    return object;
}

static void print_tables(const Context *context, const DatasetResult *result)
{
    Table *table = table_create(context->arena);
    table_column(table, "Table", TABLE_LEFT);
    table_column(table, "Rows", TABLE_RIGHT);
    for (size_t t = 0; t < TABLE_COUNT; t++)
        table_row(table, (const char *[]){result->tables[t].name,
                                          str_count(context->arena, result->tables[t].rows)});
    table_print(table, context->out, table_terminal_width(context->out));
}

/* Shows what would be loaded, and asks no database for it. */
static bool run_dry(Context *context, const DatasetSpec *spec, Error *err)
{
    DatasetResult result;
    if (!dataset_describe(spec, &result, err))
        return false;
    if (context->json)
        return command_print_json(context, result_json(context, spec, &result), err);
    print_tables(context, &result);
    (void)fprintf(context->out,
                  "Digest %s\nIn one transaction: LOCK and TRUNCATE these tables, drop their "
                  "indexes and\nforeign keys, COPY, build them again; then VACUUM (ANALYZE).\n",
                  result.digest);
    return true;
}

static bool print_result(Context *context, const Session *session, const DatasetSpec *spec,
                         const DatasetResult *result, Error *err)
{
    Arena *arena = context->arena;
    if (context->json) {
        json_t *object = result_json(context, spec, result);
        (void)json_object_set_new(object, "database", json_text(session_database(session)));
        (void)json_object_set_new(object, "seconds", json_real(result->seconds));
        (void)json_object_set_new(object, "rows_per_second", json_real(result->rows_per_second));
        (void)json_object_set_new(object, "copy_seconds",
                                  json_real(result->tables[TABLE_STOCK_SNAPSHOTS].seconds));
        (void)json_object_set_new(object, "rebuild_seconds", json_real(result->rebuild_seconds));
        (void)json_object_set_new(object, "vacuum_seconds", json_real(result->vacuum_seconds));
        return command_print_json(context, object, err);
    }
    print_tables(context, result);
    (void)fprintf(context->out,
                  "\n%s facilities over %u days, until %s, in %s.\n"
                  "stock_snapshots took %s: %s rows a second.\n"
                  "All %s rows with %zu indexes and %zu foreign keys took %s.\n"
                  "Digest %s\n",
                  str_count(arena, result->facilities), result->days,
                  clock_date(arena, spec->until), session_database(session),
                  str_duration(arena, result->tables[TABLE_STOCK_SNAPSHOTS].seconds * 1000),
                  str_count(arena, (int64_t)result->rows_per_second),
                  str_count(arena, result->rows), result->indexes, result->foreign_keys,
                  str_duration(arena, result->seconds * 1000), result->digest);
    return true;
}

/* Data that is there is replaced only when somebody said so: -y or the question's answer, and for
 * production --confirm, which target_guard has seen. */
static bool confirm_replacing(Context *context, const Target *target, Error *err)
{
    if (target->guard == ENV_PRODUCTION)
        return true;
    return log_confirm(context->log, err, "%s holds data already. Replace it?", target->database);
}

static bool run_load(Context *context, Error *err)
{
    DatasetSpec spec;
    Target target;
    bool holds_data = false;
    _cleanup_state_ State *state = NULL;
    _cleanup_session_ Session *session = NULL;
    if (!read_spec(context, &spec, err))
        return false;
    if (context->dry_run)
        return run_dry(context, &spec, err);
    const char *url = options_text(context->options, "url");
    if (!target_resolve(context->arena, context->log, context->config, context->env, url, &target,
                        err) ||
        !state_open(config_state_directory(context->config), &state, err) ||
        !target_connect(context->arena, context->log, state, &target, &session, err) ||
        !target_guard(&target, "dev load", options_text(context->options, "confirm"), err))
        return false;
    if (!dataset_check_database(session, context->arena, &holds_data, err)) {
        if (err->code == ERR_REFUSED && !err->hint[0] && url)
            (void)error_hint(err, "vaxdb migrate up --url URL, then this command again");
        else if (err->code == ERR_REFUSED && !err->hint[0])
            (void)error_hint(err, "vaxdb migrate up -e %s", env_name(context->env));
        return false;
    }
    if (holds_data && !confirm_replacing(context, &target, err))
        return false;
    DatasetResult result;
    if (!dataset_load(session, context->arena, context->log, &spec, &result, err))
        return false;
    return print_result(context, session, &spec, &result, err);
}

const Command cli_dev_load_commands[] = {
    {.name = "dev load",
     .synopsis = "",
     .summary = "load the VaxTrace data set, of any size, into a migrated database",
     .details = "The same arguments give the same data, and the same digest, everywhere. What the "
                "tables hold is replaced, after a question. All happens in one transaction: "
                "interrupted, the old data is still there. audit_logs gets ten times the rows "
                "below 100,000, at least 1,000,000 from there on.",
     .example = "vaxdb dev load --rows 1000000",
     .options = load_options,
     .honours_dry_run = true,
     .run = run_load},
    COMMAND_END,
};
