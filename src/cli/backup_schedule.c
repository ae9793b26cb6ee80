/* `vaxdb backup schedule`: the nightly backup for cron or systemd. */
#include "base/file.h"
#include "cli/commands.h"
#include "flows/schedule.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define UNIT_FOLDER "/etc/systemd/system"

static bool own_path(const Context *context, const char **path, Error *err)
{
    char *buffer = arena_alloc(context->arena, PATH_MAX + 1);
    ssize_t length = readlink("/proc/self/exe", buffer, PATH_MAX);
    if (length <= 0)
        return error_set_errno(err, ERR_FAILED, errno, "cannot tell where this program is");
    buffer[length] = '\0';
    *path = buffer;
    return true;
}

static json_t *unit_json(const char *name, const char *text)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", json_text(name));
    (void)json_object_set_new(object, "text", json_text(text));
    return object;
}

static bool print_json(Context *context, const ScheduleSpec *spec, const Schedule *schedule,
                       Error *err)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "env", json_text(spec->env));
    (void)json_object_set_new(object, "time", json_text(spec->time));
    (void)json_object_set_new(object, "timezone", json_text(spec->timezone));
    (void)json_object_set_new(object, "time_here", json_text(schedule->time_here));
    (void)json_object_set_new(object, "cron", json_text(schedule->cron));
    (void)json_object_set_new(object, "service",
                              unit_json(schedule->service_name, schedule->service));
    (void)json_object_set_new(object, "timer", unit_json(schedule->timer_name, schedule->timer));
    return command_print_json(context, object, err);
}

static void print_units(const Context *context, const Schedule *schedule)
{
    (void)fprintf(context->out, "# " UNIT_FOLDER "/%s\n%s\n# " UNIT_FOLDER "/%s\n%s",
                  schedule->service_name, schedule->service, schedule->timer_name, schedule->timer);
    log_info(context->log, "Then: systemctl daemon-reload && systemctl enable --now %s",
             schedule->timer_name);
}

static bool run_schedule(Context *context, Error *err)
{
    char *config = NULL;
    char *state = NULL;
    Schedule schedule;
    const char *format = options_text(context->options, "format");
    const struct passwd *user = getpwuid(geteuid());
    ScheduleSpec spec = {
        .env = env_name(context->env),
        .user = user ? arena_strdup(context->arena, user->pw_name) : "root",
        .time = config_text(context->config, context->env, "backup_time"),
        .timezone = config_text(context->config, context->env, "timezone"),
    };
    const char *file = config_path(context->config);
    if (!own_path(context, &spec.program, err) ||
        (file && !path_absolute(context->arena, file, &config, err)) ||
        !path_absolute(context->arena, config_state_directory(context->config), &state, err))
        return false;
    spec.config = config;
    spec.state_directory = state;
    if (!schedule_write(context->arena, &spec, &schedule, err))
        return false;
    if (context->json)
        return print_json(context, &spec, &schedule, err);
    if (!str_equal(format, "systemd"))
        (void)fprintf(context->out, "%s", schedule.cron);
    if (!format)
        (void)fprintf(context->out, "\n");
    if (!str_equal(format, "cron"))
        print_units(context, &schedule);
    return true;
}

/* clang-format off */
static const OptionSpec schedule_options[] = {
    {.name = "format", .kind = OPTION_TEXT, .argument = "cron|systemd",
     .help = "print only that one"},
    OPTION_END,
};

const Command cli_backup_schedule_commands[] = {
    {.name = "backup schedule", .synopsis = "", .summary = "print a cron line and a systemd timer for the night",
     .details = "Prints what backs -e up every day at backup_time in the time zone timezone, and then\n"
                "deletes what nothing keeps any more: a line for `crontab -e`, and a systemd\n"
                "service with its timer. Use one of them. Nothing is installed.\n\n"
                "Cron goes by this machine's clock, so the time is converted; a timer knows time\n"
                "zones, and makes up for a night that the machine was off. The database's password\n"
                "belongs into ~/.pgpass of the user that runs it.",
     .example = "vaxdb backup schedule -e production    every night at 02:00",
     .options = schedule_options, .run = run_schedule},
    COMMAND_END,
};
/* clang-format on */
