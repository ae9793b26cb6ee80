#include "migrate/files.h"

#include "base/file.h"
#include "migrate/sections.h"

#define DOWN_SUFFIX ".down.sql"
#define UP_SUFFIX   ".up.sql"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares two runs of digits as numbers of any length, and moves both past them. */
static int compare_numbers(const char **a, const char **b)
{
    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    size_t length_a = strspn(*a, "0123456789"), length_b = strspn(*b, "0123456789");
    int order = length_a != length_b ? (length_a < length_b ? -1 : 1) : strncmp(*a, *b, length_a);
    *a += length_a;
    *b += length_b;
    return order;
}

/* Behind the version of Flyway's V1.2_10__name.sql, or of U1.2_10__name.sql, which undoes it; NULL
 * for other names. */
static const char *flyway_end(const char *name, char letter)
{
    const char *at = name + 1;
    if (*name != letter || !is_digit(*at))
        return NULL;
    while (is_digit(*at) || ((*at == '.' || *at == '_') && is_digit(at[1])))
        at++;
    return at[0] == '_' && at[1] == '_' ? at : NULL;
}

/* V1 comes before V1.1, which by its letters it would not. */
static int compare_flyway(const char *a, const char *end_a, const char *b, const char *end_b)
{
    for (;;) {
        a++;
        b++;
        int order = compare_numbers(&a, &b);
        if (order != 0 || (a >= end_a && b >= end_b))
            return order;
        if (a >= end_a || b >= end_b)
            return a >= end_a ? -1 : 1;
    }
}

int migration_name_compare(const char *a, const char *b)
{
    const char *at_a = a, *at_b = b;
    const char *flyway_a = flyway_end(a, 'V'), *flyway_b = flyway_end(b, 'V');
    int version = flyway_a && flyway_b ? compare_flyway(a, flyway_a, b, flyway_b) : 0;
    if (version != 0)
        return version;
    if (a[0] == 'V' && b[0] == 'V' && is_digit(a[1]) && is_digit(b[1]) && !flyway_a != !flyway_b)
        return flyway_a ? 1 : -1; /* apart, so that there is one order */
    while (*at_a && *at_b) {
        if (is_digit(*at_a) && is_digit(*at_b)) {
            int order = compare_numbers(&at_a, &at_b);
            if (order != 0)
                return order;
        } else if (*at_a != *at_b) {
            break;
        } else {
            at_a++;
            at_b++;
        }
    }
    int order = (int)(unsigned char)*at_a - (int)(unsigned char)*at_b;
    return order != 0 ? order : strcmp(a, b);
}

char *migration_number(Arena *arena, const char *name)
{
    size_t length = strspn(name, "0123456789");
    if (length == 0)
        return arena_strdup(arena, "");
    while (length > 1 && *name == '0') {
        name++;
        length--;
    }
    return arena_strndup(arena, name, length);
}

/* Cuts a byte order mark and turns "\r\n" into "\n", in place. */
static size_t normalise(char *text, size_t length)
{
    size_t from = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    size_t to = 0;
    for (; from < length; from++) {
        if (text[from] != '\r' || from + 1 >= length || text[from + 1] != '\n')
            text[to++] = text[from];
    }
    text[to] = '\0';
    return to;
}

/* Offset of the first byte that is not UTF-8, length when all is. */
static size_t find_non_utf8(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;
    while (i < length) {
        unsigned char lead = bytes[i];
        size_t more = lead < 0x80 ? 0 : lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 ? 2 : 1;
        if ((lead >= 0x80 && lead < 0xC2) || lead >= 0xF5 || i + more >= length)
            return i;
        for (size_t k = 1; k <= more; k++) {
            if ((bytes[i + k] & 0xC0) != 0x80)
                return i;
        }
        i += more + 1;
    }
    return length;
}

bool migration_text_read(Arena *arena, const char *path, char **text, size_t *length,
                         char checksum[HASH_HEX_SIZE], char *raw_checksum, Error *err)
{
    if (!file_read(arena, path, BUFFER_MAX_FILE, text, length, err))
        return false;
    if (raw_checksum)
        hash_bytes(*text, *length, raw_checksum);
    *length = normalise(*text, *length);
    hash_bytes(*text, *length, checksum);
    size_t bad = find_non_utf8(*text, *length);
    if (bad == *length)
        return true;
    int line = 1;
    for (size_t i = 0; i < bad; i++)
        line += (*text)[i] == '\n';
    (void)error_set(err, ERR_USAGE, "%s:%d: the file is not UTF-8 text", path_basename(path), line);
    return error_hint(err, "save it as UTF-8");
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* names is sorted bytewise. */
static bool has_name(const StrList *names, const char *name)
{
    return names->count > 0 && bsearch(&name, names->items, names->count, sizeof(*names->items),
                                       compare_strings) != NULL;
}

static char *with_suffix(Arena *arena, const char *name, const char *old, const char *suffix)
{
    return arena_printf(arena, "%.*s%s", (int)(strlen(name) - strlen(old)), name, suffix);
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* The file of that version with the other letter; NULL for none. names is sorted bytewise. */
static const char *flyway_twin(Arena *arena, const StrList *names, const char *name, char letter)
{
    const char *end = flyway_end(name, letter == 'U' ? 'V' : 'U');
    if (!end)
        return NULL;
    const char *start = arena_printf(arena, "%c%.*s__", letter, (int)(end - name - 1), name + 1);
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->items[middle], start) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && str_starts(names->items[low], start) ? names->items[low] : NULL;
}

static void take_down(Arena *arena, MigrationFiles *files, const StrList *names, const char *name)
{
    bool paired = str_ends(name, DOWN_SUFFIX)
                      ? has_name(names, with_suffix(arena, name, DOWN_SUFFIX, ".sql")) ||
                            has_name(names, with_suffix(arena, name, DOWN_SUFFIX, UP_SUFFIX))
                      : flyway_twin(arena, names, name, 'V') != NULL;
    if (!paired)
        str_list_add(&files->orphans, name);
}

/* The file beside it, or its own section. An empty section is no way back. */
static void find_down(Arena *arena, MigrationFiles *files, const StrList *names,
                      const Sections *sections, const char *suffix, MigrationFile *file)
{
    const char *undo = flyway_twin(arena, names, file->name, 'U');
    const char *down = undo ? undo : with_suffix(arena, file->name, suffix, DOWN_SUFFIX);
    bool beside = undo || has_name(names, down);
    bool inside = sections->items[SECTION_UP].found && sections->items[SECTION_DOWN].holds_sql;
    if (beside && inside)
        str_list_addf(&files->problems, "%s has a down section and %s is there too", file->name,
                      down);
    if (beside) {
        file->down_name = down;
        file->down_path = path_join(arena, files->directory, down);
    } else if (inside) {
        file->down_name = file->name;
        file->down_path = file->path;
    }
}

static bool take_up(Arena *arena, MigrationFiles *files, const StrList *names, const char *name,
                    Error *err)
{
    MigrationFile file = {.name = arena_strdup(arena, name),
                          .path = path_join(arena, files->directory, name)};
    const char *suffix = str_ends(name, UP_SUFFIX) ? UP_SUFFIX : ".sql";
    if (characters(name) > MIGRATION_NAME_MAX)
        str_list_addf(&files->problems, "%s: the name is longer than %d characters", name,
                      MIGRATION_NAME_MAX);
    if (str_equal(suffix, UP_SUFFIX) && has_name(names, with_suffix(arena, name, suffix, ".sql")))
        str_list_addf(&files->problems, "%s and %s are the same migration twice", name,
                      with_suffix(arena, name, suffix, ".sql"));
    _cleanup_arena_ Arena *scratch = arena_create();
    char *text = NULL;
    size_t length = 0;
    Error why = {0};
    if (!migration_text_read(scratch, file.path, &text, &length, file.checksum, file.raw_checksum,
                             &why)) {
        /* What was read and is no text has a checksum all the same, and may have been applied. */
        if (!file.checksum[0]) {
            *err = why;
            return false;
        }
        str_list_add(&files->problems, why.message);
    }
    Sections sections;
    sections_find(text, length, &sections);
    find_down(arena, files, names, &sections, suffix, &file);
    ARENA_PUSH(arena, files->items, files->count, files->capacity, file);
    return true;
}

static int compare_files(const void *a, const void *b)
{
    return migration_name_compare(((const MigrationFile *)a)->name,
                                  ((const MigrationFile *)b)->name);
}

bool migration_files_scan(Arena *arena, const char *directory, MigrationFiles *files, Error *err)
{
    *files = (MigrationFiles){.directory = directory};
    str_list_init(&files->orphans, arena);
    str_list_init(&files->problems, arena);
    if (!file_is_directory(directory)) {
        (void)error_set(err, ERR_USAGE, "there is no folder of migrations %s", directory);
        return error_hint(err, "name it with --dir, or make the first one: `vaxdb migrate new "
                               "initial_schema`");
    }
    StrList names;
    str_list_init(&names, arena);
    if (!directory_list(arena, directory, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (name[0] == '.' || !str_ends(name, ".sql") ||
            file_is_directory(path_join(arena, directory, name)))
            continue;
        if (str_ends(name, DOWN_SUFFIX) || flyway_end(name, 'U'))
            take_down(arena, files, &names, name);
        else if (!take_up(arena, files, &names, name, err))
            return false;
    }
    if (files->count > 1)
        qsort(files->items, files->count, sizeof(*files->items), compare_files);
    return true;
}
