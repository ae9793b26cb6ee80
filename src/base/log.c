#include "base/log.h"

#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <termios.h>

void log_init(Log *log, FILE *out, bool no_color)
{
    const char *term = getenv("TERM");
    const char *no_color_env = getenv("NO_COLOR");
    bool terminal = isatty(fileno(out));
    *log = (Log){
        .out = out,
        .terminal = terminal && !str_equal(term, "dumb"),
        .can_ask = terminal && isatty(STDIN_FILENO),
    };
    log->color = log->terminal && !no_color && str_empty(no_color_env);
}

/* A line of talk must not be drawn behind a progress bar, nor into the middle of what goes to
 * standard output where both go to one place. */
static void begin_line(Log *log)
{
    (void)fflush(stdout);
    if (log->bar_width) {
        (void)fprintf(log->out, "\r%*s\r", log->bar_width, "");
        log->bar_width = 0;
    }
}

static void say(Log *log, const char *prefix, const char *format, va_list arguments)
{
    begin_line(log);
    (void)fputs(prefix, log->out);
    (void)vfprintf(log->out, format, arguments);
    (void)fputc('\n', log->out);
    (void)fflush(log->out);
}

void log_info(Log *log, const char *format, ...)
{
    if (log->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(log, "", format, arguments);
    va_end(arguments);
}

void log_debug(Log *log, const char *format, ...)
{
    if (!log->verbose)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(log, "debug: ", format, arguments);
    va_end(arguments);
}

void log_warn(Log *log, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(log, log->color ? "\033[33mwarning:\033[0m " : "warning: ", format, arguments);
    va_end(arguments);
}

void log_error(Log *log, const Error *err)
{
    begin_line(log);
    (void)fprintf(log->out, "%serror:%s %s\n", log_red(log), log_reset(log), err->message);
    if (err->hint[0])
        (void)fprintf(log->out, "%shint:%s %s\n", log_bold(log), log_reset(log), err->hint);
    (void)fflush(log->out);
}

const char *log_bold(const Log *log)
{
    return log->color ? "\033[1m" : "";
}

const char *log_red(const Log *log)
{
    return log->color ? "\033[1;31m" : "";
}

const char *log_reset(const Log *log)
{
    return log->color ? "\033[0m" : "";
}

/* One line from standard input without its newline; false at its end. */
static bool read_answer(char *answer, size_t size)
{
    if (!fgets(answer, (int)size, stdin))
        return false;
    answer[strcspn(answer, "\n")] = '\0';
    return true;
}

bool log_confirm(Log *log, Error *err, const char *format, ...)
{
    if (log->assume_yes)
        return true;
    _cleanup_free_ char *question = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&question, format, arguments);
    va_end(arguments);
    if (length < 0) {
        question = NULL;
        return error_set(err, ERR_FAILED, "out of memory");
    }
    if (!log->can_ask) {
        (void)error_set(err, ERR_REFUSED, "%s: there is no terminal to ask on", question);
        return error_hint(err, "answer it beforehand with -y");
    }
    begin_line(log);
    (void)fprintf(log->out, "%s [y/N] ", question);
    (void)fflush(log->out);
    char answer[64];
    if (read_answer(answer, sizeof(answer)) &&
        (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0))
        return true;
    return error_set(err, ERR_REFUSED, "not confirmed; nothing was changed");
}

bool log_confirm_words(Log *log, const char *words, Error *err, const char *format, ...)
{
    _cleanup_free_ char *question = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&question, format, arguments);
    va_end(arguments);
    if (length < 0) {
        question = NULL;
        return error_set(err, ERR_FAILED, "out of memory");
    }
    if (!log->can_ask)
        return error_set(err, ERR_REFUSED, "%s: there is no terminal to ask on", question);
    begin_line(log);
    (void)fprintf(log->out, "%s\nType %s%s%s to go on: ", question, log_bold(log), words,
                  log_reset(log));
    (void)fflush(log->out);
    char answer[256];
    if (read_answer(answer, sizeof(answer)) && strcmp(answer, words) == 0)
        return true;
    return error_set(err, ERR_REFUSED, "not confirmed; nothing was changed");
}

/* Not by stdio, in whose buffer it would stay. A terminal gives one line at a time. */
static ssize_t read_line(char *line, size_t size)
{
    ssize_t got = 0;
    do
        got = read(STDIN_FILENO, line, size);
    while (got < 0 && errno == EINTR && !interrupt_pending());
    return got;
}

bool log_ask_secret(Log *log, const char *question, char *secret, size_t size, Error *err)
{
    struct termios shown;
    if (!log->can_ask || tcgetattr(STDIN_FILENO, &shown) != 0)
        return error_set(err, ERR_REFUSED, "%s: there is no terminal to ask on", question);
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden); /* before anybody begins to type */
    begin_line(log);
    (void)fprintf(log->out, "%s: ", question);
    (void)fflush(log->out);
    ssize_t got = read_line(secret, size);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    (void)fputc('\n', log->out);
    if (!interrupt_check(err))
        return false;
    if (got <= 0 || secret[got - 1] != '\n')
        return error_set(err, ERR_REFUSED, "%s: no line, or too long a one, was typed", question);
    secret[got - 1] = '\0';
    return true;
}
