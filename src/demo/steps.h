/* The steps of the tour, one row each. */
#pragma once

#include "demo/demo.h"
#include "pg/cluster.h"
#include "pg/queries.h"
#include "pg/session.h"

typedef struct {
    Arena *arena;
    Log *log;
    State *state;
    const DemoOptions *options;
    Cluster cluster;
    const char *migrations;
    const char *queries_directory;
    QueryList queries;
    const char *backup_directory;
    const char *backup; /* path of the backup that was made */
    json_t *claims;     /* borrowed from the report */
} Demo;

typedef struct {
    const char *id;
    const char *title;
    /* Says what it does with demo_say and leaves figures in facts. */
    bool (*run)(Demo *demo, json_t *facts, Error *err);
} DemoStep;

extern const DemoStep demo_steps[];
extern const size_t demo_steps_count;

/* One line of the tour, indented; nothing under --json. */
void demo_say(const Demo *demo, const char *format, ...) PRINTF_LIKE(2, 3);
void demo_set_text(json_t *facts, const char *key, const char *value);
void demo_set_int(json_t *facts, const char *key, int64_t value);
/* A session with the private database of an environment. */
bool demo_connect(const Demo *demo, EnvKind env, Session **session, Error *err) MUST_CHECK;

/* Steps of steps_watch.c. */
bool demo_watch(Demo *demo, json_t *facts, Error *err) MUST_CHECK;
bool demo_checklist(Demo *demo, json_t *facts, Error *err) MUST_CHECK;
