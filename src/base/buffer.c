#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>

static char empty_data[1]; /* what data points at before the first append; never written to */

void buffer_init(Buffer *buffer, size_t max_bytes)
{
    assert(max_bytes > 0);
    *buffer = (Buffer){.data = empty_data, .max = max_bytes};
}

void buffer_free(Buffer *buffer)
{
    if (buffer->capacity)
        free(buffer->data);
    *buffer = (Buffer){.data = empty_data, .max = buffer->max};
}

void buffer_clear(Buffer *buffer)
{
    buffer->length = 0;
    buffer->overflow = false;
    if (buffer->capacity)
        buffer->data[0] = '\0';
}

char *buffer_reserve(Buffer *buffer, size_t length)
{
    assert(buffer->max > 0);
    if (buffer->overflow || length > buffer->max - buffer->length) {
        buffer->overflow = true;
        return NULL;
    }
    size_t needed = buffer->length + length + 1;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 64;
        while (capacity < needed)
            capacity *= 2;
        char *grown = realloc(buffer->capacity ? buffer->data : NULL, capacity);
        if (!grown) {
            buffer->overflow = true;
            return NULL;
        }
        buffer->data = grown;
        buffer->capacity = capacity;
        buffer->data[buffer->length] = '\0';
    }
    return buffer->data + buffer->length;
}

void buffer_commit(Buffer *buffer, size_t length)
{
    assert(buffer->length + length < buffer->capacity || length == 0);
    if (length == 0)
        return;
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

bool buffer_append(Buffer *buffer, const void *data, size_t length)
{
    char *target = buffer_reserve(buffer, length);
    if (!target)
        return false;
    if (length)
        memcpy(target, data, length);
    buffer_commit(buffer, length);
    return true;
}

bool buffer_append_str(Buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

bool buffer_append_char(Buffer *buffer, char byte)
{
    return buffer_append(buffer, &byte, 1);
}

bool buffer_printf(Buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->overflow = true;
        return false;
    }
    char *target = buffer_reserve(buffer, (size_t)length);
    if (!target)
        return false;
    va_start(arguments, format);
    (void)vsnprintf(target, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer_commit(buffer, (size_t)length);
    return true;
}

void buffer_consume(Buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    if (length == 0)
        return;
    memmove(buffer->data, buffer->data + length, buffer->length - length);
    buffer->length -= length;
    buffer->data[buffer->length] = '\0';
}

bool buffer_check(const Buffer *buffer, const char *what, Error *err)
{
    if (buffer->overflow)
        return error_set(err, ERR_FAILED, "%s is larger than %zu bytes", what, buffer->max);
    return true;
}
