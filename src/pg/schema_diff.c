#include "pg/schema.h"

#include <string.h>

/* Characters of a definition that a line shows. */
#define SHOWN 200

/* ---- comparing --------------------------------------------------------------------------- */

typedef struct {
    Arena *arena;
    SchemaDiff *diff;
    size_t capacity;
} Diffing;

static void add_change(Diffing *diffing, const SchemaObject *before, const SchemaObject *after)
{
    const SchemaObject *object = after ? after : before;
    SchemaChange change = {
        .change = !before  ? SCHEMA_ADDED
                  : !after ? SCHEMA_DROPPED
                           : SCHEMA_CHANGED,
        .kind = object->kind,
        .name = object->name,
        .part_of = object->part_of,
        .before = before ? before->definition : NULL,
        .after = after ? after->definition : NULL,
    };
    ARENA_PUSH(diffing->arena, diffing->diff->items, diffing->diff->count, diffing->capacity,
               change);
}

static int compare(const SchemaObject *one, const SchemaObject *two)
{
    int order = strcmp(one->kind, two->kind);
    return order ? order : strcmp(one->name, two->name);
}

static bool same_object(const SchemaObject *one, const SchemaObject *two)
{
    return str_equal(one->definition, two->definition) && str_equal(one->part_of, two->part_of);
}

/* ---- order of columns -------------------------------------------------------------------- */

static size_t table_length(const char *line)
{
    const char *end = strstr(line, ": ");
    return end ? (size_t)(end - line) : strlen(line);
}

static const char *columns_of(const char *line)
{
    size_t length = table_length(line);
    return line[length] ? line + length + 2 : "";
}

/* The columns of one that two has too. */
static const char *shared_columns(Arena *arena, const char *one, const char *two)
{
    StrList columns, others, shared;
    str_list_init(&columns, arena);
    str_list_init(&others, arena);
    str_list_init(&shared, arena);
    str_split(&columns, one, ",");
    str_split(&others, two, ",");
    for (size_t i = 0; i < columns.count; i++) {
        if (str_list_has(&others, columns.items[i]))
            str_list_add(&shared, columns.items[i]);
    }
    return str_list_join(&shared, arena, ",");
}

static void compare_order(Arena *arena, const char *before, const char *after, SchemaDiff *diff)
{
    const char *one = columns_of(before), *two = columns_of(after);
    if (!str_equal(one, two) &&
        !str_equal(shared_columns(arena, one, two), shared_columns(arena, two, one)))
        str_list_add(&diff->reordered, arena_strndup(arena, before, table_length(before)));
}

static int compare_tables(const char *one, const char *two)
{
    size_t length = table_length(one), other = table_length(two);
    int order = memcmp(one, two, length < other ? length : other);
    return order ? order : (length > other) - (length < other);
}

static int compare_lines(const void *a, const void *b)
{
    return compare_tables(*(const char *const *)a, *(const char *const *)b);
}

/* By table: a line's order is another where a name begins another. */
static const char **lines_by_table(Arena *arena, const StrList *list)
{
    const char **lines = arena_array(arena, list->count, sizeof(*lines));
    for (size_t i = 0; i < list->count; i++)
        lines[i] = list->items[i];
    if (list->count > 1)
        qsort(lines, list->count, sizeof(*lines), compare_lines);
    return lines;
}

static void compare_orders(Arena *arena, const StrList *before, const StrList *after,
                           SchemaDiff *diff)
{
    const char **ones = lines_by_table(arena, before), **twos = lines_by_table(arena, after);
    size_t i = 0, j = 0;
    while (i < before->count && j < after->count) {
        int order = compare_tables(ones[i], twos[j]);
        if (order == 0)
            compare_order(arena, ones[i], twos[j], diff);
        i += order <= 0;
        j += order >= 0;
    }
}

void schema_diff(Arena *arena, const Schema *before, const Schema *after, SchemaDiff *diff)
{
    *diff = (SchemaDiff){0};
    str_list_init(&diff->reordered, arena);
    Diffing diffing = {.arena = arena, .diff = diff};
    size_t i = 0, j = 0;
    for (;;) {
        const SchemaObject *one = i < before->count ? &before->items[i] : NULL;
        const SchemaObject *two = j < after->count ? &after->items[j] : NULL;
        if (!one && !two)
            break;
        int order = !one ? 1 : !two ? -1 : compare(one, two);
        if (order < 0)
            add_change(&diffing, one, NULL);
        else if (order > 0)
            add_change(&diffing, NULL, two);
        else if (!same_object(one, two))
            add_change(&diffing, one, two);
        i += order <= 0;
        j += order >= 0;
    }
    compare_orders(arena, &before->column_order, &after->column_order, diff);
}

/* ---- for people -------------------------------------------------------------------------- */

static bool is_whole(const SchemaChange *change)
{
    return change->change != SCHEMA_CHANGED && !change->part_of &&
           (str_ends(change->kind, "table") || str_ends(change->kind, "view"));
}

static int compare_names(const void *a, const void *b)
{
    const SchemaChange *one = *(const SchemaChange *const *)a;
    const SchemaChange *two = *(const SchemaChange *const *)b;
    return strcmp(one->name, two->name);
}

typedef struct {
    const SchemaChange **items; /* tables and views that came or went, by name */
    size_t count;
} Wholes;

static Wholes wholes_of(Arena *arena, const SchemaDiff *diff)
{
    Wholes wholes = {.items = arena_array(arena, diff->count, sizeof(SchemaChange *))};
    for (size_t i = 0; i < diff->count; i++) {
        if (is_whole(&diff->items[i]))
            wholes.items[wholes.count++] = &diff->items[i];
    }
    if (wholes.count > 1)
        qsort(wholes.items, wholes.count, sizeof(*wholes.items), compare_names);
    return wholes;
}

/* Part of a table that came or went with it. */
static bool is_swallowed(const Wholes *wholes, const SchemaChange *change)
{
    if (!change->part_of || !wholes->count)
        return false;
    const SchemaChange wanted = {.name = change->part_of};
    const SchemaChange *key = &wanted;
    const SchemaChange *const *found =
        bsearch(&key, wholes->items, wholes->count, sizeof(*wholes->items), compare_names);
    return found && (*found)->change == change->change;
}

static const char *line_at(Arena *arena, const char *text, const char *at)
{
    while (at > text && at[-1] != '\n')
        at--;
    return arena_strndup(arena, at, strcspn(at, "\n"));
}

/* Of texts of several lines only the first that differs. */
static const char *describe_change(Arena *arena, const char *before, const char *after)
{
    const char *prefix = "";
    if (strchr(before, '\n') || strchr(after, '\n')) {
        size_t same = 0, number = 1;
        while (before[same] && before[same] == after[same])
            number += before[same++] == '\n';
        const char *one = line_at(arena, before, before + same);
        const char *two = line_at(arena, after, after + same);
        before = one;
        after = two;
        prefix = arena_printf(arena, "line %zu: ", number);
    }
    return arena_printf(arena, "%s%s -> %s", prefix, str_one_line(arena, before, SHOWN),
                        str_one_line(arena, after, SHOWN));
}

static const char *describe(Arena *arena, const SchemaChange *change)
{
    const char *text = NULL;
    if (change->change == SCHEMA_CHANGED)
        text = describe_change(arena, change->before, change->after);
    else
        text = str_one_line(arena, change->after ? change->after : change->before, SHOWN);
    static const char marks[] = {'+', '-', '~'};
    return arena_printf(arena, "%c %s %s%s%s", marks[change->change], change->kind, change->name,
                        *text ? ": " : "", text);
}

void schema_diff_lines(Arena *arena, const SchemaDiff *diff, size_t max, StrList *lines)
{
    Wholes wholes = wholes_of(arena, diff);
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < diff->count; i++) {
        if (is_swallowed(&wholes, &diff->items[i]))
            continue;
        if (shown < max)
            str_list_add(lines, describe(arena, &diff->items[i]));
        else
            more++;
        shown++;
    }
    if (more)
        str_list_addf(lines, "... and %zu more", more);
}

json_t *schema_diff_json(const SchemaDiff *diff)
{
    static const char *const names[] = {"added", "dropped", "changed"};
    json_t *root = json_object(), *changes = json_array(), *reordered = json_array();
    for (size_t i = 0; i < diff->count; i++) {
        const SchemaChange *change = &diff->items[i];
        json_t *one = json_object();
        json_object_set_new(one, "change", json_text(names[change->change]));
        json_object_set_new(one, "kind", json_text(change->kind));
        json_object_set_new(one, "name", json_text(change->name));
        json_object_set_new(one, "before", json_text(change->before));
        json_object_set_new(one, "after", json_text(change->after));
        json_array_append_new(changes, one);
    }
    for (size_t i = 0; i < diff->reordered.count; i++)
        json_array_append_new(reordered, json_text(diff->reordered.items[i]));
    json_object_set_new(root, "changes", changes);
    json_object_set_new(root, "reordered", reordered);
    return root;
}
