#include "monitor/monitor.h"

#include "base/str.h"
#include "pg/watch.h"
#include "sql_texts.h"

#include <assert.h>

/* The nodes in no particular order, while the tree is made. */
typedef struct {
    Arena *arena;
    LockNode *nodes;
    size_t count, capacity;
    bool *done; /* depth and parent are final */
} Builder;

static ptrdiff_t find_pid(const Builder *builder, int64_t pid)
{
    for (size_t i = 0; i < builder->count; i++) {
        if (builder->nodes[i].pid == pid)
            return (ptrdiff_t)i;
    }
    return -1;
}

/* A session may have ended between the two looks at it, and a prepared transaction has none. */
static void add_unknown_blockers(Builder *builder)
{
    size_t known = builder->count;
    for (size_t i = 0; i < known; i++) {
        for (size_t b = 0; b < builder->nodes[i].blocker_count; b++) {
            int64_t pid = builder->nodes[i].blockers[b];
            if (find_pid(builder, pid) >= 0)
                continue;
            LockNode node = {.pid = pid,
                             .database = "",
                             .role = "",
                             .application = "",
                             .state = pid == 0 ? "prepared transaction" : "gone",
                             .query = pid == 0 ? "see pg_prepared_xacts" : ""};
            ARENA_PUSH(builder->arena, builder->nodes, builder->count, builder->capacity, node);
        }
    }
}

/* Is position reached from itself by way of blockers, that is, part of a deadlock? */
static bool reaches(const Builder *builder, size_t from, size_t wanted, bool *seen)
{
    if (seen[from])
        return false;
    seen[from] = true;
    const LockNode *node = &builder->nodes[from];
    for (size_t b = 0; b < node->blocker_count; b++) {
        size_t blocker = (size_t)find_pid(builder, node->blockers[b]);
        if (blocker == wanted || reaches(builder, blocker, wanted, seen))
            return true;
    }
    return false;
}

/* Puts a node under its deepest blocker; false while one of its blockers is not placed yet. */
static bool place(Builder *builder, size_t position)
{
    LockNode *node = &builder->nodes[position];
    node->parent = -1;
    node->depth = 0;
    for (size_t b = 0; b < node->blocker_count; b++) {
        ptrdiff_t blocker = find_pid(builder, node->blockers[b]);
        if (!builder->done[blocker])
            return false;
        if (builder->nodes[blocker].depth + 1 > node->depth) {
            node->depth = builder->nodes[blocker].depth + 1;
            node->parent = blocker;
        }
    }
    builder->done[position] = true;
    return true;
}

/* No node can be placed: one of a deadlock becomes a root. */
static void break_cycle(Builder *builder)
{
    size_t chosen = builder->count;
    for (size_t i = 0; i < builder->count; i++) {
        bool *seen = arena_array(builder->arena, builder->count, sizeof(bool));
        if (builder->done[i] || !reaches(builder, i, i, seen))
            continue;
        builder->nodes[i].in_cycle = true;
        if (chosen == builder->count || builder->nodes[i].pid < builder->nodes[chosen].pid)
            chosen = i;
    }
    assert(chosen < builder->count);
    builder->nodes[chosen].parent = -1;
    builder->nodes[chosen].depth = 0;
    builder->done[chosen] = true;
}

static void place_all(Builder *builder)
{
    size_t left = builder->count;
    while (left) {
        size_t placed = 0;
        for (size_t i = 0; i < builder->count; i++)
            placed += !builder->done[i] && place(builder, i);
        if (!placed) {
            break_cycle(builder);
            placed = 1;
        }
        left -= placed;
    }
}

/* Copies position and all below it, in the order in which they are shown. */
static void emit(const Builder *builder, size_t position, ptrdiff_t parent, LockTree *tree)
{
    ptrdiff_t here = (ptrdiff_t)tree->count;
    tree->nodes[tree->count] = builder->nodes[position];
    tree->nodes[tree->count++].parent = parent;
    for (size_t i = 0; i < builder->count; i++) {
        if (builder->nodes[i].parent == (ptrdiff_t)position)
            emit(builder, i, here, tree);
    }
}

void monitor_lock_tree(Arena *arena, const LockNode *nodes, size_t count, LockTree *tree)
{
    Builder builder = {.arena = arena};
    for (size_t i = 0; i < count; i++)
        ARENA_PUSH(arena, builder.nodes, builder.count, builder.capacity, nodes[i]);
    add_unknown_blockers(&builder);
    builder.done = arena_array(arena, builder.count, sizeof(bool));
    place_all(&builder);
    *tree = (LockTree){.nodes = arena_array(arena, builder.count, sizeof(LockNode))};
    for (size_t i = 0; i < builder.count; i++) {
        if (builder.nodes[i].parent < 0) {
            emit(&builder, i, -1, tree);
            tree->root_count++;
        }
        tree->waiting_count += builder.nodes[i].is_waiting;
    }
    assert(tree->count == builder.count);
}

static void read_blockers(Arena *arena, const char *text, LockNode *node)
{
    StrList parts;
    str_list_init(&parts, arena);
    str_split(&parts, text ? text : "", " ");
    node->blockers = arena_array(arena, parts.count, sizeof(int64_t));
    for (size_t i = 0; i < parts.count; i++) {
        int64_t pid = 0;
        if (str_to_int64(parts.items[i], 0, INT32_MAX, &pid) && pid != node->pid)
            node->blockers[node->blocker_count++] = pid;
    }
}

static const char *lock_of(Arena *arena, const Result *rows, size_t row)
{
    const char *mode = result_text(rows, row, "lock_mode");
    const char *relation = result_text(rows, row, "relation_name");
    const char *schema = result_text(rows, row, "schema_name");
    if (!mode)
        return NULL;
    if (!relation)
        return arena_printf(arena, "%s on %s", mode, result_text(rows, row, "lock_type"));
    if (str_equal(schema, "public"))
        return arena_printf(arena, "%s on %s", mode, relation);
    return arena_printf(arena, "%s on %s.%s", mode, schema, relation);
}

static void read_node(Arena *arena, const Result *rows, size_t row, LockNode *node)
{
    *node = (LockNode){
        .pid = result_int64(rows, row, "pid"),
        .database = arena_strdup(arena, result_text(rows, row, "database_name")),
        .role = arena_strdup(arena, result_text(rows, row, "role_name")),
        .application = arena_strdup(arena, result_text(rows, row, "application")),
        .state = arena_strdup(arena, result_text(rows, row, "state")),
        .query = arena_strdup(arena, result_text(rows, row, "query")),
        .transaction_seconds = result_double(rows, row, "transaction_seconds"),
        .is_waiting = !result_is_null(rows, row, "waiting_seconds"),
        .waiting_seconds = result_double(rows, row, "waiting_seconds"),
        .parent = -1,
    };
    if (node->is_waiting)
        node->lock = lock_of(arena, rows, row);
    read_blockers(arena, result_text(rows, row, "blockers"), node);
}

bool monitor_locks(Session *session, Arena *arena, LockTree *tree, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    if (!session_query(session, sql_monitor_locks, &rows, err))
        return error_context(err, "looking for locks that are waited for");
    size_t count = result_rows(rows);
    LockNode *nodes = arena_array(arena, count, sizeof(*nodes));
    for (size_t row = 0; row < count; row++)
        read_node(arena, rows, row, &nodes[row]);
    monitor_lock_tree(arena, nodes, count, tree);
    return watch_sees_others(session, &tree->sees_others, err);
}
