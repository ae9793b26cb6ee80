/* An existing database taken over: what it holds already is entered in the ledger, and not run. */
#include "base/json.h"
#include "base/str.h"
#include "migrate/foreign.h"
#include "migrate/runner.h"

#include <string.h>

/* Files come first in a status, in their order. */
static bool find_last(Arena *arena, const MigrateStatus *status, const char *to, size_t *last,
                      Error *err)
{
    const Migration *migration = NULL;
    if (!migrate_status_find(arena, status, to, &migration, err))
        return false;
    *last = (size_t)(migration - status->items);
    if (migration->file)
        return true;
    (void)error_set(err, ERR_REFUSED, "%s has no file", migration->name);
    return error_hint(err, "bring the file back, or name one that is in %s",
                      status->files.directory);
}

static bool refuse_partial(const Migration *migration, Error *err)
{
    (void)error_set(err, ERR_REFUSED, "%s is half done", migration->name);
    return error_hint(err,
                      "finish it with `vaxdb migrate up`, or say which it is: vaxdb migrate "
                      "repair %s --applied REASON (or --pending REASON)",
                      migration->name);
}

static void warn_if_changed(const Migration *migration, MigrateBaseline *baseline)
{
    if (migration->state == MIGRATION_CHANGED)
        str_list_addf(&baseline->warnings,
                      "%s was applied before and its file has changed since: if the file is "
                      "right, vaxdb migrate repair %s --accept-checksum REASON",
                      migration->name, migration->name);
}

/* Enters it, or says why not. applied_at: of another tool's ledger; NULL: now. */
static bool add(const Migration *migration, const char *applied_at, MigrateBaseline *baseline,
                Error *err)
{
    if (migration->state == MIGRATION_PARTIAL)
        return refuse_partial(migration, err);
    warn_if_changed(migration, baseline);
    if (migration->state == MIGRATION_PENDING)
        baseline->items[baseline->count++] =
            (MigrateBaselined){.migration = migration, .applied_at = applied_at};
    else
        baseline->already++;
    return true;
}

static bool plan_to(Arena *arena, const MigrateStatus *status, const char *to,
                    MigrateBaseline *baseline, Error *err)
{
    size_t last = 0;
    if (!find_last(arena, status, to, &last, err))
        return false;
    for (size_t i = 0; i <= last; i++) {
        if (!add(&status->items[i], NULL, baseline, err))
            return false;
    }
    return true;
}

static bool add_foreign(Arena *arena, const ForeignEntry *entry, const Migration *migration,
                        StrList *changed, MigrateBaseline *baseline, Error *err)
{
    bool same = true;
    if (!entry->and_before && !foreign_same_text(arena, entry, migration->file, &same, err))
        return false;
    if (!same)
        str_list_add(changed, migration->name);
    return add(migration, entry->applied_at, baseline, err);
}

static bool refuse_texts(Arena *arena, const StrList *changed, Error *err)
{
    if (changed->count == 0)
        return true;
    (void)error_set(err, ERR_REFUSED, "changed since the other tool ran it: %s",
                    str_list_join(changed, arena, ", "));
    return error_hint(err, "bring the file back as it was (git checkout); or, if it is right as it "
                           "is, let `flyway repair` accept it (`flyway migrate` runs a repeatable "
                           "one again), then run this again");
}

/* A change that was reworked is several files, and the ledger does not say which are deployed. */
static bool check_reworked(const Foreign *foreign, const ForeignEntry *entry,
                           const ForeignMatch *match, const MigrationFiles *files, Error *err)
{
    bool tagged = false;
    size_t deployed = 0;
    for (size_t i = 0; i < match->count; i++)
        tagged = tagged || strchr(files->items[match->keys[i].file].name, '@');
    for (size_t i = 0; tagged && i < foreign->count; i++)
        deployed += str_equal(foreign->entries[i].name, entry->name);
    if (!tagged || foreign->tool != FOREIGN_SQITCH || deployed >= match->count)
        return true;
    (void)error_set(err, ERR_REFUSED, "%s was reworked: of its %zu files %zu %s deployed",
                    entry->name, match->count, deployed, deployed == 1 ? "is" : "are");
    return error_hint(err, "deploy the rest with sqitch and run this again, or name the newest "
                           "applied migration with --to MIGRATION");
}

/* Files come first in a status, in their order, so a key's file is an item's place. */
static bool plan_from(Arena *arena, const MigrateStatus *status, const Foreign *foreign,
                      MigrateBaseline *baseline, Error *err)
{
    StrList changed;
    ForeignIndex index;
    bool *taken = arena_array(arena, status->files.count, sizeof(*taken));
    str_list_init(&changed, arena);
    memset(taken, 0, status->files.count * sizeof(*taken));
    foreign_index(arena, foreign->tool, &status->files, &index);
    for (size_t i = 0; i < foreign->count; i++) {
        const ForeignEntry *entry = &foreign->entries[i];
        ForeignMatch match = foreign_match(&index, entry);
        if (!match.named)
            str_list_add(&baseline->unmatched, entry->name);
        if (!check_reworked(foreign, entry, &match, &status->files, err))
            return false;
        for (size_t k = 0; k < match.count; k++) {
            size_t file = match.keys[k].file;
            if (!taken[file] &&
                !add_foreign(arena, entry, &status->items[file], &changed, baseline, err))
                return false;
            taken[file] = true;
        }
    }
    return refuse_texts(arena, &changed, err);
}

/* What our ledger lists and no run of ours has recorded. */
static bool plan_script(const MigrateStatus *status, MigrateBaseline *baseline, Error *err)
{
    for (size_t i = 0; i < status->count; i++) {
        const Migration *migration = &status->items[i];
        if (!migration->entry)
            continue;
        if (migration->state == MIGRATION_PARTIAL)
            return refuse_partial(migration, err);
        if (migration->entry->is_known) {
            baseline->already++;
            continue;
        }
        warn_if_changed(migration, baseline);
        if (migration->file)
            baseline->items[baseline->count++] = (MigrateBaselined){.migration = migration};
        else
            str_list_add(&baseline->unmatched, migration->name);
    }
    for (size_t i = 0; i < baseline->unmatched.count; i++)
        str_list_add(&baseline->noted, baseline->unmatched.items[i]);
    for (size_t i = 0; i < status->entry_count; i++) {
        const LedgerEntry *entry = &status->entries[i];
        if (!entry->is_known && str_ends(entry->name, ".down.sql"))
            str_list_add(&baseline->noted, entry->name);
    }
    return true;
}

bool migrate_baseline_plan(Arena *arena, Session *session, const MigrateOptions *options,
                           const MigrateStatus *status, const BaselineSpec *spec,
                           MigrateBaseline *baseline, Error *err)
{
    Foreign foreign;
    *baseline = (MigrateBaseline){0};
    str_list_init(&baseline->warnings, arena);
    str_list_init(&baseline->unmatched, arena);
    str_list_init(&baseline->noted, arena);
    for (size_t i = 0; i + status->adoptable.count < status->warnings.count; i++)
        str_list_add(&baseline->warnings, status->warnings.items[i]);
    if (status->files.problems.count > 0)
        return error_set(err, ERR_REFUSED, "%s", status->files.problems.items[0]);
    baseline->items = arena_array(arena, status->count, sizeof(*baseline->items));
    if (!spec->from)
        return plan_to(arena, status, spec->to, baseline, err);
    if (!foreign_read(arena, session, spec, options->ledger_table, &foreign, err))
        return false;
    if (foreign.tool != FOREIGN_SCRIPT)
        return plan_from(arena, status, &foreign, baseline, err);
    return plan_script(status, baseline, err) &&
           (!spec->judge || baseline->count == 0 ||
            spec->judge(arena, session, status, baseline, err));
}

bool migrate_baseline_verdict(const BaselineSpec *spec, const MigrateBaseline *baseline, Error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < baseline->count; i++)
        count += baseline->items[i].suspicion != NULL;
    if (count == 0 || spec->accept_missing)
        return true;
    (void)error_set(err, ERR_PROBLEMS,
                    "of %zu recorded migrations %zu %s not as recorded; nothing was taken over",
                    baseline->count, count, count == 1 ? "is" : "are");
    return error_hint(err, "settle each as it says above and run this again; if what is missing is "
                           "not wanted, --accept-missing REASON");
}

bool migrate_baseline_check(Arena *arena, Session *session, const BaselineSpec *spec,
                            const char *ledger_table, Error *err)
{
    Foreign foreign;
    return foreign_read(arena, session, spec, ledger_table, &foreign, err);
}

/* ---- doing it ---------------------------------------------------------------------------- */

static char *record_run(Arena *arena, const Ledger *ledger, const char *name, const char *checksum,
                        const char *overrides)
{
    return arena_printf(
        arena,
        "INSERT INTO %s (name, direction, checksum, transactional, statements, overrides, state, "
        "finished_at, duration_ms) VALUES (%s, '%s', %s, true, 0, %s, 'baseline', "
        "clock_timestamp(), 0);",
        ledger->runs_table, sql_literal(arena, name), str_ends(name, ".down.sql") ? "down" : "up",
        sql_literal(arena, checksum), overrides ? sql_literal(arena, overrides) : "NULL");
}

/* What the ledger has already is left as it is there. */
static char *record(Arena *arena, const Ledger *ledger, const MigrateBaselined *item,
                    const char *overrides)
{
    const Migration *migration = item->migration;
    const char *run = record_run(arena, ledger, migration->name, migration->checksum,
                                 item->suspicion ? overrides : NULL);
    if (migration->entry)
        return arena_strdup(arena, run);
    return arena_printf(
        arena,
        "INSERT INTO %s (name, checksum, applied_at) VALUES (%s, %s, coalesce(%s::timestamp, "
        "now()::timestamp));%s",
        ledger->table, sql_literal(arena, migration->name), sql_literal(arena, migration->checksum),
        item->applied_at ? sql_literal(arena, item->applied_at) : "NULL", run);
}

static const char *accepted(Arena *arena, const BaselineSpec *spec)
{
    if (!spec->accept_missing)
        return NULL;
    _cleanup_json_ json_t *said = json_pack("{s:s}", "accept_missing", spec->accept_missing);
    return json_compact(arena, said);
}

/* The schema does not change, so what was read of it before belongs to the entries. */
static bool enter(Runner *runner, const BaselineSpec *spec, const MigrateBaseline *baseline,
                  const Schema *schema, Error *err)
{
    Arena *arena = runner->arena;
    const Ledger *ledger = &runner->ledger;
    const char *overrides = accepted(arena, spec);
    StrList texts;
    str_list_init(&texts, arena);
    str_list_add(&texts, "BEGIN;");
    for (size_t i = 0; i < baseline->count; i++)
        str_list_add(&texts, record(arena, ledger, &baseline->items[i], overrides));
    for (size_t i = 0; i < baseline->noted.count; i++)
        str_list_add(&texts, record_run(arena, ledger, baseline->noted.items[i], "", NULL));
    return (session_execute(runner->guard, str_list_join(&texts, arena, ""), err) &&
            (!schema || snapshot_write(runner->guard, ledger, schema, NULL, err)) &&
            session_execute(runner->guard, "COMMIT", err)) ||
           error_context(err, "the baseline could not be entered, nothing was changed");
}

/* NULL and a warning where it cannot be read: the baseline does not need it. */
static const Schema *read_schema(Runner *runner, MigrateBaseline *baseline)
{
    Error err = {0};
    Schema *schema = arena_alloc(runner->arena, sizeof(*schema));
    if (snapshot_read(runner->arena, runner->guard, &runner->ledger, schema, &err))
        return schema;
    str_list_addf(&baseline->warnings,
                  "%s; `vaxdb migrate verify` cannot tell drift until a run can", err.message);
    return NULL;
}

static bool tell_one(Runner *runner, const Migration *migration, Error *err)
{
    const MigrateOptions *options = runner->options;
    MigrateStep step = {.name = migration->name,
                        .file_name = migration->name,
                        .direction = RUN_UP,
                        .migration = migration};
    memcpy(step.script.checksum, migration->file->checksum, sizeof(step.script.checksum));
    return options->applied(options->guardian, &step, runner->guard, 0, err);
}

/* Whoever listens for what was applied hears of all that a baseline ever entered, still under the
 * locks: the one before may have been killed before it told. */
static bool tell(Runner *runner, const MigrateStatus *status, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!runner->options->applied)
        return true;
    if (!session_query(runner->guard,
                       arena_printf(runner->arena,
                                    "SELECT name FROM %s WHERE state = 'baseline' ORDER BY id",
                                    runner->ledger.runs_table),
                       &rows, err))
        return false;
    for (size_t row = 0; row < result_rows(rows); row++) {
        const char *name = result_text(rows, row, "name");
        const Migration *migration = migrate_status_file(status, name);
        if (migration && !tell_one(runner, migration, err))
            return false;
    }
    return true;
}

bool migrate_baseline(Arena *arena, const MigrateOptions *options, const BaselineSpec *spec,
                      MigrateBaseline *baseline, Error *err)
{
    _cleanup_runner_ Runner runner = {0};
    MigrateStatus *status = arena_alloc(arena, sizeof(*status));
    if (!runner_open(&runner, arena, options, err) ||
        !migrate_status(arena, runner.guard, options->directory, options->ledger_table, status,
                        err) ||
        !migrate_baseline_plan(arena, runner.guard, options, status, spec, baseline, err))
        return false;
    if (!migrate_baseline_verdict(spec, baseline, err))
        return false;
    bool any = baseline->count + baseline->noted.count > 0;
    return (!any || enter(&runner, spec, baseline, read_schema(&runner, baseline), err)) &&
           tell(&runner, status, err);
}
