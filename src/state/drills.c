#include "state/drills.h"

#include "state/state_internal.h"

#include <string.h>

#define COLUMNS "started_at, env, path, sha256, passed, seconds, report, id"

bool state_drill_add(State *state, const StateDrill *drill, Error *err)
{
    return state_run(state, err,
                     "INSERT INTO drills (started_at, env, path, sha256, passed, seconds, report) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                     "isssids", drill->started_at, drill->env, drill->path, drill->sha256,
                     (int64_t)drill->passed, drill->seconds, drill->report);
}

static StateDrill read_row(Arena *arena, sqlite3_stmt *statement)
{
    return (StateDrill){
        .started_at = sqlite3_column_int64(statement, 0),
        .env = state_text(arena, statement, 1),
        .path = state_text(arena, statement, 2),
        .sha256 = state_text(arena, statement, 3),
        .passed = sqlite3_column_int(statement, 4) != 0,
        .seconds = sqlite3_column_double(statement, 5),
        .report = state_text(arena, statement, 6),
        .id = sqlite3_column_int64(statement, 7),
    };
}

bool state_drill_list(State *state, Arena *arena, const char *env, size_t limit,
                      StateDrill **drills, size_t *count, Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    StateDrill *list = NULL;
    size_t capacity = 0;
    *count = 0;
    if (!state_prepare(state, &statement, err,
                       "SELECT " COLUMNS " FROM drills "
                       "WHERE ?1 IS NULL OR env = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2",
                       "si", env, (int64_t)limit))
        return false;
    for (;;) {
        bool row = false;
        if (!state_step(state, statement, &row, err))
            return false;
        if (!row)
            break;
        StateDrill drill = read_row(arena, statement);
        ARENA_PUSH(arena, list, *count, capacity, drill);
    }
    *drills = list;
    return true;
}

bool state_drill_get(State *state, Arena *arena, int64_t id, StateDrill *drill, bool *found,
                     Error *err)
{
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    if (!state_prepare(state, &statement, err, "SELECT " COLUMNS " FROM drills WHERE id = ?1", "i",
                       id) ||
        !state_step(state, statement, found, err))
        return false;
    if (*found)
        *drill = read_row(arena, statement);
    return true;
}
