#include "backup/load_parallel.h"
#include "sql_texts.h"

#include <string.h>

static ValueKind column_kind(const Result *rows, size_t row)
{
    return value_kind((uint32_t)result_int64(rows, row, "type"), result_bool(rows, row, "is_enum"));
}

bool load_read_columns(ParallelLoad *load, Error *err)
{
    Loading *loading = load->loading;
    _cleanup_result_ Result *rows = NULL;
    LoadRelation *relation = NULL;
    /* What the server says depends on the encoding that rows come in. */
    if (!load_apply_settings(loading->session, &load->settings, &load->plan->settings[0], err) ||
        !session_query(loading->session, sql_backup_load_columns, &rows, err))
        return error_context(err, "listing the columns");
    size_t count = result_rows(rows);
    LoadColumn *columns = arena_array(loading->arena, count, sizeof(*columns));
    for (size_t i = 0; i < count; i++) {
        const char *schema = result_text(rows, i, "schema");
        const char *name = result_text(rows, i, "name");
        if (!relation || !str_equal(relation->schema, schema) || !str_equal(relation->name, name))
            relation = load_relations_find(&load->relations, schema, name);
        columns[i] =
            (LoadColumn){.name = arena_strdup(loading->arena, result_text(rows, i, "column_name")),
                         .kind = column_kind(rows, i)};
        if (!relation)
            continue;
        if (!relation->column_count)
            relation->columns = &columns[i];
        relation->column_count++;
    }
    return true;
}

/* ---- the columns of a COPY statement ----------------------------------------------------- */

/* Behind the identifier at hand, which may be quoted. */
static const char *skip_name(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, ",()\" ");
    for (at++; *at; at++) {
        if (*at == '"' && at[1] != '"')
            return at + 1;
        if (*at == '"')
            at++;
    }
    return at;
}

/* Is the identifier from text to end the name? */
static bool is_name(const char *text, const char *end, const char *name)
{
    if (*text != '"')
        return strncmp(text, name, (size_t)(end - text)) == 0 && !name[end - text];
    for (text++; text < end - 1; text++, name++) {
        if (*text != *name)
            return false;
        if (*text == '"')
            text++;
    }
    return !*name;
}

static ValueKind find_kind(const LoadRelation *relation, const char *text, const char *end)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        if (is_name(text, end, relation->columns[i].name))
            return relation->columns[i].kind;
    }
    return VALUE_UNKNOWN;
}

const ValueKind *load_row_kinds(Arena *arena, const LoadRelation *relation, const char *sql,
                                size_t *count)
{
    static const char end[] = ") FROM stdin";
    const char *at = sql;
    *count = 0;
    if (!relation || !relation->column_count)
        return NULL;
    while (*at && *at != '(')
        at = *at == '"' ? skip_name(at) : at + 1;
    ValueKind *kinds = arena_array(arena, relation->column_count, sizeof(*kinds));
    while (*at && *count < relation->column_count) {
        const char *name = at + (*count ? strlen(", ") : strlen("("));
        at = skip_name(name);
        kinds[*count] = find_kind(relation, name, at);
        if (kinds[(*count)++] == VALUE_UNKNOWN)
            return NULL;
        if (!str_starts(at, ", "))
            return str_equal(at, end) ? kinds : NULL;
    }
    return NULL;
}
