/* When ALTER TABLE writes a table anew: ATColumnChangeRequiresRewrite and ATExecAddColumn of
 * PostgreSQL's tablecmds.c, with the support functions that drop a length coercion. */
#include "base/str.h"
#include "lint/effects.h"
#include "pg/node.h"

/* Kept in the same bytes: the catalogue's binary coercions. */
static const struct {
    const char *from, *to;
} binary_casts[] = {
    {"varchar", "text"},   {"text", "varchar"}, {"cidr", "inet"},    {"int4", "oid"},
    {"oid", "int4"},       {"oid", "regclass"}, {"regclass", "oid"}, {"int4", "regclass"},
    {"regclass", "int4"},  {"bit", "varbit"},   {"varbit", "bit"},   {"xml", "text"},
    {"xml", "varchar"},    {"citext", "text"},  {"text", "citext"},  {"citext", "varchar"},
    {"varchar", "citext"}, {"oid", "regtype"},  {"oid", "regproc"},
};

static bool is_binary(const char *from, const char *to)
{
    if (str_equal(from, to))
        return true;
    for (size_t i = 0; i < COUNT_OF(binary_casts); i++)
        if (str_equal(from, binary_casts[i].from) && str_equal(to, binary_casts[i].to))
            return true;
    return false;
}

/* The numbers in "numeric(10,2)"; returns how many there are. */
static int modifiers_of(const char *type, long values[2])
{
    const char *open = strchr(type, '(');
    int count = 0;
    for (char *end = NULL; open && count < 2; open = *end == ',' ? end : NULL) {
        values[count] = strtol(open + 1, &end, 10);
        if (end == open + 1)
            break;
        count++;
    }
    return count;
}

/* Does a change of length or precision alone leave the values as they are? */
static bool modifier_keeps(const char *base, const char *from, const char *to)
{
    long old[2] = {0, 0}, wanted[2] = {0, 0};
    int had = modifiers_of(from, old), has = modifiers_of(to, wanted);
    bool character = str_equal(base, "bpchar") || str_equal(base, "bit");
    if (character) { /* without a length it is 1 */
        bool same = had == has && old[0] == wanted[0];
        return same || (!strchr(from, '(') && !strchr(to, '('));
    }
    if (has == 0)
        return true;
    if (str_equal(base, "numeric"))
        return had > 0 && old[1] == wanted[1] && old[0] <= wanted[0];
    if (str_starts(base, "time"))
        return wanted[0] >= (had ? old[0] : 6);
    if (str_equal(base, "varchar") || str_equal(base, "varbit"))
        return had > 0 && old[0] <= wanted[0];
    return had == has && old[0] == wanted[0] && old[1] == wanted[1];
}

/* USING c and USING c::type say no more than no USING at all. */
static bool is_plain_using(const json_t *expression, const char *column, const char *base)
{
    const json_t *cast = json_object_get(expression, "TypeCast");
    if (cast) {
        const char *type =
            node_name(json_object_get(json_object_get(cast, "typeName"), "names"), NULL);
        if (!str_equal(type, base))
            return false;
        expression = json_object_get(cast, "arg");
    }
    const json_t *reference = json_object_get(expression, "ColumnRef");
    return reference && str_equal(node_name(json_object_get(reference, "fields"), NULL), column);
}

bool effect_type_rewrites(const ModelColumn *from, const char *to_type, const char *to_base,
                          const json_t *using_expression)
{
    if (using_expression && !is_plain_using(using_expression, from->name, to_base))
        return true;
    if (!is_binary(from->base_type, to_base))
        return true;
    if (str_starts(to_base, "_")) /* elements are converted one by one */
        return !str_equal(from->type, to_type);
    if (str_equal(from->base_type, to_base) || strchr(to_type, '('))
        return !modifier_keeps(to_base, from->type, to_type);
    return false;
}

typedef struct {
    const Model *model;
    bool is_volatile;
    const char *function;
} DefaultSearch;

static bool see_default(void *data, const char *type, const json_t *node)
{
    DefaultSearch *search = data;
    if (!str_equal(type, "FuncCall"))
        return true;
    const char *schema = NULL;
    const char *name = node_name(json_object_get(node, "funcname"), &schema);
    if (name && model_volatility(search->model, schema, name) == 'v') {
        search->is_volatile = true;
        search->function = name;
    }
    return !search->is_volatile;
}

static bool is_serial(const char *type)
{
    static const char *const names[] = {"serial",  "bigserial", "smallserial",
                                        "serial2", "serial4",   "serial8"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(type, names[i]))
            return true;
    return false;
}

bool effect_column_rewrites(const Model *model, const json_t *definition, const char **why)
{
    const char *type =
        node_name(json_object_get(json_object_get(definition, "typeName"), "names"), NULL);
    *why = is_serial(type) ? "a serial column takes a number for each row" : NULL;
    const json_t *constraints = json_object_get(definition, "constraints");
    size_t i;
    json_t *item;
    json_array_foreach(constraints, i, item)
    {
        const json_t *constraint = json_object_get(item, "Constraint");
        DefaultSearch search = {model, false, NULL};
        if (node_is(constraint, "contype", "CONSTR_GENERATED"))
            *why = "a stored generated column is computed for each row";
        else if (node_is(constraint, "contype", "CONSTR_IDENTITY"))
            *why = "an identity column takes a number for each row";
        else if (node_is(constraint, "contype", "CONSTR_DEFAULT") &&
                 !node_walk(json_object_get(constraint, "raw_expr"), see_default, &search) &&
                 search.is_volatile)
            *why = "a volatile default is computed for each row";
    }
    return *why != NULL;
}
