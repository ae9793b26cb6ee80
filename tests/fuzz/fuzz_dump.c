#include "fuzz.h"

#include "backup/dump_reader.h"
#include "base/hash.h"

#include <assert.h>
#include <string.h>

/* What a reader told, as one hash; data of COPY blocks in whatever pieces. */
static bool on_statement(void *data, const char *sql, size_t length, int64_t line, Error *err)
{
    (void)err;
    assert(length > 0 && strlen(sql) <= length && line >= 1);
    hash_update(data, sql, length);
    hash_update(data, ";", 1);
    return true;
}

static bool on_copy_begin(void *data, const char *sql, int64_t line, Error *err)
{
    (void)err;
    assert(line >= 1);
    hash_update(data, sql, strlen(sql));
    return true;
}

static bool on_copy_data(void *data, const char *bytes, size_t length, Error *err)
{
    (void)err;
    hash_update(data, bytes, length);
    return true;
}

static bool on_copy_end(void *data, const DumpTable *table, int64_t rows, Error *err)
{
    (void)err;
    assert(rows >= 0 && rows <= table->rows);
    hash_update(data, "end", 3);
    return true;
}

static bool read_in_pieces(const char *text, size_t size, size_t piece, char hex[HASH_HEX_SIZE],
                           Error *err)
{
    static const DumpEvents events = {on_statement, on_copy_begin, on_copy_data, on_copy_end};
    _cleanup_arena_ Arena *arena = arena_create();
    _cleanup_hash_ HashStream *hash = hash_create();
    _cleanup_dump_reader_ DumpReader *reader = dump_reader_create(arena, &events, hash);
    bool read = true;
    for (size_t at = 0; at < size && read; at += piece)
        read = dump_reader_feed(reader, text + at, piece < size - at ? piece : size - at, err);
    read = read && dump_reader_finish(reader, err);
    size_t count = 0;
    const DumpTable *tables = dump_reader_tables(reader, &count);
    for (size_t i = 0; i < count; i++)
        hash_update(hash, &tables[i].digest, sizeof(tables[i].digest));
    hash_finish(hash, hex);
    return read;
}

/* However the text is cut into pieces, the same is read of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64};
    char whole[HASH_HEX_SIZE];
    Error err = {0};
    bool read = read_in_pieces((const char *)data, size, size ? size : 1, whole, &err);
    assert(read || err.code == ERR_PROBLEMS);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        char cut[HASH_HEX_SIZE];
        Error cut_err = {0};
        bool cut_read = read_in_pieces((const char *)data, size, pieces[i], cut, &cut_err);
        assert(cut_read == read);
        assert(!read || strcmp(cut, whole) == 0);
        assert(read || strcmp(err.message, cut_err.message) == 0);
    }
    return 0;
}
