#include "fuzz.h"

#include "base/file.h"
#include "base/str.h"
#include "lint/lint.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

static char folder[64];

static void remove_folder(void)
{
    Error err = {0};
    (void)!directory_remove(folder, &err);
}

static void write_file(Arena *arena, const char *name, const void *data, size_t length)
{
    Error err = {0};
    const char *path = path_join(arena, folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && file_write_all(fd, data, length, path, &err));
    (void)close(fd);
}

/* Any bytes as a migration, and what follows a form feed as its down: findings lie within the file
 * and say something. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Error err = {0};
    if (!*folder) {
        (void)snprintf(folder, sizeof(folder), "/tmp/vaxdb-fuzz-lint-%d", (int)getpid());
        assert(directory_make(folder, 0700, &err));
        (void)atexit(remove_folder);
    }
    const uint8_t *cut = size ? memchr(data, '\f', size) : NULL;
    size_t up = cut ? (size_t)(cut - data) : size;
    write_file(arena, "1_a.sql", data, up);
    if (cut)
        write_file(arena, "1_a.down.sql", cut + 1, size - up - 1);
    else
        (void)unlink(path_join(arena, folder, "1_a.down.sql"));
    LintOptions options = {.directory = folder};
    LintReport report;
    assert(lint_folder(arena, &options, &report, &err));
    assert(report.errors + report.warnings + report.infos == report.count);
    for (size_t i = 0; i < report.count; i++) {
        const LintFinding *finding = &report.items[i];
        assert(finding->line >= 1 && finding->column >= 1 && finding->width >= 1);
        assert(finding->source_column >= 1 && strlen(finding->source) <= 1024);
        assert(lint_rule_find(finding->rule->id) == finding->rule);
        assert(!str_empty(finding->message) && !str_empty(finding->help));
    }
    return 0;
}
