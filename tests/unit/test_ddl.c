#include "unit.h"

#include "backup/ddl.h"

#include <string.h>

#define KEY "pg1aB2cD3eF4gH5iJ6kL7mN8oP9qR0sT"

static bool settle(const char *before, const char *between_text, const char *after, Ddl *ddl)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_buffer_ Buffer between;
    buffer_init(&between, BUFFER_MAX_FILE);
    buffer_init(&ddl->before, BUFFER_MAX_FILE);
    buffer_init(&ddl->after, BUFFER_MAX_FILE);
    assert_true(buffer_append_str(&between, between_text) &&
                buffer_append_str(&ddl->before, before) && buffer_append_str(&ddl->after, after));
    return ddl_settle_key(arena, ddl, &between);
}

static const char before_text[] =
    "--\n\n\\restrict " KEY "\n\n--\nSET x = 0;\nCREATE TABLE a ();\n";
static const char after_text[] = "CREATE INDEX i;\n--\n-- end\n--\n\n\\unrestrict " KEY "\n\n";

/* The key of both lines, which must be one. */
static const char *key_of(const Ddl *ddl, char key[sizeof(KEY)])
{
    const char *begin = strstr(ddl->before.data, "\\restrict ") + strlen("\\restrict ");
    const char *end = strstr(ddl->after.data, "\\unrestrict ") + strlen("\\unrestrict ");
    memcpy(key, begin, sizeof(KEY) - 1);
    key[sizeof(KEY) - 1] = '\0';
    assert_memory_equal(begin, end, sizeof(KEY));
    assert_int_equal(strspn(key, "0123456789abcdef"), sizeof(KEY) - 1);
    return key;
}

static void the_same_statements_have_the_same_key(UNUSED void **state)
{
    static const char *const others[][3] = {
        {"--\n\n\\restrict " KEY "\n\n--\nSET x = 1;\nCREATE TABLE a ();\n", "", after_text},
        {before_text, "", "CREATE INDEX j;\n--\n-- end\n--\n\n\\unrestrict " KEY "\n\n"},
    };
    char key[sizeof(KEY)];
    char again[sizeof(KEY)];
    Ddl ddl = {0};
    assert_true(settle(before_text, "SELECT 1;\n", after_text, &ddl));
    assert_string_not_equal(key_of(&ddl, key), KEY);
    assert_string_equal(strstr(ddl.before.data, "\nSET"), strstr(before_text, "\nSET"));
    ddl_release(&ddl);
    assert_true(settle(before_text, "SELECT 2;\n", after_text, &ddl));
    assert_string_equal(key_of(&ddl, again), key);
    ddl_release(&ddl);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_true(settle(others[i][0], others[i][1], others[i][2], &ddl));
        assert_string_not_equal(key_of(&ddl, again), key);
        ddl_release(&ddl);
    }
}

/* Who can write into a dump and knows the key could end the restriction. */
static void a_key_that_could_be_used_stays_random(UNUSED void **state)
{
    static const char *const texts[][3] = {
        {"--\n\\restrict " KEY "\nSET x = 0;\n-- \\unrestrict\n", "", after_text},
        {before_text, "COPY \"a\\unrestrict 'x'\" FROM stdin;\n", after_text},
        {before_text, "", "\\unrestrict x\n\\unrestrict " KEY "\n\n"},
        {before_text, "", "\\unrestrict " KEY "\n\\unrestrict x\n"},
        {before_text, "", "\\unrestrict another\n"},
        {before_text, "", "-- no end\n"},
        {"SET x = 0;\n\\restrict " KEY "\n", "", after_text},
        {"SET x = 0;\n", "", "-- a pg_dump that writes none\n"},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        Ddl ddl = {0};
        assert_false(settle(texts[i][0], texts[i][1], texts[i][2], &ddl));
        assert_string_equal(ddl.before.data, texts[i][0]);
        assert_string_equal(ddl.after.data, texts[i][2]);
        ddl_release(&ddl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_statements_have_the_same_key),
        cmocka_unit_test(a_key_that_could_be_used_stays_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
