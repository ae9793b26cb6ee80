#include "lint/engine.h"

#include "base/str.h"

/* Statements of that size without a tree are rows (pg/parse.h): they change no schema. */
#define DATA_MIN_BYTES ((size_t)1 << 20)

static const json_t *open_tree(const json_t *tree, const char **type)
{
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);
    return node_open(json_object_get(first, "stmt"), type);
}

static void run_checks(const LintStatement *now)
{
    for (const LintCheck *const *table = lint_check_tables; *table; table++) {
        for (const LintCheck *row = *table; row->check; row++) {
            if (!row->type || str_equal(row->type, now->type))
                row->check(now);
        }
    }
}

/* Statements that the framing BEGIN and COMMIT were left out for do not run. */
static bool run_statement(LintRun *run, LintText *text, size_t index, Model *model, bool apply,
                          Error *err)
{
    const ScriptStatement *statement = &text->script.items[index];
    const SqlPiece *piece = &statement->piece;
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_json_ json_t *tree = TAKE(text->trees[index]);
    Statement what = statement->what;
    Error rejected = {0};
    if (!tree)
        statement_read(arena, text->file.text + piece->start, piece->length, &what, &tree,
                       &rejected);
    LintStatement now = {.run = run,
                         .arena = arena,
                         .file = &text->file,
                         .index = index,
                         .start = piece->start,
                         .length = piece->length,
                         .what = &what,
                         .model = model};
    now.node = open_tree(tree, &now.type);
    if (text->file.reported && !what.analysed && !text->pair_only &&
        !syntax_check(run, &now, &rejected, err))
        return false;
    if (text->file.reported && !text->pair_only)
        run_checks(&now);
    undo_see(run, &now);
    bool data = !now.type && what.analysed && now.length > DATA_MIN_BYTES;
    if (apply && now.type)
        model_apply(model, now.type, now.node, text->file.ordinal);
    else if (apply && !data)
        model_apply_unread(model, text->file.text + now.start, now.length, text->file.ordinal);
    return true;
}

void engine_begin(LintRun *run, LintText *text)
{
    run->text = text;
    run->statement = SIZE_MAX;
    run->cursor = run->anchor = (PlaceCursor){.line = 1, .column = 1};
    run->source_line = NULL;
}

bool engine_text(LintRun *run, LintText *text, Model *model, bool apply, Error *err)
{
    _cleanup_json_ json_t *memory = json_object();
    run->memory = memory;
    engine_begin(run, text);
    model_begin_file(model, text->file.ordinal);
    bool ok = true;
    for (size_t i = 0; ok && i < text->script.count; i++) {
        if (i < text->first || text->script.items[i].left_out)
            continue;
        run->statement = i;
        ok = run_statement(run, text, i, model, apply, err);
        run->anchor = run->cursor;
    }
    run->statement = SIZE_MAX;
    run->memory = NULL;
    if (text->file.reported) {
        run->report->files += !text->pair_only;
        run->report->statements += text->pair_only ? 0 : text->script.count;
    }
    return ok;
}
