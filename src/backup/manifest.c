#include "backup/manifest.h"

#include "backup/archive_json.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#define SELF_HASH  "manifest_sha256"
#define MAC        "manifest_mac"
#define HEX_SUFFIX "_hex" /* behind the name of a member */

static void set_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_text(text));
}

/* Of an object in the database, in the database's encoding: JSON cannot hold bytes that are no
 * UTF-8, so a second member has those of such a name. */
static void set_name(json_t *object, const char *key, const char *name)
{
    set_text(object, key, name);
    _cleanup_json_ json_t *plain = name ? json_string(name) : NULL;
    if (!name || plain)
        return;
    _cleanup_arena_ Arena *arena = arena_create();
    char *hex = arena_alloc(arena, 2 * strlen(name) + 1);
    hash_to_hex((const unsigned char *)name, strlen(name), hex);
    set_text(object, arena_printf(arena, "%s" HEX_SUFFIX, key), hex);
}

static void set_int(json_t *object, const char *key, int64_t value)
{
    (void)json_object_set_new(object, key, json_integer(value));
}

static void set_time(json_t *object, const char *key, int64_t unix_s)
{
    _cleanup_arena_ Arena *arena = arena_create();
    set_text(object, key, clock_iso_utc(arena, unix_s));
}

/* ---- writing ----------------------------------------------------------------------------- */

static json_t *tables_json(const Manifest *manifest)
{
    json_t *list = json_array();
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *table = &manifest->tables[i];
        json_t *row = json_object();
        set_name(row, "schema", table->schema);
        set_name(row, "name", table->name);
        set_text(row, "kind",
                 table->partitioned ? "partitioned"
                 : table->extension ? "extension"
                 : table->excluded  ? "excluded"
                                    : "table");
        set_int(row, "number", table->number);
        set_int(row, "rows", table->rows);
        set_int(row, "raw_bytes", table->raw_bytes);
        if (!manifest->key_id)
            set_text(row, "digest", table->digest);
        if (table->root_name) {
            set_name(row, "root_schema", table->root_schema);
            set_name(row, "root_name", table->root_name);
        }
        (void)json_array_append_new(list, row);
    }
    return list;
}

static json_t *indexes_json(const Manifest *manifest)
{
    json_t *list = json_array();
    for (size_t i = 0; i < manifest->index_count; i++) {
        json_t *row = json_object();
        set_name(row, "schema", manifest->indexes[i].schema);
        set_name(row, "name", manifest->indexes[i].name);
        set_name(row, "table", manifest->indexes[i].table);
        (void)json_object_set_new(row, "valid", json_boolean(manifest->indexes[i].valid));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static json_t *sequences_json(const Manifest *manifest)
{
    json_t *list = json_array();
    for (size_t i = 0; i < manifest->sequence_count; i++) {
        const ManifestSequence *sequence = &manifest->sequences[i];
        json_t *row = json_object();
        set_name(row, "schema", sequence->schema);
        set_name(row, "name", sequence->name);
        set_int(row, "last_value", sequence->last_value);
        (void)json_object_set_new(row, "called", json_boolean(sequence->called));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static json_t *extensions_json(const Manifest *manifest)
{
    json_t *list = json_array();
    for (size_t i = 0; i < manifest->extension_count; i++) {
        json_t *row = json_object();
        set_text(row, "name", manifest->extensions[i].name);
        set_text(row, "version", manifest->extensions[i].version);
        (void)json_array_append_new(list, row);
    }
    return list;
}

static json_t *globals_json(const ManifestGlobals *globals)
{
    json_t *object = json_object();
    set_int(object, "packed_bytes", globals->packed_bytes);
    set_int(object, "raw_bytes", globals->raw_bytes);
    set_text(object, "sha256", globals->sha256);
    (void)json_object_set_new(object, "passwords", json_boolean(globals->passwords));
    return object;
}

static json_t *database_json(const Manifest *manifest)
{
    json_t *database = json_object();
    set_name(database, "name", manifest->database);
    set_name(database, "owner", manifest->owner);
    set_text(database, "encoding", manifest->encoding);
    set_text(database, "collate", manifest->collate);
    set_text(database, "ctype", manifest->ctype);
    set_text(database, "locale_provider", manifest->locale_provider);
    set_text(database, "locale", manifest->locale);
    set_int(database, "bytes", manifest->database_bytes);
    return database;
}

static json_t *encryption_json(const Manifest *manifest)
{
    json_t *encryption = json_object();
    json_t *recipients = json_array();
    for (size_t i = 0; i < manifest->recipients.count; i++)
        (void)json_array_append_new(recipients, json_text(manifest->recipients.items[i]));
    set_text(encryption, "key_id", manifest->key_id);
    (void)json_object_set_new(encryption, "recipients", recipients);
    return encryption;
}

static json_t *to_json(const Manifest *manifest)
{
    json_t *root = json_object();
    set_text(root, "format", MANIFEST_FORMAT);
    set_int(root, "format_version", MANIFEST_FORMAT_VERSION);
    set_text(root, "file", manifest->file);
    set_text(root, "content",
             manifest->key_id ? "pg_dump plain, gzip, encrypted" : "pg_dump plain, gzip");
    if (manifest->key_id)
        (void)json_object_set_new(root, "encryption", encryption_json(manifest));
    set_text(root, "name", manifest->name);
    set_text(root, "env", manifest->env);
    set_text(root, "reason", manifest->reason);
    if (manifest->adopted)
        (void)json_object_set_new(root, "adopted", json_true());
    json_t *tool = json_object();
    set_text(tool, "vaxdb", manifest->tool_version);
    set_text(tool, "pg_dump", manifest->dump_version);
    (void)json_object_set_new(root, "tool", tool);
    json_t *server = json_object();
    set_text(server, "version", manifest->server_version);
    set_int(server, "version_number", manifest->server_version_number);
    set_text(server, "system_identifier", manifest->system_identifier);
    (void)json_object_set_new(root, "server", server);
    (void)json_object_set_new(root, "database", database_json(manifest));
    set_time(root, "started_at", manifest->started_at);
    set_time(root, "finished_at", manifest->finished_at);
    json_t *snapshot = json_object();
    set_time(snapshot, "at", manifest->snapshot_at);
    set_text(snapshot, "lsn", manifest->snapshot_lsn);
    (void)json_object_set_new(root, "snapshot", snapshot);
    set_int(root, "raw_bytes", manifest->raw_bytes);
    set_int(root, "packed_bytes", manifest->packed_bytes);
    set_text(root, "sha256", manifest->sha256);
    (void)json_object_set_new(root, "tables", tables_json(manifest));
    (void)json_object_set_new(root, "indexes", indexes_json(manifest));
    (void)json_object_set_new(root, "sequences", sequences_json(manifest));
    (void)json_object_set_new(root, "extensions", extensions_json(manifest));
    if (manifest->globals.sha256)
        (void)json_object_set_new(root, "globals", globals_json(&manifest->globals));
    if (manifest->index.count)
        (void)json_object_set_new(root, "members", archive_index_json(&manifest->index));
    return root;
}

/* Of the object without its self-hash; and without its MAC, which is of that hash. */
static bool hash_object(json_t *root, bool with_mac, char hex[HASH_HEX_SIZE])
{
    _cleanup_json_ json_t *copy = json_copy(root);
    (void)json_object_del(copy, SELF_HASH);
    if (!with_mac)
        (void)json_object_del(copy, MAC);
    _cleanup_free_ char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return false;
    hash_bytes(text, strlen(text), hex);
    return true;
}

static void set_mac(json_t *root, const SealKey *key)
{
    char hex[HASH_HEX_SIZE] = "";
    char mac[2 * SEAL_MAC_BYTES + 1];
    (void)hash_object(root, false, hex);
    seal_manifest_mac(key, hex, mac);
    set_text(root, MAC, mac);
}

bool manifest_check_mac(const Manifest *manifest, const SealKey *key)
{
    char mac[2 * SEAL_MAC_BYTES + 1];
    seal_manifest_mac(key, manifest->mac_hash, mac);
    return manifest->key_id && strlen(manifest->mac) == sizeof(mac) - 1 &&
           seal_equal(mac, manifest->mac, sizeof(mac) - 1);
}

char *manifest_write(Arena *arena, const Manifest *manifest)
{
    _cleanup_json_ json_t *root = to_json(manifest);
    char hex[HASH_HEX_SIZE] = "";
    if (manifest->key_id)
        set_mac(root, manifest->index.key);
    (void)hash_object(root, true, hex);
    set_text(root, SELF_HASH, hex);
    _cleanup_free_ char *text = json_dumps(root, JSON_INDENT(2));
    return arena_printf(arena, "%s\n", text ? text : "");
}

size_t manifest_file_length(const char *name, const char *behind)
{
    static const char *const suffixes[] = {BACKUP_SUFFIX, BACKUP_SUFFIX SEAL_SUFFIX};
    size_t length = strlen(name);
    if (!str_ends(name, behind))
        return 0;
    length -= strlen(behind);
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length > suffix && strncmp(name + length - suffix, suffixes[i], suffix) == 0)
            return length;
    }
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Members are looked up by "object.member" and checked for their type: the first that is missing
 * or wrong is remembered, so that a reader can go on and fail once at its end. */
typedef struct {
    Arena *arena;
    const json_t *root;
    const char *missing;
} Fields;

static const json_t *field(const Fields *fields, const char *path)
{
    const char *dot = strchr(path, '.');
    if (!dot)
        return json_object_get(fields->root, path);
    const char *outer = arena_strndup(fields->arena, path, (size_t)(dot - path));
    return json_object_get(json_object_get(fields->root, outer), dot + 1);
}

static const char *text_of(Fields *fields, const char *path, bool nullable)
{
    const json_t *value = field(fields, path);
    if (json_is_string(value))
        return arena_strdup(fields->arena, json_string_value(value));
    if (!fields->missing && !(nullable && json_is_null(value)))
        fields->missing = path;
    return nullable ? NULL : "";
}

/* See set_name. */
static const char *name_of(Fields *fields, const char *path)
{
    const char *beside = arena_printf(fields->arena, "%s" HEX_SUFFIX, path);
    const char *hex = json_string_value(field(fields, beside));
    if (!hex)
        return text_of(fields, path, false);
    size_t length = strlen(hex);
    char *name = arena_alloc(fields->arena, length / 2 + 1);
    for (size_t i = 0; i < length / 2; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *high = strchr(digits, hex[2 * i]);
        const char *low = strchr(digits, hex[2 * i + 1]);
        if (!high || !low || (high == digits && low == digits)) {
            length = 1; /* no byte of a name */
            break;
        }
        name[i] = (char)((high - digits) << 4 | (low - digits));
    }
    if (length % 2 && !fields->missing)
        fields->missing = beside;
    name[length / 2] = '\0';
    return name;
}

static int64_t int_of(Fields *fields, const char *path)
{
    const json_t *value = field(fields, path);
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (int64_t)json_integer_value(value);
    if (!fields->missing)
        fields->missing = path;
    return 0;
}

/* In the labels of members. Once it was the position in the list. */
static uint32_t number_of(Fields *fields, size_t position)
{
    int64_t number = field(fields, "number") ? int_of(fields, "number") : (int64_t)position;
    if (number >= MEMBER_NO_TABLE && !fields->missing)
        fields->missing = "number";
    return (uint32_t)number;
}

static int64_t time_of(Fields *fields, const char *path)
{
    int64_t unix_s = 0;
    const char *text = text_of(fields, path, false);
    if (!clock_parse_utc(text, &unix_s) && !fields->missing)
        fields->missing = path;
    return unix_s;
}

static const json_t *list_of(Fields *fields, const char *path, size_t *count)
{
    const json_t *list = field(fields, path);
    if (!json_is_array(list) && !fields->missing)
        fields->missing = path;
    *count = json_array_size(list); /* 0 when it is none */
    return list;
}

static void read_tables(Fields *fields, Manifest *manifest)
{
    const json_t *list = list_of(fields, "tables", &manifest->table_count);
    manifest->tables = arena_array(fields->arena, manifest->table_count, sizeof(*manifest->tables));
    for (size_t i = 0; i < manifest->table_count; i++) {
        Fields row = {fields->arena, json_array_get(list, i), fields->missing};
        const char *kind = text_of(&row, "kind", false);
        manifest->tables[i] = (ManifestTable){
            .schema = name_of(&row, "schema"),
            .name = name_of(&row, "name"),
            .partitioned = str_equal(kind, "partitioned"),
            .extension = str_equal(kind, "extension"),
            .excluded = str_equal(kind, "excluded"),
            .number = number_of(&row, i),
            .rows = int_of(&row, "rows"),
            .raw_bytes = int_of(&row, "raw_bytes"),
            .digest = manifest->key_id ? NULL : text_of(&row, "digest", true),
        };
        if (field(&row, "root_name")) {
            manifest->tables[i].root_schema = name_of(&row, "root_schema");
            manifest->tables[i].root_name = name_of(&row, "root_name");
        }
        fields->missing = row.missing;
    }
}

static void read_indexes(Fields *fields, Manifest *manifest)
{
    const json_t *list = list_of(fields, "indexes", &manifest->index_count);
    manifest->indexes =
        arena_array(fields->arena, manifest->index_count, sizeof(*manifest->indexes));
    for (size_t i = 0; i < manifest->index_count; i++) {
        Fields row = {fields->arena, json_array_get(list, i), fields->missing};
        manifest->indexes[i] = (ManifestIndex){
            .schema = name_of(&row, "schema"),
            .name = name_of(&row, "name"),
            .table = name_of(&row, "table"),
            .valid = json_is_true(field(&row, "valid")),
        };
        fields->missing = row.missing;
    }
}

static void read_sequences(Fields *fields, Manifest *manifest)
{
    if (!field(fields, "sequences"))
        return;
    const json_t *list = list_of(fields, "sequences", &manifest->sequence_count);
    manifest->sequences =
        arena_array(fields->arena, manifest->sequence_count, sizeof(*manifest->sequences));
    for (size_t i = 0; i < manifest->sequence_count; i++) {
        Fields row = {fields->arena, json_array_get(list, i), fields->missing};
        const json_t *last_value = field(&row, "last_value");
        if (!json_is_integer(last_value) && !row.missing)
            row.missing = "last_value";
        manifest->sequences[i] = (ManifestSequence){
            .schema = name_of(&row, "schema"),
            .name = name_of(&row, "name"),
            .last_value = (int64_t)json_integer_value(last_value),
            .called = json_is_true(field(&row, "called")),
        };
        fields->missing = row.missing;
    }
}

static void read_extensions(Fields *fields, Manifest *manifest)
{
    const json_t *list = list_of(fields, "extensions", &manifest->extension_count);
    manifest->extensions =
        arena_array(fields->arena, manifest->extension_count, sizeof(*manifest->extensions));
    for (size_t i = 0; i < manifest->extension_count; i++) {
        Fields row = {fields->arena, json_array_get(list, i), fields->missing};
        manifest->extensions[i] =
            (ManifestExtension){text_of(&row, "name", false), text_of(&row, "version", false)};
        fields->missing = row.missing;
    }
}

static void read_globals(Fields *fields, Manifest *manifest)
{
    if (!field(fields, "globals"))
        return;
    manifest->globals = (ManifestGlobals){
        .packed_bytes = int_of(fields, "globals.packed_bytes"),
        .raw_bytes = int_of(fields, "globals.raw_bytes"),
        .sha256 = text_of(fields, "globals.sha256", false),
        .passwords = json_is_true(field(fields, "globals.passwords")),
    };
}

static void read_encryption(Fields *fields, Manifest *manifest)
{
    const json_t *recipients = field(fields, "encryption.recipients");
    str_list_init(&manifest->recipients, fields->arena);
    manifest->mac = "";
    if (!field(fields, "encryption"))
        return;
    manifest->key_id = text_of(fields, "encryption.key_id", false);
    manifest->mac = text_of(fields, MAC, false);
    for (size_t i = 0; i < json_array_size(recipients); i++) {
        const char *text = json_string_value(json_array_get(recipients, i));
        if (text)
            str_list_add(&manifest->recipients, text);
    }
}

static void read_members(Fields *fields, Manifest *manifest)
{
    const json_t *list = field(fields, "members");
    if (list &&
        !archive_index_from_json(fields->arena, list, manifest->key_id != NULL, &manifest->index) &&
        !fields->missing)
        fields->missing = "members";
}

static void read_origin(Fields *fields, Manifest *manifest)
{
    manifest->file = text_of(fields, "file", false);
    manifest->name = text_of(fields, "name", false);
    manifest->env = text_of(fields, "env", false);
    manifest->reason = text_of(fields, "reason", true);
    manifest->adopted = json_is_true(field(fields, "adopted"));
    manifest->tool_version = text_of(fields, "tool.vaxdb", false);
    manifest->dump_version = text_of(fields, "tool.pg_dump", false);
    manifest->server_version = text_of(fields, "server.version", false);
    manifest->server_version_number = int_of(fields, "server.version_number");
    manifest->system_identifier = text_of(fields, "server.system_identifier", false);
    manifest->database = name_of(fields, "database.name");
    manifest->owner = name_of(fields, "database.owner");
    manifest->encoding = text_of(fields, "database.encoding", false);
    manifest->collate = text_of(fields, "database.collate", true);
    manifest->ctype = text_of(fields, "database.ctype", true);
    manifest->locale_provider = text_of(fields, "database.locale_provider", false);
    manifest->locale = text_of(fields, "database.locale", true);
    manifest->database_bytes = int_of(fields, "database.bytes");
    manifest->started_at = time_of(fields, "started_at");
    manifest->finished_at = time_of(fields, "finished_at");
    manifest->snapshot_at = time_of(fields, "snapshot.at");
    manifest->snapshot_lsn = text_of(fields, "snapshot.lsn", true);
    manifest->raw_bytes = int_of(fields, "raw_bytes");
    manifest->packed_bytes = int_of(fields, "packed_bytes");
    manifest->sha256 = text_of(fields, "sha256", false);
}

static bool check_format(const char *what, json_t *root, Error *err)
{
    char hex[HASH_HEX_SIZE] = "";
    if (!str_equal(json_get_text(root, "format", NULL), MANIFEST_FORMAT))
        return error_set(err, ERR_PROBLEMS, "%s is no manifest of a backup", what);
    if (!hash_object(root, true, hex) || !str_equal(json_get_text(root, SELF_HASH, NULL), hex))
        return error_set(err, ERR_PROBLEMS,
                         "%s was changed since it was written: its own "
                         "checksum does not match",
                         what);
    int64_t version = json_get_int(root, "format_version", 0);
    if (version < 1 || version > MANIFEST_FORMAT_VERSION)
        return error_set(err, ERR_PROBLEMS, "%s is of format %lld, this vaxdb reads up to %d", what,
                         (long long)version, MANIFEST_FORMAT_VERSION);
    return true;
}

bool manifest_parse(Arena *arena, const char *what, const char *text, size_t length,
                    Manifest *manifest, Error *err)
{
    _cleanup_json_ json_t *root = NULL;
    if (!json_parse(text, length, what, &root, err) || !check_format(what, root, err))
        return false;
    *manifest = (Manifest){0};
    Fields fields = {arena, root, NULL};
    read_origin(&fields, manifest);
    read_encryption(&fields, manifest);
    read_tables(&fields, manifest);
    read_indexes(&fields, manifest);
    read_sequences(&fields, manifest);
    read_extensions(&fields, manifest);
    read_globals(&fields, manifest);
    read_members(&fields, manifest);
    if (fields.missing)
        return error_set(err, ERR_PROBLEMS, "%s: \"%s\" is missing or of the wrong type", what,
                         fields.missing);
    if (!hash_object(root, false, manifest->mac_hash))
        return error_set(err, ERR_FAILED, "out of memory");
    if (strchr(manifest->file, '/') || !manifest_file_length(manifest->file, ""))
        return error_set(err, ERR_PROBLEMS, "%s: \"%s\" is no name of a backup", what,
                         manifest->file);
    return true;
}

bool manifest_read(Arena *arena, const char *path, bool *found, Manifest *manifest, Error *err)
{
    const char *beside = arena_printf(arena, "%s%s", path, MANIFEST_SUFFIX);
    *found = file_exists(beside);
    if (!*found)
        return true;
    char *text = NULL;
    size_t length = 0;
    return file_read(arena, beside, BUFFER_MAX_FILE, &text, &length, err) &&
           manifest_parse(arena, path_basename(beside), text, length, manifest, err);
}

int64_t manifest_rows(const Manifest *manifest)
{
    int64_t rows = 0;
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (!manifest->tables[i].partitioned && !manifest->tables[i].extension)
            rows += manifest->tables[i].rows;
    }
    return rows;
}

size_t manifest_table_count(const Manifest *manifest)
{
    size_t count = 0;
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (!manifest->tables[i].partitioned && !manifest->tables[i].extension)
            count++;
    }
    return count;
}

static ManifestLoad *find_load(ManifestLoad *loads, size_t count, const char *schema,
                               const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(loads[i].name, name) && str_equal(loads[i].schema, schema))
            return &loads[i];
    }
    return NULL;
}

ManifestLoad *manifest_loads(Arena *arena, const Manifest *manifest, size_t *count)
{
    ManifestLoad *loads = arena_array(arena, manifest->table_count, sizeof(*loads));
    *count = 0;
    for (size_t i = 0; i < manifest->table_count; i++) {
        const ManifestTable *table = &manifest->tables[i];
        const char *schema = table->root_name ? table->root_schema : table->schema;
        const char *name = table->root_name ? table->root_name : table->name;
        if (table->partitioned || table->excluded)
            continue;
        /* Only partitions share a block's table: the list is not searched for every table. */
        ManifestLoad *load = table->root_name ? find_load(loads, *count, schema, name) : NULL;
        uint64_t sum = load ? (uint64_t)strtoull(load->digest, NULL, 16) : 0;
        if (!load) {
            load = &loads[(*count)++];
            *load = (ManifestLoad){.schema = schema, .name = name, .extension = table->extension};
        }
        load->rows += table->rows;
        if (table->digest)
            (void)snprintf(load->digest, sizeof(load->digest), "%016" PRIx64,
                           sum + (uint64_t)strtoull(table->digest, NULL, 16));
    }
    return loads;
}
