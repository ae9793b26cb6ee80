/* Schemas as evidence compares them. */
#include "flows/guarded_internal.h"

#include <string.h>

#define SHOWN_CHANGES 10

static void list_ignored(const Guard *guard, StrList *ignore)
{
    const StrList *listed = guard->spec->ignore;
    str_list_init(ignore, guard->arena);
    str_list_add(ignore, "extension *");
    for (size_t i = 0; listed && i < listed->count; i++)
        str_list_add(ignore, listed->items[i]);
}

bool guard_schema_read(const Guard *guard, Session *session, Schema *schema, Error *err)
{
    StrList ignore;
    list_ignored(guard, &ignore);
    SchemaScope scope = {.ledger_table = guard->options->ledger_table, .ignore = &ignore};
    return schema_read(guard->arena, session, &scope, schema, err);
}

bool guard_schema_remember(const Guard *guard, const Schema *schema, Error *err)
{
    _cleanup_json_ json_t *json = schema_to_json(schema);
    return state_schema_remember(guard->state, schema->fingerprint,
                                 json_compact(guard->arena, json), err);
}

bool guard_schema_recall(const Guard *guard, const char *fingerprint, const Schema **schema,
                         Error *err)
{
    const char *text = NULL;
    _cleanup_json_ json_t *json = NULL;
    Schema *read = arena_alloc(guard->arena, sizeof(*read));
    Error damaged = {0};
    StrList ignore;
    *schema = NULL;
    if (!state_schema_recall(guard->state, guard->arena, fingerprint, &text, err))
        return false;
    /* A snapshot that is damaged, or of another schema, is as good as none. */
    if (!text || !json_parse(text, strlen(text), "a schema", &json, &damaged) ||
        !schema_from_json(guard->arena, json, read, &damaged) ||
        !str_equal(read->fingerprint, fingerprint))
        return true;
    list_ignored(guard, &ignore);
    schema_leave_out(guard->arena, read, &ignore);
    *schema = read;
    return true;
}

const char *guard_diff_text(const Guard *guard, const SchemaDiff *diff)
{
    StrList lines;
    str_list_init(&lines, guard->arena);
    schema_diff_lines(guard->arena, diff, SHOWN_CHANGES, &lines);
    if (!lines.count)
        return "";
    return arena_printf(guard->arena, "\n  %s", str_list_join(&lines, guard->arena, "\n  "));
}

const char *guard_schema_difference(const Guard *guard, const Schema *before, const Schema *after)
{
    SchemaDiff diff = {0};
    schema_diff(guard->arena, before, after, &diff);
    return guard_diff_text(guard, &diff);
}
