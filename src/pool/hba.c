#include "pool/hba.h"

#include "base/file.h"
#include "base/str.h"
#include "pool/access_line.h"

#include <arpa/inet.h>

#define NAME_FILES_DEEP 10
#define NAME_FILES_MAX  1000

typedef struct {
    Arena *arena;
    const PoolFiles *files;
    const IdentMaps *maps;
    PoolProblems *problems;
    int name_files; /* how many were read */
} Reader;

typedef struct {
    const char *path;
    int line;
    bool databases;
    int deep; /* of name files */
} NamesAt;

static bool add_name(Reader *reader, const NamesAt *at, const char *token, bool quoted,
                     HbaNames *names);

static bool add_file(Reader *reader, const NamesAt *at, const char *name, HbaNames *names)
{
    if (!*name)
        return problems_error(reader->problems, at->path, at->line, "@ without a file");
    if (at->deep == NAME_FILES_DEEP || reader->name_files++ == NAME_FILES_MAX)
        return problems_error(reader->problems, at->path, at->line,
                              "files of names are nested too deep, or are too many");
    const char *path = path_join(reader->arena, path_dirname(reader->arena, at->path), name);
    char *text = NULL;
    size_t length = 0;
    Error err = {0};
    if (!reader->files->read(reader->files, reader->arena, path, &text, &length, &err))
        return problems_error(reader->problems, at->path, at->line, "%s", err.message);
    AccessLines lines;
    access_init(&lines, reader->arena, text, length);
    while (access_next_line(&lines)) {
        NamesAt inner = {path, lines.line, at->databases, at->deep + 1};
        for (; lines.kind != ACCESS_END; access_next(&lines)) {
            if (lines.kind == ACCESS_COMMA)
                continue;
            if (lines.kind == ACCESS_BROKEN)
                return problems_error(reader->problems, path, lines.line,
                                      "a quote that is not closed");
            if (!add_name(reader, &inner, lines.text, lines.kind == ACCESS_QUOTED, names))
                return false;
        }
    }
    return true;
}

static bool add_name(Reader *reader, const NamesAt *at, const char *token, bool quoted,
                     HbaNames *names)
{
    if (!quoted) {
        if (str_equal(token, "all")) {
            names->all = true;
            return true;
        }
        if (at->databases && str_equal(token, "sameuser")) {
            names->same_user = true;
            return true;
        }
        if (at->databases && str_equal(token, "replication")) {
            names->replication = true;
            return true;
        }
        if (at->databases && (str_equal(token, "samerole") || str_equal(token, "samegroup")))
            return problems_error(reader->problems, at->path, at->line,
                                  "%s: the pooler does not know who is a member of what", token);
        if (*token == '+')
            return problems_error(reader->problems, at->path, at->line,
                                  "%s: the pooler does not know who is a member of what", token);
        if (*token == '/')
            return problems_error(reader->problems, at->path, at->line,
                                  "%s: a regular expression cannot stand here", token);
        if (*token == '@')
            return add_file(reader, at, token + 1, names);
    }
    ARENA_PUSH(reader->arena, names->names, names->count, names->capacity, token);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_names(Reader *reader, AccessLines *lines, const NamesAt *at, HbaNames *names)
{
    do {
        bool quoted = lines->kind == ACCESS_QUOTED;
        if (!quoted && lines->kind != ACCESS_WORD)
            return problems_error(reader->problems, at->path, at->line, "%s",
                                  lines->kind == ACCESS_BROKEN ? "a quote that is not closed"
                                  : at->databases              ? "the name of a database is missing"
                                                               : "the name of a user is missing");
        if (!add_name(reader, at, lines->text, quoted, names))
            return false;
        access_next(lines);
        if (lines->kind != ACCESS_COMMA)
            break;
        access_next(lines);
    } while (true);
    if (names->count)
        qsort(names->names, names->count, sizeof(*names->names), compare_names);
    return true;
}

static bool mask_of_bits(const char *text, HbaRule *rule)
{
    int64_t bits = 0;
    if (!str_to_int64(text, 0, rule->family == AF_INET ? 32 : 128, &bits))
        return false;
    for (int i = 0; i < 16; i++) {
        int64_t left = bits - 8 * i;
        rule->mask[i] = left >= 8 ? 0xFF : (unsigned char)(left > 0 ? 0xFF << (8 - left) : 0);
    }
    return true;
}

static bool read_address(Reader *reader, AccessLines *lines, const NamesAt *at, HbaRule *rule)
{
    if (access_take_word(lines, "all")) {
        rule->any_address = true;
        return true;
    }
    if (lines->kind != ACCESS_WORD)
        return problems_error(reader->problems, at->path, at->line, "the address is missing");
    char *address = arena_strdup(reader->arena, lines->text);
    char *slash = strchr(address, '/');
    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, address, rule->address) == 1) {
        rule->family = AF_INET;
    } else if (inet_pton(AF_INET6, address, rule->address) == 1) {
        rule->family = AF_INET6;
    } else {
        (void)problems_error(reader->problems, at->path, at->line, "%s is not an address", address);
        return problems_hint(reader->problems, "addresses are all, 10.0.0.0/8, fd00::/8 or "
                                               "10.0.0.0 255.0.0.0; host names are not looked up");
    }
    access_next(lines);
    if (slash) {
        if (!mask_of_bits(slash + 1, rule))
            return problems_error(reader->problems, at->path, at->line,
                                  "/%s is not a number of bits of the address", slash + 1);
    } else {
        if (lines->kind != ACCESS_WORD || inet_pton(rule->family, lines->text, rule->mask) != 1) {
            (void)problems_error(reader->problems, at->path, at->line,
                                 "%s has neither /bits nor a mask behind it", address);
            return problems_hint(reader->problems, "one address alone is %s/%d", address,
                                 rule->family == AF_INET ? 32 : 128);
        }
        access_next(lines);
    }
    for (size_t i = 0; i < sizeof(rule->address); i++) {
        if (rule->address[i] & ~rule->mask[i])
            return problems_error(reader->problems, at->path, at->line,
                                  "%s has bits outside of its mask, so that none matches", address);
    }
    return true;
}

static bool read_method(Reader *reader, AccessLines *lines, const NamesAt *at, HbaRule *rule)
{
    static const SettingWord methods[] = {
        {"trust", AUTH_TRUST},        {"reject", AUTH_REJECT}, {"md5", AUTH_MD5},
        {"password", AUTH_PLAIN},     {"peer", AUTH_PEER},     {"cert", AUTH_CERT},
        {"scram-sha-256", AUTH_SCRAM}};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (access_take_word(lines, methods[i].word)) {
            rule->method = (AuthType)methods[i].value;
            return true;
        }
    }
    if (lines->kind != ACCESS_WORD)
        return problems_error(reader->problems, at->path, at->line, "the method is missing");
    (void)problems_error(reader->problems, at->path, at->line, "there is no method %s here",
                         lines->text);
    return problems_hint(reader->problems,
                         "methods are trust, reject, md5, password, peer, cert, scram-sha-256");
}

/* map=NAME or map="NAME", once. */
static bool read_options(Reader *reader, AccessLines *lines, const NamesAt *at, HbaRule *rule)
{
    static const char map[] = "map=";
    if (lines->kind == ACCESS_END)
        return true;
    if (lines->kind != ACCESS_WORD || !str_starts(lines->text, map))
        return problems_error(reader->problems, at->path, at->line,
                              "%s: the only option is map=NAME", lines->text);
    const char *name = lines->text + sizeof(map) - 1;
    access_next(lines);
    if (!*name && lines->kind == ACCESS_QUOTED) {
        name = lines->text;
        access_next(lines);
    }
    if (lines->kind != ACCESS_END)
        return problems_error(reader->problems, at->path, at->line,
                              "something stands behind map=%s", name);
    if (!ident_has_map(reader->maps, name))
        return problems_error(reader->problems, at->path, at->line, "auth_ident_file has no map %s",
                              name);
    rule->map = name;
    if (rule->method != AUTH_CERT && rule->method != AUTH_PEER)
        problems_warn(reader->problems, at->path, at->line, "map= counts for cert and peer only");
    return true;
}

static bool read_rule(Reader *reader, AccessLines *lines, const char *path, HbaRule *rule)
{
    static const char *const kinds[] = {"local", "host", "hostssl", "hostnossl"};
    NamesAt at = {path, lines->line, true, 0};
    int kind = -1;
    for (int i = 0; i < (int)COUNT_OF(kinds) && kind < 0; i++)
        kind = access_take_word(lines, kinds[i]) ? i : -1;
    if (kind < 0)
        return problems_error(reader->problems, path, lines->line,
                              "a line starts with local, host, hostssl or hostnossl");
    *rule = (HbaRule){.kind = (HbaKind)kind, .line = lines->line};
    if (!read_names(reader, lines, &at, &rule->databases))
        return false;
    at.databases = false;
    if (!read_names(reader, lines, &at, &rule->users))
        return false;
    if (rule->kind != HBA_LOCAL && !read_address(reader, lines, &at, rule))
        return false;
    if (!read_method(reader, lines, &at, rule))
        return false;
    if (rule->method == AUTH_PEER && rule->kind != HBA_LOCAL)
        problems_warn(reader->problems, path, lines->line, "peer refuses all but local clients");
    if (rule->method == AUTH_CERT && (rule->kind == HBA_LOCAL || rule->kind == HBA_HOSTNOSSL))
        problems_warn(reader->problems, path, lines->line, "cert refuses all clients without TLS");
    return read_options(reader, lines, &at, rule);
}

bool hba_parse(Arena *arena, const PoolFiles *files, const char *path, const char *text,
               size_t length, const IdentMaps *maps, Hba *hba, PoolProblems *problems)
{
    *hba = (Hba){.path = path};
    size_t errors = problems->errors;
    Reader reader = {arena, files, maps, problems, 0};
    AccessLines lines;
    access_init(&lines, arena, text, length);
    while (access_next_line(&lines)) {
        HbaRule rule;
        if (read_rule(&reader, &lines, path, &rule))
            ARENA_PUSH(arena, hba->rules, hba->count, hba->capacity, rule);
    }
    return problems->errors == errors;
}
