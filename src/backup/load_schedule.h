/* What the sessions of a restore do next. Knows no server, and is used under the lock of the crew.
 *
 * Rows come first, the biggest tables first. One that is more than the share of a session is copied
 * by all of them; each other one by a single session, which may then empty and freeze it. As soon
 * as nothing can add rows to a table any more its indexes are built, several of them at once where
 * that pays, and then its constraints are added. */
#pragma once

#include "backup/load_plan.h"
#include "backup/row_values.h"

typedef struct {
    const char *name;
    ValueKind kind; /* UNKNOWN: its table's rows are loaded as text */
} LoadColumn;

typedef struct LoadRelation LoadRelation;
struct LoadRelation {
    const char *schema;
    const char *name;
    bool partitioned;
    bool extension;       /* an extension made it, perhaps with rows */
    bool wanted;          /* its rows are */
    bool kept;            /* it is there; all but wanted ones are empty */
    LoadRelation *root;   /* of its partitions; itself when it is none */
    LoadRelation *parent; /* of a partition; NULL when it is none */
    const LoadColumn *columns;
    size_t column_count;
    /* The schedule's own. */
    int64_t raw_bytes;
    size_t pending; /* COPY statements that may still add rows */
    LoadStep **steps;
    size_t step_count, step_capacity;
    size_t building; /* indexes that are begun or can be */
    bool busy;       /* a foreign key of it is being added */
};

/* Sorted by schema and name. */
typedef struct {
    LoadRelation *items;
    size_t count;
} LoadRelations;

/* NULL when it is none of them. */
LoadRelation *load_relations_find(const LoadRelations *relations, const char *schema,
                                  const char *name);

typedef struct {
    const LoadTable *table;
    LoadRelation *relation; /* NULL: the catalogue has no such table */
    bool frozen;            /* TRUNCATE and COPY FREEZE, by one session */
    bool shared;            /* by all sessions */
    size_t next;            /* member that nobody has taken */
    int active;
    bool begun;
} LoadRows;

typedef enum {
    LOAD_TASK_ROWS,
    LOAD_TASK_DATA,   /* sequences and large objects */
    LOAD_TASK_SERIES, /* all indexes and constraints of a table, in their order */
    LOAD_TASK_BUILD,  /* one index, beside others of the table */
    LOAD_TASK_FINISH, /* the constraints of a table */
} LoadTaskKind;

typedef struct {
    LoadTaskKind kind;
    LoadRows *rows;
    LoadRelation *relation;
    LoadStep *step;
    int64_t weight;
    bool alone; /* nobody else has anything to do */
} LoadTask;

typedef struct LoadSchedule LoadSchedule;

/* Rows of tables of extensions are not in it: others may depend on them, so they come before. */
LoadSchedule *load_schedule_create(Arena *arena, LoadPlan *plan, const LoadRelations *relations,
                                   int jobs);

typedef enum { LOAD_TAKEN, LOAD_LATER, LOAD_NOTHING_LEFT } LoadTaking;
LoadTaking load_schedule_take(LoadSchedule *schedule, LoadTask *task);
void load_schedule_finish(LoadSchedule *schedule, const LoadTask *task);
/* The next member of a table's rows; false when they are all taken. */
bool load_schedule_next_member(LoadRows *rows, size_t *member);
