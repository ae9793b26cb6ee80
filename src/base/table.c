#include "base/table.h"

#include "base/str.h"

#include <assert.h>
#include <sys/ioctl.h>

#define COLUMN_GAP    2
#define COLUMN_NARROW 8 /* a cut column keeps at least this */

typedef struct {
    const char *title;
    TableAlign align;
} Column;

struct Table {
    Arena *arena;
    Column columns[TABLE_MAX_COLUMNS];
    size_t column_count;
    const char **cells; /* row after row */
    size_t cell_count;
    size_t cell_capacity;
};

Table *table_create(Arena *arena)
{
    Table *table = arena_alloc(arena, sizeof(*table));
    table->arena = arena;
    return table;
}

void table_column(Table *table, const char *title, TableAlign align)
{
    assert(table->column_count < TABLE_MAX_COLUMNS);
    assert(table->cell_count == 0);
    table->columns[table->column_count++] = (Column){arena_strdup(table->arena, title), align};
}

void table_row(Table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->column_count; i++) {
        char *cell = arena_strdup(table->arena, cells[i] ? cells[i] : "-");
        for (char *byte = cell; *byte; byte++) {
            if ((unsigned char)*byte < 0x20 || *byte == 0x7F)
                *byte = ' ';
        }
        ARENA_PUSH(table->arena, table->cells, table->cell_count, table->cell_capacity, cell);
    }
}

size_t table_rows(const Table *table)
{
    return table->column_count ? table->cell_count / table->column_count : 0;
}

/* Takes columns off the widest left-aligned column until the table fits. */
static void fit(const Table *table, size_t *widths, size_t width)
{
    for (;;) {
        size_t total = 0;
        size_t widest = table->column_count;
        for (size_t i = 0; i < table->column_count; i++) {
            total += widths[i] + (i ? COLUMN_GAP : 0);
            bool can_cut = table->columns[i].align == TABLE_LEFT && widths[i] > COLUMN_NARROW;
            if (can_cut && (widest == table->column_count || widths[i] > widths[widest]))
                widest = i;
        }
        if (total <= width || widest == table->column_count)
            return;
        widths[widest]--;
    }
}

/* Bytes of the first columns code points of text. */
static size_t prefix_bytes(const char *text, size_t columns)
{
    size_t bytes = 0;
    while (text[bytes]) {
        if (((unsigned char)text[bytes] & 0xC0) != 0x80 && columns-- == 0)
            break;
        bytes++;
    }
    return bytes;
}

static void print_cell(FILE *out, const char *cell, TableAlign align, size_t width, bool last)
{
    size_t have = str_width(cell);
    if (have > width) {
        (void)fprintf(out, "%.*s…", (int)prefix_bytes(cell, width - 1), cell);
        return;
    }
    int pad = (int)(width - have);
    if (align == TABLE_RIGHT)
        (void)fprintf(out, "%*s%s", pad, "", cell);
    else
        (void)fprintf(out, "%s%*s", cell, last ? 0 : pad, "");
}

void table_print(const Table *table, FILE *out, size_t width)
{
    size_t widths[TABLE_MAX_COLUMNS] = {0};
    size_t columns = table->column_count;
    assert(columns > 0);
    for (size_t i = 0; i < columns; i++)
        widths[i] = str_width(table->columns[i].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t cell_width = str_width(table->cells[i]);
        if (cell_width > widths[i % columns])
            widths[i % columns] = cell_width;
    }
    if (width)
        fit(table, widths, width);
    for (size_t i = 0; i < columns; i++) {
        (void)fprintf(out, "%*s", i ? COLUMN_GAP : 0, "");
        print_cell(out, table->columns[i].title, table->columns[i].align, widths[i],
                   i + 1 == columns);
    }
    (void)fputc('\n', out);
    for (size_t i = 0; i < columns; i++) {
        (void)fprintf(out, "%*s", i ? COLUMN_GAP : 0, "");
        for (size_t dash = 0; dash < widths[i]; dash++)
            (void)fputc('-', out);
    }
    (void)fputc('\n', out);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % columns;
        (void)fprintf(out, "%*s", column ? COLUMN_GAP : 0, "");
        print_cell(out, table->cells[i], table->columns[column].align, widths[column],
                   column + 1 == columns);
        if (column + 1 == columns)
            (void)fputc('\n', out);
    }
}

size_t table_terminal_width(FILE *out)
{
    struct winsize size = {0};
    if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col ? size.ws_col : 80;
}
