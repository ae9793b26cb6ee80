#include "unit.h"

#include "base/file.h"
#include "base/str.h"
#include "pool/config.h"
#include "test_pool_files.h"

#include <unistd.h>

typedef struct {
    Arena *arena;
    PoolProblems problems;
    PoolConfig *config;
    Error err;
} Read;

static bool read_files(Read *read, const char *const *pairs)
{
    PoolFiles files = {read_memory, pairs};
    problems_init(&read->problems, read->arena);
    read->err = (Error){0};
    return pool_config_read("main.ini", &files, &read->problems, &read->config, &read->err);
}

static bool read_text(Read *read, const char *text)
{
    const char *const pairs[] = {"main.ini", text, NULL};
    return read_files(read, pairs);
}

static int setup(void **state)
{
    Read *read = calloc(1, sizeof(*read));
    read->arena = arena_create();
    *state = read;
    return 0;
}

static int teardown(void **state)
{
    Read *read = *state;
    pool_config_destroy(read->config);
    arena_destroy(read->arena);
    free(read);
    return 0;
}

/* The text of the only error. */
static const char *only_error(Read *read, const char *text)
{
    assert_false(read_text(read, text));
    assert_null(read->config);
    assert_int_equal(read->err.code, ERR_USAGE);
    assert_int_equal(read->problems.errors, 1);
    return read->err.message;
}

static void nothing_said_is_as_pgbouncer_has_it(void **state)
{
    Read *read = *state;
    assert_true(read_text(read, "[pgbouncer]\nauth_user=lookup\n"));
    assert_int_equal(read->problems.count, 0);
    static const struct {
        const char *name, *value;
    } expected[] = {{"admin_users", ""},
                    {"auth_type", "md5"},
                    {"autodb_idle_timeout", "3600"},
                    {"client_tls_sslmode", "disable"},
                    {"conffile", "main.ini"},
                    {"default_pool_size", "20"},
                    {"listen_port", "6432"},
                    {"max_client_conn", "100"},
                    {"max_packet_size", "2147483647"},
                    {"max_prepared_statements", "200"},
                    {"pkt_buf", "4096"},
                    {"pool_mode", "session"},
                    {"query_wait_notify", "5"},
                    {"query_wait_timeout", "120"},
                    {"reserve_pool_timeout", "5"},
                    {"scram_iterations", "4096"},
                    {"server_check_query", "<empty>"},
                    {"server_idle_timeout", "600"},
                    {"server_reset_query", "DISCARD ALL"},
                    {"server_tls_sslmode", "prefer"},
                    {"track_extra_parameters", "IntervalStyle"},
                    {"unix_socket_dir", "/tmp"},
                    {"unix_socket_mode", "511"},
                    {"workers", "0"}};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const SettingSpec *spec = setting_find(pool_setting_specs, expected[i].name);
        assert_non_null(spec);
        assert_string_equal(setting_text(spec, read->arena, &read->config->settings),
                            expected[i].value);
    }
    assert_true(str_starts(read->config->settings.auth_query, "SELECT rolname, CASE WHEN "));
    assert_null(strchr(read->config->settings.auth_query, '\n'));
}

/* Two rows that write to one field would hide each other. */
static void the_table_is_sorted_and_has_a_field_for_each_key(void **state)
{
    Read *read = *state;
    assert_true(read_text(read, "[pgbouncer]\n"));
    size_t count = 0;
    for (const SettingSpec *spec = pool_setting_specs; spec->name; spec++, count++) {
        if (spec != pool_setting_specs)
            assert_true(strcmp(spec[-1].name, spec->name) < 0);
        for (const SettingSpec *other = pool_setting_specs; other != spec; other++)
            assert_int_not_equal(other->offset, spec->offset);
        const char *value = setting_default(spec, read->arena);
        PoolSettings settings = read->config->settings;
        if (value)
            assert_null(setting_assign(spec, read->arena, value, &settings));
    }
    assert_int_equal(count, 98 + 1); /* PgBouncer's and workers */
}

static void every_key_takes_a_value(void **state)
{
    Read *read = *state;
    Arena *arena = read->arena;
    for (const SettingSpec *spec = pool_setting_specs; spec->name; spec++) {
        PoolSettings settings = {0};
        const char *value = spec->kind == SETTING_INT       ? "1234"
                            : spec->kind == SETTING_SECONDS ? "1.25"
                            : spec->kind == SETTING_WORD    ? spec->words[1].word
                            : spec->check                   ? spec->fallback
                                                            : "x y;z";
        if (!value)
            value = "x";
        if (str_equal(spec->name, "workers"))
            value = "12";
        assert_null(setting_assign(spec, arena, value, &settings));
        assert_string_equal(setting_text(spec, arena, &settings), value);
    }
}

static void values_are_read(void **state)
{
    Read *read = *state;
    assert_true(read_text(read, "\xEF\xBB\xBF;comment\n  [pgbouncer]  pool_mode = Transaction\r\n"
                                "\tlisten_addr=a, b ; c\nquery_timeout = 0.5\n"
                                "unix_socket_mode=0700\ndefault_pool_size = 1\n"
                                "default_pool_size = 7\nuser =\nservice_name = old\n"
                                "auth_user = x\n"));
    const PoolSettings *settings = &read->config->settings;
    assert_int_equal(settings->pool_mode, POOL_MODE_TRANSACTION);
    assert_string_equal(settings->listen_addr, "a, b ; c");
    assert_int_equal(settings->query_timeout_us, 500000);
    assert_int_equal(settings->unix_socket_mode, 0700);
    assert_int_equal(settings->default_pool_size, 7);
    assert_string_equal(settings->user, "");
    assert_string_equal(settings->job_name, "old");
    assert_int_equal(read->problems.count, 0);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"[pgbouncer]\nmax_client_con = 5\n", "main.ini:2: there is no key max_client_con",
         "did you mean max_client_conn?"},
        {"[pgbouncer]\n[database]\nx=\n", "main.ini:2: there is no section [database]",
         "did you mean [databases]?"},
        {"[pgbouncer]\nlisten_port = 5k\n",
         "main.ini:2: listen_port = 5k: it is not a whole number", ""},
        {"[pgbouncer]\nlisten_port = 70000\n",
         "main.ini:2: listen_port = 70000: it must be between 0 and 65535", ""},
        {"[pgbouncer]\nmax_client_conn =\n",
         "main.ini:2: max_client_conn = : it is not a whole number", ""},
        {"[pgbouncer]\npool_mode = both\n",
         "main.ini:2: pool_mode = both: it must be one of session, transaction, statement", ""},
        {"[pgbouncer]\nauth_type = PAM\n",
         "main.ini:2: auth_type = PAM: vaxdb has no PAM: use scram-sha-256 with auth_file or "
         "auth_query",
         ""},
        {"[pgbouncer]\nquery_timeout = -1\n",
         "main.ini:2: query_timeout = -1: it is not a number of seconds", ""},
        {"[pgbouncer]\nclient_tls_protocols = tlsv9\n",
         "main.ini:2: client_tls_protocols = tlsv9: it must be secure, all, or a list of tlsv1.0, "
         "tlsv1.1, tlsv1.2, tlsv1.3",
         ""},
        {"[databases]\nx =\n", "main.ini: there is no section [pgbouncer]", ""},
        {"x = 1\n[pgbouncer]\n", "main.ini:1: a key before the first [section]", ""},
        {"[pgbouncer]\nauth_file = none\n", "cannot read none: there is none", ""},
        {"[pgbouncer]\n%include none\n", "cannot read none: there is none", ""},
        {"[pgbouncer]\nauth_type = hba\n", "main.ini: auth_type = hba wants auth_hba_file", ""},
        {"[pgbouncer]\nclient_tls_sslmode = require\n",
         "main.ini: client_tls_sslmode wants client_tls_key_file and client_tls_cert_file, which "
         "are not both set",
         ""},
        {"[pgbouncer]\n[databases]\npgbouncer = host=x\n",
         "main.ini:3: pgbouncer is the console's own database", ""},
        {"[pgbouncer]\n[databases]\nx = hots=a\n", "main.ini:3: x: there is no key hots",
         "did you mean host?"},
        {"[pgbouncer]\n[databases]\nx = password=A b=c\n", "main.ini:3: x: there is no key b", ""},
        {"[pgbouncer]\n[databases]\nx = port=0\n",
         "main.ini:3: x: port = 0: it must be between 1 and 65535", ""},
        {"[pgbouncer]\n[databases]\nx = host='a\n", "main.ini:3: x: a quote that is not closed",
         "a value is written key=value key='other value'"},
        {"[pgbouncer]\n[databases]\nx = user=''\n", "main.ini:3: x: an empty value",
         "a value is written key=value key='other value'"},
        {"[pgbouncer]\n[databases]\nx = host=a,,b\n",
         "main.ini:3: x: host: an empty name in the list", ""},
        {"[pgbouncer]\n[peers]\n70000 = host=a\n",
         "main.ini:3: 70000: a peer's number must be between 1 and 65535", ""},
        {"[pgbouncer]\n[peers]\n1 = port=1\n", "main.ini:3: 1: a peer needs a host", ""},
        {"[pgbouncer]\n[users]\nx = port=1\n", "main.ini:3: x: there is no key port", ""},
    };
    Read *read = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(only_error(read, cases[i].text), cases[i].message);
        if (*cases[i].hint)
            assert_string_equal(read->err.hint, cases[i].hint);
    }
}

static void everything_wrong_is_told_at_once(void **state)
{
    Read *read = *state;
    assert_false(read_text(read, "[pgbouncer]\nx=1\n[databases\na b = c\npool_mode = no\n"));
    assert_int_equal(read->problems.errors, 4);
    assert_string_equal(read->err.message, "main.ini:2: there is no key x (and 3 more)");
    assert_true(str_starts(read->problems.items[1].text, "main.ini:3: a section is written"));
    assert_true(str_starts(read->problems.items[2].text, "main.ini:4: a key with characters"));
    assert_true(str_starts(read->problems.items[3].text, "main.ini:5: pool_mode"));
}

static void includes_go_on_where_they_stand(void **state)
{
    static const char *const pairs[] = {
        "main.ini", "[pgbouncer]\nmax_client_conn = 1\n %include more.ini  \nbeta = host=b\n",
        "more.ini", "default_pool_size = 3\n%include /etc/dbs\n",
        "/etc/dbs", "max_client_conn = 2\n[databases]\nalpha =\n",
        NULL};
    Read *read = *state;
    assert_true(read_files(read, pairs));
    assert_int_equal(read->config->settings.max_client_conn, 2);
    assert_int_equal(read->config->settings.default_pool_size, 3);
    assert_int_equal(read->config->database_count, 2);
    assert_string_equal(pool_config_database(read->config, "alpha")->entry.path, "/etc/dbs");
    assert_string_equal(pool_config_database(read->config, "beta")->host, "b");
}

static void includes_end(void **state)
{
    Read *read = *state;
    assert_false(read_text(read, "[pgbouncer]\n%include main.ini\n%include main.ini\n"));
    assert_true(strstr(read->err.message, "%include is nested too deep"));
    assert_true(read->problems.count <= POOL_PROBLEMS_MAX);
}

static void connection_strings_are_read(void **state)
{
    Read *read = *state;
    assert_true(read_text(
        read,
        "[databases]\nb =\n\"we\"\"ird; db\" = host=/run\n'other db'=host=x\n"
        "* = host=h1 dbname=any\na = host=old port=1 pool_size=3\n"
        "a = host='h1, h2,/tmp' port = 5433 dbname=real user=u password='it''s = x' auth_user=l "
        "auth_query='SELECT 1' auth_dbname=b min_pool_size=01 reserve_pool=010 "
        "connect_query='SET x = ''y''' pool_mode=statement load_balance_hosts=disable "
        "max_db_connections=9 max_db_client_connections=99 client_encoding=UTF8 datestyle=ISO "
        "timezone=UTC application_name=app server_lifetime=60 target_session_attrs=read-write\n"
        "[pgbouncer]\nauth_user=l\n"));
    assert_int_equal(read->problems.count, 0);
    const PoolConfig *config = read->config;
    assert_int_equal(config->database_count, 5);
    const PoolDatabase *a = pool_config_database(config, "a");
    assert_int_equal(a->entry.line, 7);
    assert_int_equal(a->host_count, 3);
    assert_string_equal(a->hosts[0], "h1");
    assert_string_equal(a->hosts[1], "h2");
    assert_string_equal(a->hosts[2], "/tmp");
    assert_int_equal(a->port, 5433);
    assert_string_equal(a->dbname, "real");
    assert_string_equal(a->password, "it's = x");
    assert_string_equal(a->connect_query, "SET x = 'y'");
    assert_int_equal(a->pool_size, POOL_UNSET); /* the later entry replaces the earlier wholly */
    assert_int_equal(a->min_pool_size, 1);
    assert_int_equal(a->reserve_pool_size, 10);
    assert_int_equal(a->pool_mode, POOL_MODE_STATEMENT);
    assert_int_equal(a->load_balance_hosts, BALANCE_DISABLE);
    assert_int_equal(a->server_lifetime_us, 60000000);
    assert_int_equal(a->target_session_attrs, TARGET_READ_WRITE);
    const PoolDatabase *b = pool_config_database(config, "b");
    assert_null(b->dbname);
    assert_null(b->host);
    assert_int_equal(b->port, 5432);
    assert_int_equal(b->pool_mode, POOL_MODE_UNSET);
    assert_string_equal(pool_config_database(config, "we\"ird; db")->host, "/run");
    assert_string_equal(pool_config_database(config, "other db")->host, "x");
    assert_null(pool_config_database(config, "*"));
    assert_null(pool_config_database(config, "none"));
    assert_string_equal(config->any_database->dbname, "any");
}

static void users_and_peers_are_read(void **state)
{
    Read *read = *state;
    assert_true(read_text(read, "[users]\nu = pool_mode=session pool_size=1 reserve_pool_size=2 "
                                "max_user_connections=3 max_user_client_connections=4 "
                                "query_timeout=5 idle_transaction_timeout=6 "
                                "transaction_timeout=7 client_idle_timeout=8\n[peers]\n"
                                "2 = host=/tmp/p2\n10=host=p port=5 pool_size=6\n[pgbouncer]\n"));
    const PoolUser *user = pool_config_user(read->config, "u");
    assert_int_equal(user->pool_mode, POOL_MODE_SESSION);
    assert_int_equal(user->reserve_pool_size, 2);
    assert_int_equal(user->max_user_client_connections, 4);
    assert_int_equal(user->transaction_timeout_us, 7000000);
    assert_null(pool_config_user(read->config, "v"));
    assert_int_equal(pool_config_peer(read->config, 2)->port, 6432);
    assert_int_equal(pool_config_peer(read->config, 10)->pool_size, 6);
    assert_null(pool_config_peer(read->config, 3));
}

static void files_of_access_are_read(void **state)
{
    static const char *const pairs[] = {
        "main.ini",
        "%include main",
        "main",
        "[pgbouncer]\nauth_type=hba\nauth_file=users\nauth_hba_file=conf/hba\n%include more",
        "more",
        "auth_ident_file=ident\n",
        "users",
        "\"u\" \"secret\"\n",
        "ident",
        "m root postgres\n",
        "conf/hba",
        "local all @names peer map=m\n",
        "conf/names",
        "postgres\n",
        NULL};
    Read *read = *state;
    assert_true(read_files(read, pairs));
    assert_string_equal(userlist_find(&read->config->userlist, "u")->secret, "secret");
    struct sockaddr local = {.sa_family = AF_UNIX};
    HbaClient client = {"db", "postgres", &local, false, false};
    const HbaRule *rule = hba_match(&read->config->hba, &client);
    assert_non_null(rule);
    assert_true(ident_match(&read->config->maps, rule->map, "root", client.user));
}

static void warnings_do_not_refuse(void **state)
{
    Read *read = *state;
    assert_true(read_text(read, "[pgbouncer]\nauth_type = any\nmax_client_conn = 5\n[databases]\n"
                                "x = auth_dbname=none\n[pgbouncer]\nlisten_port=1\n"));
    assert_int_equal(read->config->settings.max_client_conn, 5);
    assert_int_equal(read->problems.errors, 0);
    assert_int_equal(read->problems.count, 3);
}

static void files_on_the_disk(void **state)
{
    Read *read = *state;
    char path[] = "/tmp/vaxdb-test-pool-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    static const char text[] = "[pgbouncer]\nlisten_port = 7000\n";
    assert_int_equal(write(descriptor, text, sizeof(text) - 1), sizeof(text) - 1);
    (void)close(descriptor);
    problems_init(&read->problems, read->arena);
    assert_true(
        pool_config_read(path, &pool_files_disk, &read->problems, &read->config, &read->err));
    assert_int_equal(read->config->settings.listen_port, 7000);
    assert_int_equal(unlink(path), 0);
    pool_config_destroy(TAKE(read->config));
    assert_false(pool_config_read("/dev/zero", &pool_files_disk, &read->problems, &read->config,
                                  &read->err));
    assert_string_equal(read->err.message, "cannot read /dev/zero: it is not a file");
}

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_IS_PLAIN false
#elif defined(__has_feature)
#define HEAP_IS_PLAIN (!__has_feature(address_sanitizer))
#else
#define HEAP_IS_PLAIN true
#endif

/* How often text stands on the heap, freed memory included. */
static int times_on_heap(const char *text)
{
    _cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    char line[512];
    int times = 0;
    while (fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "[heap]"))
            continue;
        char *dash = NULL;
        uintptr_t start = strtoul(line, &dash, 16);
        uintptr_t end = strtoul(dash + 1, NULL, 16);
        size_t length = strlen(text);
        for (const char *at = (const char *)start; at + length <= (const char *)end; at++)
            times += *at == *text && memcmp(at, text, length) == 0;
    }
    return times;
}

static void no_password_is_left_behind(void **state)
{
    if (!HEAP_IS_PLAIN)
        skip();
    static const char text[] = "[databases]\nx = user=u password='s3cret of a database'\n"
                               "[pgbouncer]\n";
    Read *read = *state;
    char path[] = "/tmp/vaxdb-test-pool-XXXXXX";
    int descriptor = mkstemp(path);
    assert_int_equal(write(descriptor, text, sizeof(text) - 1), sizeof(text) - 1);
    (void)close(descriptor);
    problems_init(&read->problems, read->arena);
    assert_true(
        pool_config_read(path, &pool_files_disk, &read->problems, &read->config, &read->err));
    assert_true(times_on_heap("s3cret of a database") > 0);
    pool_config_destroy(TAKE(read->config));
    assert_int_equal(times_on_heap("s3cret of a database"), 0);
    assert_int_equal(unlink(path), 0);
}

static void words_of_lists_and_versions(void **state)
{
    (void)state;
    assert_true(pool_list_has("a, bc\td", "bc"));
    assert_true(pool_list_has("a", "a"));
    assert_false(pool_list_has("abc", "b"));
    assert_false(pool_list_has("", ""));
    assert_false(pool_list_has(NULL, "a"));
    unsigned versions = 0;
    assert_true(tls_protocols_parse("TLSv1.2 , tlsv1.3", &versions));
    assert_int_equal(versions, TLS_1_2 | TLS_1_3);
    assert_true(tls_protocols_parse("all:!tlsv1.0", &versions));
    assert_int_equal(versions, TLS_1_1 | TLS_1_2 | TLS_1_3);
    assert_true(tls_protocols_parse("", &versions));
    assert_int_equal(versions, TLS_1_2 | TLS_1_3);
    assert_false(tls_protocols_parse("tlsv1.2 tlsv1.3", &versions));
    assert_false(tls_protocols_parse("all,!all", &versions));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_said_is_as_pgbouncer_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_table_is_sorted_and_has_a_field_for_each_key, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(every_key_takes_a_value, setup, teardown),
        cmocka_unit_test_setup_teardown(values_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_wrong_is_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(includes_go_on_where_they_stand, setup, teardown),
        cmocka_unit_test_setup_teardown(includes_end, setup, teardown),
        cmocka_unit_test_setup_teardown(connection_strings_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(users_and_peers_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(files_of_access_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(warnings_do_not_refuse, setup, teardown),
        cmocka_unit_test_setup_teardown(files_on_the_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(no_password_is_left_behind, setup, teardown),
        cmocka_unit_test(words_of_lists_and_versions),
    };
    return cmocka_run_group_tests_name("pool_config", tests, NULL, NULL);
}
