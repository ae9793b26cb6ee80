#include "checklist/checklist.h"

#include "base/str.h"
#include "cli/commands.h"
#include "cli/watching.h"

#define TEXT_WIDTH 78
#define TOP_FIXES  3

/* clang-format off */
static const OptionSpec checklist_options[] = {
    {.name = "explain", .kind = OPTION_FLAG,
     .help = "print what counts as evidence for each item; looks at no database"},
    {.name = "nagios", .kind = OPTION_FLAG,
     .help = "print one line and exit with Nagios' 0, 1, 2 or 3"},
    OPTION_END,
};
/* clang-format on */

/* Text in lines of TEXT_WIDTH, each behind indent; the first behind first. A word longer than a
 * line stands alone. */
static void print_wrapped(FILE *out, const char *first, const char *indent, const char *text)
{
    size_t column = (size_t)fprintf(out, "%s", first);
    bool fresh = true;
    while (*text) {
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        if (!length)
            break;
        if (!fresh && column + 1 + length > TEXT_WIDTH) {
            column = (size_t)fprintf(out, "\n%s", indent) - 1;
            fresh = true;
        }
        column += (size_t)fprintf(out, "%s%.*s", fresh ? "" : " ", (int)length, text);
        fresh = false;
        text += length;
    }
    (void)fputc('\n', out);
}

static void print_section(const Context *context, const CheckItem *item, const char **section)
{
    if (str_equal(*section, item->section))
        return;
    (void)fprintf(context->out, "%s%s\n", *section ? "\n" : "", item->section);
    *section = item->section;
}

static bool explain(Context *context, const CheckItem *const *items, size_t count, Error *err)
{
    json_t *array = json_array();
    const char *section = NULL;
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "id", json_text(items[i]->id));
        (void)json_object_set_new(object, "section", json_text(items[i]->section));
        (void)json_object_set_new(object, "title", json_text(items[i]->title));
        (void)json_object_set_new(object, "evidence_rule", json_text(items[i]->evidence_rule));
        (void)json_array_append_new(array, object);
        if (context->json)
            continue;
        print_section(context, items[i], &section);
        (void)fprintf(context->out, "  %s (%s)\n", items[i]->title, items[i]->id);
        print_wrapped(context->out, "    ", "    ", items[i]->evidence_rule);
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "items", array);
    if (context->json)
        return command_print_json(context, object, err);
    json_decref(object);
    return true;
}

static json_t *result_json(const CheckResult *result)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "id", json_text(result->item->id));
    (void)json_object_set_new(object, "section", json_text(result->item->section));
    (void)json_object_set_new(object, "title", json_text(result->item->title));
    (void)json_object_set_new(object, "status",
                              json_text(check_status_name(result->outcome.status)));
    (void)json_object_set_new(object, "evidence", json_text(result->outcome.evidence));
    (void)json_object_set_new(object, "fix", json_text(result->outcome.fix));
    return object;
}

static bool print_json(Context *context, const Watching *watching, const ChecklistReport *report,
                       Error *err)
{
    json_t *items = json_array();
    json_t *totals = json_object();
    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(items, result_json(&report->results[i]));
    for (int status = 0; status < CHECK_STATUS_COUNT; status++)
        (void)json_object_set_new(totals, check_status_name((CheckStatus)status),
                                  json_integer((json_int_t)report->totals[status]));
    json_t *object = json_object();
    (void)json_object_set_new(object, "database", json_text(watching->identity.database));
    (void)json_object_set_new(object, "env", json_text(env_name(context->env)));
    (void)json_object_set_new(object, "items", items);
    (void)json_object_set_new(object, "totals", totals);
    return command_print_json(context, object, err);
}

static void print_result(const Context *context, const CheckResult *result)
{
    static const char *const words[] = {"PASS", "WARN", "FAIL", "SKIP"};
    FILE *out = context->out;
    (void)fprintf(out, "  %s  %s\n", words[result->outcome.status], result->item->title);
    print_wrapped(out, "        ", "        ", result->outcome.evidence);
    if (result->outcome.fix && result->outcome.status != CHECK_SKIP)
        print_wrapped(out, "        fix: ", "             ", result->outcome.fix);
}

static void print_text(const Context *context, const Watching *watching,
                       const ChecklistReport *report)
{
    FILE *out = context->out;
    const char *section = NULL;
    (void)fprintf(out, "Checklist of %s, database %s\n\n", env_name(context->env),
                  watching->identity.database);
    for (size_t i = 0; i < report->count; i++) {
        print_section(context, report->results[i].item, &section);
        print_result(context, &report->results[i]);
    }
    (void)fprintf(out, "\n%zu pass, %zu warn, %zu fail, %zu could not be looked at.\n",
                  report->totals[CHECK_PASS], report->totals[CHECK_WARN],
                  report->totals[CHECK_FAIL], report->totals[CHECK_SKIP]);
    const CheckResult *fixes[TOP_FIXES];
    size_t count = checklist_top_fixes(report, fixes, TOP_FIXES);
    if (count)
        (void)fputs("Begin with:\n", out);
    for (size_t i = 0; i < count; i++)
        print_wrapped(out, "  ", "    ", fixes[i]->outcome.fix);
}

/* One line and Nagios' own exit status: 0 ok, 1 warning, 2 critical; 3 nothing could be seen. */
static int print_nagios(const Context *context, const ChecklistReport *report)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    const size_t *totals = report->totals;
    int status = totals[CHECK_FAIL] ? 2 : totals[CHECK_WARN] ? 1 : totals[CHECK_PASS] ? 0 : 3;
    (void)fprintf(context->out,
                  "CHECKLIST %s - %zu pass, %zu warn, %zu fail, %zu skip"
                  " | pass=%zu warn=%zu fail=%zu skip=%zu\n",
                  words[status], totals[CHECK_PASS], totals[CHECK_WARN], totals[CHECK_FAIL],
                  totals[CHECK_SKIP], totals[CHECK_PASS], totals[CHECK_WARN], totals[CHECK_FAIL],
                  totals[CHECK_SKIP]);
    return status;
}

static bool look(Context *context, Watching *watching, const CheckItem *const *items, size_t count,
                 ChecklistReport *report, Error *err)
{
    if (!watching_open(context, watching, err))
        return false;
    ChecklistSpec spec = {
        .arena = context->arena,
        .log = context->log,
        .config = context->config,
        .env = context->env,
        .target = &watching->target,
        .state = watching->state,
        .session = watching->session,
        .identity = watching->identity,
        .flags = watching_flags(context),
    };
    return checklist_run(&spec, items, count, report, err);
}

static bool run_nagios(Context *context, const CheckItem *const *items, size_t count, Error *err)
{
    _cleanup_watching_ Watching watching = {0};
    ChecklistReport report;
    Error failure = {0};
    if (!look(context, &watching, items, count, &report, &failure)) {
        if (failure.code == ERR_INTERRUPTED) {
            *err = failure;
            return false;
        }
        (void)fprintf(context->out, "CHECKLIST UNKNOWN - %s\n",
                      str_one_line(context->arena, failure.message, 200));
        context->exit_status = 3;
        return true;
    }
    context->exit_status = print_nagios(context, &report);
    return true;
}

static bool run_checklist(Context *context, Error *err)
{
    const CheckItem **items = NULL;
    size_t count = 0;
    if (!checklist_select(context->arena, options_arguments(context->options), &items, &count, err))
        return false;
    if (options_flag(context->options, "explain"))
        return explain(context, items, count, err);
    if (options_flag(context->options, "nagios"))
        return run_nagios(context, items, count, err);
    _cleanup_watching_ Watching watching = {0};
    ChecklistReport report;
    if (!look(context, &watching, items, count, &report, err))
        return false;
    if (context->json) {
        if (!print_json(context, &watching, &report, err))
            return false;
    } else {
        print_text(context, &watching, &report);
    }
    if (!report.totals[CHECK_FAIL])
        return true;
    return error_set(err, ERR_PROBLEMS, "%zu item%s of the checklist failed",
                     report.totals[CHECK_FAIL], report.totals[CHECK_FAIL] == 1 ? "" : "s");
}

/* clang-format off */
const Command cli_checklist_commands[] = {
    {.name = "checklist", .synopsis = "[ID...]",
     .summary = "the guide's 34 items, looked at: PASS, WARN, FAIL or SKIP with evidence",
     .details = "ID is an item (indexing.brin) or a section (tuning, indexing, pooling, backups, "
                "migrations). What cannot be looked at is SKIP with the reason, never PASS. Ends with 4 "
                "when an item fails; a warning does not. --explain says what counts as evidence.",
     .example = "vaxdb checklist -e production backups",
     .options = checklist_options, .min_arguments = 0, .max_arguments = -1, .run = run_checklist},
    COMMAND_END,
};
/* clang-format on */
