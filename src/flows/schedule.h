/* The nightly backup as a cron line and as a systemd service with its timer: texts to install, and
 * nothing is installed. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>

typedef struct {
    const char *program; /* absolute */
    const char *config;  /* absolute; NULL: none is named */
    const char *state_directory;
    const char *env;
    const char *user;     /* whom the service runs as */
    const char *time;     /* "02:00" */
    const char *timezone; /* "Africa/Lagos" */
} ScheduleSpec;

typedef struct {
    const char *cron;      /* a comment, and the line */
    const char *time_here; /* "01:00": what `time` is by this machine's clock, which cron goes by */
    const char *service_name;
    const char *service;
    const char *timer_name;
    const char *timer;
} Schedule;

/* A time or a zone that is none is ERR_USAGE. */
bool schedule_write(Arena *arena, const ScheduleSpec *spec, Schedule *schedule,
                    Error *err) MUST_CHECK;
