#include "backup/units.h"

#include "sql_texts.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#define TID_RANGE_SCAN_VERSION 140000
#define BLOCK_BYTES            8192 /* all but always */

/* ---- columns ----------------------------------------------------------------------------- */

/* The place of a table's first column in what sql_backup_columns gave. */
static size_t find_columns(const Result *columns, int64_t relation)
{
    size_t low = 0;
    for (size_t high = result_rows(columns); low < high;) {
        size_t middle = low + (high - low) / 2;
        if (result_int64(columns, middle, "relation") < relation)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool converts(ValueKind kind)
{
    return kind != VALUE_UNKNOWN && kind != VALUE_FLOAT4 && kind != VALUE_FLOAT8;
}

/* concat writes a value by its type's output function, as COPY in text does; a cast to text may do
 * something else. num_nulls, because IS NULL is also true of a row of NULLs. */
static bool append_value(Buffer *values, const char *column, bool as_text)
{
    if (!as_text)
        return buffer_append_str(values, column);
    return buffer_printf(values,
                         "CASE WHEN pg_catalog.num_nulls(%s) = 0 THEN pg_catalog.concat(%s) END",
                         column, column);
}

/* How the table is copied in binary; leaves it as it is where text is as good. */
static bool choose_kinds(Arena *arena, const Result *columns, CopyTable *table, Error *err)
{
    _cleanup_buffer_ Buffer values;
    buffer_init(&values, BUFFER_MAX_FILE);
    int64_t relation = 0;
    if (!str_to_int64(table->oid, 0, UINT32_MAX, &relation))
        return error_set(err, ERR_FAILED, "the OID of %s is no number", table->source);
    size_t first = find_columns(columns, relation);
    size_t count = 0;
    while (first + count < result_rows(columns) &&
           result_int64(columns, first + count, "relation") == relation)
        count++;
    ValueKind *kinds = arena_array(arena, count, sizeof(*kinds));
    size_t as_text = 0;
    for (size_t i = 0; i < count; i++) {
        kinds[i] = value_kind((uint32_t)result_int64(columns, first + i, "type"),
                              result_bool(columns, first + i, "is_enum"));
        bool converted = converts(kinds[i]);
        as_text += !converted;
        (void)buffer_append_str(&values, i ? ", " : "");
        (void)append_value(&values, result_text(columns, first + i, "name"), !converted);
        kinds[i] = converted ? kinds[i] : VALUE_TEXT;
    }
    if (!buffer_check(&values, "the list of columns", err))
        return false;
    if (2 * as_text >= count) /* also of no column */
        return true;
    table->kinds = kinds;
    table->kind_count = count;
    table->values = as_text ? arena_strdup(arena, values.data) : table->columns;
    return true;
}

/* ---- tables ------------------------------------------------------------------------------ */

static bool find_row(const Manifest *manifest, const char *schema, const char *name, uint32_t *row)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (str_equal(manifest->tables[i].name, name) &&
            str_equal(manifest->tables[i].schema, schema)) {
            *row = (uint32_t)i;
            return true;
        }
    }
    return false;
}

static const char *keep(Arena *arena, const Result *rows, size_t row, const char *column)
{
    const char *text = result_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static size_t member_bytes(int64_t blocks)
{
    size_t bytes = MEMBER_BYTES_MIN;
    while (bytes < MEMBER_BYTES_MAX && blocks / MEMBERS_MANY > (int64_t)(bytes / BLOCK_BYTES))
        bytes *= 2;
    return bytes;
}

static bool read_table(Arena *arena, const Result *rows, size_t at, bool tid_ranges,
                       Manifest *manifest, size_t *capacity, CopyTable *table, Error *err)
{
    *table = (CopyTable){
        .schema = keep(arena, rows, at, "schema"),
        .name = keep(arena, rows, at, "name"),
        .source = keep(arena, rows, at, "source"),
        .columns = keep(arena, rows, at, "columns"),
        .condition = keep(arena, rows, at, "condition"),
        .width = keep(arena, rows, at, "width"),
        .oid = keep(arena, rows, at, "oid"),
        .file_node = keep(arena, rows, at, "file_node"),
        .blocks = result_int64(rows, at, "blocks"),
    };
    table->target = table->source;
    table->member_bytes = member_bytes(table->blocks);
    table->ranges = tid_ranges && result_bool(rows, at, "heap") && !table->condition;
    bool configuration = result_bool(rows, at, "configuration");
    if (!find_row(manifest, table->schema, table->name, &table->row)) {
        /* The leader locked and listed all others. */
        if (!configuration)
            return error_set(err, ERR_FAILED, "the table %s was not locked", table->source);
        ManifestTable added = {.schema = table->schema, .name = table->name, .extension = true};
        ARENA_PUSH(arena, manifest->tables, manifest->table_count, *capacity, added);
        table->row = (uint32_t)(manifest->table_count - 1);
    }
    if (!result_is_null(rows, at, "root_name")) {
        table->target = keep(arena, rows, at, "root");
        manifest->tables[table->row].root_schema = keep(arena, rows, at, "root_schema");
        manifest->tables[table->row].root_name = keep(arena, rows, at, "root_name");
    }
    return true;
}

static bool matches(Arena *arena, const char *pattern, const CopyTable *table)
{
    const char *qualified = arena_printf(arena, "%s.%s", table->schema, table->name);
    return fnmatch(pattern, strchr(pattern, '.') ? qualified : table->name, FNM_NOESCAPE) == 0;
}

/* Takes what is excluded out of the plan. */
static bool exclude_tables(Arena *arena, const StrList *patterns, Manifest *manifest,
                           CopyPlan *plan, Error *err)
{
    for (size_t i = 0; patterns && i < patterns->count; i++) {
        bool met = false;
        for (size_t j = 0; j < plan->table_count; j++) {
            if (!matches(arena, patterns->items[i], &plan->tables[j]))
                continue;
            manifest->tables[plan->tables[j].row].excluded = true;
            met = true;
        }
        if (!met)
            return error_set(err, ERR_USAGE, "there is no table %s whose rows could be left out",
                             patterns->items[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < plan->table_count; i++) {
        if (!manifest->tables[plan->tables[i].row].excluded)
            plan->tables[kept++] = plan->tables[i];
    }
    plan->table_count = kept;
    return true;
}

bool copy_plan_read(Arena *arena, Session *leader, const StrList *exclude, Manifest *manifest,
                    CopyPlan *plan, Error *err)
{
    _cleanup_result_ Result *rows = NULL;
    _cleanup_result_ Result *columns = NULL;
    if (!session_query(leader, sql_backup_units, &rows, err) ||
        !session_query(leader, sql_backup_columns, &columns, err))
        return error_context(err, "listing what to copy");
    bool tid_ranges = session_server_version(leader) >= TID_RANGE_SCAN_VERSION;
    size_t capacity = manifest->table_count;
    *plan = (CopyPlan){.table_count = result_rows(rows)};
    plan->tables = arena_array(arena, plan->table_count, sizeof(*plan->tables));
    for (size_t i = 0; i < plan->table_count; i++) {
        if (!read_table(arena, rows, i, tid_ranges, manifest, &capacity, &plan->tables[i], err) ||
            !choose_kinds(arena, columns, &plan->tables[i], err))
            return false;
    }
    if (!exclude_tables(arena, exclude, manifest, plan, err))
        return false;
    manifest_number_tables(manifest);
    for (size_t i = 0; i < plan->table_count; i++)
        plan->tables[i].number = manifest->tables[plan->tables[i].row].number;
    copy_plan_cut(arena, plan);
    return true;
}

/* At least one unit, so that an empty table has its place in the dump. */
static size_t unit_count(const CopyTable *table)
{
    if (!table->ranges || table->blocks <= UNIT_BLOCKS)
        return 1;
    return (size_t)((table->blocks + UNIT_BLOCKS - 1) / UNIT_BLOCKS);
}

void copy_plan_cut(Arena *arena, CopyPlan *plan)
{
    plan->unit_count = 0;
    plan->blocks = 0;
    for (size_t i = 0; i < plan->table_count; i++) {
        plan->unit_count += unit_count(&plan->tables[i]);
        plan->blocks += plan->tables[i].blocks;
    }
    plan->units = arena_array(arena, plan->unit_count, sizeof(*plan->units));
    CopyUnit *unit = plan->units;
    for (size_t i = 0; i < plan->table_count; i++) {
        size_t count = unit_count(&plan->tables[i]);
        for (size_t part = 0; part < count; part++) {
            bool last = part == count - 1;
            *unit++ = (CopyUnit){
                .table = &plan->tables[i],
                .part = (uint32_t)part,
                .first_block = (int64_t)part * UNIT_BLOCKS,
                .end_block = last ? -1 : (int64_t)(part + 1) * UNIT_BLOCKS,
                .last = last,
            };
        }
    }
}

/* " WHERE ..."; "" where the unit is a whole table. */
static const char *range_condition(Arena *arena, const CopyUnit *unit)
{
    if (unit->first_block == 0 && unit->end_block < 0)
        return "";
    const char *end = "";
    if (unit->end_block >= 0)
        end = arena_printf(arena, " AND ctid < '(%" PRId64 ",0)'", unit->end_block);
    return arena_printf(arena, " WHERE ctid >= '(%" PRId64 ",0)'%s", unit->first_block, end);
}

char *copy_unit_query(Arena *arena, const CopyUnit *unit)
{
    const CopyTable *table = unit->table;
    const char *values = table->kinds ? table->values : table->columns;
    const char *format = table->kinds ? " (FORMAT binary)" : "";
    bool whole = unit->first_block == 0 && unit->end_block < 0;
    if (whole && !table->condition && *values &&
        values == table->columns) /* no plan, no executor */
        return arena_printf(arena, "COPY %s (%s) TO STDOUT%s", table->source, values, format);
    if (whole)
        return arena_printf(arena, "COPY (SELECT %s FROM ONLY %s %s) TO STDOUT%s", values,
                            table->source, table->condition ? table->condition : "", format);
    return arena_printf(arena, "COPY (SELECT %s FROM ONLY %s%s) TO STDOUT%s", values, table->source,
                        range_condition(arena, unit), format);
}

char *copy_unit_width_query(Arena *arena, const CopyUnit *unit)
{
    return arena_printf(arena, "SELECT coalesce(max(%s), 0) FROM ONLY %s%s", unit->table->width,
                        unit->table->source, range_condition(arena, unit));
}

char *copy_table_header(Arena *arena, const CopyTable *table)
{
    if (!*table->columns)
        return arena_printf(arena, "COPY %s  FROM stdin;\n", table->target);
    return arena_printf(arena, "COPY %s (%s) FROM stdin;\n", table->target, table->columns);
}
