#include "base/str.h"
#include "lint/engine.h"

#include <assert.h>

#define MARK "lint:ignore"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* One line of a comment, without its "--" or "/" and "*". */
static void take_line(LintRun *run, LintText *text, size_t at, size_t end, size_t statement)
{
    const char *source = text->file.text;
    while (at < end && (is_space(source[at]) || source[at] == '*'))
        at++;
    size_t mark = sizeof(MARK) - 1;
    if (end - at < mark || strncasecmp(source + at, MARK, mark) != 0)
        return;
    Ignore ignore = {.offset = at, .statement = statement};
    at += mark;
    if (end - at >= 5 && strncasecmp(source + at, "-file", 5) == 0) {
        ignore.whole_file = true;
        at += 5;
    }
    while (at < end && (is_space(source[at]) || source[at] == ':'))
        at++;
    size_t rule = at;
    while (at < end && !is_space(source[at]))
        at++;
    ignore.rule = arena_strndup(run->work, source + rule, at - rule);
    ignore.reason = str_trim(arena_strndup(run->work, source + at, end - at));
    Ignores *ignores = &text->ignores;
    ignore.late = ignore.whole_file && text->script.count > 0 &&
                  ignore.offset > text->script.items[0].piece.start;
    if (ignore.whole_file && !ignore.late && *ignore.reason)
        (void)json_object_set_new(ignores->whole, ignore.rule,
                                  json_integer((json_int_t)ignores->count));
    ARENA_PUSH(run->work, ignores->items, ignores->count, ignores->capacity, ignore);
}

/* The comments of a stretch that holds no tokens. before: the statement whose last line it begins
 * on, SIZE_MAX for none; after: the one that follows. */
static void read_gap(LintRun *run, LintText *text, size_t start, size_t end, size_t before,
                     size_t after)
{
    const char *source = text->file.text;
    size_t owner = before == SIZE_MAX ? after : before;
    for (size_t at = start; at < end;) {
        if (source[at] == '\n')
            owner = after;
        bool dashes = source[at] == '-' && at + 1 < end && source[at + 1] == '-';
        bool block = source[at] == '/' && at + 1 < end && source[at + 1] == '*';
        if (!dashes && !block) {
            at++;
            continue;
        }
        size_t stop = at;
        if (dashes) {
            const char *newline = memchr(source + at, '\n', end - at);
            stop = newline ? (size_t)(newline - source) : end;
        } else if (!sql_skip_block_comment(source, end, &stop)) {
            return;
        }
        size_t last = block ? stop - 2 : stop;
        for (size_t line = at + 2; line < last;) {
            const char *newline = memchr(source + line, '\n', last - line);
            size_t line_end = newline ? (size_t)(newline - source) : last;
            take_line(run, text, line, line_end, owner);
            line = line_end + 1;
            if (newline)
                owner = after;
        }
        at = stop;
    }
}

static void read_statement(LintRun *run, LintText *text, size_t index)
{
    const SqlPiece *piece = &text->script.items[index].piece;
    SqlLexer lexer;
    sql_lexer_init(&lexer, text->file.text + piece->start, piece->length);
    size_t end = 0;
    for (;;) {
        SqlToken token = sql_lexer_next(&lexer);
        if (token.kind == TOKEN_END || token.kind == TOKEN_ERROR)
            return;
        read_gap(run, text, piece->start + end, piece->start + token.start, index, index);
        end = token.start + token.length;
    }
}

void ignores_read(LintRun *run, LintText *text)
{
    text->ignores = (Ignores){0};
    if (!strcasestr(text->file.text, MARK))
        return;
    text->ignores.whole = json_object();
    size_t at = 0, before = SIZE_MAX;
    for (size_t i = 0; i < text->script.count; i++) {
        const SqlPiece *piece = &text->script.items[i].piece;
        read_gap(run, text, at, piece->start, before, i);
        read_statement(run, text, i);
        at = piece->start + piece->length;
        before = i;
        if (!piece->copy)
            continue;
        at = piece->data + piece->data_length;
        before = SIZE_MAX;
    }
    read_gap(run, text, at, text->file.length, before, SIZE_MAX);
}

/* The first comment about the statement or one behind it. */
static size_t first_of(const Ignores *ignores, size_t statement)
{
    size_t low = 0, high = ignores->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ignores->items[middle].statement < statement)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool ignores_take(LintRun *run, const LintRule *rule)
{
    Ignores *ignores = &run->text->ignores;
    if (rule->certain || ignores->count == 0)
        return false;
    bool taken = false;
    const json_t *whole = json_object_get(ignores->whole, rule->id);
    if (whole) {
        ignores->items[json_integer_value(whole)].used = true;
        taken = true;
    }
    for (size_t i = run->statement == SIZE_MAX ? ignores->count : first_of(ignores, run->statement);
         i < ignores->count && ignores->items[i].statement == run->statement; i++) {
        Ignore *ignore = &ignores->items[i];
        if (!ignore->whole_file && *ignore->reason && str_equal(ignore->rule, rule->id)) {
            ignore->used = true;
            taken = true;
        }
    }
    return taken;
}

static const char *nearest_rule(const char *word)
{
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    _cleanup_free_ const char **names = calloc(count, sizeof(*names));
    assert(names);
    for (size_t i = 0; i < count; i++)
        names[i] = rules[i]->id;
    return str_nearest(word, names, count);
}

static void report_one(LintRun *run, const Ignore *ignore)
{
    const LintFile *file = &run->text->file;
    const LintRule *rule = lint_rule_find(ignore->rule);
    if (!rule) {
        const char *nearest = nearest_rule(ignore->rule);
        lint_add_at(run, file, ignore->offset, "unused-ignore", "there is no rule %s%s%s%s",
                    *ignore->rule ? ignore->rule : "named", nearest ? "; did you mean " : "",
                    nearest ? nearest : "", nearest ? "?" : "");
    } else if (rule->certain) {
        lint_add_at(run, file, ignore->offset, "unused-ignore",
                    "%s cannot be ignored: the server would refuse the file", rule->id);
    } else if (ignore->late) {
        lint_add_at(run, file, ignore->offset, "unused-ignore",
                    "a comment for the whole file belongs above its first statement");
    } else if (!*ignore->reason) {
        lint_add_at(run, file, ignore->offset, "ignore-without-reason",
                    "no reason is given, so %s is not left out", rule->id);
    } else if (!ignore->used && (run->report->catalogue || !rule->needs_catalogue)) {
        lint_add_at(run, file, ignore->offset, "unused-ignore", "%s finds nothing here", rule->id);
    }
}

void ignores_report(LintRun *run)
{
    const Ignores *ignores = &run->text->ignores;
    run->statement = SIZE_MAX;
    for (size_t i = 0; i < ignores->count; i++)
        report_one(run, &ignores->items[i]);
}
