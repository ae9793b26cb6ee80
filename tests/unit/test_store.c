#include "unit.h"

#include "base/file.h"
#include "base/hash.h"
#include "store/s3.h"

static char folder[] = "/tmp/vaxdb-unit-XXXXXX";

static int make_folder(UNUSED void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(UNUSED void **state)
{
    Error err = {0};
    return directory_remove(folder, &err) ? 0 : -1;
}

static bool open_store(Arena *arena, const char *url, const StoreSettings *settings, Store **store,
                       Error *err)
{
    static Log log;
    log_init(&log, stderr, true);
    log.quiet = true;
    return store_open(arena, &log, url, settings, store, err);
}

/* Writes path and gives its hash. */
static void write_file(const char *path, const char *text, char sha256[HASH_HEX_SIZE])
{
    Error err = {0};
    hash_bytes(text, strlen(text), sha256);
    assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static void a_folder_keeps_files(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_store_ Store *store = NULL;
    _cleanup_buffer_ Buffer buffer;
    char sha256[HASH_HEX_SIZE];
    const char *source = path_join(arena, folder, "source");
    const char *target = path_join(arena, folder, "target");
    StoreSettings settings = {0};
    StoreObject object;
    StoreList list;
    Error err = {0};
    bool found = true;
    char *text = NULL;
    buffer_init(&buffer, 100);
    assert_true(
        open_store(arena, arena_printf(arena, "file://%s/store", folder), &settings, &store, &err));
    assert_true(store_list(store, arena, "", &list, &err));
    assert_int_equal(list.count, 0);
    write_file(source, "hello", sha256);
    assert_true(store_put_file(store, source, "b", sha256, &err));
    assert_true(store_put_file(store, source, "a", sha256, &err));
    assert_true(store_list(store, arena, "", &list, &err));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].name, "a");
    assert_int_equal(list.items[1].bytes, 5);
    assert_true(store_list(store, arena, "b", &list, &err));
    assert_int_equal(list.count, 1);
    assert_true(store_head(store, arena, "a", &found, &object, &err));
    assert_true(found && object.bytes == 5 && object.modified_at > 0);
    assert_true(store_read(store, "a", 1, 3, &buffer, &err));
    assert_string_equal(buffer.data, "ell");
    assert_false(store_read(store, "a", 3, 3, &buffer, &err));
    assert_true(store_get_file(store, "a", target, &err));
    assert_true(file_read(arena, target, 100, &text, NULL, &err));
    assert_string_equal(text, "hello");
    assert_true(store_delete(store, "a", &err));
    assert_true(store_delete(store, "a", &err));
    assert_true(store_head(store, arena, "a", &found, &object, &err));
    assert_false(found);
    assert_false(store_get_file(store, "a", target, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void another_content_is_not_taken(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_store_ Store *store = NULL;
    char sha256[HASH_HEX_SIZE];
    char other[HASH_HEX_SIZE];
    const char *source = path_join(arena, folder, "source");
    const char *place = path_join(arena, folder, "strict");
    StoreSettings settings = {0};
    StrList names;
    Error err = {0};
    assert_true(open_store(arena, place, &settings, &store, &err));
    write_file(source, "first", sha256);
    assert_true(store_put_file(store, source, "x", sha256, &err));
    write_file(source, "second", other);
    assert_false(store_put_file(store, source, "x", sha256, &err));
    assert_int_equal(err.code, ERR_PROBLEMS);
    assert_true(directory_list(arena, place, &names, &err));
    assert_int_equal(names.count, 1); /* the old one, and nothing half written */
}

static void names_are_those_of_files(UNUSED void **state)
{
    static const char *const wrong[] = {"", ".", "..", ".hidden", "a/b", "../x", "a\nb", "a\x7f"};
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_store_ Store *store = NULL;
    StoreSettings settings = {0};
    Error err = {0};
    assert_true(open_store(arena, folder, &settings, &store, &err));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(store_delete(store, wrong[i], &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void urls(UNUSED void **state)
{
    static const struct {
        const char *url;
        const char *endpoint;
        const char *message;
    } wrong[] = {
        {"s3://", NULL, "no name of a bucket"},
        {"s3://a b", NULL, "no name of a bucket"},
        {"s3://key:secret@bucket/x", NULL, "has a password in it"},
        {"sftp://u:secret@h/x", NULL, "has a password in it"},
        {"ftp://h/x", NULL, "no off-site store of the kind"},
        {"bucket", NULL, "no off-site store of the kind"},
        {"s3://b", "localhost:80", "not the URL of a server"},
        {"s3://b", "http://h/path", "not the URL of a server"},
        {"s3://b", "http://u@h", "not the URL of a server"},
        {"s3://b", "ftp://h", "not the URL of a server"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        StoreSettings settings = {.endpoint = wrong[i].endpoint};
        Store *store = NULL;
        Error err = {0};
        assert_false(open_store(arena, wrong[i].url, &settings, &store, &err));
        assert_int_equal(err.code, ERR_USAGE);
        if (!strstr(err.message, wrong[i].message))
            fail_msg("%s: %s", wrong[i].url, err.message);
        assert_null(strstr(err.message, "secret"));
        assert_null(strstr(err.hint, "secret"));
    }
}

static void where_requests_go(UNUSED void **state)
{
    static const struct {
        const char *url;
        const char *endpoint;
        bool path_style;
        const char *origin;
        const char *base;
        const char *prefix;
    } cases[] = {
        {"s3://b", NULL, false, "https://b.s3.eu-west-1.amazonaws.com", "/", ""},
        {"s3://b/p/q/", NULL, false, "https://b.s3.eu-west-1.amazonaws.com", "/", "p/q/"},
        {"s3://b.c//p", NULL, false, "https://s3.eu-west-1.amazonaws.com", "/b.c/", "p/"},
        {"s3://b/p", "http://h:8080/", true, "http://h:8080", "/b/", "p/"},
    };
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "k", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "s", 1), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        _cleanup_store_ Store *store = NULL;
        StoreSettings settings = {.endpoint = cases[i].endpoint,
                                  .region = "eu-west-1",
                                  .path_style = cases[i].path_style};
        Error err = {0};
        assert_true(open_store(arena, cases[i].url, &settings, &store, &err));
        const S3 *s3 = store->own;
        assert_string_equal(s3->origin, cases[i].origin);
        assert_string_equal(s3->base, cases[i].base);
        assert_string_equal(s3->prefix, cases[i].prefix);
    }
}

static void credentials_of_a_file(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const char *path = path_join(arena, folder, "credentials");
    char sha256[HASH_HEX_SIZE];
    S3 s3 = {0};
    Error err = {0};
    assert_int_equal(unsetenv("AWS_ACCESS_KEY_ID"), 0);
    assert_int_equal(unsetenv("AWS_SECRET_ACCESS_KEY"), 0);
    assert_int_equal(unsetenv("AWS_PROFILE"), 0);
    write_file(path,
               "[default]\naws_access_key_id = a\naws_secret_access_key=b=;c\n"
               "[other]\naws_access_key_id = d\n",
               sha256);
    assert_true(s3_credentials(arena, path, &s3, &err));
    assert_string_equal(s3.key.access_key, "a");
    assert_string_equal(s3.key.secret_key, "b=;c");
    assert_null(s3.session_token);
    assert_int_equal(setenv("AWS_PROFILE", "other", 1), 0);
    assert_false(s3_credentials(arena, path, &s3, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "[other]"));
    assert_int_equal(unsetenv("AWS_PROFILE"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_keeps_files),     cmocka_unit_test(another_content_is_not_taken),
        cmocka_unit_test(names_are_those_of_files), cmocka_unit_test(urls),
        cmocka_unit_test(where_requests_go),        cmocka_unit_test(credentials_of_a_file),
    };
    return cmocka_run_group_tests_name("store", tests, make_folder, remove_folder);
}
