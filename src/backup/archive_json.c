#include "backup/archive_json.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

#define DIGEST_DIGITS 16

static const char *const kinds[] = {[MEMBER_TEXT] = "text",
                                    [MEMBER_COPY_BEGIN] = "copy begin",
                                    [MEMBER_ROWS] = "rows",
                                    [MEMBER_COPY_END] = "copy end"};

static void set_int(json_t *object, const char *key, int64_t value)
{
    (void)json_object_set_new(object, key, json_integer(value));
}

static json_t *member_json(const Member *member, bool encrypted)
{
    const MemberLabel *label = &member->label;
    char digest[DIGEST_DIGITS + 1];
    json_t *row = json_object();
    (void)json_object_set_new(row, "kind", json_text(kinds[label->kind]));
    if (label->table != MEMBER_NO_TABLE)
        set_int(row, "table", label->table);
    if (label->kind == MEMBER_ROWS) {
        set_int(row, "part", label->part);
        set_int(row, "rows", label->rows);
    }
    if (label->kind == MEMBER_ROWS && !encrypted) {
        (void)snprintf(digest, sizeof(digest), "%016" PRIx64, label->digest);
        (void)json_object_set_new(row, "digest", json_text(digest));
    }
    set_int(row, "offset", member->offset);
    set_int(row, "packed_bytes", member->packed_bytes);
    set_int(row, "raw_bytes", label->raw_bytes);
    (void)json_object_set_new(row, "sha256", json_text(member->sha256));
    return row;
}

json_t *archive_index_json(const ArchiveIndex *index)
{
    json_t *list = json_array();
    for (size_t i = 0; i < index->count; i++)
        (void)json_array_append_new(list, member_json(&index->members[i], index->begin_bytes > 0));
    return list;
}

static bool read_kind(const json_t *row, MemberKind *kind)
{
    const char *text = json_get_text(row, "kind", "");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_equal(text, kinds[i])) {
            *kind = (MemberKind)i;
            return true;
        }
    }
    return false;
}

static bool read_hex(const json_t *row, const char *key, size_t digits, const char **text)
{
    *text = json_get_text(row, key, "");
    return strlen(*text) == digits && strspn(*text, "0123456789abcdef") == digits;
}

static bool read_uint32(const json_t *row, const char *key, uint32_t *value)
{
    int64_t number = json_get_int(row, key, -1);
    *value = (uint32_t)number;
    return number >= 0 && number < UINT32_MAX;
}

static bool read_rows(const json_t *row, bool encrypted, MemberLabel *label)
{
    const char *digest = NULL;
    label->rows = json_get_int(row, "rows", -1);
    if (!read_uint32(row, "part", &label->part) || label->rows < 0)
        return false;
    if (encrypted)
        return true;
    if (!read_hex(row, "digest", DIGEST_DIGITS, &digest))
        return false;
    label->digest = strtoull(digest, NULL, 16);
    return true;
}

static bool read_member(const json_t *row, bool encrypted, Member *member)
{
    const char *sha256 = NULL;
    MemberLabel *label = &member->label;
    label->table = MEMBER_NO_TABLE;
    if (!read_kind(row, &label->kind) ||
        (json_object_get(row, "table") && !read_uint32(row, "table", &label->table)) ||
        (label->kind == MEMBER_ROWS && !read_rows(row, encrypted, label)) ||
        !read_hex(row, "sha256", HASH_HEX_SIZE - 1, &sha256))
        return false;
    memcpy(member->sha256, sha256, HASH_HEX_SIZE);
    member->offset = json_get_int(row, "offset", -1);
    member->packed_bytes = json_get_int(row, "packed_bytes", -1);
    label->raw_bytes = json_get_int(row, "raw_bytes", -1);
    return true;
}

bool archive_index_from_json(Arena *arena, const json_t *list, bool encrypted, ArchiveIndex *index)
{
    int64_t begin_bytes = encrypted ? json_get_int(json_array_get(list, 0), "offset", 0) : 0;
    if (begin_bytes < 0)
        return false;
    *index = (ArchiveIndex){
        .count = json_array_size(list), .begin_bytes = begin_bytes, .packed_bytes = begin_bytes};
    index->members = arena_array(arena, index->count, sizeof(*index->members));
    for (size_t i = 0; i < index->count; i++) {
        Member *member = &index->members[i];
        if (!read_member(json_array_get(list, i), encrypted, member) ||
            __builtin_add_overflow(index->packed_bytes, member->packed_bytes,
                                   &index->packed_bytes) ||
            __builtin_add_overflow(index->raw_bytes, member->label.raw_bytes, &index->raw_bytes))
            return false;
    }
    Error ignored = {0};
    return json_is_array(list) && archive_index_check(index, &ignored);
}
