#include "unit.h"

#include "base/str.h"
#include "pool/hba.h"
#include "pool/userlist.h"
#include "test_pool_files.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char *const no_files[] = {NULL};

/* ---- userlist.txt ------------------------------------------------------------------------ */

static void users_are_read(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    PoolProblems problems;
    problems_init(&problems, arena);
    static const char text[] =
        "\"plain\" \"x y\"\n;\"gone\" \"x\"\n\n  \"a \"\"b\"\"\" \t\"it\"\"s\" 2020-01-01 \"x\"\r\n"
        "\"empty\" \"\"\n\"plain\" \"later\"\n"
        "\"m\" \"md545f2603610af569b6155c45067268c6b\"\n"
        "\"s\" \"SCRAM-SHA-256$4096:D76gvGUVj9Z4DNiGoabOBg==$"
        "RukL0Xo3Ql/2F9FsD7mcQ3GATG2fD3PA71qY1JagGDs=:"
        "BhKUwyyivFm7Tq2jDJVXSVRbRDgTWyBilZKgg6DDuYU=\"\n\"line\" \"a\nb\"";
    Userlist list;
    assert_true(userlist_parse(arena, "users", text, sizeof(text) - 1, &list, &problems));
    assert_int_equal(list.count, 6);
    assert_string_equal(userlist_find(&list, "plain")->secret, "later");
    assert_int_equal(userlist_find(&list, "plain")->kind, PASSWORD_PLAIN);
    assert_string_equal(userlist_find(&list, "a \"b\"")->secret, "it\"s");
    assert_string_equal(userlist_find(&list, "empty")->secret, "");
    assert_int_equal(userlist_find(&list, "m")->kind, PASSWORD_MD5);
    assert_int_equal(userlist_find(&list, "s")->kind, PASSWORD_SCRAM);
    assert_string_equal(userlist_find(&list, "line")->secret, "a\nb");
    assert_null(userlist_find(&list, "gone"));
    assert_null(userlist_find(&list, "x"));
}

static void broken_users_are_named(UNUSED void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\"a\" \"b\"\nc d\n", "users:2: a line is \"name\" \"secret\", both in double quotes"},
        {"\"a\"\n\"b\" \"c\"\n", "users:1: a line is \"name\" \"secret\", both in double quotes"},
        {"\"a\" \"b\n", "users:1: a quote that is not closed"},
        {"\"\" \"b\"\n", "users:1: an empty name"},
        {"# x\n", "users:1: a line is \"name\" \"secret\", both in double quotes"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        PoolProblems problems;
        problems_init(&problems, arena);
        Userlist list;
        assert_false(
            userlist_parse(arena, "users", cases[i].text, strlen(cases[i].text), &list, &problems));
        assert_string_equal(problems.items[0].text, cases[i].message);
    }
}

/* ---- ident maps -------------------------------------------------------------------------- */

static bool parse_maps(Arena *arena, const char *text, IdentMaps *maps, PoolProblems *problems)
{
    problems_init(problems, arena);
    return ident_parse(arena, "ident", text, strlen(text), maps, problems);
}

static void maps_match(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    PoolProblems problems;
    IdentMaps maps;
    assert_true(parse_maps(arena,
                           "# comment\nm root postgres\nm root \"other user\" # too\n"
                           "any  \"a b\"  all\nquoted x \"all\"\n"
                           "mail /^(.*)@example\\.com$ \\1\nmail /^(x|y)$ pre_\\1_post\n"
                           "mail \"/^guest[0-9]{1,3}$\" guest\n",
                           &maps, &problems));
    static const struct {
        const char *map, *system_name, *user;
        bool matches;
    } cases[] = {
        {"m", "root", "postgres", true},
        {"m", "root", "other user", true},
        {"m", "root", "root", false},
        {"m", "Root", "postgres", false},
        {"none", "root", "postgres", false},
        {"any", "a b", "whoever", true},
        {"any", "a", "whoever", false},
        {"quoted", "x", "all", true},
        {"quoted", "x", "y", false},
        {"mail", "ada@example.com", "ada", true},
        {"mail", "ada@example.com", "ad", false},
        {"mail", "ada@example.com", "adaa", false},
        {"mail", "ada@example.com.org", "ada", false},
        {"mail", "@example.com", "", true},
        {"mail", "x", "pre_x_post", true},
        {"mail", "x", "pre_y_post", false},
        {"mail", "x", "pre_\\1_post", false},
        {"mail", "guest12", "guest", true},
        {"mail", "guest1234", "guest", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(ident_match(&maps, cases[i].map, cases[i].system_name, cases[i].user),
                         cases[i].matches);
    assert_true(ident_has_map(&maps, "any"));
    assert_false(ident_has_map(&maps, "al"));
    ident_free(&maps);
}

static void broken_maps_are_named(UNUSED void **state)
{
    static const char form[] = "ident:1: a line is: map-name system-name database-user";
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"m root\n", form},
        {"m root a b\n", form},
        {"m root, a\n", form},
        {"m \"root a\n", form},
        {"m root +group\n",
         "ident:1: groups and regular expressions cannot stand for the database user"},
        {"m /root \\1\n",
         "ident:1: \\1 refers to parentheses that the regular expression does not have"},
        {"m /(a)\\1 x\n", "ident:1: a regular expression cannot refer back to its own parts"},
        {"m \"/((a{99}){99}){99}\" x\n", "ident:1: the regular expression repeats too much"},
        {"m /(a x\n", "ident:1: the regular expression is wrong: "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        PoolProblems problems;
        IdentMaps maps;
        assert_false(parse_maps(arena, cases[i].text, &maps, &problems));
        assert_true(str_starts(problems.items[0].text, cases[i].message));
        ident_free(&maps);
    }
}

/* ---- HBA --------------------------------------------------------------------------------- */

static bool parse_hba(Arena *arena, const char *const *pairs, const char *text, Hba *hba,
                      PoolProblems *problems)
{
    PoolFiles files = {read_memory, pairs};
    IdentMaps maps = {0};
    problems_init(problems, arena);
    return hba_parse(arena, &files, "etc/hba", text, strlen(text), &maps, hba, problems);
}

/* address: "unix", IPv4 or IPv6. -1: no rule. */
static int method_for(const Hba *hba, const char *database, const char *user, const char *address,
                      bool tls, bool replication)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1)
        storage.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1)
        storage.ss_family = AF_INET6;
    HbaClient client = {database, user, (struct sockaddr *)&storage, tls, replication};
    const HbaRule *rule = hba_match(hba, &client);
    return rule ? (int)rule->method : -1;
}

static void the_first_rule_that_matches_decides(UNUSED void **state)
{
    static const char *const files[] = {"etc/names", "carol, dave\n# none\n\n\"e f\"\n@deeper",
                                        "etc/deeper", "gina", NULL};
    static const char text[] =
        " \t# comment\n"
        "local     all        root                        peer\n"
        "local     sameuser   all                         md5\n"
        "host      app,\"all\" , x  bob,\"a\"\"b\"  10.0.0.0/8      scram-sha-256\n"
        "hostssl   all        all    10.1.0.0  255.255.0.0  cert # why\n"
        "hostnossl all        all    10.1.0.0/16          reject\n"
        "host      all        @names 192.168.4.0/22       password\n"
        "host      all        ann    fd00::/9             trust\n"
        "host      rep,replication repl all               md5\n"
        "host      last       all    0.0.0.0/0            md5\n";
    _cleanup_arena_ Arena *arena = arena_create();
    PoolProblems problems;
    Hba hba;
    assert_true(parse_hba(arena, files, text, &hba, &problems));
    assert_int_equal(hba.count, 9);
    static const struct {
        const char *database, *user, *address;
        bool tls, replication;
        int method;
    } cases[] = {
        {"db", "root", "unix", false, false, AUTH_PEER},
        {"db", "ann", "unix", false, false, -1},
        {"ann", "ann", "unix", false, false, AUTH_MD5},
        {"app", "bob", "10.255.0.1", false, false, AUTH_SCRAM},
        {"all", "bob", "10.255.0.1", true, false, AUTH_SCRAM},
        {"x", "a\"b", "10.0.0.0", true, false, AUTH_SCRAM},
        {"y", "bob", "10.255.0.1", false, false, -1},
        {"app", "bob", "11.0.0.1", false, false, -1},
        {"app", "bob", "::ffff:10.255.0.1", false, false, AUTH_SCRAM},
        {"y", "bob", "10.1.2.3", true, false, AUTH_CERT},
        {"y", "bob", "10.1.2.3", false, false, AUTH_REJECT},
        {"y", "bob", "10.2.2.3", true, false, -1},
        {"y", "dave", "192.168.7.255", true, false, AUTH_PLAIN},
        {"y", "e f", "192.168.4.0", true, false, AUTH_PLAIN},
        {"y", "gina", "192.168.4.0", true, false, AUTH_PLAIN},
        {"y", "e", "192.168.4.0", true, false, -1},
        {"y", "dave", "192.168.8.0", true, false, -1},
        {"y", "ann", "fd7f::1", true, false, AUTH_TRUST},
        {"y", "ann", "fd80::1", true, false, -1},
        {"last", "ann", "fd80::1", true, false, -1},
        {"last", "x", "1.2.3.4", false, false, AUTH_MD5},
        {"last", "x", "1.2.3.4", false, true, -1},
        {"db", "repl", "fd80::1", false, true, AUTH_MD5},
        {"db", "repl", "fd80::1", false, false, -1},
        {"rep", "repl", "1.2.3.4", false, false, AUTH_MD5},
        {"replication", "repl", "1.2.3.4", false, false, -1},
        {"rep", "repl", "unix", false, false, -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(method_for(&hba, cases[i].database, cases[i].user, cases[i].address,
                                    cases[i].tls, cases[i].replication),
                         cases[i].method);
}

static void broken_rules_are_named(UNUSED void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"hots all all all md5", "a line starts with local, host, hostssl or hostnossl"},
        {"hostgssenc all all all md5", "a line starts with local, host, hostssl or hostnossl"},
        {"\"host\" all all all md5", "a line starts with local, host, hostssl or hostnossl"},
        {"host", "the name of a database is missing"},
        {"host a,,b all all md5", "the name of a database is missing"},
        {"host all", "the name of a user is missing"},
        {"host \"all all all md5", "a quote that is not closed"},
        {"host all +staff all md5", "+staff: the pooler does not know who is a member of what"},
        {"host samerole all all md5", "samerole: the pooler does not know who is a member of what"},
        {"host all /^a all md5", "/^a: a regular expression cannot stand here"},
        {"host all @none all md5", "cannot read etc/none: there is none"},
        {"host all all samenet md5", "samenet is not an address"},
        {"host all all example.com md5", "example.com is not an address"},
        {"host all all 10.0.0.0/33 md5", "/33 is not a number of bits of the address"},
        {"host all all 10.0.0.0/ md5", "/ is not a number of bits of the address"},
        {"host all all 10.0.0.1 md5", "10.0.0.1 has neither /bits nor a mask behind it"},
        {"host all all 10.0.0.1/8 md5",
         "10.0.0.1 has bits outside of its mask, so that none matches"},
        {"host all all fd00:: 255.0.0.0 md5", "fd00:: has neither /bits nor a mask behind it"},
        {"host all all", "the address is missing"},
        {"host all all all", "the method is missing"},
        {"host all all all ldap ldapserver=x", "there is no method ldap here"},
        {"host all all all any", "there is no method any here"},
        {"host all all all cert clientcert=1", "clientcert=1: the only option is map=NAME"},
        {"host all all all cert map=m", "auth_ident_file has no map m"},
        {"local all all 10.0.0.0/8 md5", "there is no method 10.0.0.0/8 here"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        PoolProblems problems;
        Hba hba;
        assert_false(parse_hba(arena, no_files, cases[i].text, &hba, &problems));
        assert_int_equal(problems.errors, 1);
        assert_true(str_starts(problems.items[0].text, "etc/hba:1: "));
        assert_string_equal(problems.items[0].text + strlen("etc/hba:1: "), cases[i].message);
        assert_int_equal(hba.count, 0);
    }
}

static void files_of_names_end(UNUSED void **state)
{
    static const char *const files[] = {"etc/x", "@x\n@x\n@x", NULL};
    _cleanup_arena_ Arena *arena = arena_create();
    PoolProblems problems;
    Hba hba;
    assert_false(parse_hba(arena, files, "local all @x md5\nlocal all all md5", &hba, &problems));
    assert_int_equal(problems.errors, 1);
    assert_int_equal(hba.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_read),
        cmocka_unit_test(broken_users_are_named),
        cmocka_unit_test(maps_match),
        cmocka_unit_test(broken_maps_are_named),
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(broken_rules_are_named),
        cmocka_unit_test(files_of_names_end),
    };
    return cmocka_run_group_tests_name("pool_access", tests, NULL, NULL);
}
