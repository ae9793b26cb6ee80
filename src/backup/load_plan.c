#include "backup/load_plan.h"

#include "base/interrupt.h"
#include "base/str.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *sql; /* the last statement that set it */
    int64_t line;
} Setting;

typedef struct {
    Arena *arena;
    LoadPlan *plan;
    const ArchiveIndex *index;
    size_t member; /* at hand */
    /* The block at hand. */
    const char *copy_sql;
    int64_t copy_line;
    size_t copy_member;
    bool rows_seen;
    bool in_transaction; /* BEGIN was there, and no COMMIT yet */
    size_t table_capacity, step_capacity, settings_capacity;
    Setting *in_force;
    size_t in_force_count, in_force_capacity;
    bool settings_changed; /* since the last of plan->settings */
} Planning;

static void obstacle(Planning *planning, const char *what)
{
    if (!planning->plan->obstacle)
        planning->plan->obstacle = what;
}

/* ---- settings ---------------------------------------------------------------------------- */

static void take_setting(Planning *planning, const char *name, const char *sql, int64_t line)
{
    Setting *setting = NULL;
    for (size_t i = 0; i < planning->in_force_count && !setting; i++) {
        if (str_equal(planning->in_force[i].name, name))
            setting = &planning->in_force[i];
    }
    if (!setting) {
        const Setting added = {.name = name};
        ARENA_PUSH(planning->arena, planning->in_force, planning->in_force_count,
                   planning->in_force_capacity, added);
        setting = &planning->in_force[planning->in_force_count - 1];
    }
    if (str_equal(setting->sql, sql))
        return;
    setting->sql = arena_strdup(planning->arena, sql);
    setting->line = line;
    planning->settings_changed = true;
    /* The rules by which statements are read here. */
    if (str_equal(name, "standard_conforming_strings") && strstr(sql, "off"))
        obstacle(planning, "its strings have backslash escapes");
}

/* The number in plan->settings of those in force. */
static size_t settings_now(Planning *planning)
{
    LoadPlan *plan = planning->plan;
    if (planning->settings_changed || !plan->settings_count) {
        size_t count = planning->in_force_count;
        const char **kept = arena_array(planning->arena, count, sizeof(*kept));
        int64_t *lines = arena_array(planning->arena, count, sizeof(*lines));
        for (size_t i = 0; i < count; i++) {
            kept[i] = planning->in_force[i].sql;
            lines[i] = planning->in_force[i].line;
        }
        LoadSettings settings = {kept, lines, count};
        ARENA_PUSH(planning->arena, plan->settings, plan->settings_count,
                   planning->settings_capacity, settings);
        planning->settings_changed = false;
    }
    return plan->settings_count - 1;
}

/* ---- statements -------------------------------------------------------------------------- */

static void take_step(Planning *planning, const LoadStatement *what, const char *sql, int64_t line)
{
    LoadPlan *plan = planning->plan;
    LoadStep step = {.what = *what,
                     .sql = arena_strdup(planning->arena, sql),
                     .line = line,
                     .settings = settings_now(planning)};
    ARENA_PUSH(planning->arena, plan->steps, plan->step_count, planning->step_capacity, step);
}

static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    Planning *planning = data;
    LoadStatement what;
    (void)length;
    (void)err;
    if (planning->plan->obstacle)
        return true;
    load_statement_read(planning->arena, sql, &what);
    if (planning->in_transaction && what.kind != LOAD_DATA)
        obstacle(planning, "a transaction of its own spans statements");
    if (what.kind == LOAD_SETTING) {
        take_setting(planning, what.setting, sql, line);
        return true;
    }
    if (what.kind == LOAD_SESSION)
        obstacle(planning, "a statement is about the session");
    planning->in_transaction = what.opens || (planning->in_transaction && !what.closes);
    if (!planning->rows_seen)
        return true;
    if (what.kind == LOAD_DATA)
        planning->plan->has_data = true;
    else
        take_step(planning, &what, sql, line);
    return true;
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool on_copy_begin(void *data, const char *sql, int64_t line, Error *err)
{
    Planning *planning = data;
    LoadPlan *plan = planning->plan;
    (void)err;
    if (planning->index->members[planning->member].label.kind != MEMBER_COPY_BEGIN)
        obstacle(planning, "rows are not in parts of their own");
    if (!planning->rows_seen) {
        plan->before_end = planning->member;
        (void)settings_now(planning);
    } else if (plan->after_begin) {
        obstacle(planning, "there are statements between its tables");
    }
    planning->rows_seen = true;
    planning->copy_sql = arena_strdup(planning->arena, sql);
    planning->copy_line = line;
    planning->copy_member = planning->member;
    return true;
}

static bool on_copy_data(void *data, const char *bytes, size_t length, Error *err)
{
    (void)bytes;
    (void)length;
    (void)err;
    obstacle(data, "rows are not in parts of their own");
    return true;
}

static LoadTable *find_table(Planning *planning, const DumpTable *table)
{
    LoadPlan *plan = planning->plan;
    for (size_t i = plan->table_count; i-- > 0;) {
        if (str_equal(plan->tables[i].sql, planning->copy_sql))
            return &plan->tables[i];
    }
    LoadTable added = {.sql = planning->copy_sql,
                       .schema = table->schema,
                       .name = table->name,
                       .line = planning->copy_line};
    ARENA_PUSH(planning->arena, plan->tables, plan->table_count, planning->table_capacity, added);
    return &plan->tables[plan->table_count - 1];
}

static bool on_copy_end(void *data, const DumpTable *dumped, int64_t block_rows, Error *err)
{
    Planning *planning = data;
    LoadTable *table = find_table(planning, dumped);
    (void)block_rows;
    (void)err;
    for (size_t i = planning->copy_member; i < planning->member; i++) {
        const MemberLabel *label = &planning->index->members[i].label;
        if (label->kind != MEMBER_ROWS)
            continue;
        ARENA_PUSH(planning->arena, table->members, table->member_count, table->member_capacity, i);
        table->rows += label->rows;
        table->raw_bytes += label->raw_bytes;
    }
    return true;
}

/* ---- the file ---------------------------------------------------------------------------- */

static bool feed(void *data, const char *bytes, size_t length, Error *err)
{
    return dump_reader_feed(data, bytes, length, err);
}

static bool walk_member(const LoadFile *file, MemberReader *reader, DumpReader *dump,
                        const Member *member, Error *err)
{
    if (!interrupt_check(err))
        return false;
    if (member->label.kind != MEMBER_ROWS)
        return member_read(reader, file->descriptor, member, feed, dump, err);
    dump_reader_skip_rows(dump, member->label.rows);
    return true;
}

static bool plan_members(Planning *planning, const LoadFile *file, DumpReader *dump, Error *err)
{
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    member_reader_set_key(reader, file->index->key);
    LoadPlan *plan = planning->plan;
    for (size_t i = 0; i < file->index->count; i++) {
        const Member *member = &file->index->members[i];
        planning->member = i;
        if (planning->rows_seen && !plan->after_begin && member->label.kind == MEMBER_TEXT) {
            plan->after_begin = i;
            plan->after_line = dump_reader_line(dump);
        }
        if (!walk_member(file, reader, dump, member, err))
            return false;
    }
    plan->complete = dump_reader_is_complete(dump);
    return dump_reader_finish(dump, err);
}

bool load_plan_read(Arena *arena, const LoadFile *file, LoadPlan *plan, Error *err)
{
    static const DumpEvents events = {on_statement, on_copy_begin, on_copy_data, on_copy_end};
    *plan = (LoadPlan){0};
    Planning planning = {.arena = arena, .plan = plan, .index = file->index};
    _cleanup_dump_reader_ DumpReader *dump = dump_reader_create(arena, &events, &planning);
    if (!plan_members(&planning, file, dump, err))
        return false;
    if (planning.in_transaction)
        obstacle(&planning, "a transaction of its own has no end");
    if (!planning.rows_seen)
        obstacle(&planning, "it has no rows");
    if (!plan->after_begin)
        plan->after_begin = file->index->count;
    return true;
}

bool load_plan_walk(const LoadFile *file, size_t from, size_t to, int64_t line,
                    const DumpEvents *events, void *data, Error *err)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_member_reader_ MemberReader *reader = member_reader_create();
    member_reader_set_key(reader, file->index->key);
    _cleanup_dump_reader_ DumpReader *dump = dump_reader_create(arena, events, data);
    dump_reader_skip_rows(dump, line - 1);
    for (size_t i = from; i < to; i++) {
        if (!walk_member(file, reader, dump, &file->index->members[i], err))
            return false;
    }
    return dump_reader_finish(dump, err);
}
