#include "checklist/facts.h"

#include <assert.h>
#include <stdarg.h>

const char *check_status_name(CheckStatus status)
{
    static const char *const names[] = {"pass", "warn", "fail", "skip"};
    assert((size_t)status < COUNT_OF(names));
    return names[status];
}

static bool answer(Facts *facts, CheckOutcome *outcome, CheckStatus status, const char *format,
                   va_list arguments)
{
    outcome->status = status;
    outcome->evidence = arena_vprintf(facts->arena, format, arguments);
    return true;
}

#define ANSWER(status)                                                                             \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        bool answered = answer(facts, outcome, status, format, arguments);                         \
        va_end(arguments);                                                                         \
        return answered;                                                                           \
    } while (0)

bool check_pass(Facts *facts, CheckOutcome *outcome, const char *format, ...)
{
    ANSWER(CHECK_PASS);
}

bool check_warn(Facts *facts, CheckOutcome *outcome, const char *format, ...)
{
    ANSWER(CHECK_WARN);
}

bool check_fail(Facts *facts, CheckOutcome *outcome, const char *format, ...)
{
    ANSWER(CHECK_FAIL);
}

bool check_skip(Facts *facts, CheckOutcome *outcome, const char *format, ...)
{
    ANSWER(CHECK_SKIP);
}

void check_fix(Facts *facts, CheckOutcome *outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    outcome->fix = arena_vprintf(facts->arena, format, arguments);
    va_end(arguments);
}

static bool is_wanted(const CheckItem *item, const char *word)
{
    size_t length = strlen(word);
    bool is_section = strncmp(item->id, word, length) == 0 && item->id[length] == '.';
    return is_section || str_equal(item->id, word);
}

static bool unknown_item(Arena *arena, const char *word, Error *err)
{
    const char *names[CHECKLIST_COUNT];
    for (size_t i = 0; i < CHECKLIST_COUNT; i++)
        names[i] = checklist_items[i].id;
    const char *nearest = str_nearest(word, names, CHECKLIST_COUNT);
    (void)error_set(err, ERR_USAGE, "the checklist has no item \"%s\"", word);
    if (nearest)
        return error_hint(err, "did you mean %s?", nearest);
    return error_hint(err, "%s", arena_strdup(arena, "`vaxdb checklist --explain` lists them"));
}

bool checklist_select(Arena *arena, const StrList *wanted, const CheckItem ***items, size_t *count,
                      Error *err)
{
    bool chosen[CHECKLIST_COUNT] = {false};
    for (size_t w = 0; w < wanted->count; w++) {
        bool found = false;
        for (size_t i = 0; i < CHECKLIST_COUNT; i++) {
            if (is_wanted(&checklist_items[i], wanted->items[w]))
                found = chosen[i] = true;
        }
        if (!found)
            return unknown_item(arena, wanted->items[w], err);
    }
    *items = arena_array(arena, CHECKLIST_COUNT, sizeof(**items));
    *count = 0;
    for (size_t i = 0; i < CHECKLIST_COUNT; i++) {
        if (chosen[i] || !wanted->count)
            (*items)[(*count)++] = &checklist_items[i];
    }
    return true;
}

/* The fix of the table, with {env} replaced. */
static const char *fix_of(const ChecklistSpec *spec, const CheckItem *item)
{
    const char *place = strstr(item->fix, "{env}");
    if (!place)
        return item->fix;
    return arena_printf(spec->arena, "%.*s%s%s", (int)(place - item->fix), item->fix, spec->flags,
                        place + strlen("{env}"));
}

static bool run_item(Facts *facts, const CheckItem *item, CheckOutcome *outcome, Error *err)
{
    Error failure = {0};
    *outcome = (CheckOutcome){.status = CHECK_SKIP, .fix = fix_of(facts->spec, item)};
    if (!item->probe(facts, outcome, &failure)) {
        if ((failure.code != ERR_FAILED && failure.code != ERR_USAGE) ||
            session_is_lost(facts->spec->session)) {
            *err = failure;
            return error_context(err, "%s", item->id);
        }
        (void)check_skip(facts, outcome, "could not be looked at: %s", failure.message);
    }
    assert(!str_empty(outcome->evidence));
    if (outcome->status == CHECK_PASS)
        outcome->fix = NULL;
    return true;
}

bool checklist_run(const ChecklistSpec *spec, const CheckItem *const *items, size_t count,
                   ChecklistReport *report, Error *err)
{
    assert(count <= CHECKLIST_COUNT);
    Facts facts = {.spec = spec, .arena = spec->arena};
    *report = (ChecklistReport){0};
    for (size_t i = 0; i < count; i++) {
        CheckResult *result = &report->results[report->count++];
        result->item = items[i];
        if (!run_item(&facts, items[i], &result->outcome, err))
            return false;
        report->totals[result->outcome.status]++;
    }
    return true;
}

size_t checklist_top_fixes(const ChecklistReport *report, const CheckResult **fixes, size_t max)
{
    static const CheckStatus order[] = {CHECK_FAIL, CHECK_WARN};
    size_t found = 0;
    for (size_t o = 0; o < COUNT_OF(order); o++) {
        for (size_t i = 0; i < report->count && found < max; i++) {
            const CheckResult *result = &report->results[i];
            bool repeated = false;
            for (size_t f = 0; f < found; f++)
                repeated = repeated || str_equal(fixes[f]->outcome.fix, result->outcome.fix);
            if (result->outcome.status == order[o] && !repeated)
                fixes[found++] = result;
        }
    }
    return found;
}
