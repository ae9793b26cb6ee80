#include "lint/history.h"

#include "lint/engine.h"
#include "lint/model_internal.h"
#include "sql_texts.h"

#include <stdlib.h>
#include <string.h>

#define SYNTAX_ERROR "42601"

typedef struct {
    Arena *arena;
    Session *session;
    Model *then, *now; /* as the files leave it; as it is */
    json_t *attached;  /* "trigger s.t.name" of now */
    LintHistory *items;
    size_t count;
} Search;

/* One object that the file left; what: "index public.i". */
static void expect(const Search *search, size_t file, bool found, const char *what)
{
    if (file >= search->count)
        return;
    search->items[file].expected++;
    if (!found)
        str_list_add(&search->items[file].missing, what);
}

/* ---- what the files leave ---------------------------------------------------------------- */

/* What is no SQL for the server either cannot have run. */
static bool find_refused(const Search *search, const LintText *text, size_t ordinal, Error *err)
{
    const Script *script = &text->script;
    for (size_t i = 0; i < script->count; i++) {
        const SqlPiece *piece = &script->items[i].piece;
        if (script->items[i].what.analysed)
            continue;
        _cleanup_free_ char *sql = strndup(text->file.text + piece->start, piece->length);
        Error why = {0};
        if (!sql || session_check_syntax(search->session, sql, &why))
            continue;
        if (why.code == ERR_UNREACHABLE) {
            *err = why;
            return false;
        }
        if (!str_equal(why.sqlstate, SYNTAX_ERROR))
            continue;
        ScriptPlace place = script_place_of(script, i, &why);
        expect(search, ordinal, false,
               arena_printf(search->arena, "line %d: %s", place.line, why.message));
    }
    return true;
}

/* Returns false where the file could not be read. opaque: it runs code that cannot be followed. */
static bool follow(const Search *search, LintRun *run, size_t ordinal, bool *opaque, Error *err)
{
    LintHistory *item = &search->items[ordinal];
    _cleanup_arena_ Arena *work = arena_create();
    const MigrationFile *file = item->file;
    LintText text = {.file = {.name = file->name,
                              .path = file->path,
                              .text = "",
                              .direction = RUN_UP,
                              .migration = file,
                              .ordinal = ordinal}};
    char *bytes = NULL;
    char checksum[HASH_HEX_SIZE];
    if (!migration_text_read(work, file->path, &bytes, &text.file.length, checksum, NULL, err))
        return false;
    text.file.text = bytes;
    run->work = work;
    run->statement = SIZE_MAX;
    run->cut = false;
    run->model->uncertain = run->model->cascaded = false;
    undo_begin(run);
    text_read(run, &text);
    bool ok =
        find_refused(search, &text, ordinal, err) && engine_text(run, &text, run->model, true, err);
    text_free(&text);
    undo_end(run);
    item->cut = run->cut;
    *opaque = run->cut || run->model->uncertain || run->model->cascaded;
    return ok;
}

/* Names without a schema are looked up as the server does it. */
static void take_path(Model *then, const Model *now)
{
    StrList path;
    str_list_init(&path, then->arena);
    for (size_t i = 0; i < now->default_path.count; i++)
        if (model_schema_exists(now, now->default_path.items[i]))
            str_list_add(&path, now->default_path.items[i]);
    if (path.count > 0)
        then->default_path = then->path = path;
}

static bool follow_all(const Search *search, Error *err)
{
    LintReport report = {0};
    LintRun run = {.arena = search->arena, .report = &report, .model = search->then};
    size_t opaque_to = 0; /* files before it may have been undone by code */
    run.blank = model_create(search->arena);
    search->then->guesses = true;
    take_path(search->then, search->now);
    for (size_t i = 0; i < search->count; i++) {
        bool opaque = false;
        if (!follow(search, &run, i, &opaque, err))
            return false;
        if (opaque)
            opaque_to = i + 1;
    }
    for (size_t i = 0; i < opaque_to; i++)
        search->items[i].doubt = search->items[opaque_to - 1].file->name;
    return true;
}

/* ---- what is there ----------------------------------------------------------------------- */

static bool load_attached(const Search *search, Session *session, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_lint_attached, &rows, err))
        return error_context(err, "reading the catalogue");
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *key =
            arena_printf(search->arena, "%s %s.%s.%s", result_text(rows, i, "kind"),
                         result_text(rows, i, "schema_name"), result_text(rows, i, "table_name"),
                         result_text(rows, i, "name"));
        (void)json_object_set_new(search->attached, key, json_true());
    }
    return true;
}

/* A table as the files leave it, and as it is. */
typedef struct {
    const Search *search;
    const ModelTable *table, *live; /* live NULL: it is not there */
} Pair;

/* What a file that came before the table's name made of it cannot be told when the table is not
 * there: it may have kept its old name. */
static void expect_part(const Pair *pair, size_t file, bool found, const char *what)
{
    const ModelTable *table = pair->table;
    if (pair->live || table->named_in >= pair->search->count || file > table->named_in)
        expect(pair->search, file, found, what);
}

static const ModelIndex *find_index(const Search *search, const ModelTable *live,
                                    const ModelIndex *wanted)
{
    const ModelTable *table = NULL;
    const ModelIndex *index =
        live ? model_index(search->now, live->schema, wanted->name, &table) : NULL;
    if (!live || (index && table == live))
        return index;
    const char *signature = wanted->unnamed ? model_signature(search->then, wanted) : NULL;
    for (size_t i = 0; signature && i < live->index_count; i++)
        if (str_equal(model_signature(search->now, &live->indexes[i]), signature))
            return &live->indexes[i];
    return NULL;
}

static bool same_names(const char *const *a, size_t count_a, const char *const *b, size_t count_b)
{
    bool same = count_a == count_b;
    for (size_t i = 0; same && i < count_a; i++)
        same = str_equal(a[i], b[i]);
    return same;
}

static bool has_constraint(const ModelTable *live, const ModelConstraint *wanted)
{
    if (model_constraint(live, wanted->name))
        return true;
    for (size_t i = 0; wanted->unnamed && live && i < live->constraint_count; i++) {
        const ModelConstraint *other = &live->constraints[i];
        if (other->kind == wanted->kind &&
            same_names(other->columns, other->column_count, wanted->columns, wanted->column_count))
            return true;
    }
    return false;
}

/* Indexes of constraints are told with those; the server names a check by what is in it. */
static void expect_keys(const Pair *pair)
{
    const Search *search = pair->search;
    const ModelTable *table = pair->table, *live = pair->live;
    for (size_t i = 0; i < table->index_count; i++) {
        const ModelIndex *index = &table->indexes[i];
        const ModelIndex *found = find_index(search, live, index);
        if (!index->constraint)
            expect_part(pair, index->named_in, found && found->valid,
                        arena_printf(search->arena, "index %s.%s%s", table->schema, index->name,
                                     found ? " (INVALID)" : ""));
    }
    for (size_t i = 0; i < table->constraint_count; i++) {
        const ModelConstraint *constraint = &table->constraints[i];
        if (constraint->kind != 'c' || !constraint->unnamed)
            expect_part(pair, constraint->named_in, has_constraint(live, constraint),
                        arena_printf(search->arena, "constraint %s of %s.%s", constraint->name,
                                     table->schema, table->name));
    }
}

static const char *kind_name(char kind)
{
    switch (kind) {
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'S':
        return "sequence";
    case 'c':
        return "type";
    default:
        return "table";
    }
}

static void expect_attached(const Pair *pair)
{
    Arena *arena = pair->search->arena;
    const ModelTable *table = pair->table;
    for (size_t i = 0; i < table->attached_count; i++) {
        const ModelAttached *attached = &table->attached[i];
        const char *key = arena_printf(arena, "%s %s.%s.%s", attached->kind, table->schema,
                                       table->name, attached->name);
        expect_part(pair, attached->named_in, json_object_get(pair->search->attached, key),
                    arena_printf(arena, "%s %s of %s.%s", attached->kind, attached->name,
                                 table->schema, table->name));
    }
}

static void expect_table(const Search *search, const ModelTable *table)
{
    Arena *arena = search->arena;
    if (table->may_be_gone || str_equal(table->schema, "pg_temp"))
        return;
    const Pair pair = {search, table, model_table(search->now, table->schema, table->name)};
    expect(search, table->named_in, pair.live,
           arena_printf(arena, "%s %s.%s", kind_name(table->kind), table->schema, table->name));
    for (size_t i = 0; i < table->column_count; i++) {
        const ModelColumn *column = &table->columns[i];
        expect_part(
            &pair, column->named_in, model_column(pair.live, column->name),
            arena_printf(arena, "column %s.%s.%s", table->schema, table->name, column->name));
    }
    expect_keys(&pair);
    expect_attached(&pair);
}

static const NameMap *map_of(const Model *model, const char *kind)
{
    if (str_equal(kind, "schema"))
        return &model->schemas;
    if (str_equal(kind, "extension"))
        return &model->extensions;
    return str_equal(kind, "function") ? &model->functions : &model->user_types;
}

/* What came several times is of the file that made it last. */
static void expect_named(const Search *search)
{
    _cleanup_json_ json_t *seen = json_object();
    for (size_t i = search->then->named_count; i-- > 0;) {
        const NamedObject *object = &search->then->named[i];
        const char *what = arena_printf(search->arena, "%s %s%s%s", object->kind, object->schema,
                                        *object->schema ? "." : "", object->name);
        if (json_object_get(seen, what) || str_equal(object->schema, "pg_temp") ||
            !name_map_get(object->map, object->schema, object->name))
            continue;
        (void)json_object_set_new(seen, what, json_true());
        expect(search, object->file,
               name_map_get(map_of(search->now, object->kind), object->schema, object->name), what);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Tables are found in the order of their hashes. */
static void sort_names(StrList *names)
{
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
}

bool lint_history(Arena *arena, Session *session, LintHistory *items, size_t count, Error *err)
{
    _cleanup_json_ json_t *attached = json_object();
    Search search = {.arena = arena,
                     .session = session,
                     .then = model_create(arena),
                     .now = model_create(arena),
                     .attached = attached,
                     .items = items,
                     .count = count};
    for (size_t i = 0; i < count; i++)
        str_list_init(&items[i].missing, arena);
    if (!model_load(search.now, session, err) || !load_attached(&search, session, err) ||
        !follow_all(&search, err))
        return false;
    for (size_t i = 0; i < search.then->relations.capacity; i++)
        if (search.then->relations.entries[i].value)
            expect_table(&search, search.then->relations.entries[i].value);
    expect_named(&search);
    for (size_t i = 0; i < count; i++)
        sort_names(&items[i].missing);
    return model_check(search.now, err);
}
