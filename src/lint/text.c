#include "lint/engine.h"

#include "base/str.h"

#include <assert.h>

/* Trees are a hundred times their text: those of a file up to this size are kept for the checks, of
 * a larger one each is read a second time. */
#define KEEP_TREES_MAX    ((size_t)256 << 10)
#define META_COMMANDS_MAX 100

static void refused(LintRun *run, size_t offset, const char *rule, const Error *why)
{
    const LintRule *row = lint_rule_find(rule);
    assert(row);
    findings_add(run, offset, row, row->severity, why->hint[0] ? why->hint : NULL, why->message);
}

static void append_pieces(Arena *arena, SqlPieces *all, const SqlPieces *some, size_t base)
{
    for (size_t i = 0; i < some->count; i++) {
        SqlPiece piece = some->items[i];
        piece.start += base;
        piece.data += piece.copy ? base : 0;
        ARENA_PUSH(arena, all->items, all->count, all->capacity, piece);
    }
}

/* A psql command is one line; what follows it is read on. Anything else that cannot be split leaves
 * no telling where the next statement begins. */
static void split(LintRun *run, LintText *text, SqlPieces *all)
{
    const LintFile *file = &text->file;
    size_t base = 0;
    for (int commands = 0; base <= file->length; commands++) {
        SqlPieces some;
        Error why = {0};
        bool whole = sql_split(run->work, file->text + base, file->length - base, &some, &why);
        append_pieces(run->work, all, &some, base);
        if (whole)
            return;
        run->cut = true;
        size_t problem = base + some.problem;
        bool command = file->text[problem] == '\\';
        refused(run, problem, command ? "psql-meta-command" : "unreadable-sql", &why);
        const char *newline = command && commands < META_COMMANDS_MAX
                                  ? memchr(file->text + problem, '\n', file->length - problem)
                                  : NULL;
        if (!newline)
            return;
        base = (size_t)(newline - file->text) + 1;
    }
}

static void classify(LintRun *run, LintText *text)
{
    Script *script = &text->script;
    bool keep = text->file.length <= KEEP_TREES_MAX;
    text->trees = arena_array(run->work, script->count, sizeof(*text->trees));
    for (size_t i = 0; i < script->count; i++) {
        const SqlPiece *piece = &script->items[i].piece;
        statement_read(run->work, text->file.text + piece->start, piece->length,
                       &script->items[i].what, keep ? &text->trees[i] : NULL, NULL);
    }
}

static void check_statements(LintRun *run, LintText *text)
{
    for (size_t i = 0; i < text->script.count; i++) {
        Error why = {0};
        run->statement = i;
        if (!script_check_statement(&text->script, i, &why))
            refused(run, text->script.problem, "statement-refused", &why);
    }
    run->statement = SIZE_MAX;
}

/* CONCURRENTLY in a transaction is told at each statement, by its rule. */
static void check_transaction(LintRun *run, LintText *text)
{
    Script *script = &text->script;
    Error why = {0};
    script->transaction = true;
    if (script_settle(run->work, script, &why))
        return;
    const ScriptStatement *at = NULL;
    for (size_t i = 0; i < script->count; i++) {
        if (script->items[i].piece.start == script->problem)
            at = &script->items[i];
    }
    if (!at)
        refused(run, script->problem, "transaction-mode", &why);
    else if (!statement_needs_no_transaction(at->what.kind))
        refused(run, script->problem, "transaction-control-in-file", &why);
}

void text_read(LintRun *run, LintText *text)
{
    Script *script = &text->script;
    LintFile *file = &text->file;
    SectionKind section = file->direction == RUN_UP ? SECTION_UP : SECTION_DOWN;
    Error unclear = {0};
    bool begun =
        script_begin(run->work, file->name, file->text, file->length, section, script, &unclear);
    file->text = script->text;
    file->length = script->length;
    engine_begin(run, text);
    if (!begun)
        refused(run, script->problem, "statement-refused", &unclear);
    SqlPieces pieces = {0};
    split(run, text, &pieces);
    script->items = arena_array(run->work, pieces.count, sizeof(*script->items));
    script->count = pieces.count;
    for (size_t i = 0; i < pieces.count; i++)
        script->items[i].piece = pieces.items[i];
    classify(run, text);
    ignores_read(run, text);
    check_statements(run, text);
    check_transaction(run, text);
    text->file.transaction = script->transaction;
}

void text_take(LintRun *run, LintText *text, const Script *script)
{
    engine_begin(run, text);
    text->script = *script;
    text->file.transaction = script->transaction;
    text->trees = arena_array(run->work, script->count, sizeof(*text->trees));
    ignores_read(run, text);
}

void text_free(LintText *text)
{
    json_decref(text->ignores.whole);
    for (size_t i = 0; text->trees && i < text->script.count; i++)
        json_decref(text->trees[i]);
}
