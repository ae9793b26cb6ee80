#include "base/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t pending;

static void on_signal(int signal_number)
{
    if (pending) { /* asked twice: the default action, now */
        (void)signal(signal_number, SIG_DFL);
        (void)raise(signal_number);
        return;
    }
    pending = 1;
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: waits must wake up */
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool interrupt_pending(void)
{
    return pending != 0;
}

bool interrupt_check(Error *err)
{
    if (pending)
        return error_set(err, ERR_INTERRUPTED, "interrupted");
    return true;
}

void interrupt_clear(void)
{
    pending = 0;
}
