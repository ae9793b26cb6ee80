#include "flows/schedule.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONES   "/usr/share/zoneinfo"
#define MONTH_S ((time_t)30 * 86400)

/* ---- the time ---------------------------------------------------------------------------- */

static bool parse_time(Arena *arena, const char *text, int *hour, int *minute, Error *err)
{
    StrList parts;
    int64_t hours = 0;
    int64_t minutes = 0;
    str_list_init(&parts, arena);
    str_split(&parts, text, ":");
    if (parts.count != 2 || strlen(text) > 5 || !str_to_int64(parts.items[0], 0, 23, &hours) ||
        strlen(parts.items[1]) != 2 || !str_to_int64(parts.items[1], 0, 59, &minutes)) {
        (void)error_set(err, ERR_USAGE, "backup_time: \"%s\" is no time of the day", text);
        return error_hint(err, "a time such as 02:00 or 22:30");
    }
    *hour = (int)hours;
    *minute = (int)minutes;
    return true;
}

/* An unknown zone would silently count as UTC. */
static bool check_zone(Arena *arena, const char *zone, Error *err)
{
    const char *path = path_join(arena, ZONES, zone);
    bool plain = *zone && *zone != '/' && !strstr(zone, "..") && !strpbrk(zone, " \t\n");
    if (plain && file_exists(path) && !file_is_directory(path))
        return true;
    (void)error_set(err, ERR_USAGE, "timezone: \"%s\" is no time zone that this machine knows",
                    zone);
    return error_hint(err, "a name such as Africa/Lagos or UTC (`timedatectl list-timezones`); the "
                           "package tzdata brings them");
}

static void use_zone(const char *zone)
{
    if (zone)
        (void)setenv("TZ", zone, 1);
    else
        (void)unsetenv("TZ");
    tzset();
}

/* What hour:minute in zone is by this machine's clock on the day of `day`, in minutes. */
static int minutes_here(const char *zone, int hour, int minute, time_t day)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *own = getenv("TZ");
    const char *before = own ? arena_strdup(arena, own) : NULL;
    struct tm there = {0};
    struct tm here = {0};
    use_zone(zone);
    (void)localtime_r(&day, &there);
    there.tm_hour = hour;
    there.tm_min = minute;
    there.tm_sec = 0;
    there.tm_isdst = -1;
    time_t moment = mktime(&there);
    use_zone(before);
    (void)localtime_r(&moment, &here);
    return here.tm_hour * 60 + here.tm_min;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool is_plain(const char *word)
{
    return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_-./:@+,=")] == '\0';
}

/* A word of a crontab's shell: in single quotes, and with % escaped, which cron takes for a newline
 * even there. */
static const char *cron_word(Arena *arena, const char *word)
{
    if (is_plain(word))
        return word;
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    (void)buffer_append_char(&out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            (void)buffer_append_str(&out, "'\\''");
        else if (*word == '%')
            (void)buffer_append_str(&out, "'\\%'");
        else
            (void)buffer_append_char(&out, *word);
    }
    (void)buffer_append_char(&out, '\'');
    return arena_strdup(arena, out.data);
}

/* A word of a unit's line (systemd.syntax): those of `doubled` stand for things there. */
static const char *unit_quote(Arena *arena, const char *word, const char *doubled)
{
    if (is_plain(word))
        return word;
    _cleanup_buffer_ Buffer out;
    buffer_init(&out, BUFFER_MAX_LINE);
    (void)buffer_append_char(&out, '"');
    for (; *word; word++) {
        if (strchr("\"\\", *word))
            (void)buffer_append_char(&out, '\\');
        if (strchr(doubled, *word))
            (void)buffer_append_char(&out, *word);
        (void)buffer_append_char(&out, *word);
    }
    (void)buffer_append_char(&out, '"');
    return arena_strdup(arena, out.data);
}

/* Of a command: variables count there, too. */
static const char *unit_word(Arena *arena, const char *word)
{
    return unit_quote(arena, word, "%$");
}

typedef const char *(*QuoteWord)(Arena *arena, const char *word);

/* "-e production --quiet --config FILE" */
static const char *arguments(Arena *arena, const ScheduleSpec *spec, QuoteWord quote)
{
    return arena_printf(arena, "-e %s --quiet%s%s", spec->env, spec->config ? " --config " : "",
                        spec->config ? quote(arena, spec->config) : "");
}

/* For a shell. A backup that could not be pushed (6) is one, and what is too old takes its room:
 * so prune follows, and the status is the first that is none of success. */
static const char *cron_command(Arena *arena, const ScheduleSpec *spec)
{
    const char *program = cron_word(arena, spec->program);
    const char *more = arguments(arena, spec, cron_word);
    return arena_printf(arena,
                        "%s backup create %s >/dev/null; s=$?; case $s in 0|6) "
                        "%s backup prune %s >/dev/null || s=$?;; esac; exit $s",
                        program, more, program, more);
}

/* The same as one command of a unit, where a second one would not follow a status of 6. */
static const char *unit_command(Arena *arena, const ScheduleSpec *spec)
{
    return arena_printf(arena,
                        "/bin/sh -c '\"$$0\" backup create \"$$@\"; s=$$?; case $$s in 0|6) "
                        "\"$$0\" backup prune \"$$@\" || s=$$?;; esac; exit $$s' %s %s",
                        unit_word(arena, spec->program), arguments(arena, spec, unit_word));
}

/* ---- the texts --------------------------------------------------------------------------- */

static void write_cron(Arena *arena, const ScheduleSpec *spec, int hour, int minute,
                       Schedule *schedule)
{
    time_t now = (time_t)clock_unix_s();
    int here = minutes_here(spec->timezone, hour, minute, now);
    const char *shift = "";
    schedule->time_here = arena_printf(arena, "%02d:%02d", here / 60, here % 60);
    for (int month = 1; month < 12; month++) {
        int then = minutes_here(spec->timezone, hour, minute, now + month * MONTH_S);
        if (then == here)
            continue;
        shift = arena_printf(arena,
                             "# In another part of the year it is %02d:%02d: one of the two zones "
                             "changes its clocks.\n# The systemd timer follows by itself.\n",
                             then / 60, then % 60);
        break;
    }
    schedule->cron = arena_printf(
        arena,
        "# %02d:%02d %s, which is %s by this machine's clock. Into `crontab -e` of %s.\n%s"
        "%d %d * * * VAXDB_STATE_DIR=%s; export VAXDB_STATE_DIR; %s\n",
        hour, minute, spec->timezone, schedule->time_here, spec->user, shift, here % 60, here / 60,
        cron_word(arena, spec->state_directory), cron_command(arena, spec));
}

static void write_units(Arena *arena, const ScheduleSpec *spec, int hour, int minute,
                        Schedule *schedule)
{
    const char *stem = arena_printf(arena, "vaxdb-backup-%s", spec->env);
    const char *state = arena_printf(arena, "VAXDB_STATE_DIR=%s", spec->state_directory);
    schedule->service_name = arena_printf(arena, "%s.service", stem);
    schedule->timer_name = arena_printf(arena, "%s.timer", stem);
    schedule->service = arena_printf(arena,
                                     "[Unit]\n"
                                     "Description=vaxdb: back up the %s database\n"
                                     "Wants=network-online.target\n"
                                     "After=network-online.target\n"
                                     "\n"
                                     "[Service]\n"
                                     "Type=oneshot\n"
                                     "User=%s\n"
                                     "Environment=%s\n"
                                     "ExecStart=%s\n"
                                     "Nice=10\n"
                                     "IOSchedulingClass=best-effort\n"
                                     "IOSchedulingPriority=7\n",
                                     spec->env, spec->user, unit_quote(arena, state, "%"),
                                     unit_command(arena, spec));
    schedule->timer = arena_printf(arena,
                                   "[Unit]\n"
                                   "Description=vaxdb: back up the %s database every night\n"
                                   "\n"
                                   "[Timer]\n"
                                   "OnCalendar=*-*-* %02d:%02d:00 %s\n"
                                   "Persistent=true\n"
                                   "\n"
                                   "[Install]\n"
                                   "WantedBy=timers.target\n",
                                   spec->env, hour, minute, spec->timezone);
}

bool schedule_write(Arena *arena, const ScheduleSpec *spec, Schedule *schedule, Error *err)
{
    int hour = 0;
    int minute = 0;
    *schedule = (Schedule){0};
    if (!parse_time(arena, spec->time, &hour, &minute, err) ||
        !check_zone(arena, spec->timezone, err))
        return false;
    write_cron(arena, spec, hour, minute, schedule);
    write_units(arena, spec, hour, minute, schedule);
    return true;
}
