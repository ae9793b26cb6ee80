#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "migrate/migrate.h"

#define DIGITS_DEFAULT   3
#define DIGITS_TIMESTAMP 12 /* as many digits or more are a time, not a count */

static char *up_text(Arena *arena, const char *stem)
{
    return arena_printf(
        arena,
        "-- %s: say here why this change is needed.\n"
        "--\n"
        "-- The file runs in one transaction: all of it takes effect, or nothing. Statements that\n"
        "-- cannot run in one, such as CREATE INDEX CONCURRENTLY, belong into a file of their own\n"
        "-- (`vaxdb migrate new` again). One change per file keeps the way back short.\n"
        "\n"
        "-- CREATE TABLE example (\n"
        "--     id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),\n"
        "--     created_at TIMESTAMPTZ NOT NULL DEFAULT now()\n"
        "-- );\n",
        stem);
}

static char *down_text(Arena *arena, const char *up)
{
    return arena_printf(arena,
                        "-- Undoes exactly what %s did, last change first.\n"
                        "\n"
                        "-- DROP TABLE example;\n",
                        up);
}

/* "Add cold chain!" gives "add_cold_chain". */
static bool make_slug(Arena *arena, const char *name, char **slug, Error *err)
{
    char *text = arena_strdup(arena, name);
    size_t length = 0;
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || (*c & 0x80);
        if (*c >= 'A' && *c <= 'Z')
            text[length++] = (char)(*c | 0x20);
        else if (letter)
            text[length++] = *c;
        else if (length > 0 && text[length - 1] != '_')
            text[length++] = '_';
    }
    while (length > 0 && text[length - 1] == '_')
        length--;
    text[length] = '\0';
    *slug = text;
    if (length == 0)
        return error_set(err, ERR_USAGE, "\"%s\" has no letter to name a file by", name);
    return true;
}

static const char *next_number(Arena *arena, const MigrationFiles *files)
{
    const char *last = NULL;
    for (size_t i = 0; i < files->count; i++) {
        if (*migration_number(arena, files->items[i].name))
            last = files->items[i].name;
    }
    size_t digits = last ? strspn(last, "0123456789") : DIGITS_DEFAULT;
    int64_t number = 0;
    if (digits >= DIGITS_TIMESTAMP) {
        char *now = clock_name_utc(arena, clock_unix_s()); /* "20261123-020000" */
        return arena_printf(arena, "%.8s%s", now, now + 9);
    }
    if (last && !str_to_int64(migration_number(arena, last), 0, INT32_MAX, &number))
        number = (int64_t)files->count;
    return arena_printf(arena, "%0*lld", (int)digits, (long long)number + 1);
}

bool migrate_new(Arena *arena, const char *directory, const char *name, MigrateNew *made,
                 Error *err)
{
    char *slug = NULL;
    MigrationFiles files;
    if (!make_slug(arena, name, &slug, err) || !directory_make(directory, 0755, err) ||
        !migration_files_scan(arena, directory, &files, err))
        return false;
    bool named_up = files.count > 0 && str_ends(files.items[files.count - 1].name, ".up.sql");
    const char *stem = arena_printf(arena, "%s_%s", next_number(arena, &files), slug);
    const char *up = arena_printf(arena, "%s%s", stem, named_up ? ".up.sql" : ".sql");
    if (strlen(up) > MIGRATION_NAME_MAX - strlen(".down.sql"))
        return error_set(err, ERR_USAGE, "the name is too long: at most %d characters",
                         MIGRATION_NAME_MAX);
    made->up_path = path_join(arena, directory, up);
    made->down_path = path_join(arena, directory, arena_printf(arena, "%s.down.sql", stem));
    const char *up_sql = up_text(arena, stem), *down_sql = down_text(arena, up);
    return file_create(made->up_path, up_sql, strlen(up_sql), 0644, err) &&
           file_create(made->down_path, down_sql, strlen(down_sql), 0644, err);
}
