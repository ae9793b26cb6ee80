/* What is known of PostgreSQL's own functions and types without asking a server. */
#include "lint/model_internal.h"

#include <stdlib.h>

/* Names of which every overload has the same volatility (pg_proc of 13 to 18). Sorted. */
typedef struct {
    const char *name;
    char volatility;
} Function;

static const Function functions[] = {
    {"abs", 'i'},
    {"array_to_json", 's'},
    {"array_to_string", 's'},
    {"btrim", 'i'},
    {"ceil", 'i'},
    {"char_length", 'i'},
    {"clock_timestamp", 'v'},
    {"concat", 's'},
    {"concat_ws", 's'},
    {"convert", 's'},
    {"convert_from", 's'},
    {"convert_to", 's'},
    {"current_database", 's'},
    {"current_query", 'v'},
    {"current_schema", 's'},
    {"current_setting", 's'},
    {"current_user", 's'},
    {"currval", 'v'},
    {"decode", 'i'},
    {"encode", 'i'},
    {"floor", 'i'},
    {"format", 's'},
    {"gen_random_uuid", 'v'},
    {"inet_client_addr", 's'},
    {"inet_server_addr", 's'},
    {"initcap", 'i'},
    {"json_build_array", 's'},
    {"json_build_object", 's'},
    {"jsonb_array_length", 'i'},
    {"jsonb_build_array", 's'},
    {"jsonb_build_object", 's'},
    {"jsonb_extract_path", 'i'},
    {"jsonb_extract_path_text", 'i'},
    {"lastval", 'v'},
    {"left", 'i'},
    {"lower", 'i'},
    {"lpad", 'i'},
    {"ltrim", 'i'},
    {"make_date", 'i'},
    {"make_timestamptz", 's'},
    {"md5", 'i'},
    {"nextval", 'v'},
    {"now", 's'},
    {"octet_length", 'i'},
    {"position", 'i'},
    {"random", 'v'},
    {"random_normal", 'v'},
    {"regexp_replace", 'i'},
    {"repeat", 'i'},
    {"replace", 'i'},
    {"reverse", 'i'},
    {"right", 'i'},
    {"row_to_json", 's'},
    {"rpad", 'i'},
    {"rtrim", 'i'},
    {"session_user", 's'},
    {"set_config", 'v'},
    {"setseed", 'v'},
    {"setval", 'v'},
    {"sha256", 'i'},
    {"split_part", 'i'},
    {"statement_timestamp", 's'},
    {"strpos", 'i'},
    {"substr", 'i'},
    {"substring", 'i'},
    {"timeofday", 'v'},
    {"to_char", 's'},
    {"to_date", 's'},
    {"to_json", 's'},
    {"to_jsonb", 's'},
    {"to_number", 's'},
    {"to_regclass", 's'},
    {"transaction_timestamp", 's'},
    {"translate", 'i'},
    {"trunc", 'i'},
    {"txid_current", 's'},
    {"upper", 'i'},
    {"uuid_generate_v1", 'v'},
    {"uuid_generate_v1mc", 'v'},
    {"uuid_generate_v4", 'v'},
    {"uuidv4", 'v'},
    {"uuidv7", 'v'},
    {"version", 's'},
};

static int by_name(const void *key, const void *row)
{
    return strcmp(key, ((const Function *)row)->name);
}

char model_volatility(const Model *model, const char *schema, const char *function)
{
    const char *known = name_map_get(&model->functions, schema, function);
    for (size_t i = 0; !schema && i < model->path.count && !known; i++)
        known = name_map_get(&model->functions, model->path.items[i], function);
    if (known)
        return known[0] == '?' ? '\0' : known[0];
    if (!function || (schema && !str_equal(schema, "pg_catalog")))
        return '\0';
    const Function *row =
        bsearch(function, functions, COUNT_OF(functions), sizeof(functions[0]), by_name);
    return row ? row->volatility : '\0';
}

/* Types whose values have no parts: neither GIN nor GiST takes them by itself. */
static const char *const scalars[] = {
    "bit",    "bool",    "bpchar", "bytea",     "char",        "date",   "float4",
    "float8", "int2",    "int4",   "int8",      "json",        "money",  "numeric",
    "oid",    "text",    "time",   "timestamp", "timestamptz", "timetz", "uuid",
    "varbit", "varchar", "xml",    "interval",  "macaddr",     "name",
};

/* Default operator classes that every server has, where they are not loaded. */
static const struct {
    const char *method, *type;
} builtin_classes[] = {
    {"gin", "jsonb"},  {"gin", "tsvector"}, {"gist", "box"},     {"gist", "circle"},
    {"gist", "point"}, {"gist", "polygon"}, {"gist", "tsquery"}, {"gist", "tsvector"},
};

ModelOpclass model_opclass(const Model *model, const char *method, const char *base_type)
{
    if (!method || !base_type || (!str_equal(method, "gin") && !str_equal(method, "gist")))
        return OPCLASS_UNKNOWN;
    if (name_map_get(&model->opclasses, method, base_type))
        return OPCLASS_DEFAULT;
    for (size_t i = 0; i < COUNT_OF(builtin_classes); i++)
        if (str_equal(method, builtin_classes[i].method) &&
            str_equal(base_type, builtin_classes[i].type))
            return OPCLASS_DEFAULT;
    const char *extension = arena_printf(model->arena, "btree_%s", method);
    if (!model->loaded && model_extension_exists(model, extension))
        return OPCLASS_UNKNOWN; /* it adds classes for most */
    for (size_t i = 0; i < COUNT_OF(scalars); i++)
        if (str_equal(base_type, scalars[i]))
            return model->uncertain || (model->loaded && model->extensions_made) ? OPCLASS_UNKNOWN
                                                                                 : OPCLASS_NONE;
    return OPCLASS_UNKNOWN;
}
