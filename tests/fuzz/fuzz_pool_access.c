#include "fuzz.h"

#include "base/str.h"
#include "pool/hba.h"
#include "pool/userlist.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

/* An @file holds a few names and itself. */
static bool read_names(const PoolFiles *files, Arena *arena, const char *path, char **text,
                       size_t *length, Error *err)
{
    (void)files;
    if (str_ends(path, "none"))
        return error_set(err, ERR_USAGE, "cannot read %s", path);
    *text = arena_strdup(arena, str_ends(path, "loop") ? "x @loop" : "ann, \"b c\"\n# d\nsameuser");
    *length = strlen(*text);
    return true;
}

static void try_userlist(Arena *arena, const char *text, size_t length)
{
    PoolProblems problems;
    problems_init(&problems, arena);
    Userlist list;
    bool good = userlist_parse(arena, "users", text, length, &list, &problems);
    assert(good == (problems.errors == 0));
    for (size_t i = 0; i < list.count; i++) {
        const PoolSecret *user = &list.items[i];
        assert(userlist_find(&list, user->entry.name) == user);
        assert(*user->entry.name && user->kind == password_kind(user->secret));
    }
}

static void try_clients(const Hba *hba, const IdentMaps *maps)
{
    static const char *const names[] = {"app", "ann", "b c", "root", "all", "replication"};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(0x0A010203)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr local = {.sa_family = AF_UNIX};
    const void *const addresses[] = {&four, &six, &local};
    for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(names) * COUNT_OF(addresses) * 4; i++) {
        size_t rest = i / 4;
        HbaClient client = {names[rest % COUNT_OF(names)],
                            names[rest / COUNT_OF(names) % COUNT_OF(names)],
                            addresses[rest / COUNT_OF(names) / COUNT_OF(names)], i & 1, i & 2};
        const HbaRule *rule = hba_match(hba, &client);
        if (!rule)
            continue;
        assert((rule->kind == HBA_LOCAL) == (client.address->sa_family == AF_UNIX));
        assert(rule->kind != HBA_HOSTSSL || client.tls);
        assert(rule->kind != HBA_HOSTNOSSL || !client.tls);
        if (rule->map)
            (void)ident_match(maps, rule->map, "root", client.user);
    }
}

/* The part before "====" is an ident file, the rest an HBA file; and all of it a userlist. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "====\n";
    _cleanup_arena_ Arena *arena = arena_create();
    const char *text = (const char *)data;
    try_userlist(arena, text, size);
    const char *cut = size ? memmem(text, size, mark, sizeof(mark) - 1) : NULL;
    size_t ident_length = cut ? (size_t)(cut - text) : 0;
    size_t start = cut ? ident_length + sizeof(mark) - 1 : 0;
    PoolProblems problems;
    problems_init(&problems, arena);
    IdentMaps maps;
    bool good = ident_parse(arena, "ident", text, ident_length, &maps, &problems);
    assert(good == (problems.errors == 0));
    size_t errors = problems.errors;
    PoolFiles files = {read_names, NULL};
    Hba hba;
    good = hba_parse(arena, &files, "hba", text + start, size - start, &maps, &hba, &problems);
    assert(good == (problems.errors == errors));
    (void)ident_match(&maps, "m", "ada@example.com", "ada");
    try_clients(&hba, &maps);
    ident_free(&maps);
    return 0;
}
