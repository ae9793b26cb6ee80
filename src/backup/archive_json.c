#include "backup/archive_json.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

#define DIGEST_DIGITS 16
#define LINE_SIZE     320
#define NONE          "-"

static const char *const kinds[] = {[MEMBER_TEXT] = "text",
                                    [MEMBER_COPY_BEGIN] = "begin",
                                    [MEMBER_ROWS] = "rows",
                                    [MEMBER_COPY_END] = "end"};

typedef enum {
    FIELD_OFFSET,
    FIELD_PACKED,
    FIELD_SHA256,
    FIELD_RAW,
    FIELD_KIND,
    FIELD_TABLE,
    FIELD_PART,
    FIELD_ROWS,
    FIELD_DIGEST,
    FIELD_COUNT,
} Field;

static json_t *member_json(const Member *member, bool encrypted)
{
    const MemberLabel *label = &member->label;
    char table[24] = NONE;
    char rows[80] = NONE " " NONE " " NONE;
    char digest[DIGEST_DIGITS + 1] = NONE;
    char line[LINE_SIZE];
    if (label->table != MEMBER_NO_TABLE)
        (void)snprintf(table, sizeof(table), "%" PRIu32, label->table);
    if (label->kind == MEMBER_ROWS && !encrypted)
        (void)snprintf(digest, sizeof(digest), "%016" PRIx64, label->digest);
    if (label->kind == MEMBER_ROWS)
        (void)snprintf(rows, sizeof(rows), "%" PRIu32 " %" PRId64 " %s", label->part, label->rows,
                       digest);
    (void)snprintf(line, sizeof(line), "%" PRId64 " %" PRId64 " %s %" PRId64 " %s %s %s",
                   member->offset, member->packed_bytes, member->sha256, label->raw_bytes,
                   kinds[label->kind], table, rows);
    return json_text(line);
}

json_t *archive_index_json(const ArchiveIndex *index)
{
    json_t *list = json_array();
    for (size_t i = 0; i < index->count; i++)
        (void)json_array_append_new(list, member_json(&index->members[i], index->begin_bytes > 0));
    return list;
}

static bool read_kind(const char *text, MemberKind *kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_equal(text, kinds[i])) {
            *kind = (MemberKind)i;
            return true;
        }
    }
    return false;
}

static bool is_hex(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static bool read_uint32(const char *text, uint32_t *value)
{
    int64_t number = 0;
    if (!str_to_int64(text, 0, UINT32_MAX - 1, &number))
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool read_rows(char *const *fields, bool encrypted, MemberLabel *label)
{
    const char *digest = fields[FIELD_DIGEST];
    if (!read_uint32(fields[FIELD_PART], &label->part) ||
        !str_to_int64(fields[FIELD_ROWS], 0, INT64_MAX, &label->rows))
        return false;
    if (encrypted)
        return str_equal(digest, NONE);
    label->digest = strtoull(digest, NULL, 16);
    return is_hex(digest, DIGEST_DIGITS);
}

static bool read_member(const char *text, bool encrypted, Member *member)
{
    char line[LINE_SIZE];
    char *fields[FIELD_COUNT];
    char *rest = line;
    MemberLabel *label = &member->label;
    size_t count = 0;
    if (snprintf(line, sizeof(line), "%s", text) >= (int)sizeof(line))
        return false;
    while (rest && count < FIELD_COUNT)
        fields[count++] = strsep(&rest, " ");
    if (rest || count < FIELD_COUNT || !is_hex(fields[FIELD_SHA256], HASH_HEX_SIZE - 1) ||
        !str_to_int64(fields[FIELD_OFFSET], 0, INT64_MAX, &member->offset) ||
        !str_to_int64(fields[FIELD_PACKED], 0, INT64_MAX, &member->packed_bytes) ||
        !str_to_int64(fields[FIELD_RAW], 0, INT64_MAX, &label->raw_bytes) ||
        !read_kind(fields[FIELD_KIND], &label->kind))
        return false;
    memcpy(member->sha256, fields[FIELD_SHA256], HASH_HEX_SIZE);
    label->table = MEMBER_NO_TABLE;
    if (!str_equal(fields[FIELD_TABLE], NONE) && !read_uint32(fields[FIELD_TABLE], &label->table))
        return false;
    if (label->kind == MEMBER_ROWS)
        return read_rows(fields, encrypted, label);
    return str_equal(fields[FIELD_PART], NONE) && str_equal(fields[FIELD_ROWS], NONE) &&
           str_equal(fields[FIELD_DIGEST], NONE);
}

static const char *line_at(const json_t *list, size_t at)
{
    const char *line = json_string_value(json_array_get(list, at));
    return line ? line : "";
}

bool archive_index_from_json(Arena *arena, const json_t *list, bool encrypted, ArchiveIndex *index)
{
    Member first = {0};
    if (encrypted && json_array_size(list) && !read_member(line_at(list, 0), encrypted, &first))
        return false;
    int64_t begin_bytes = first.offset;
    *index = (ArchiveIndex){
        .count = json_array_size(list), .begin_bytes = begin_bytes, .packed_bytes = begin_bytes};
    index->members = arena_array(arena, index->count, sizeof(*index->members));
    for (size_t i = 0; i < index->count; i++) {
        Member *member = &index->members[i];
        if (!read_member(line_at(list, i), encrypted, member) ||
            __builtin_add_overflow(index->packed_bytes, member->packed_bytes,
                                   &index->packed_bytes) ||
            __builtin_add_overflow(index->raw_bytes, member->label.raw_bytes, &index->raw_bytes))
            return false;
    }
    Error ignored = {0};
    return json_is_array(list) && archive_index_check(index, &ignored);
}
