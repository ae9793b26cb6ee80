/* The page of a drill's report. */
#include "flows/drill_report.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n";

static const char style[] =
    "<style>\n"
    "body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 56rem; "
    "padding: 0 1rem; color: #1b1f24; background: #fff; }\n"
    "h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; "
    "border-bottom: 1px solid #d5dae0; overflow-wrap: anywhere; }\n"
    "td.number, th.number { text-align: right; white-space: nowrap; }\n"
    ".verdict { padding: .1rem .5rem; border-radius: .3rem; color: #fff; white-space: nowrap; }\n"
    ".pass { background: #17693a; } .fail { background: #a3161b; } .skip { background: #5b6470; }\n"
    "@media print { body { margin: 0; max-width: none; } }\n"
    "</style>\n";

/* Text that is not ours: a table's name may hold anything. */
static void add_text(Buffer *page, const char *text)
{
    for (const char *at = text; *at; at++) {
        switch (*at) {
        case '&':
            (void)buffer_append_str(page, "&amp;");
            break;
        case '<':
            (void)buffer_append_str(page, "&lt;");
            break;
        case '>':
            (void)buffer_append_str(page, "&gt;");
            break;
        case '"':
            (void)buffer_append_str(page, "&quot;");
            break;
        case '\'':
            (void)buffer_append_str(page, "&#39;");
            break;
        default:
            (void)buffer_append(page, at, 1);
        }
    }
}

static void add_cell(Buffer *page, const char *text)
{
    (void)buffer_append_str(page, "<td>");
    add_text(page, text);
    (void)buffer_append_str(page, "</td>");
}

static void add_number(Buffer *page, const char *text)
{
    (void)buffer_append_str(page, "<td class=\"number\">");
    add_text(page, text);
    (void)buffer_append_str(page, "</td>");
}

/* The word says it too: colour alone would not reach everybody. */
static void add_verdict(Buffer *page, bool passed)
{
    (void)buffer_append_str(page, passed ? "<span class=\"verdict pass\">PASS</span>"
                                         : "<span class=\"verdict fail\">FAIL</span>");
}

static void add_fact(Buffer *page, const char *name, const char *value)
{
    (void)buffer_append_str(page, "<tr><th scope=\"row\">");
    add_text(page, name);
    (void)buffer_append_str(page, "</th>");
    add_cell(page, value);
    (void)buffer_append_str(page, "</tr>\n");
}

static void add_facts(Buffer *page, Arena *arena, const DrillReport *report, const char *env)
{
    (void)buffer_append_str(page, "<table>\n");
    add_fact(page, "Backup", path_basename(report->path));
    add_fact(page, "Of", env);
    add_fact(page, "Begun", clock_iso_utc(arena, report->started_at));
    if (report->snapshot_at) {
        int64_t age_s = report->started_at - report->snapshot_at;
        add_fact(page, "Shows the database of",
                 arena_printf(arena, "%s (%s before the drill: what a loss would have cost)",
                              clock_iso_utc(arena, report->snapshot_at),
                              str_duration(arena, (double)(age_s > 0 ? age_s : 0) * 1000)));
    }
    add_fact(page, "Time to recover", str_duration(arena, report->seconds * 1000));
    if (report->packed_bytes)
        add_fact(page, "Size",
                 arena_printf(arena, "%s, %s of SQL, %s rows",
                              str_bytes(arena, report->packed_bytes),
                              str_bytes(arena, report->raw_bytes), str_count(arena, report->rows)));
    if (!str_empty(report->server))
        add_fact(page, "Restored on", report->server);
    if (!str_empty(report->tool_version))
        add_fact(page, "Done by", arena_printf(arena, "vaxdb %s", report->tool_version));
    (void)buffer_append_str(page, "</table>\n");
}

static void add_checks(Buffer *page, const DrillReport *report)
{
    (void)buffer_append_str(page, "<h2>Checks</h2>\n<table>\n<tr><th>Check</th><th>Result</th>"
                                  "<th>Found</th></tr>\n");
    for (size_t i = 0; i < report->check_count; i++) {
        const DrillCheck *check = &report->checks[i];
        (void)buffer_append_str(page, "<tr>");
        add_cell(page, check->name);
        (void)buffer_append_str(page, "<td>");
        if (check->skipped)
            (void)buffer_append_str(page, "<span class=\"verdict skip\">SKIPPED</span>");
        else
            add_verdict(page, check->ok);
        (void)buffer_append_str(page, "</td>");
        add_cell(page, check->detail);
        (void)buffer_append_str(page, "</tr>\n");
    }
    (void)buffer_append_str(page, "</table>\n");
}

static void add_phases(Buffer *page, Arena *arena, const DrillReport *report)
{
    (void)buffer_append_str(page, "<h2>Time by phase</h2>\n<table>\n<tr><th>Phase</th>"
                                  "<th class=\"number\">Seconds</th></tr>\n");
    for (size_t i = 0; i < report->phase_count; i++) {
        (void)buffer_append_str(page, "<tr>");
        add_cell(page, report->phases[i].name);
        add_number(page, arena_printf(arena, "%.1f", report->phases[i].seconds));
        (void)buffer_append_str(page, "</tr>\n");
    }
    (void)buffer_append_str(page, "</table>\n");
}

static void add_history(Buffer *page, Arena *arena, const StateDrill *history, size_t count)
{
    if (!count)
        return;
    (void)buffer_append_str(page, "<h2>Drills so far</h2>\n<table>\n<tr><th>Begun</th>"
                                  "<th>Backup</th><th>Verdict</th>"
                                  "<th class=\"number\">Seconds</th></tr>\n");
    for (size_t i = 0; i < count; i++) {
        (void)buffer_append_str(page, "<tr>");
        add_cell(page, clock_iso_utc(arena, history[i].started_at));
        add_cell(page, path_basename(history[i].path));
        (void)buffer_append_str(page, "<td>");
        add_verdict(page, history[i].passed);
        (void)buffer_append_str(page, "</td>");
        add_number(page, arena_printf(arena, "%.1f", history[i].seconds));
        (void)buffer_append_str(page, "</tr>\n");
    }
    (void)buffer_append_str(page, "</table>\n");
}

char *drill_report_html(Arena *arena, const DrillReport *report, const char *env,
                        const StateDrill *history, size_t count)
{
    _cleanup_buffer_ Buffer page;
    buffer_init(&page, BUFFER_MAX_FILE);
    (void)buffer_append_str(&page, head);
    (void)buffer_append_str(&page, "<title>");
    add_text(&page, arena_printf(arena, "Recovery drill of %s: %s", path_basename(report->path),
                                 report->passed ? "pass" : "fail"));
    (void)buffer_append_str(&page, "</title>\n");
    (void)buffer_append_str(&page, style);
    (void)buffer_append_str(&page, "</head>\n<body>\n<h1>Recovery drill ");
    add_verdict(&page, report->passed);
    (void)buffer_append_str(&page, "</h1>\n");
    add_facts(&page, arena, report, env);
    add_checks(&page, report);
    add_phases(&page, arena, report);
    add_history(&page, arena, history, count);
    (void)buffer_append_str(&page, "</body>\n</html>\n");
    return arena_strdup(arena, page.data);
}
