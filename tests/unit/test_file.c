#include "unit.h"

#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/vaxdb-unit-XXXXXX";
static Arena *arena;

static int make_folder(UNUSED void **state)
{
    arena = arena_create();
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(UNUSED void **state)
{
    Error err = {0};
    bool removed = directory_remove(folder, &err);
    arena_destroy(arena);
    return removed ? 0 : -1;
}

static char *in_folder(const char *name)
{
    return path_join(arena, folder, name);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void paths(UNUSED void **state)
{
    assert_string_equal(path_join(arena, "a", "b"), "a/b");
    assert_string_equal(path_join(arena, "a/", "b"), "a/b");
    assert_string_equal(path_join(arena, "a", "/b"), "/b");
    assert_string_equal(path_join(arena, "", "b"), "b");
    assert_string_equal(path_dirname(arena, "a/b/c"), "a/b");
    assert_string_equal(path_dirname(arena, "c"), ".");
    assert_string_equal(path_dirname(arena, "/c"), "/");
    assert_string_equal(path_basename("a/b/c"), "c");
    assert_string_equal(path_basename("c"), "c");
    char *absolute = NULL;
    Error err = {0};
    assert_true(path_absolute(arena, "./x", &absolute, &err));
    assert_int_equal(absolute[0], '/');
    assert_true(str_ends(absolute, "/x"));
    assert_null(strstr(absolute, "/./"));
}

static void reads_what_was_written(UNUSED void **state)
{
    const char *path = in_folder("bytes");
    char *text = NULL;
    size_t length = 0;
    Error err = {0};
    assert_true(file_write_atomic(path, "a\0b", 3, 0640, &err));
    assert_true(file_read(arena, path, 3, &text, &length, &err));
    assert_int_equal(length, 3);
    assert_memory_equal(text, "a\0b", 4);
    assert_int_equal(mode_of(path), 0640);
}

static void reading_has_a_maximum(UNUSED void **state)
{
    const char *path = in_folder("long");
    char *text = NULL;
    Error err = {0};
    assert_true(file_write_atomic(path, "1234", 4, 0600, &err));
    assert_true(file_read(arena, path, 4, &text, NULL, &err));
    assert_false(file_read(arena, path, 3, &text, NULL, &err));
    assert_non_null(strstr(err.message, "larger than 3 bytes"));
}

static void what_cannot_be_read_says_why(UNUSED void **state)
{
    char *text = NULL;
    Error err = {0};
    assert_false(file_read(arena, in_folder("none"), 10, &text, NULL, &err));
    assert_non_null(strstr(err.message, "No such file"));
    assert_false(file_read(arena, folder, 10, &text, NULL, &err));
    assert_non_null(strstr(err.message, "it is a folder"));
}

static void replaces_whole_and_leaves_nothing_beside(UNUSED void **state)
{
    const char *inner = in_folder("atomic");
    Error err = {0};
    StrList names;
    assert_true(directory_make(inner, 0700, &err));
    const char *path = path_join(arena, inner, "file");
    assert_true(file_write_atomic(path, "first version", 13, 0600, &err));
    assert_true(file_write_atomic(path, "second", 6, 0644, &err));
    assert_int_equal(mode_of(path), 0644);
    char *text = NULL;
    assert_true(file_read(arena, path, 100, &text, NULL, &err));
    assert_string_equal(text, "second");
    assert_true(directory_list(arena, inner, &names, &err));
    assert_int_equal(names.count, 1);
}

/* A limit on the size of files stands in for a full disk. */
static void a_failed_write_leaves_the_old_file(UNUSED void **state)
{
    const char *inner = in_folder("full");
    Error err = {0};
    assert_true(directory_make(inner, 0700, &err));
    const char *path = path_join(arena, inner, "file");
    assert_true(file_write_atomic(path, "old", 3, 0600, &err));
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        static const char large[5000];
        _exit(file_write_atomic(path, large, sizeof(large), 0600, &err) ? 0 : 42);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 42);
    char *text = NULL;
    StrList names;
    assert_true(file_read(arena, path, 100, &text, NULL, &err));
    assert_string_equal(text, "old");
    assert_true(directory_list(arena, inner, &names, &err));
    assert_int_equal(names.count, 1);
}

static void creating_never_replaces(UNUSED void **state)
{
    const char *path = in_folder("once");
    Error err = {0};
    assert_true(file_create(path, "a", 1, 0600, &err));
    assert_false(file_create(path, "b", 1, 0600, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    char *text = NULL;
    assert_true(file_read(arena, path, 10, &text, NULL, &err));
    assert_string_equal(text, "a");
}

static void folders_are_made_whatever_the_umask(UNUSED void **state)
{
    mode_t before = umask(0077);
    const char *path = in_folder("x/y/z");
    Error err = {0};
    assert_true(directory_make(path, 0755, &err));
    (void)umask(before);
    assert_int_equal(mode_of(in_folder("x")), 0755);
    assert_int_equal(mode_of(path), 0755);
    assert_true(directory_make(path, 0700, &err)); /* what is there stays as it is */
    assert_int_equal(mode_of(path), 0755);
    assert_true(file_write_atomic(in_folder("plain"), "", 0, 0600, &err));
    assert_false(directory_make(in_folder("plain/below"), 0700, &err));
}

static void lists_in_the_order_of_bytes(UNUSED void **state)
{
    const char *inner = in_folder("list");
    Error err = {0};
    assert_true(directory_make(inner, 0700, &err));
    static const char *const names[] = {"b", "a", "B", "10", "9", ".hidden"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(file_create(path_join(arena, inner, names[i]), "", 0, 0600, &err));
    StrList found;
    assert_true(directory_list(arena, inner, &found, &err));
    assert_string_equal(str_list_join(&found, arena, " "), ".hidden 10 9 B a b");
    assert_false(directory_list(arena, in_folder("nowhere"), &found, &err));
}

static void removing_does_not_follow_links(UNUSED void **state)
{
    Error err = {0};
    assert_true(directory_make(in_folder("kept"), 0700, &err));
    assert_true(file_create(in_folder("kept/file"), "", 0, 0600, &err));
    assert_true(directory_make(in_folder("tree/deep"), 0700, &err));
    assert_int_equal(symlink("../kept", in_folder("tree/link")), 0);
    assert_int_equal(symlink("nowhere", in_folder("tree/deep/dangling")), 0);
    assert_true(directory_remove(in_folder("tree"), &err));
    assert_false(file_exists(in_folder("tree")));
    assert_true(file_exists(in_folder("kept/file")));
    assert_true(directory_remove(in_folder("tree"), &err));
}

static void locks_exclude(UNUSED void **state)
{
    const char *path = in_folder("lock");
    Error err = {0};
    int first = -1;
    int second = -1;
    assert_true(file_lock(path, 0, "a test", &first, &err));
    assert_int_equal(mode_of(path), 0600);
    assert_false(file_lock(path, 100, "a test", &second, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.message, "a test is already running"));
    assert_int_equal(close(first), 0);
    assert_true(file_lock(path, 0, "a test", &second, &err));
    assert_int_equal(close(second), 0);
}

static void free_space_of_what_does_not_exist_yet(UNUSED void **state)
{
    int64_t here = 0;
    int64_t below = 0;
    Error err = {0};
    assert_true(disk_free_bytes(folder, &here, &err));
    assert_true(disk_free_bytes(in_folder("not/yet/there"), &below, &err));
    assert_true(here > 0 && below > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(reading_has_a_maximum),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(replaces_whole_and_leaves_nothing_beside),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
        cmocka_unit_test(creating_never_replaces),
        cmocka_unit_test(folders_are_made_whatever_the_umask),
        cmocka_unit_test(lists_in_the_order_of_bytes),
        cmocka_unit_test(removing_does_not_follow_links),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(free_space_of_what_does_not_exist_yet),
    };
    return cmocka_run_group_tests_name("file", tests, make_folder, remove_folder);
}
