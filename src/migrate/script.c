#include "migrate/script.h"

#include "base/file.h"
#include "base/str.h"
#include "migrate/files.h"
#include "migrate/sections.h"

#define EXCERPT_WIDTH 100 /* bytes of a line that a message shows */

/* ---- places ------------------------------------------------------------------------------ */

/* The line around offset, cut to a window, and a caret below. */
static char *excerpt(Arena *arena, const Script *script, size_t offset, int line)
{
    const char *text = script->text;
    size_t start = offset, end = offset;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    while (end < script->length && text[end] != '\n')
        end++;
    while (start < offset &&
           (offset - start > EXCERPT_WIDTH / 2 || ((unsigned char)text[start] & 0xC0) == 0x80))
        start++;
    while (end - start > EXCERPT_WIDTH ||
           (end > start && ((unsigned char)text[end] & 0xC0) == 0x80))
        end--;
    char *pad = arena_strndup(arena, text + start, offset - start);
    size_t width = 0;
    for (const char *c = pad; *c; c++) {
        if (((unsigned char)*c & 0xC0) != 0x80)
            pad[width++] = *c == '\t' ? '\t' : ' ';
    }
    pad[width] = '\0';
    char *number = arena_printf(arena, "%5d", line);
    return arena_printf(arena, "\n%s | %.*s\n%*s | %s^", number, (int)(end - start), text + start,
                        (int)strlen(number), "", pad);
}

bool script_fail_at(const Script *script, size_t offset, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    if (offset > script->length)
        offset = script->length;
    SqlPlace place = sql_place(script->text, script->length, offset);
    Error before = *err;
    (void)error_set(err, before.code, "%s:%d:%d: %s%s", script->name, place.line, place.column,
                    before.message, excerpt(arena, script, offset, place.line));
    memcpy(err->sqlstate, before.sqlstate, sizeof(err->sqlstate));
    err->position = before.position;
    return error_hint(err, "%s", before.hint);
}

/* "COPY t, line 3" counts the lines of the data. */
static size_t offset_in_copy(const Script *script, const SqlPiece *piece, const Error *err)
{
    const char *at = strstr(err->message, "in: COPY ");
    at = at ? strstr(at, ", line ") : NULL;
    size_t offset = piece->data, end = piece->data + piece->data_length;
    if (!at)
        return piece->start;
    char digits[16] = "";
    size_t width = strspn(at + 7, "0123456789");
    int64_t line = 0;
    if (width < sizeof(digits))
        memcpy(digits, at + 7, width);
    if (!str_to_int64(digits, 1, INT32_MAX, &line))
        return piece->start;
    for (; line > 1 && offset < end; line--) {
        const char *newline = memchr(script->text + offset, '\n', end - offset);
        offset = newline ? (size_t)(newline - script->text) + 1 : end;
    }
    return offset;
}

static size_t offset_of(const Script *script, size_t index, const Error *err)
{
    const SqlPiece *piece = &script->items[index].piece;
    if (err->position > 0)
        return piece->start +
               sql_offset_of_character(script->text + piece->start, piece->length, err->position);
    return piece->copy ? offset_in_copy(script, piece, err) : piece->start;
}

bool script_fail_in(const Script *script, size_t index, Error *err)
{
    return script_fail_at(script, offset_of(script, index, err), err);
}

ScriptPlace script_place_of(const Script *script, size_t index, const Error *err)
{
    SqlPlace place = sql_place(script->text, script->length, offset_of(script, index, err));
    return (ScriptPlace){place.line, place.column};
}

/* ---- annotations ------------------------------------------------------------------------- */

typedef enum { MODE_INFER, MODE_NONE, MODE_ONE } Mode;

static bool line_has(const char *line, size_t length, const char *words)
{
    char lower[128];
    size_t width = length < sizeof(lower) - 1 ? length : sizeof(lower) - 1;
    memcpy(lower, line, width);
    lower[width] = '\0';
    return strcasestr(lower, words) != NULL;
}

/* Where the trouble is; script_parse puts it into the message. */
static bool fail_there(Script *script, size_t offset)
{
    script->problem = offset;
    return false;
}

static bool refuse_at(Script *script, size_t offset, Error *err, const char *message,
                      const char *hint)
{
    (void)error_set(err, ERR_REFUSED, "%s", message);
    (void)error_hint(err, "%s", hint);
    return fail_there(script, offset);
}

/* "migrate:" at the front of a comment is ours: what is not known there is a slip of the pen. */
static bool read_own(Script *script, size_t at, const char *line, size_t length, Mode *mode,
                     Error *err)
{
    static const char *const none[] = {"transaction none", "transaction:false", "transaction false",
                                       "transaction:none", "transaction: none", "transaction off"};
    static const char *const one[] = {"transaction one", "transaction:true", "transaction true",
                                      "transaction on"};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        if (line_has(line, length, none[i])) {
            *mode = MODE_NONE;
            return true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(one); i++) {
        if (line_has(line, length, one[i])) {
            *mode = MODE_ONE;
            return true;
        }
    }
    return refuse_at(script, at, err, "this annotation is not known",
                     "write `-- migrate:transaction none` or `-- migrate:transaction one`");
}

static bool starts(const char *line, size_t length, const char *prefix)
{
    return length >= strlen(prefix) && strncasecmp(line, prefix, strlen(prefix)) == 0;
}

/* The marker of the section itself carries options. One of the other section here stands behind
 * something else on its line: what belongs where is not sure then. */
static bool read_marker(Script *script, size_t at, const char *line, size_t length,
                        SectionKind marker, Mode *mode, Error *err)
{
    if (marker == script->section) {
        if (line_has(line, length, "transaction:false") || line_has(line, length, "notransaction"))
            *mode = MODE_NONE;
        else if (line_has(line, length, "transaction:true"))
            *mode = MODE_ONE;
        return true;
    }
    if (marker == SECTION_DOWN)
        return refuse_at(script, at, err, "the file holds its own down section",
                         "begin the way there with a line `-- migrate:up` and the way back with a "
                         "line `-- migrate:down`, or move the way back into a .down.sql file");
    return refuse_at(script, at, err, "an up section inside a down",
                     "the way there belongs into the migration's own file");
}

/* at is the offset of what follows "--". */
static bool read_annotation(Script *script, size_t at, size_t length, Mode *mode, Error *err)
{
    const char *line = script->text + at;
    SectionKind marker = SECTION_UP;
    if (section_is_marker(line, length, &marker))
        return read_marker(script, at, line, length, marker, mode, err);
    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    if (starts(line, length, "+goose envsub on"))
        return refuse_at(script, at, err, "variables of the environment are not put in",
                         "write the values themselves");
    if (starts(line, length, "+goose no transaction") || starts(line, length, "atlas:txmode none"))
        *mode = MODE_NONE;
    else if (starts(line, length, "migrate:"))
        return read_own(script, at, line, length, mode, err);
    return true;
}

/* Every line that is a comment of its own, except inside statements. Only those before the first
 * statement may say how the file runs, but a marker of the other section is refused wherever it
 * stands. */
static bool read_gap(Script *script, size_t start, size_t end, bool header, Mode *mode, Error *err)
{
    for (size_t at = start; at < end;) {
        if (script->text[at] == '/' && at + 1 < end && script->text[at + 1] == '*') {
            if (!sql_skip_block_comment(script->text, end, &at))
                return true;
            continue;
        }
        if (script->text[at] != '-' || at + 1 >= end || script->text[at + 1] != '-') {
            at++;
            continue;
        }
        const char *newline = memchr(script->text + at, '\n', end - at);
        size_t stop = newline ? (size_t)(newline - script->text) : end;
        Mode found = MODE_INFER;
        if (!read_annotation(script, at + 2, stop - at - 2, &found, err))
            return false;
        if (found != MODE_INFER && !header)
            return refuse_at(script, at, err, "the annotation comes too late",
                             "move it above the first statement");
        if (found != MODE_INFER)
            *mode = found;
        at = stop;
    }
    return true;
}

static bool read_annotations(Script *script, Mode *mode, Error *err)
{
    size_t at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const SqlPiece *piece = &script->items[i].piece;
        if (!read_gap(script, at, piece->start, i == 0, mode, err))
            return false;
        at = piece->copy ? piece->data + piece->data_length : piece->start + piece->length;
    }
    return read_gap(script, at, script->length, script->count == 0, mode, err);
}

/* ---- transactions ------------------------------------------------------------------------ */

static bool is_free(StatementKind kind)
{
    return kind == STATEMENT_SET || kind == STATEMENT_NEUTRAL;
}

/* BEGIN ... COMMIT around the file, with nothing but settings outside of it. */
static void leave_out_frame(Script *script)
{
    size_t begin = script->count, commit = script->count, controls = 0;
    for (size_t i = 0; i < script->count; i++) {
        StatementKind kind = script->items[i].what.kind;
        if (kind == STATEMENT_BEGIN)
            begin = i;
        else if (kind == STATEMENT_COMMIT)
            commit = i;
        controls += kind == STATEMENT_BEGIN || kind == STATEMENT_COMMIT;
    }
    if (controls != 2 || begin >= commit || commit == script->count)
        return;
    for (size_t i = 0; i < script->count; i++) {
        bool outside = i < begin || i > commit;
        if (outside && !is_free(script->items[i].what.kind))
            return;
    }
    script->items[begin].left_out = true;
    script->items[commit].left_out = true;
}

static bool check_no_control(Script *script, Error *err)
{
    for (size_t i = 0; i < script->count; i++) {
        const ScriptStatement *statement = &script->items[i];
        StatementKind kind = statement->what.kind;
        if (statement->left_out ||
            (kind != STATEMENT_BEGIN && kind != STATEMENT_COMMIT && kind != STATEMENT_TRANSACTION))
            continue;
        (void)error_set(err, ERR_REFUSED, "%s inside a file that runs in one transaction",
                        statement->what.tag);
        (void)error_hint(err, "take it out (each file has its own transaction), or begin the file "
                              "with `-- migrate:transaction none` to run it as it is written");
        return fail_there(script, statement->piece.start);
    }
    return true;
}

static bool refuse_mixed(Script *script, size_t outside, size_t ordinary, Error *err)
{
    int line = script->items[ordinary].piece.line;
    (void)error_set(err, ERR_REFUSED,
                    "%s cannot run in a transaction, and line %d needs one to be safe",
                    script->items[outside].what.tag, line);
    (void)error_hint(err, "move it into a file of its own, or begin the file with "
                          "`-- migrate:transaction none` to run each statement on its own");
    return fail_there(script, script->items[outside].piece.start);
}

static bool infer_mode(Arena *arena, Script *script, Mode mode, Error *err)
{
    size_t outside = script->count, ordinary = script->count;
    for (size_t i = script->count; i-- > 0;) {
        StatementKind kind = script->items[i].what.kind;
        if (statement_needs_no_transaction(kind))
            outside = i;
        else if (!is_free(kind))
            ordinary = i;
    }
    bool any = outside < script->count;
    if (mode == MODE_ONE && any) {
        (void)error_set(err, ERR_REFUSED, "%s cannot run in a transaction",
                        script->items[outside].what.tag);
        return fail_there(script, script->items[outside].piece.start);
    }
    if (mode == MODE_INFER && any && ordinary < script->count)
        return refuse_mixed(script, outside, ordinary, err);
    script->transaction = mode != MODE_NONE && !any;
    if (mode == MODE_NONE)
        script->why_none = "annotated";
    else if (any)
        script->why_none =
            arena_printf(arena, "%s cannot run in one", script->items[outside].what.tag);
    if (!script->transaction)
        return true;
    leave_out_frame(script);
    return check_no_control(script, err);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool check_statement(Script *script, const ScriptStatement *statement, Error *err)
{
    if (statement->what.strings_off)
        return refuse_at(script, statement->piece.start, err,
                         "the file turns standard_conforming_strings off",
                         "write backslashes in E'...' strings instead");
    if (statement->what.kind == STATEMENT_COPY_OUT)
        return refuse_at(script, statement->piece.start, err,
                         "COPY TO STDOUT has nowhere to go in a migration",
                         "export data with psql, outside of migrations");
    return true;
}

static void chain_statement(Script *script, size_t index)
{
    ScriptStatement *statement = &script->items[index];
    const SqlPiece *piece = &statement->piece;
    HashStream *hash = hash_create();
    if (index > 0)
        hash_update(hash, script->items[index - 1].chain, HASH_HEX_SIZE - 1);
    hash_update(hash, script->text + piece->start, piece->length);
    hash_update(hash, script->text + piece->data, piece->data_length);
    hash_finish(hash, statement->chain);
    hash_destroy(hash);
}

bool script_check_statement(Script *script, size_t index, Error *err)
{
    const ScriptStatement *statement = &script->items[index];
    if (!check_statement(script, statement, err))
        return false;
    script->sets_lock_timeout |= statement->what.sets_lock_timeout;
    script->loads_library |= statement->what.loads_library;
    script->not_analysed |= !statement->what.analysed;
    return true;
}

bool script_settle(Arena *arena, Script *script, Error *err)
{
    Mode mode = MODE_INFER;
    if (script->count > 0 && script->items[0].piece.start < script->first_marker)
        return refuse_at(script, script->items[0].piece.start, err,
                         "a statement before the first section", "move it behind `-- migrate:up`");
    return read_annotations(script, &mode, err) && infer_mode(arena, script, mode, err);
}

static bool understand(Arena *arena, Script *script, Error *err)
{
    for (size_t i = 0; i < script->count; i++) {
        ScriptStatement *statement = &script->items[i];
        statement_classify(arena, script->text + statement->piece.start, statement->piece.length,
                           &statement->what, NULL);
        if (!script_check_statement(script, i, err))
            return false;
        chain_statement(script, i);
    }
    return script_settle(arena, script, err);
}

/* ---- sections ---------------------------------------------------------------------------- */

bool script_begin(Arena *arena, const char *name, const char *text, size_t length,
                  SectionKind section, Script *script, Error *err)
{
    static const char *const markers[] = {"-- migrate:up", "-- migrate:down"};
    *script = (Script){.name = name, .text = text, .length = length, .section = section};
    hash_bytes(text, length, script->checksum);
    Sections sections;
    sections_find(text, length, &sections);
    if (!sections.items[SECTION_UP].found &&
        (section == SECTION_UP || !sections.items[SECTION_DOWN].found))
        return true;
    if (sections.has_repeated)
        return refuse_at(script, sections.repeated, err, "this marker was there already",
                         "a file holds one up section and one down section");
    if (!sections.items[section].found) {
        (void)error_set(err, ERR_REFUSED, "the file has no section `%s`", markers[section]);
        return fail_there(script, sections.first);
    }
    script->first_marker = sections.first;
    script->text = sections_cut(arena, text, &sections, section, &script->length);
    return true;
}

static bool parse(Arena *arena, const char *name, const char *text, size_t length,
                  SectionKind section, Script *script, Error *err)
{
    SqlPieces pieces;
    if (!script_begin(arena, name, text, length, section, script, err))
        return script_fail_at(script, script->problem, err);
    if (!sql_split(arena, script->text, script->length, &pieces, err))
        return script_fail_at(script, pieces.problem, err);
    script->items = arena_array(arena, pieces.count, sizeof(*script->items));
    script->count = pieces.count;
    for (size_t i = 0; i < pieces.count; i++)
        script->items[i].piece = pieces.items[i];
    return understand(arena, script, err) || script_fail_at(script, script->problem, err);
}

/* ---- reading a file ---------------------------------------------------------------------- */

bool script_parse(Arena *arena, const char *name, const char *text, size_t length, Script *script,
                  Error *err)
{
    return parse(arena, name, text, length, SECTION_UP, script, err);
}

bool script_parse_down(Arena *arena, const char *name, const char *text, size_t length,
                       Script *script, Error *err)
{
    return parse(arena, name, text, length, SECTION_DOWN, script, err);
}

static bool read_file(Arena *arena, const char *path, SectionKind wanted, Script *script,
                      Error *err)
{
    char *text = NULL;
    size_t length = 0;
    char checksum[HASH_HEX_SIZE];
    return migration_text_read(arena, path, &text, &length, checksum, NULL, err) &&
           parse(arena, path_basename(path), text, length, wanted, script, err);
}

bool script_read(Arena *arena, const char *path, Script *script, Error *err)
{
    return read_file(arena, path, SECTION_UP, script, err);
}

bool script_read_down(Arena *arena, const char *path, Script *script, Error *err)
{
    return read_file(arena, path, SECTION_DOWN, script, err);
}
