#include "base/str.h"
#include "lint/engine.h"

/* ---- tables ------------------------------------------------------------------------------ */

const char *lint_relation_name(const LintStatement *now, const json_t *relation)
{
    const char *schema = node_text(relation, "schemaname"), *name = node_text(relation, "relname");
    if (!name)
        name = "?";
    return schema ? arena_printf(now->arena, "%s.%s", schema, name) : name;
}

static const ModelTable *table_of(const LintStatement *now, const json_t *relation)
{
    const char *name = node_text(relation, "relname");
    return name ? model_table(now->model, node_text(relation, "schemaname"), name) : NULL;
}

TableWeight lint_weight(const LintStatement *now, const json_t *relation)
{
    if (node_is(relation, "relpersistence", "t"))
        return TABLE_FRESH;
    const ModelTable *table = table_of(now, relation);
    if (!table)
        return TABLE_UNKNOWN;
    bool here = table->made_in == now->file->ordinal;
    if (table->is_new && (here || model_server_version(now->model) > 0))
        return TABLE_FRESH;
    if (table->rows >= LINT_LARGE_ROWS || table->bytes >= LINT_LARGE_BYTES)
        return TABLE_LARGE;
    return table->rows < 0 || table->is_new ? TABLE_UNKNOWN : TABLE_SMALL;
}

int64_t lint_rows(const LintStatement *now, const json_t *relation)
{
    const ModelTable *table = table_of(now, relation);
    return table ? table->rows : -1;
}

static void add_heavy(const LintStatement *now, const char *rule, const json_t *relation,
                      int64_t location, LintSeverity small, const char *message)
{
    TableWeight weight = lint_weight(now, relation);
    if (weight == TABLE_FRESH)
        return;
    const LintRule *row = findings_rule(rule);
    LintSeverity severity = weight == TABLE_LARGE   ? LINT_ERROR
                            : weight == TABLE_SMALL ? small
                                                    : row->severity;
    const ModelTable *table = table_of(now, relation);
    if (table && table->rows >= 0 && table->bytes >= 0)
        message =
            arena_printf(now->arena, "%s (%s rows, %s)", message,
                         str_count(now->arena, table->rows), str_bytes(now->arena, table->bytes));
    findings_add(now->run, findings_offset(now, location), row, severity, NULL, message);
}

void lint_add_weighed(const LintStatement *now, const char *rule, const json_t *relation,
                      int64_t location, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(now->arena, format, arguments);
    va_end(arguments);
    add_heavy(now, rule, relation, location, LINT_INFO, message);
}

void lint_add_loss(const LintStatement *now, const char *rule, const json_t *relation,
                   int64_t location, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(now->arena, format, arguments);
    va_end(arguments);
    add_heavy(now, rule, relation, location,
              lint_rows(now, relation) == 0 ? LINT_INFO : LINT_WARNING, message);
}

int64_t lint_locate(const LintStatement *now, const char *name, size_t *cursor)
{
    SqlLexer lexer;
    sql_lexer_init(&lexer, now->file->text + now->start, now->length);
    lexer.at = *cursor;
    size_t length = name ? strlen(name) : 0;
    if (length == 0)
        return -1;
    for (;;) {
        SqlToken token = sql_lexer_next(&lexer);
        *cursor = token.kind == TOKEN_END || token.kind == TOKEN_ERROR ? now->length : lexer.at;
        if (*cursor == now->length && token.kind != TOKEN_WORD && token.kind != TOKEN_NAME)
            return -1;
        const char *at = lexer.text + token.start;
        bool word = token.kind == TOKEN_WORD && token.length == length &&
                    strncasecmp(at, name, length) == 0;
        bool quoted = token.kind == TOKEN_NAME && token.length == length + 2 &&
                      strncmp(at + 1, name, length) == 0;
        if (word || quoted)
            return (int64_t)token.start;
    }
}
