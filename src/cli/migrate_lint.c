#include "cli/migrate_lint.h"
#include "base/str.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/migrate_work.h"

/* Of a run that lint refuses. */
#define SHOWN_ERRORS 10

static const OptionSpec lint_options[] = {
    DIR_OPTION,
    {.name = "format",
     .kind = OPTION_TEXT,
     .argument = "text|json|sarif|github",
     .fallback = "text",
     .help = "sarif is version 2.1.0; github are annotations of a workflow"},
    {.name = "strict", .kind = OPTION_FLAG, .help = "warnings fail too"},
    {.name = "rules",
     .kind = OPTION_FLAG,
     .help = "list the rules, their reasons and what is safe"},
    OPTION_END,
};

/* ---- the rules ----------------------------------------------------------------------------- */

static bool rules_json(Context *context, Error *err)
{
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "rule", json_text(rules[i]->id));
        (void)json_object_set_new(object, "severity",
                                  json_text(lint_severity_name(rules[i]->severity)));
        (void)json_object_set_new(object, "needs_database",
                                  json_boolean(rules[i]->needs_catalogue));
        (void)json_object_set_new(object, "certain", json_boolean(rules[i]->certain));
        (void)json_object_set_new(object, "reason", json_text(rules[i]->reason));
        (void)json_object_set_new(object, "help", json_text(rules[i]->help));
        (void)json_array_append_new(array, object);
    }
    json_t *object = json_object();
    (void)json_object_set_new(object, "rules", array);
    return command_print_json(context, object, err);
}

static bool print_rules(Context *context, Error *err)
{
    if (context->json)
        return rules_json(context, err);
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(context->out, "%s: %s%s%s\n    %s\n    help: %s\n", rules[i]->id,
                      lint_severity_name(rules[i]->severity),
                      rules[i]->certain ? ", cannot be ignored" : "",
                      rules[i]->needs_catalogue ? ", needs the database" : "", rules[i]->reason,
                      rules[i]->help);
    log_info(context->log, "%zu rules", count);
    return true;
}

/* ---- as a compiler prints them --------------------------------------------------------------- */

static void print_underline(FILE *out, const LintFinding *finding)
{
    int column = 1;
    for (const char *c = finding->source; *c && column < finding->source_column; c++) {
        if (((unsigned char)*c & 0xC0) != 0x80) {
            (void)fputc(*c == '\t' ? '\t' : ' ', out);
            column++;
        }
    }
    (void)fputc('^', out);
    for (int i = 1; i < finding->width; i++)
        (void)fputc('~', out);
    (void)fputc('\n', out);
}

/* Bytes that a terminal would act on are shown as spaces. */
static void print_source(FILE *out, const char *source)
{
    for (const char *c = source; *c; c++) {
        bool control = ((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7F;
        (void)fputc(control ? ' ' : *c, out);
    }
    (void)fputc('\n', out);
}

static void print_finding(const Log *log, FILE *out, const LintFinding *finding)
{
    bool color = log->color && table_terminal_width(out) > 0;
    const char *bold = color ? log_bold(log) : "";
    const char *red = color && finding->severity == LINT_ERROR ? log_red(log) : bold;
    const char *reset = color ? log_reset(log) : "";
    (void)fprintf(out, "%s%s:%d:%d:%s %s%s:%s %s [%s]\n", bold, finding->file, finding->line,
                  finding->column, reset, red, lint_severity_name(finding->severity), reset,
                  finding->message, finding->rule->id);
    if (*finding->source) {
        (void)fprintf(out, "%5d | ", finding->line);
        print_source(out, finding->source);
        (void)fprintf(out, "      | ");
        print_underline(out, finding);
    }
    (void)fprintf(out, "      help: %s\n", finding->help);
}

void lint_print_errors(const Context *context, const LintReport *report)
{
    FILE *out = context->log->out;
    size_t shown = 0;
    for (size_t i = 0; i < report->count && shown < SHOWN_ERRORS; i++) {
        if (report->items[i].severity != LINT_ERROR)
            continue;
        print_finding(context->log, out, &report->items[i]);
        shown++;
    }
    if (shown < report->errors)
        (void)fprintf(out, "and %zu more: vaxdb migrate lint -e %s\n", report->errors - shown,
                      env_name(context->env));
}

static bool print_text(Context *context, const LintReport *report, Error *err)
{
    (void)err;
    for (size_t i = 0; i < report->count; i++) {
        if (!context->log->quiet || report->items[i].severity != LINT_INFO)
            print_finding(context->log, context->out, &report->items[i]);
    }
    return true;
}

/* ---- the command --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*print)(Context *context, const LintReport *report, Error *err);
} formats[] = {
    {"text", print_text},
    {"json", lint_print_json},
    {"sarif", lint_print_sarif},
    {"github", lint_print_github},
};

static bool print_report(Context *context, const LintReport *report, Error *err)
{
    const char *format = context->json ? "json" : options_text(context->options, "format");
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (str_equal(formats[i].name, format))
            return formats[i].print(context, report, err);
    }
    return false;
}

/* A database that was asked for must answer; one that is only configured is used where it does,
 * and never started for this. */
static bool connect(Context *context, MigrateWork *work, Error *err)
{
    if (options_given(context->options, "env") || command_url(context))
        return migrate_work_open(context, work, err);
    *work = (MigrateWork){.context = context};
    const char *why = NULL;
    Error quiet = {0};
    if (!target_is_there(context->arena, context->config, context->env, &why) ||
        !migrate_work_open(context, work, &quiet)) {
        if (quiet.code == ERR_INTERRUPTED) {
            *err = quiet;
            return false;
        }
        log_info(context->log, "Without a database (%s): rules of the parse tree only",
                 why ? why : quiet.message);
    }
    return true;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(const Context *context, const LintReport *report)
{
    StrList parts;
    str_list_init(&parts, context->arena);
    str_list_addf(&parts, "%zu error%s", report->errors, plural(report->errors));
    str_list_addf(&parts, "%zu warning%s", report->warnings, plural(report->warnings));
    str_list_addf(&parts, "%zu info%s", report->infos, plural(report->infos));
    if (report->ignored)
        str_list_addf(&parts, "%zu ignored", report->ignored);
    if (report->not_analysed)
        str_list_addf(&parts, "%zu not analysed", report->not_analysed);
    log_info(context->log, "%zu file%s, %zu statement%s: %s", report->files, plural(report->files),
             report->statements, plural(report->statements),
             str_list_join(&parts, context->arena, ", "));
}

static bool verdict(const Context *context, const LintReport *report, Error *err)
{
    size_t failing =
        report->errors + (options_flag(context->options, "strict") ? report->warnings : 0);
    if (failing == 0)
        return true;
    if (report->errors > 0)
        (void)error_set(err, ERR_PROBLEMS, "lint found %zu error%s", report->errors,
                        plural(report->errors));
    else
        (void)error_set(err, ERR_PROBLEMS, "lint found %zu warning%s, and --strict was given",
                        report->warnings, plural(report->warnings));
    return error_hint(err, "mend them; what is meant as it is says so: "
                           "-- lint:ignore RULE reason");
}

static bool run_lint(Context *context, Error *err)
{
    if (options_flag(context->options, "rules"))
        return print_rules(context, err);
    _cleanup_migrate_work_ MigrateWork work = {0};
    LintOptions options = {.files = options_arguments(context->options)};
    if (!migrations_locate(context->arena, context->config, context->env, &options.directory,
                           err) ||
        !connect(context, &work, err))
        return false;
    options.session = work.session;
    options.ledger_table = work.options.ledger_table;
    LintReport report;
    if (!lint_folder(context->arena, &options, &report, err) ||
        !print_report(context, &report, err))
        return false;
    print_summary(context, &report);
    return verdict(context, &report, err);
}

const Command cli_migrate_lint_commands[] = {
    {"migrate lint", "[FILE...]", "find what is dangerous or wrong in migrations before they run",
     "Judges the files that are not applied yet, or those named, and exits 4 when there is an "
     "error. With -e or --url it looks into that database: sizes, columns, indexes; otherwise "
     "only where the configured one is running already.\n\n"
     "A comment leaves a finding out, with its reason: above a statement, behind it on its line, "
     "or "
     "for the whole file in its first comments:\n\n"
     "  -- lint:ignore RULE reason\n"
     "  -- lint:ignore-file RULE reason",
     "vaxdb migrate lint -e staging     with the sizes and indexes of staging", lint_options, 0, -1,
     false, run_lint},
    COMMAND_END,
};
