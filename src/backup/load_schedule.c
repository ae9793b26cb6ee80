#include "backup/load_schedule.h"

#include "base/str.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What it takes to build an index, as a part of what it takes to copy the rows. */
#define INDEX_WEIGHT_DIVISOR 4
/* Below this the indexes of a table are not worth more than one session. */
#define SMALL_BYTES ((int64_t)4 << 20)
/* Nor its rows. */
#define SHARED_MIN_BYTES ((int64_t)32 << 20)
/* A new file for the table costs more than to freeze so little saves. */
#define FROZEN_MIN_BYTES ((int64_t)64 << 10)

struct LoadSchedule {
    Arena *arena;
    LoadRelations relations;
    LoadRows *rows; /* biggest first */
    size_t rows_count;
    size_t rows_next; /* before it all are taken */
    LoadTask *ready;
    size_t ready_count, ready_capacity;
    int running;
};

/* ---- relations --------------------------------------------------------------------------- */

static int compare_names(const char *schema, const char *name, const LoadRelation *relation)
{
    int order = strcmp(schema, relation->schema);
    return order ? order : strcmp(name, relation->name);
}

LoadRelation *load_relations_find(const LoadRelations *relations, const char *schema,
                                  const char *name)
{
    size_t from = 0;
    size_t to = relations->count;
    while (schema && name && from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare_names(schema, name, &relations->items[middle]);
        if (order == 0)
            return &relations->items[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* ---- what follows the rows of a table ---------------------------------------------------- */

static void push(LoadSchedule *schedule, const LoadTask *task)
{
    ARENA_PUSH(schedule->arena, schedule->ready, schedule->ready_count, schedule->ready_capacity,
               *task);
}

static bool builds_beside(const LoadStep *step)
{
    return step->what.kind == LOAD_INDEX || (step->what.kind == LOAD_KEY && step->what.index_sql);
}

/* All its rows are there. */
static void release(LoadSchedule *schedule, LoadRelation *relation)
{
    LoadTask task = {.relation = relation, .weight = relation->raw_bytes / INDEX_WEIGHT_DIVISOR};
    if (!relation->step_count)
        return;
    if (relation->step_count == 1 || relation->raw_bytes < SMALL_BYTES) {
        task.kind = LOAD_TASK_SERIES;
        push(schedule, &task);
        return;
    }
    task.kind = LOAD_TASK_BUILD;
    for (size_t i = 0; i < relation->step_count; i++) {
        if (!builds_beside(relation->steps[i]))
            continue;
        task.step = relation->steps[i];
        relation->building++;
        push(schedule, &task);
    }
    if (relation->building)
        return;
    task.kind = LOAD_TASK_FINISH;
    push(schedule, &task);
}

/* Calls it for each relation that rows copied into this one may reach. */
static void for_each_target(LoadSchedule *schedule, LoadRelation *relation,
                            void (*function)(LoadSchedule *, LoadRelation *))
{
    if (!relation)
        return;
    if (!relation->partitioned) {
        function(schedule, relation);
        return;
    }
    for (size_t i = 0; i < schedule->relations.count; i++) {
        LoadRelation *part = &schedule->relations.items[i];
        if (part->root == relation->root)
            function(schedule, part);
    }
}

static void add_pending(LoadSchedule *schedule, LoadRelation *relation)
{
    (void)schedule;
    relation->pending++;
}

static void drop_pending(LoadSchedule *schedule, LoadRelation *relation)
{
    assert(relation->pending);
    if (--relation->pending == 0)
        release(schedule, relation);
}

/* ---- before it begins -------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const LoadRows *left = a;
    const LoadRows *right = b;
    if (left->table->raw_bytes != right->table->raw_bytes)
        return left->table->raw_bytes > right->table->raw_bytes ? -1 : 1;
    return left->table < right->table ? -1 : left->table > right->table;
}

static void plan_rows(LoadSchedule *schedule, const LoadPlan *plan, int jobs)
{
    int64_t total = 0;
    schedule->rows = arena_array(schedule->arena, plan->table_count, sizeof(*schedule->rows));
    for (size_t i = 0; i < plan->table_count; i++) {
        const LoadTable *table = &plan->tables[i];
        LoadRelation *relation =
            load_relations_find(&schedule->relations, table->schema, table->name);
        if (relation && (relation->extension || !relation->wanted))
            continue;
        schedule->rows[schedule->rows_count++] = (LoadRows){.table = table, .relation = relation};
        for_each_target(schedule, relation, add_pending);
        if (relation)
            relation->raw_bytes += table->raw_bytes;
        total += table->raw_bytes;
    }
    qsort(schedule->rows, schedule->rows_count, sizeof(*schedule->rows), compare_rows);
    for (size_t i = 0; i < schedule->rows_count; i++) {
        LoadRows *rows = &schedule->rows[i];
        /* A little more than its share is not worth a table that is not frozen. */
        rows->shared = jobs > 1 && rows->table->member_count > 1 &&
                       rows->table->raw_bytes >= SHARED_MIN_BYTES &&
                       rows->table->raw_bytes > total / jobs + total / 10;
        rows->frozen = !rows->shared && rows->relation && !rows->relation->partitioned &&
                       rows->relation->pending == 1 && rows->table->raw_bytes >= FROZEN_MIN_BYTES;
    }
}

static void plan_steps(LoadSchedule *schedule, LoadPlan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        LoadStep *step = &plan->steps[i];
        LoadRelation *relation =
            load_relations_find(&schedule->relations, step->what.schema, step->what.name);
        if (relation && !relation->kept)
            step->done = true;
        bool early = step->what.kind == LOAD_INDEX || step->what.kind == LOAD_KEY ||
                     step->what.kind == LOAD_EXCLUSION;
        /* What is made for a partitioned table is a matter of the catalogue, and of order. */
        if (early && relation && relation->kept && !relation->partitioned)
            ARENA_PUSH(schedule->arena, relation->steps, relation->step_count,
                       relation->step_capacity, step);
    }
}

LoadSchedule *load_schedule_create(Arena *arena, LoadPlan *plan, const LoadRelations *relations,
                                   int jobs)
{
    LoadSchedule *schedule = arena_alloc(arena, sizeof(*schedule));
    *schedule = (LoadSchedule){.arena = arena, .relations = *relations};
    plan_rows(schedule, plan, jobs);
    plan_steps(schedule, plan);
    if (plan->has_data) {
        LoadTask data = {.kind = LOAD_TASK_DATA, .weight = INT64_MAX};
        push(schedule, &data);
    }
    for (size_t i = 0; i < relations->count; i++) {
        if (!relations->items[i].pending)
            release(schedule, &relations->items[i]);
    }
    return schedule;
}

/* ---- taking ------------------------------------------------------------------------------ */

static bool is_taken(const LoadRows *rows)
{
    return rows->begun && (!rows->shared || rows->next == rows->table->member_count);
}

static LoadTask take_rows(LoadSchedule *schedule, LoadRows *rows)
{
    rows->begun = true;
    rows->active++;
    schedule->running++;
    return (LoadTask){.kind = LOAD_TASK_ROWS, .rows = rows};
}

LoadTaking load_schedule_take(LoadSchedule *schedule, LoadTask *task)
{
    size_t best = 0;
    for (size_t i = 1; i < schedule->ready_count; i++) {
        if (schedule->ready[i].weight > schedule->ready[best].weight)
            best = i;
    }
    while (schedule->rows_next < schedule->rows_count &&
           is_taken(&schedule->rows[schedule->rows_next]))
        schedule->rows_next++;
    LoadRows *rows =
        schedule->rows_next < schedule->rows_count ? &schedule->rows[schedule->rows_next] : NULL;
    if (rows && (!schedule->ready_count || schedule->ready[best].weight < rows->table->raw_bytes)) {
        *task = take_rows(schedule, rows);
        return LOAD_TAKEN;
    }
    if (!schedule->ready_count)
        return schedule->running ? LOAD_LATER : LOAD_NOTHING_LEFT;
    *task = schedule->ready[best];
    schedule->ready[best] = schedule->ready[--schedule->ready_count];
    task->alone = !schedule->running && !schedule->ready_count && !rows;
    schedule->running++;
    return LOAD_TAKEN;
}

void load_schedule_finish(LoadSchedule *schedule, const LoadTask *task)
{
    LoadRows *rows = task->rows;
    LoadRelation *relation = task->relation;
    schedule->running--;
    if (task->kind == LOAD_TASK_ROWS) {
        if (--rows->active == 0 && is_taken(rows))
            for_each_target(schedule, rows->relation, drop_pending);
    } else if (task->kind == LOAD_TASK_BUILD && --relation->building == 0) {
        LoadTask finish = {.kind = LOAD_TASK_FINISH, .relation = relation, .weight = task->weight};
        push(schedule, &finish);
    }
}

bool load_schedule_next_member(LoadRows *rows, size_t *member)
{
    if (rows->next == rows->table->member_count)
        return false;
    *member = rows->table->members[rows->next++];
    return true;
}
