#include "base/file.h"
#include "base/str.h"
#include "lint/engine.h"

#include <assert.h>

#define SOURCE_MAX    400 /* bytes of a line that are kept whole */
#define SOURCE_BEFORE 120 /* of a longer one, before the finding */

const char *lint_severity_name(LintSeverity severity)
{
    static const char *const names[] = {"info", "warning", "error"};
    return names[severity];
}

/* ---- places ------------------------------------------------------------------------------ */

static PlaceCursor advance(PlaceCursor at, const char *text, size_t offset)
{
    for (; at.offset < offset; at.offset++) {
        if (text[at.offset] == '\n') {
            at.line++;
            at.column = 1;
            at.line_start = at.offset + 1;
        } else if (((unsigned char)text[at.offset + 1] & 0xC0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

static void move_to(LintRun *run, size_t offset)
{
    if (run->cursor.offset > offset)
        run->cursor = run->anchor;
    if (run->cursor.offset > offset)
        run->cursor = (PlaceCursor){.line = 1, .column = 1};
    run->cursor = advance(run->cursor, run->text->file.text, offset);
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static int characters(const char *text, size_t length)
{
    int count = 0;
    for (size_t i = 0; i < length; i++)
        count += !continues(text[i]);
    return count;
}

/* The word at offset; what is no word is underlined by one character. */
static int width_at(const LintFile *file, size_t offset)
{
    SqlLexer lexer;
    sql_lexer_init(&lexer, file->text + offset, file->length - offset);
    SqlToken token = sql_lexer_next(&lexer);
    size_t length = token.start == 0 && token.kind != TOKEN_END ? token.length : 1;
    const char *newline = memchr(file->text + offset, '\n', length);
    if (newline)
        length = (size_t)(newline - (file->text + offset));
    int width = characters(file->text + offset, length);
    return width > 0 ? width : 1;
}

static void take_source(LintRun *run, LintFinding *finding)
{
    const LintFile *file = &run->text->file;
    size_t start = run->cursor.line_start, at = run->cursor.offset;
    finding->source_column = finding->column;
    if (run->source_line && run->source_at == start) {
        finding->source = run->source_line;
        return;
    }
    size_t limit = file->length - at > SOURCE_MAX ? at + SOURCE_MAX : file->length;
    const char *end = memchr(file->text + at, '\n', limit - at);
    size_t stop = end ? (size_t)(end - file->text) : limit;
    if (stop - start <= SOURCE_MAX && (end || limit == file->length)) {
        finding->source = arena_strndup(run->arena, file->text + start, stop - start);
        run->source_line = finding->source;
        run->source_at = start;
        return;
    }
    size_t from = at - start > SOURCE_BEFORE ? at - SOURCE_BEFORE : start;
    size_t to = stop - from > SOURCE_MAX ? from + SOURCE_MAX : stop;
    while (from < at && continues(file->text[from]))
        from++;
    while (to > at && to < file->length && continues(file->text[to]))
        to--;
    finding->source = arena_strndup(run->arena, file->text + from, to - from);
    finding->source_column = characters(file->text + from, at - from) + 1;
}

/* ---- adding ------------------------------------------------------------------------------ */

void findings_add(LintRun *run, size_t offset, const LintRule *rule, LintSeverity severity,
                  const char *help, const char *message)
{
    LintText *text = run->text;
    if (!text->file.reported || (text->pair_only && !str_equal(rule->id, "down-does-not-undo")))
        return;
    if (ignores_take(run, rule)) {
        run->report->ignored++;
        return;
    }
    if (offset > text->file.length)
        offset = text->file.length;
    move_to(run, offset);
    LintFinding finding = {.file = text->file.path,
                           .name = text->file.name,
                           .line = run->cursor.line,
                           .column = run->cursor.column,
                           .width = width_at(&text->file, offset),
                           .rule = rule,
                           .severity = severity,
                           .message = arena_strdup(run->arena, message),
                           .help = help ? arena_strdup(run->arena, help) : rule->help};
    take_source(run, &finding);
    LintReport *report = run->report;
    ARENA_PUSH(run->arena, report->items, report->count, report->capacity, finding);
}

const LintRule *findings_rule(const char *id)
{
    const LintRule *rule = lint_rule_find(id);
    assert(rule);
    return rule;
}

size_t findings_offset(const LintStatement *now, int64_t location)
{
    return now->start + (location > 0 && (size_t)location <= now->length ? (size_t)location : 0);
}

void lint_add(const LintStatement *now, const char *rule, int64_t location, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(now->arena, format, arguments);
    va_end(arguments);
    const LintRule *row = findings_rule(rule);
    findings_add(now->run, findings_offset(now, location), row, row->severity, NULL, message);
}

void lint_add_severity(const LintStatement *now, const char *rule, LintSeverity severity,
                       int64_t location, const char *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(now->arena, format, arguments);
    va_end(arguments);
    findings_add(now->run, findings_offset(now, location), findings_rule(rule), severity, help,
                 message);
}

void lint_add_at(LintRun *run, const LintFile *file, size_t offset, const char *rule,
                 const char *format, ...)
{
    assert(file == &run->text->file);
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(run->work, format, arguments);
    va_end(arguments);
    const LintRule *row = findings_rule(rule);
    findings_add(run, offset, row, row->severity, NULL, message);
}

int lint_server_version(const LintStatement *now)
{
    return model_server_version(now->model);
}

bool lint_is_down(const LintStatement *now)
{
    return now->file->direction == RUN_DOWN;
}

json_t *lint_memory(const LintStatement *now)
{
    return now->run->memory;
}

/* ---- the report -------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const LintFinding *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    int order = strcmp(x->rule->id, y->rule->id);
    return order != 0 ? order : strcmp(x->message, y->message);
}

void findings_sort(LintReport *report, size_t from)
{
    if (report->count > from + 1)
        qsort(report->items + from, report->count - from, sizeof(*report->items), compare);
}

void findings_count(LintReport *report)
{
    for (size_t i = 0; i < report->count; i++) {
        LintSeverity severity = report->items[i].severity;
        report->errors += severity == LINT_ERROR;
        report->warnings += severity == LINT_WARNING;
        report->infos += severity == LINT_INFO;
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

bool lint_refusal(const LintReport *report, Error *err)
{
    char warnings[48] = "";
    if (report->warnings)
        (void)snprintf(warnings, sizeof(warnings), " and %zu warning%s", report->warnings,
                       plural(report->warnings));
    (void)error_set(err, ERR_REFUSED, "lint found %zu error%s%s in what would run, so nothing ran",
                    report->errors, plural(report->errors), warnings);
    return error_hint(err, "mend %s; what is meant as it is says so: -- lint:ignore RULE reason",
                      report->errors == 1 ? "it" : "them");
}
