#include "base/file.h"
#include "checklist/facts.h"

#define SCHEDULE_FILE_MAX ((size_t)1 << 20)

/* Names a backup, and not in a comment. */
static bool makes_backups(const char *line)
{
    while (*line == ' ' || *line == '\t')
        line++;
    if (*line == '#' || *line == ';' || !*line)
        return false;
    bool of_ours = strstr(line, "vaxdb") && strstr(line, "backup");
    return of_ours || strstr(line, "backup-db.sh") || strstr(line, "pg_dump") ||
           strstr(line, "pgbackrest");
}

static const char *search_file(Arena *arena, const char *path)
{
    char *text = NULL;
    Error ignored = {0};
    if (!file_exists(path) || file_is_directory(path) ||
        !file_read(arena, path, SCHEDULE_FILE_MAX, &text, NULL, &ignored))
        return NULL;
    StrList lines;
    str_list_init(&lines, arena);
    str_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        if (makes_backups(lines.items[i]))
            return arena_printf(arena, "%s: %s", path, str_one_line(arena, lines.items[i], 100));
    }
    return NULL;
}

/* A service without its timer is no schedule. */
static bool has_timer(Arena *arena, const char *folder, const char *service)
{
    size_t stem = strlen(service) - strlen(".service");
    return file_exists(
        path_join(arena, folder, arena_printf(arena, "%.*s.timer", (int)stem, service)));
}

static const char *search_folder(Arena *arena, const char *folder, bool systemd)
{
    StrList names;
    str_list_init(&names, arena);
    Error ignored = {0};
    if (!file_is_directory(folder) || !directory_list(arena, folder, &names, &ignored))
        return NULL;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (systemd && (!str_ends(name, ".service") || !has_timer(arena, folder, name)))
            continue;
        const char *found = search_file(arena, path_join(arena, folder, name));
        if (found)
            return found;
    }
    return NULL;
}

const char *schedule_find_backup(Arena *arena, const char *root)
{
    static const char *const cron_folders[] = {"/var/spool/cron/crontabs", "/etc/cron.d",
                                               "/etc/cron.daily"};
    const char *found = search_file(arena, arena_printf(arena, "%s/etc/crontab", root));
    for (size_t i = 0; i < COUNT_OF(cron_folders) && !found; i++)
        found = search_folder(arena, arena_printf(arena, "%s%s", root, cron_folders[i]), false);
    if (!found)
        found = search_folder(arena, arena_printf(arena, "%s/etc/systemd/system", root), true);
    return found;
}
