/* How lint's report is printed, by `migrate lint` and where it refuses a run. */
#pragma once

#include "cli/command.h"
#include "lint/lint.h"

/* To the log's stream, as a compiler does; the first ten. */
void lint_print_errors(const Context *context, const LintReport *report);
json_t *lint_report_json(const LintReport *report);
bool lint_print_json(Context *context, const LintReport *report, Error *err) MUST_CHECK;
/* Static Analysis Results Interchange Format 2.1.0 (OASIS). */
bool lint_print_sarif(Context *context, const LintReport *report, Error *err) MUST_CHECK;
/* Workflow commands of GitHub Actions. */
bool lint_print_github(Context *context, const LintReport *report, Error *err) MUST_CHECK;
