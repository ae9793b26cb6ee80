/* Ctrl-C and SIGTERM: the first one asks the program to stop in order, the second ends it at once.
 *
 * Long loops and every wait of pg/session.h look at interrupt_pending(); a session then cancels the
 * statement on the server before it returns ERR_INTERRUPTED. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

void interrupt_install(void);
bool interrupt_pending(void);
/* False with ERR_INTERRUPTED when one is pending. */
bool interrupt_check(Error *err) MUST_CHECK;
/* For tests, and for work that must be finished (a rename in progress) before obeying. */
void interrupt_clear(void);
