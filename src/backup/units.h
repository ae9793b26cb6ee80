/* What a dump copies, cut into units that workers take one by one: configuration tables of
 * extensions, then tables, the biggest first.
 *
 * A unit is a fixed range of a table's heap blocks, the last one open-ended, so that an unchanged
 * range is the same unit tomorrow. Where the server cannot read such a range by itself (before 14,
 * or another access method than heap) a table is one unit.
 *
 * Rows are asked for in COPY's binary format, which is half of the work for the server, and made
 * text here (row_values.h). A column of a type that is not known there is asked for as the text
 * that its output function gives; where most columns are such, a table is copied in text. */
#pragma once

#include "backup/manifest.h"
#include "backup/row_values.h"
#include "pg/session.h"

/* A member's text, or one longer row. What a table has grown by since yesterday begins in the last
 * member of yesterday, and that much more is sent off-site; smaller ones pack worse, and there are
 * more to list: so they grow with their table, by powers of two. */
#define MEMBER_BYTES_MIN ((size_t)512 << 10)
#define MEMBER_BYTES_MAX ((size_t)8 << 20)
#define MEMBERS_MANY     4096

/* 4 MiB of blocks of 8 KiB make 3 to 8 MiB of text. */
#define UNIT_BLOCKS 512

typedef struct {
    const char *schema;
    const char *name;
    const char *source;  /* quoted as SQL wants it; so are target and columns */
    const char *target;  /* where its rows are loaded: itself, or the root of its partitions */
    const char *columns; /* "a, b"; "" when it has none to copy */
    const ValueKind
        *kinds; /* of the columns, copied in binary; NULL: the table is copied in text */
    size_t kind_count;
    const char *values;    /* what is then selected: the columns, or expressions of them */
    const char *condition; /* "WHERE ..." of a configuration table; NULL: all rows */
    const char *width;     /* expression: about how many bytes a row takes; NULL: never many */
    const char *oid;
    const char *file_node; /* under the snapshot */
    int64_t blocks;
    size_t member_bytes;
    bool ranges;     /* may be read by ranges of blocks */
    uint32_t row;    /* in manifest->tables: where its rows are counted */
    uint32_t number; /* of its members' labels: that of the manifest */
} CopyTable;

typedef struct {
    const CopyTable *table;
    uint32_t part; /* 0, 1, ... of the table */
    int64_t first_block;
    int64_t end_block; /* -1: to the end */
    bool last;         /* of its table */
} CopyUnit;

typedef struct {
    CopyTable *tables;
    size_t table_count;
    CopyUnit *units; /* in the order of the dump */
    size_t unit_count;
    int64_t blocks;
} CopyPlan;

/* In the leader's transaction. Tables that the manifest lacks (those of extensions) are added to
 * it; then all get their numbers. exclude (may be NULL) has patterns with * and ?, of SCHEMA.TABLE
 * or of TABLE alone: such tables are marked in the manifest and not copied. A pattern that meets no
 * table is ERR_USAGE. */
bool copy_plan_read(Arena *arena, Session *leader, const StrList *exclude, Manifest *manifest,
                    CopyPlan *plan, Error *err) MUST_CHECK;
/* Cuts the tables of the plan into its units. */
void copy_plan_cut(Arena *arena, CopyPlan *plan);
/* "COPY ... TO STDOUT" of one unit. */
char *copy_unit_query(Arena *arena, const CopyUnit *unit);
/* Of a table that has a width: the query for that of the unit's widest row. */
char *copy_unit_width_query(Arena *arena, const CopyUnit *unit);
/* "COPY ... FROM stdin;" with its newline, which begins the table in the dump. */
char *copy_table_header(Arena *arena, const CopyTable *table);
