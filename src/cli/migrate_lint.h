/* How `migrate lint` prints its report for machines. */
#pragma once

#include "cli/command.h"
#include "lint/lint.h"

bool lint_print_json(Context *context, const LintReport *report, Error *err) MUST_CHECK;
/* Static Analysis Results Interchange Format 2.1.0 (OASIS). */
bool lint_print_sarif(Context *context, const LintReport *report, Error *err) MUST_CHECK;
/* Workflow commands of GitHub Actions. */
bool lint_print_github(Context *context, const LintReport *report, Error *err) MUST_CHECK;
