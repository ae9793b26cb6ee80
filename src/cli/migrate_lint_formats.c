#include "base/buffer.h"
#include "cli/migrate_lint.h"

#include <ctype.h>

/* ---- JSON ---------------------------------------------------------------------------------- */

static json_t *finding_json(const LintFinding *finding)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "file", json_text(finding->file));
    (void)json_object_set_new(object, "line", json_integer(finding->line));
    (void)json_object_set_new(object, "column", json_integer(finding->column));
    (void)json_object_set_new(object, "rule", json_text(finding->rule->id));
    (void)json_object_set_new(object, "severity", json_text(lint_severity_name(finding->severity)));
    (void)json_object_set_new(object, "message", json_text(finding->message));
    (void)json_object_set_new(object, "help", json_text(finding->help));
    return object;
}

json_t *lint_report_json(const LintReport *report)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(findings, finding_json(&report->items[i]));
    json_t *object = json_object();
    (void)json_object_set_new(object, "findings", findings);
    (void)json_object_set_new(object, "errors", json_integer((json_int_t)report->errors));
    (void)json_object_set_new(object, "warnings", json_integer((json_int_t)report->warnings));
    (void)json_object_set_new(object, "infos", json_integer((json_int_t)report->infos));
    (void)json_object_set_new(object, "ignored", json_integer((json_int_t)report->ignored));
    (void)json_object_set_new(object, "not_analysed",
                              json_integer((json_int_t)report->not_analysed));
    (void)json_object_set_new(object, "files", json_integer((json_int_t)report->files));
    (void)json_object_set_new(object, "statements", json_integer((json_int_t)report->statements));
    (void)json_object_set_new(object, "catalogue", json_boolean(report->catalogue));
    return object;
}

bool lint_print_json(Context *context, const LintReport *report, Error *err)
{
    return command_print_json(context, lint_report_json(report), err);
}

/* ---- SARIF --------------------------------------------------------------------------------- */

static const char *sarif_level(LintSeverity severity)
{
    static const char *const levels[] = {"note", "warning", "error"};
    return levels[severity];
}

static json_t *sarif_text(const char *text)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "text", json_text(text));
    return object;
}

static json_t *sarif_rules(void)
{
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *rule = json_object();
        (void)json_object_set_new(rule, "id", json_text(rules[i]->id));
        (void)json_object_set_new(rule, "shortDescription", sarif_text(rules[i]->reason));
        (void)json_object_set_new(rule, "help", sarif_text(rules[i]->help));
        json_t *level = json_object();
        (void)json_object_set_new(level, "level", json_text(sarif_level(rules[i]->severity)));
        (void)json_object_set_new(rule, "defaultConfiguration", level);
        (void)json_array_append_new(array, rule);
    }
    return array;
}

/* A path as a URI reference: what is not allowed there is written %XX. */
static const char *uri_of(Arena *arena, const char *path)
{
    _cleanup_buffer_ Buffer uri;
    buffer_init(&uri, BUFFER_MAX_LINE);
    (void)buffer_append_str(&uri, *path == '/' ? "file://" : "");
    for (const char *c = path; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~/", *c))
            (void)buffer_append_char(&uri, *c);
        else
            (void)buffer_printf(&uri, "%%%02X", (unsigned)(unsigned char)*c);
    }
    return arena_strdup(arena, uri.data);
}

static json_t *sarif_location(Arena *arena, const LintFinding *finding)
{
    json_t *region = json_object();
    (void)json_object_set_new(region, "startLine", json_integer(finding->line));
    (void)json_object_set_new(region, "startColumn", json_integer(finding->column));
    (void)json_object_set_new(region, "endColumn", json_integer(finding->column + finding->width));
    json_t *artifact = json_object();
    (void)json_object_set_new(artifact, "uri", json_text(uri_of(arena, finding->file)));
    json_t *physical = json_object();
    (void)json_object_set_new(physical, "artifactLocation", artifact);
    (void)json_object_set_new(physical, "region", region);
    json_t *location = json_object();
    (void)json_object_set_new(location, "physicalLocation", physical);
    return location;
}

static json_t *sarif_result(Arena *arena, const LintFinding *finding)
{
    json_t *result = json_object();
    (void)json_object_set_new(result, "ruleId", json_text(finding->rule->id));
    (void)json_object_set_new(result, "level", json_text(sarif_level(finding->severity)));
    const char *message = arena_printf(arena, "%s. %s", finding->message, finding->help);
    (void)json_object_set_new(result, "message", sarif_text(message));
    json_t *locations = json_array();
    (void)json_array_append_new(locations, sarif_location(arena, finding));
    (void)json_object_set_new(result, "locations", locations);
    return result;
}

bool lint_print_sarif(Context *context, const LintReport *report, Error *err)
{
    json_t *driver = json_object();
    (void)json_object_set_new(driver, "name", json_text("vaxdb"));
    (void)json_object_set_new(driver, "version", json_text(VAXDB_VERSION));
    (void)json_object_set_new(driver, "rules", sarif_rules());
    json_t *tool = json_object();
    (void)json_object_set_new(tool, "driver", driver);
    json_t *results = json_array();
    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(results, sarif_result(context->arena, &report->items[i]));
    json_t *run = json_object();
    (void)json_object_set_new(run, "tool", tool);
    (void)json_object_set_new(run, "columnKind", json_text("unicodeCodePoints"));
    (void)json_object_set_new(run, "results", results);
    json_t *runs = json_array();
    (void)json_array_append_new(runs, run);
    _cleanup_json_ json_t *log = json_object();
    (void)json_object_set_new(log, "$schema",
                              json_text("https://json.schemastore.org/sarif-2.1.0.json"));
    (void)json_object_set_new(log, "version", json_text("2.1.0"));
    (void)json_object_set_new(log, "runs", runs);
    return json_print(log, context->out, err);
}

/* ---- GitHub -------------------------------------------------------------------------------- */

/* In a message "%", "\r" and "\n" are escaped; in a property ":" and "," too. */
static void print_escaped(FILE *out, const char *text, bool property)
{
    for (; *text; text++) {
        bool special = strchr("%\r\n", *text) || (property && strchr(":,", *text));
        if (special)
            (void)fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            (void)fputc(*text, out);
    }
}

bool lint_print_github(Context *context, const LintReport *report, Error *err)
{
    static const char *const levels[] = {"notice", "warning", "error"};
    (void)err;
    for (size_t i = 0; i < report->count; i++) {
        const LintFinding *finding = &report->items[i];
        (void)fprintf(context->out, "::%s file=", levels[finding->severity]);
        print_escaped(context->out, finding->file, true);
        (void)fprintf(context->out, ",line=%d,col=%d,endColumn=%d,title=", finding->line,
                      finding->column, finding->column + finding->width);
        print_escaped(context->out, finding->rule->id, true);
        (void)fprintf(context->out, "::");
        print_escaped(context->out, finding->message, false);
        print_escaped(context->out, "\nhelp: ", false);
        print_escaped(context->out, finding->help, false);
        (void)fputc('\n', context->out);
    }
    return true;
}
