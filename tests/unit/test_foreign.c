/* Which files the entries of another tool's ledger speak of. */
#include "unit.h"

#include "base/str.h"
#include "migrate/foreign.h"

#define MANY ((size_t)5000)

typedef struct {
    Arena *arena;
    MigrationFiles files;
    ForeignIndex index;
} Folder;

static void open_folder(Folder *folder, ForeignTool tool, const char *const *names)
{
    *folder = (Folder){.arena = arena_create()};
    MigrationFiles *files = &folder->files;
    for (size_t i = 0; names[i]; i++) {
        MigrationFile file = {.name = names[i]};
        ARENA_PUSH(folder->arena, files->items, files->count, files->capacity, file);
    }
    foreign_index(folder->arena, tool, files, &folder->index);
}

/* The names of the files that match, in the order of the folder's keys. */
static const char *matched(const Folder *folder, const ForeignEntry *entry)
{
    StrList names;
    str_list_init(&names, folder->arena);
    ForeignMatch match = foreign_match(&folder->index, entry);
    for (size_t i = 0; i < match.count; i++)
        str_list_add(&names, folder->files.items[match.keys[i].file].name);
    if (!match.named)
        str_list_add(&names, "unnamed");
    return str_list_join(&names, folder->arena, " ");
}

static const char *by_version(const Folder *folder, const char *version)
{
    const ForeignEntry entry = {.name = version, .version = version};
    return matched(folder, &entry);
}

static void test_versions_are_numbers_of_any_length(void **state)
{
    (void)state;
    static const char *const names[] = {"002_b.sql", "10_c.sql", "20260101000000000000001_d.sql",
                                        "3_x.sql",   "3_y.sql",  "x.sql",
                                        NULL};
    Folder folder;
    open_folder(&folder, FOREIGN_DBMATE, names);
    assert_string_equal(by_version(&folder, "2"), "002_b.sql");
    assert_string_equal(by_version(&folder, "0002"), "002_b.sql");
    assert_string_equal(by_version(&folder, "10"), "10_c.sql");
    assert_string_equal(by_version(&folder, "020260101000000000000001"),
                        "20260101000000000000001_d.sql");
    assert_string_equal(by_version(&folder, "3"), "3_x.sql 3_y.sql");
    assert_string_equal(by_version(&folder, "1"), "unnamed");
    assert_string_equal(by_version(&folder, "2b"), "unnamed");
    assert_string_equal(by_version(&folder, ""), "unnamed");
    arena_destroy(folder.arena);
}

static void test_golang_migrate_speaks_of_all_before(void **state)
{
    (void)state;
    static const char *const names[] = {"1_a.up.sql", "02_b.up.sql", "10_c.up.sql", NULL};
    Folder folder;
    open_folder(&folder, FOREIGN_GOLANG, names);
    ForeignEntry entry = {.name = "2", .version = "2", .and_before = true};
    assert_string_equal(matched(&folder, &entry), "1_a.up.sql 02_b.up.sql");
    entry.name = entry.version = "9";
    assert_string_equal(matched(&folder, &entry), "1_a.up.sql 02_b.up.sql unnamed");
    entry.name = entry.version = "0";
    assert_string_equal(matched(&folder, &entry), "unnamed");
    arena_destroy(folder.arena);
}

static void test_flyway_has_scripts_and_dotted_versions(void **state)
{
    (void)state;
    static const char *const names[] = {"R__view.sql",    "V1__a.sql",   "V1.2.1__b.sql",
                                        "V1_10_2__c.sql", "V2.0__d.sql", "003_renamed.sql",
                                        "V20__sub.sql",   NULL};
    Folder folder;
    open_folder(&folder, FOREIGN_FLYWAY, names);
    ForeignEntry view = {.name = "R__view.sql"};
    assert_string_equal(matched(&folder, &view), "R__view.sql");
    ForeignEntry below = {.name = "some/folder/V20__sub.sql", .version = "20"};
    assert_string_equal(matched(&folder, &below), "V20__sub.sql");
    assert_string_equal(by_version(&folder, "1.2.1"), "V1.2.1__b.sql");
    assert_string_equal(by_version(&folder, "1.10.2"), "V1_10_2__c.sql");
    assert_string_equal(by_version(&folder, "2"), "V2.0__d.sql");
    assert_string_equal(by_version(&folder, "3"), "003_renamed.sql");
    assert_string_equal(by_version(&folder, "1.2"), "unnamed");
    ForeignEntry baseline = {
        .name = "<< Flyway Baseline >>", .version = "1.10", .and_before = true};
    assert_string_equal(matched(&folder, &baseline), "V1__a.sql V1.2.1__b.sql unnamed");
    arena_destroy(folder.arena);
}

static void test_sqitch_has_names(void **state)
{
    (void)state;
    static const char *const names[] = {"001_users.sql", "roles.sql",     "roles@v1.sql",
                                        "users-2.sql",   "02-grants.sql", NULL};
    Folder folder;
    open_folder(&folder, FOREIGN_SQITCH, names);
    ForeignEntry entry = {.name = "users"};
    assert_string_equal(matched(&folder, &entry), "001_users.sql");
    entry.name = "001_users";
    assert_string_equal(matched(&folder, &entry), "001_users.sql");
    entry.name = "roles";
    assert_string_equal(matched(&folder, &entry), "roles.sql roles@v1.sql");
    entry.name = "grants";
    assert_string_equal(matched(&folder, &entry), "02-grants.sql");
    entry.name = "user";
    assert_string_equal(matched(&folder, &entry), "unnamed");
    arena_destroy(folder.arena);
}

static void test_each_of_many_finds_its_own(void **state)
{
    (void)state;
    Arena *arena = arena_create();
    const char **names = arena_array(arena, MANY + 1, sizeof(*names));
    for (size_t i = 0; i < MANY; i++)
        names[i] = arena_printf(arena, "%06zu_x.sql", i * 3);
    names[MANY] = NULL;
    Folder folder;
    open_folder(&folder, FOREIGN_DBMATE, names);
    for (size_t i = 0; i < MANY * 3; i++) {
        const char *version = arena_printf(arena, "%zu", i);
        const ForeignEntry entry = {.name = version, .version = version};
        ForeignMatch match = foreign_match(&folder.index, &entry);
        assert_int_equal(match.named, i % 3 == 0);
        assert_int_equal(match.count, i % 3 == 0 ? 1 : 0);
        assert_true(match.count == 0 || match.keys[0].file == i / 3);
    }
    arena_destroy(folder.arena);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_are_numbers_of_any_length),
        cmocka_unit_test(test_golang_migrate_speaks_of_all_before),
        cmocka_unit_test(test_flyway_has_scripts_and_dotted_versions),
        cmocka_unit_test(test_sqitch_has_names),
        cmocka_unit_test(test_each_of_many_finds_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
