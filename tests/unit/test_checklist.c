#include "unit.h"

#include "base/file.h"
#include "base/str.h"
#include "checklist/facts.h"

#include <ctype.h>
#include <unistd.h>

static void test_is_the_guides(void **state)
{
    (void)state;
    static const struct {
        const char *section, *prefix;
        size_t items;
    } sections[] = {{"Performance Tuning", "tuning.", 6},
                    {"Indexing", "indexing.", 7},
                    {"Connection Pooling", "pooling.", 7},
                    {"Backups", "backups.", 7},
                    {"Migrations", "migrations.", 7}};
    size_t at = 0;
    for (size_t s = 0; s < COUNT_OF(sections); s++) {
        for (size_t i = 0; i < sections[s].items; i++, at++) {
            assert_string_equal(checklist_items[at].section, sections[s].section);
            assert_true(str_starts(checklist_items[at].id, sections[s].prefix));
        }
    }
    assert_int_equal(at, CHECKLIST_COUNT);
}

static void test_every_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHECKLIST_COUNT; i++) {
        const CheckItem *item = &checklist_items[i];
        assert_true(strlen(item->title) > 10);
        assert_true(strlen(item->evidence_rule) > 30 && str_ends(item->evidence_rule, "."));
        assert_false(str_empty(item->fix));
        assert_non_null(item->probe);
        for (const char *byte = item->id; *byte; byte++)
            assert_true(islower((unsigned char)*byte) || *byte == '.' || *byte == '-');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(item->id, checklist_items[j].id);
    }
}

static size_t selected(const char *words)
{
    _cleanup_arena_ Arena *arena = arena_create();
    StrList wanted;
    str_list_init(&wanted, arena);
    str_split(&wanted, words, " ");
    size_t count = 0;
    Error err = {0};
    const CheckItem **chosen = NULL;
    if (!checklist_select(arena, &wanted, &chosen, &count, &err)) {
        assert_int_equal(err.code, ERR_USAGE);
        count = 0;
    }
    return count;
}

static void test_select(void **state)
{
    (void)state;
    assert_int_equal(selected(""), CHECKLIST_COUNT);
    assert_int_equal(selected("backups"), 7);
    assert_int_equal(selected("tuning indexing"), 13);
    assert_int_equal(selected("tuning tuning.indexes"), 6);
    assert_int_equal(selected("indexing.brin"), 1);
    assert_int_equal(selected("indexing.brim"), 0);
    assert_int_equal(selected("index"), 0);
}

static void test_top_fixes_are_the_worst_first(void **state)
{
    (void)state;
    ChecklistReport report = {.count = 5};
    const CheckOutcome outcomes[] = {{CHECK_WARN, "w", "warned"},
                                     {CHECK_PASS, "p", NULL},
                                     {CHECK_FAIL, "f", "failed"},
                                     {CHECK_SKIP, "s", "skipped"},
                                     {CHECK_FAIL, "f", "failed"}};
    for (size_t i = 0; i < report.count; i++)
        report.results[i] = (CheckResult){&checklist_items[i], outcomes[i]};
    const CheckResult *fixes[3];
    assert_int_equal(checklist_top_fixes(&report, fixes, 3), 2);
    assert_string_equal(fixes[0]->outcome.fix, "failed");
    assert_string_equal(fixes[1]->outcome.fix, "warned");
    assert_int_equal(checklist_top_fixes(&report, fixes, 1), 1);
}

static void write_text(Arena *arena, const char *root, const char *path, const char *text)
{
    Error err = {0};
    const char *whole = arena_printf(arena, "%s%s", root, path);
    assert_true(directory_make(path_dirname(arena, whole), 0700, &err));
    assert_true(file_write_atomic(whole, text, strlen(text), 0600, &err));
}

static void test_schedule(void **state)
{
    (void)state;
    _cleanup_arena_ Arena *arena = arena_create();
    char root[] = "/tmp/test_checklist.XXXXXX";
    assert_non_null(mkdtemp(root));
    assert_null(schedule_find_backup(arena, root));
    write_text(arena, root, "/etc/crontab",
               "# 0 2 * * * root vaxdb backup create\n0 1 * * * true\n");
    write_text(arena, root, "/etc/systemd/system/nightly.service",
               "ExecStart=vaxdb backup create\n");
    assert_null(schedule_find_backup(arena, root));
    write_text(arena, root, "/etc/systemd/system/nightly.timer", "OnCalendar=02:00\n");
    assert_non_null(strstr(schedule_find_backup(arena, root), "nightly.service"));
    write_text(arena, root, "/etc/cron.d/vaxtrace",
               "0 2 * * * root /opt/scripts/backup-db.sh production\n");
    assert_non_null(strstr(schedule_find_backup(arena, root), "backup-db.sh production"));
    Error err = {0};
    assert_true(directory_remove(root, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_the_guides), cmocka_unit_test(test_every_row_is_whole),
        cmocka_unit_test(test_select),        cmocka_unit_test(test_top_fixes_are_the_worst_first),
        cmocka_unit_test(test_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
