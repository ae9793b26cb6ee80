#include "base/progress.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/table.h"

#define BAR_CELLS          24
#define LABEL_LEAST        12
#define TERMINAL_PERIOD_MS 100
#define PLAIN_PERIOD_MS    5000

void progress_start(Progress *progress, Log *log, const char *label, int64_t total,
                    ProgressKind kind, const char *unit)
{
    int64_t now = clock_monotonic_ms();
    *progress = (Progress){.log = log,
                           .label = label,
                           .unit = unit,
                           .kind = kind,
                           .total = total,
                           .started_ms = now,
                           .drawn_ms = now};
}

static const char *amount(const Progress *progress, Arena *arena, int64_t value)
{
    return progress->kind == PROGRESS_BYTES ? str_bytes(arena, value) : str_count(arena, value);
}

/* "512,000 of 1,000,000 rows, 310,220 rows/s, 2 s left" */
static char *describe(const Progress *progress, Arena *arena, int64_t now_ms)
{
    double seconds = (double)(now_ms - progress->started_ms) / 1000;
    double rate = seconds > 0 ? (double)progress->done / seconds : 0;
    const char *unit = progress->kind == PROGRESS_BYTES ? "" : progress->unit;
    const char *space = progress->kind == PROGRESS_BYTES ? "" : " ";
    const char *speed = amount(progress, arena, (int64_t)rate);
    if (progress->total <= 0)
        return arena_printf(arena, "%s%s%s, %s%s%s/s", amount(progress, arena, progress->done),
                            space, unit, speed, space, unit);
    if (progress->done <= 0)
        return arena_printf(arena, "%s of %s%s%s", amount(progress, arena, progress->done),
                            amount(progress, arena, progress->total), space, unit);
    double left_ms = rate > 0 ? (double)(progress->total - progress->done) / rate * 1000 : 0;
    const char *left = left_ms < 1000 ? "<1 s" : str_duration(arena, left_ms);
    return arena_printf(
        arena, "%s of %s%s%s, %s%s%s/s, %s left", amount(progress, arena, progress->done),
        amount(progress, arena, progress->total), space, unit, speed, space, unit, left);
}

/* Without the bar, then with the beginning of the label only: a wrapped line could not be redrawn.
 */
static char *fit(const Progress *progress, Arena *arena, const char *text, size_t columns)
{
    size_t used = str_width(text) + sizeof(": ");
    if (used + LABEL_LEAST > columns)
        return arena_strndup(arena, text, columns - 1);
    size_t room = columns - used;
    const char *label = progress->label;
    if (str_width(label) > room)
        label = str_one_line(arena, label, room - strlen("..."));
    return arena_printf(arena, "%s: %s", label, text);
}

static void draw(Progress *progress, int64_t now_ms)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Log *log = progress->log;
    const char *text = describe(progress, arena, now_ms);
    if (!log->terminal) {
        log_info(log, "%s: %s", progress->label, text);
        return;
    }
    char bar[BAR_CELLS * 3 + 1];
    size_t at = 0;
    int filled = progress->total > 0 ? (int)(progress->done * BAR_CELLS / progress->total) : 0;
    for (int i = 0; i < BAR_CELLS && progress->total > 0; i++)
        bar[at++] = i < filled ? '#' : '.';
    bar[at] = '\0';
    char *line = arena_printf(arena, "%s %s%s%s", progress->label, bar, at ? " " : "", text);
    size_t columns = table_terminal_width(log->out);
    if (columns && str_width(line) >= columns)
        line = fit(progress, arena, text, columns);
    (void)fprintf(log->out, "\r%s\033[K", line);
    (void)fflush(log->out);
    log->bar_width = (int)str_width(line);
}

void progress_update(Progress *progress, int64_t done)
{
    progress->done = done;
    if (done < progress->check_at || progress->log->quiet)
        return;
    int64_t now = clock_monotonic_ms();
    int64_t period = progress->log->terminal ? TERMINAL_PERIOD_MS : PLAIN_PERIOD_MS;
    /* Look at the clock about 1,000 times over the whole work, not once per row. */
    progress->check_at = done + (progress->total > 0 ? progress->total / 1000 : 0);
    if (now - progress->drawn_ms < period)
        return;
    progress->drawn_ms = now;
    draw(progress, now);
}

void progress_show(Progress *progress)
{
    if (progress->log->quiet)
        return;
    progress->drawn_ms = clock_monotonic_ms();
    draw(progress, progress->drawn_ms);
}

void progress_finish(Progress *progress)
{
    _cleanup_arena_ Arena *arena = arena_create();
    int64_t now = clock_monotonic_ms();
    double ms = (double)(now - progress->started_ms);
    double rate = ms > 0 ? (double)progress->done / ms * 1000 : (double)progress->done;
    const char *unit = progress->kind == PROGRESS_BYTES ? "" : progress->unit;
    const char *space = progress->kind == PROGRESS_BYTES ? "" : " ";
    log_info(progress->log, "%s: %s%s%s in %s (%s%s%s/s)", progress->label,
             amount(progress, arena, progress->done), space, unit, str_duration(arena, ms),
             amount(progress, arena, (int64_t)rate), space, unit);
}

void progress_abandon(Progress *progress)
{
    Log *log = progress->log;
    if (log->bar_width) {
        (void)fprintf(log->out, "\r%*s\r", log->bar_width, "");
        (void)fflush(log->out);
        log->bar_width = 0;
    }
}
