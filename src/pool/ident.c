#include "pool/ident.h"

#include "base/str.h"
#include "pool/access_line.h"

#include <ctype.h>
#include <regex.h>

#define REPEAT_MAX 1000 /* of all {n,m} of an expression, multiplied */

struct IdentRule {
    const char *map;
    const char *system_name; /* NULL: the expression */
    regex_t expression;
    bool any_user;
    const char *user;
    const char *back; /* where \1 stands in user; NULL: nowhere */
};

/* NULL, or why the expression is not taken. */
static const char *check_expression(const char *text)
{
    if (strlen(text) > IDENT_PATTERN_MAX)
        return "the regular expression is too long";
    long repeats = 1;
    for (const char *at = text; *at; at++) {
        if (*at == '\\') {
            if (isdigit((unsigned char)at[1]))
                return "a regular expression cannot refer back to its own parts";
            at += at[1] != '\0';
        } else if (*at == '{') {
            for (const char *number = at + 1; isdigit((unsigned char)*number) || *number == ',';) {
                char *end = NULL;
                long times = strtol(number, &end, 10);
                repeats *= times > 1 && times <= REPEAT_MAX ? times : 1;
                if (times > REPEAT_MAX || repeats > REPEAT_MAX)
                    return "the regular expression repeats too much";
                number = end > number ? end : number + 1;
            }
        }
    }
    return NULL;
}

/* The token that stands next as a name; NULL when it is none. */
static const char *take_name(AccessLines *lines)
{
    if (lines->kind != ACCESS_WORD && lines->kind != ACCESS_QUOTED)
        return NULL;
    const char *name = lines->text;
    access_next(lines);
    return *name ? name : NULL;
}

static const char *compile(IdentRule *rule, Arena *arena, const char *text)
{
    const char *reason = check_expression(text);
    if (reason)
        return reason;
    int code = regcomp(&rule->expression, text, REG_EXTENDED);
    if (code) {
        char message[128];
        (void)regerror(code, &rule->expression, message, sizeof(message));
        return arena_printf(arena, "the regular expression is wrong: %s", message);
    }
    if (rule->back && !rule->expression.re_nsub) {
        regfree(&rule->expression);
        return "\\1 refers to parentheses that the regular expression does not have";
    }
    return NULL;
}

/* NULL, or what is wrong. */
static const char *read_rule(AccessLines *lines, IdentRule *rule)
{
    static const char form[] = "a line is: map-name system-name database-user";
    rule->map = take_name(lines);
    const char *system_name = rule->map ? take_name(lines) : NULL;
    if (!system_name)
        return form;
    rule->any_user = access_take_word(lines, "all");
    if (!rule->any_user) {
        rule->user = take_name(lines);
        if (!rule->user)
            return form;
        if (*rule->user == '+' || *rule->user == '/')
            return "groups and regular expressions cannot stand for the database user";
    }
    if (lines->kind != ACCESS_END)
        return form;
    if (*system_name != '/') {
        rule->system_name = system_name;
        return NULL;
    }
    rule->back = rule->user ? strstr(rule->user, "\\1") : NULL;
    return compile(rule, lines->arena, system_name + 1);
}

bool ident_parse(Arena *arena, const char *path, const char *text, size_t length, IdentMaps *maps,
                 PoolProblems *problems)
{
    *maps = (IdentMaps){0};
    size_t errors = problems->errors;
    AccessLines lines;
    access_init(&lines, arena, text, length);
    while (access_next_line(&lines)) {
        IdentRule rule = {0};
        const char *reason = read_rule(&lines, &rule);
        if (reason)
            (void)problems_error(problems, path, lines.line, "%s", reason);
        else
            ARENA_PUSH(arena, maps->rules, maps->count, maps->capacity, rule);
    }
    return problems->errors == errors;
}

void ident_free(IdentMaps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (!maps->rules[i].system_name)
            regfree(&maps->rules[i].expression);
    }
    *maps = (IdentMaps){0};
}

bool ident_has_map(const IdentMaps *maps, const char *map)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (str_equal(maps->rules[i].map, map))
            return true;
    }
    return false;
}

/* Is user the rule's, with the matched part in the place of \1? */
static bool is_rewritten(const IdentRule *rule, const char *part, size_t length, const char *user)
{
    size_t before = (size_t)(rule->back - rule->user);
    const char *after = rule->back + 2;
    return strlen(user) == before + length + strlen(after) &&
           memcmp(user, rule->user, before) == 0 && memcmp(user + before, part, length) == 0 &&
           str_equal(user + before + length, after);
}

static bool rule_matches(const IdentRule *rule, const char *system_name, const char *user)
{
    if (rule->system_name)
        return str_equal(rule->system_name, system_name) &&
               (rule->any_user || str_equal(rule->user, user));
    regmatch_t parts[2];
    if (strlen(system_name) > IDENT_NAME_MAX ||
        regexec(&rule->expression, system_name, COUNT_OF(parts), parts, 0) != 0)
        return false;
    if (!rule->back)
        return rule->any_user || str_equal(rule->user, user);
    return parts[1].rm_so >= 0 && is_rewritten(rule, system_name + parts[1].rm_so,
                                               (size_t)(parts[1].rm_eo - parts[1].rm_so), user);
}

bool ident_match(const IdentMaps *maps, const char *map, const char *system_name, const char *user)
{
    for (size_t i = 0; i < maps->count; i++) {
        const IdentRule *rule = &maps->rules[i];
        if (str_equal(rule->map, map) && rule_matches(rule, system_name, user))
            return true;
    }
    return false;
}
