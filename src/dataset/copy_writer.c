#include "dataset/copy_writer.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_DAYS 10957
#define EPOCH_US   ((int64_t)EPOCH_DAYS * 86400 * 1000000)

#define JSONB_VERSION 1

static const uint8_t copy_header[19] = {'P',  'G',  'C', 'O', 'P', 'Y', '\n', 0xff,
                                        '\r', '\n', 0,   0,   0,   0,   0, /* flags */
                                        0,    0,    0,   0 /* extension */};

static inline void put16(CopyWriter *writer, uint16_t value)
{
    uint16_t network = htobe16(value);
    memcpy(writer->block + writer->used, &network, sizeof(network));
    writer->used += sizeof(network);
}

static inline void put32(CopyWriter *writer, uint32_t value)
{
    uint32_t network = htobe32(value);
    memcpy(writer->block + writer->used, &network, sizeof(network));
    writer->used += sizeof(network);
}

static inline void put64(CopyWriter *writer, uint64_t value)
{
    uint64_t network = htobe64(value);
    memcpy(writer->block + writer->used, &network, sizeof(network));
    writer->used += sizeof(network);
}

static void hand_over(CopyWriter *writer)
{
    hash_update(writer->hash, writer->block, writer->used);
    writer->block = writer->sink(writer->sink_data, writer->block, writer->used);
    writer->used = 0;
    if (!writer->block)
        writer->stopped = true;
}

void copy_begin(CopyWriter *writer, uint8_t *block, HashStream *hash, CopySink sink, void *data)
{
    *writer = (CopyWriter){.block = block, .hash = hash, .sink = sink, .sink_data = data};
    memcpy(writer->block, copy_header, sizeof(copy_header));
    writer->used = sizeof(copy_header);
}

void copy_end(CopyWriter *writer)
{
    if (writer->stopped)
        return;
    put16(writer, UINT16_MAX);
    hand_over(writer);
}

bool copy_row(CopyWriter *writer, uint16_t fields)
{
    if (writer->stopped)
        return false;
    if (writer->used + COPY_ROW_MAX > COPY_BLOCK_BYTES) {
        hand_over(writer);
        if (writer->stopped)
            return false;
    }
    put16(writer, fields);
    writer->rows++;
    return true;
}

void copy_null(CopyWriter *writer)
{
    put32(writer, UINT32_MAX);
}

void copy_bytes(CopyWriter *writer, const void *data, size_t length)
{
    assert(writer->used + length + 4 <= COPY_BLOCK_BYTES);
    put32(writer, (uint32_t)length);
    memcpy(writer->block + writer->used, data, length);
    writer->used += length;
}

void copy_uuid(CopyWriter *writer, const Uuid *id)
{
    put32(writer, UUID_BYTES);
    memcpy(writer->block + writer->used, id->bytes, UUID_BYTES);
    writer->used += UUID_BYTES;
}

void copy_bool(CopyWriter *writer, bool value)
{
    put32(writer, 1);
    writer->block[writer->used++] = value;
}

void copy_int16(CopyWriter *writer, int16_t value)
{
    put32(writer, 2);
    put16(writer, (uint16_t)value);
}

void copy_int32(CopyWriter *writer, int32_t value)
{
    put32(writer, 4);
    put32(writer, (uint32_t)value);
}

void copy_real(CopyWriter *writer, int32_t value, int32_t divisor)
{
    float number = (float)((double)value / divisor);
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    put32(writer, 4);
    put32(writer, bits);
}

void copy_double(CopyWriter *writer, int64_t value, int32_t divisor)
{
    double number = (double)value / divisor;
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    put32(writer, 8);
    put64(writer, bits);
}

void copy_text(CopyWriter *writer, const char *text)
{
    copy_bytes(writer, text, strlen(text));
}

/* Leaves room for the length in front and for extra bytes of the type, then fills the length in. */
static void put_formatted(CopyWriter *writer, size_t extra, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void put_formatted(CopyWriter *writer, size_t extra, const char *format, va_list arguments)
{
    size_t start = writer->used + 4 + extra;
    size_t room = COPY_BLOCK_BYTES - start;
    int length = vsnprintf((char *)writer->block + start, room, format, arguments);
    assert(length >= 0 && (size_t)length < room);
    put32(writer, (uint32_t)((size_t)length + extra));
    writer->used = start + (size_t)length;
}

void copy_textf(CopyWriter *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_formatted(writer, 0, format, arguments);
    va_end(arguments);
}

void copy_jsonf(CopyWriter *writer, const char *format, ...)
{
    writer->block[writer->used + 4] = JSONB_VERSION;
    va_list arguments;
    va_start(arguments, format);
    put_formatted(writer, 1, format, arguments);
    va_end(arguments);
}

void copy_date(CopyWriter *writer, int32_t days)
{
    copy_int32(writer, days - EPOCH_DAYS);
}

void copy_time(CopyWriter *writer, int64_t unix_us)
{
    put32(writer, 8);
    put64(writer, (uint64_t)(unix_us - EPOCH_US));
}
