/* What the commands that restore on trial share: `drill` and `backup verify`. */
#pragma once

#include "cli/command.h"
#include "flows/drill.h"

/* As the settings of -e say; on a scratch cluster of its own. */
DrillSpec drilling_spec(const Context *context, const char *path);
/* The table of checks and the line with the verdict. */
void drilling_print(const Context *context, const DrillReport *report);
/* True when it passed; else ERR_PROBLEMS with the first check that failed. */
bool drilling_verdict(const DrillReport *report, Error *err) MUST_CHECK;
