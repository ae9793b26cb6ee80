#include "flows/plan.h"

#include "base/str.h"
#include "pg/node.h"
#include "state/evidence.h"

#include <stdlib.h>

typedef struct {
    Arena *arena;
    Model *model;
    PlanFile *file;
    size_t ordinal;
} Reading;

static const json_t *open_statement(const json_t *tree, const char **type)
{
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);
    return node_open(json_object_get(first, "stmt"), type);
}

static PlanLock *lock_on(Reading *now, const Effect *effect)
{
    PlanFile *file = now->file;
    for (size_t i = 0; i < file->lock_count; i++) {
        PlanLock *lock = &file->locks[i];
        if (str_equal(lock->effect.table, effect->table) &&
            str_equal(lock->effect.schema, effect->schema))
            return lock;
    }
    const ModelTable *table = model_table(now->model, effect->schema, effect->table);
    PlanLock lock = {.effect = *effect,
                     .is_new = table && table->is_new,
                     .rows = table ? table->rows : -1,
                     .bytes = table ? table->bytes : -1};
    ARENA_PUSH(now->arena, file->locks, file->lock_count, file->lock_capacity, lock);
    return &file->locks[file->lock_count - 1];
}

static void add_locks(Reading *now, const char *type, const json_t *node)
{
    Effects effects = {0};
    effects_of(now->arena, now->model, type, node, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        const Effect *effect = &effects.items[i];
        Effect *held = &lock_on(now, effect)->effect;
        if (effect->lock > held->lock) {
            held->lock = effect->lock;
            held->what = effect->what;
        }
        held->scans |= effect->scans;
        held->rewrites |= effect->rewrites;
        held->loses |= effect->loses;
    }
}

static int compare_locks(const void *a, const void *b)
{
    const PlanLock *x = a, *y = b;
    if (x->effect.lock != y->effect.lock)
        return x->effect.lock > y->effect.lock ? -1 : 1;
    return strcmp(x->effect.table, y->effect.table);
}

/* ---- the down -------------------------------------------------------------------------------- */

static void add_loss(Reading *now, const char *schema, const char *name, const char *what)
{
    const ModelTable *table = model_table(now->model, schema, name);
    PlanLoss loss = {.what = what,
                     .table = schema ? arena_printf(now->arena, "%s.%s", schema, name) : name,
                     .rows = table ? (table->is_new ? 0 : table->rows) : -1};
    ARENA_PUSH(now->arena, now->file->losses, now->file->loss_count, now->file->loss_capacity,
               loss);
}

/* Columns by name; tables as a whole. */
static void add_losses(Reading *now, const char *type, const json_t *node)
{
    Effects effects = {0};
    effects_of(now->arena, now->model, type, node, &effects);
    bool alters = str_equal(type, "AlterTableStmt");
    for (size_t i = 0; !alters && i < effects.count; i++)
        if (effects.items[i].loses)
            add_loss(now, effects.items[i].schema, effects.items[i].table, effects.items[i].what);
    const json_t *commands = alters ? json_object_get(node, "cmds") : NULL;
    for (size_t i = 0; effects.count > 0 && i < json_array_size(commands); i++) {
        const json_t *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        const char *column = node_text(command, "name");
        if (column && node_is(command, "subtype", "AT_DropColumn"))
            add_loss(now, effects.items[0].schema, effects.items[0].table,
                     arena_printf(now->arena, "DROP COLUMN %s", column));
    }
}

typedef void (*See)(Reading *now, const char *type, const json_t *node);

static void read_script(Reading *now, const Script *script, size_t first, See see, bool apply)
{
    for (size_t i = first; i < script->count; i++) {
        const ScriptStatement *statement = &script->items[i];
        _cleanup_json_ json_t *tree = NULL;
        const char *type = NULL;
        Statement what;
        Error ignored = {0};
        if (statement->left_out)
            continue;
        const SqlPiece *piece = &statement->piece;
        const char *text = script->text + piece->start;
        statement_read(now->arena, text, piece->length, &what, &tree, &ignored);
        const json_t *node = open_statement(tree, &type);
        now->file->not_analysed += apply && !what.analysed;
        if (type)
            see(now, type, node);
        if (apply && type)
            model_apply(now->model, type, node, now->ordinal);
        else if (apply && !what.analysed)
            model_apply_unread(now->model, text, piece->length, now->ordinal);
    }
}

static void read_down(Reading *now, const MigrationFile *file)
{
    char checksum[HASH_HEX_SIZE];
    char *text = NULL;
    size_t length = 0;
    Script script;
    Error err = {0};
    if (!file || !file->down_path)
        return;
    if (!migration_text_read(now->arena, file->down_path, &text, &length, checksum, NULL, &err) ||
        !script_parse(now->arena, file->down_name, text, length, &script, &err))
        now->file->down_problem = arena_strdup(now->arena, err.message);
    else
        read_script(now, &script, 0, add_losses, false);
}

/* ---- what was measured -------------------------------------------------------------------------
 */

/* The newest run of the very same file. */
static bool read_measured(Reading *now, State *state, Error *err)
{
    Evidence *items = NULL;
    size_t count = 0;
    PlanFile *file = now->file;
    file->measured_ms = -1;
    if (!state_evidence_list(state, now->arena, file->step->name, &items, &count, err))
        return false;
    for (size_t i = 0; i < count && file->measured_ms < 0; i++) {
        if (!str_equal(items[i].kind, "up") ||
            !str_equal(items[i].up_checksum, file->step->script.checksum))
            continue;
        file->measured_ms = items[i].duration_ms;
        file->measured_env = items[i].env;
        file->measured_at = items[i].recorded_at;
    }
    return true;
}

bool plan_read(Arena *arena, State *state, Session *session, const MigrateStatus *status,
               const char *to, PlanReport *report, Error *err)
{
    *report = (PlanReport){0};
    Model *model = model_create(arena);
    if (!migrate_plan_up(arena, status, to, &report->plan, err) || !model_load(model, session, err))
        return false;
    report->files = arena_array(arena, report->plan.count, sizeof(*report->files));
    for (size_t i = 0; i < report->plan.count; i++) {
        PlanFile *file = &report->files[i];
        file->step = &report->plan.steps[i];
        Reading now = {arena, model, file, i};
        const LedgerRun *run = file->step->migration->run;
        bool resumes = run && run->direction == RUN_UP && run->completed > 0;
        model_begin_file(model, i);
        read_script(&now, &file->step->script, resumes ? (size_t)run->completed : 0, add_locks,
                    true);
        if (file->lock_count > 1)
            qsort(file->locks, file->lock_count, sizeof(*file->locks), compare_locks);
        read_down(&now, file->step->migration->file);
        if (!read_measured(&now, state, err))
            return false;
    }
    return true;
}
