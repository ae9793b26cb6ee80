#include "pg/schema_internal.h"

#include "base/buffer.h"
#include "pg/blockers.h"
#include "sql_texts.h"

#include <string.h>

typedef struct {
    Arena *arena;
    Session *session;
    const char *excluded; /* relations of the ledger, as an oid[] */
    Schema *schema;
    size_t capacity;
} Reading;

/* How the server writes expressions depends on these; and JIT takes longer than the queries. */
static const char settings[] =
    "SET LOCAL search_path = ''; "
    "SET LOCAL quote_all_identifiers = off; SET LOCAL TimeZone = 'UTC'; "
    "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; "
    "SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; "
    "SET LOCAL lc_monetary = 'C'; SET LOCAL jit = off";

/* Bytes that are not UTF-8 (a database in SQL_ASCII) would not survive JSON. */
static const char *text_of(Arena *arena, const char *text)
{
    if (!text)
        return NULL;
    const char *byte = text;
    while (*byte && (unsigned char)*byte < 0x80)
        byte++;
    if (!*byte)
        return arena_strndup(arena, text, (size_t)(byte - text));
    _cleanup_json_ json_t *valid = json_string(text);
    if (valid)
        return arena_strdup(arena, text);
    valid = json_text(text);
    return arena_strdup(arena, json_string_value(valid));
}

enum { COLUMN_KIND, COLUMN_NAME, COLUMN_PART_OF, COLUMN_DEFINITION, COLUMN_IN_ORDER };

static void add_objects(Reading *reading, const Result *rows)
{
    Schema *schema = reading->schema;
    const char *kind = "";
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *name = result_cell(rows, i, COLUMN_NAME);
        const char *definition = result_cell(rows, i, COLUMN_DEFINITION);
        if (!name)
            continue; /* dropped since the snapshot was taken: the server's deparsers look at now */
        if (!str_equal(kind, result_cell(rows, i, COLUMN_KIND)))
            kind = text_of(reading->arena, result_cell(rows, i, COLUMN_KIND));
        SchemaObject object = {.kind = kind,
                               .name = text_of(reading->arena, name),
                               .part_of =
                                   text_of(reading->arena, result_cell(rows, i, COLUMN_PART_OF)),
                               .definition = definition ? text_of(reading->arena, definition) : ""};
        ARENA_PUSH(reading->arena, schema->items, schema->count, reading->capacity, object);
    }
}

/* "public.alerts: id, name" of the columns in their order, a table after the other. */
static void add_column_order(Reading *reading, const Result *rows)
{
    _cleanup_buffer_ Buffer line;
    buffer_init(&line, BUFFER_MAX_LINE);
    const char *table = NULL;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *name = result_cell(rows, i, COLUMN_IN_ORDER);
        const char *of = result_cell(rows, i, COLUMN_PART_OF);
        if (!name)
            continue;
        if (!str_equal(table, of)) {
            if (table)
                str_list_add(&reading->schema->column_order, line.data);
            buffer_clear(&line);
            (void)buffer_printf(&line, "%s: %s", of, name);
            table = of;
        } else {
            (void)buffer_printf(&line, ", %s", name);
        }
    }
    if (table)
        str_list_add(&reading->schema->column_order, line.data);
}

static void take_part(void *data, const Result *rows)
{
    Reading *reading = data;
    add_objects(reading, rows);
    if (result_columns(rows) > COLUMN_IN_ORDER)
        add_column_order(reading, rows);
}

/* A parameter cannot go into a message of several statements: the list of OIDs stands for it. */
static void add_part(Buffer *message, const Reading *reading, const char *sql)
{
    const char *parameter = NULL;
    for (; (parameter = strstr(sql, "$1::oid[]")); sql = parameter + strlen("$1")) {
        (void)buffer_append(message, sql, (size_t)(parameter - sql));
        (void)buffer_append_str(message, sql_literal(reading->arena, reading->excluded));
    }
    (void)buffer_append_str(message, sql);
    (void)buffer_append_str(message, ";\n");
}

/* The ledger's relations. Before search_path is emptied: a name without its schema is looked up. */
static bool find_excluded(Reading *reading, const char *ledger, Error *err)
{
    reading->excluded = "{}";
    if (!ledger)
        return true;
    Arena *arena = reading->arena;
    const char *dot = strchr(ledger, '.');
    const char *name = dot ? dot + 1 : ledger;
    const char *schema = dot ? arena_strndup(arena, ledger, (size_t)(dot - ledger)) : NULL;
    const char *runs = arena_printf(arena, "%s_runs", name);
    const char *place[] = {schema, name, runs};
    _cleanup_result_ Result *found = NULL, *rows = NULL;
    if (!session_query_params(reading->session, sql_migrate_ledger_find, 3, place, &found, err))
        return false;
    const char *side = arena_printf(arena, "{%s,%s}", sql_identifier(arena, runs),
                                    sql_identifier(arena, arena_printf(arena, "%s_schema", name)));
    const char *params[] = {result_text(found, 0, "schema"), name, side};
    if (!session_query_params(reading->session, sql_schema_scope, 3, params, &rows, err))
        return false;
    reading->excluded = arena_strdup(arena, result_text(rows, 0, "relations"));
    return true;
}

static bool read_parts(Reading *reading, const SchemaScope *scope, Error *err)
{
    const char *publications =
        reading->schema->major >= 15 ? sql_schema_publications : sql_schema_publications_14;
    const char *const parts[] = {
        sql_schema_relations, sql_schema_columns, sql_schema_constraints, sql_schema_indexes,
        sql_schema_routines,  sql_schema_types,   sql_schema_behaviour,   sql_schema_database,
        publications,         sql_schema_others,  sql_schema_comments,
    };
    _cleanup_buffer_ Buffer message;
    buffer_init(&message, BUFFER_MAX_LINE);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        add_part(&message, reading, parts[i]);
    if (scope->with_grants)
        add_part(&message, reading, sql_schema_grants);
    return buffer_check(&message, "the queries of the schema", err) &&
           session_query_each(reading->session, message.data, take_part, reading, err);
}

bool schema_read(Arena *arena, Session *session, const SchemaScope *scope, Schema *schema,
                 Error *err)
{
    *schema = (Schema){.major = session_server_version(session) / 10000};
    str_list_init(&schema->column_order, arena);
    Reading reading = {.arena = arena, .session = session, .schema = schema};
    if (!find_excluded(&reading, scope->ledger_table, err))
        return error_context(err, "reading the schema");
    bool done = read_transaction_begin(session, settings, err) && read_parts(&reading, scope, err);
    if (!read_transaction_end(session, done, err))
        return error_context(err, "reading the schema");
    schema_finish(arena, scope->ignore, schema);
    return true;
}
