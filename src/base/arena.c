#include "base/arena.h"

#include <stdint.h>

#define ARENA_CHUNK_BYTES ((size_t)64 * 1024)
#define ARENA_ALIGN       (_Alignof(max_align_t))

typedef struct Chunk {
    struct Chunk *next;
    size_t used;
    size_t size;
    max_align_t data[];
} Chunk;

struct Arena {
    Chunk *chunks; /* the first one is being filled */
    size_t used_bytes;
};

static _Noreturn void out_of_memory(void)
{
    (void)fputs("vaxdb: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

Arena *arena_create(void)
{
    Arena *arena = calloc(1, sizeof(*arena));
    if (!arena)
        out_of_memory();
    return arena;
}

void arena_destroy(Arena *arena)
{
    if (!arena)
        return;
    for (Chunk *chunk = arena->chunks; chunk;) {
        Chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(arena);
}

static Chunk *chunk_add(Arena *arena, size_t size_bytes)
{
    size_t size = size_bytes > ARENA_CHUNK_BYTES ? size_bytes : ARENA_CHUNK_BYTES;
    if (size > SIZE_MAX - sizeof(Chunk))
        out_of_memory();
    Chunk *chunk = calloc(1, sizeof(Chunk) + size);
    if (!chunk)
        out_of_memory();
    chunk->size = size;
    /* An oversized request gets a chunk of its own behind the current one, which keeps its room. */
    if (arena->chunks && size_bytes > ARENA_CHUNK_BYTES) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    return chunk;
}

void *arena_alloc(Arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX - ARENA_ALIGN)
        out_of_memory();
    size_t size = (size_bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (size == 0)
        size = ARENA_ALIGN;
    Chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < size)
        chunk = chunk_add(arena, size);
    void *pointer = (char *)chunk->data + chunk->used;
    chunk->used += size;
    arena->used_bytes += size;
    return pointer;
}

void *arena_array(Arena *arena, size_t count, size_t size_bytes)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size_bytes, &total))
        out_of_memory();
    return arena_alloc(arena, total);
}

char *arena_strndup(Arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(Arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(Arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        out_of_memory();
    char *text = arena_alloc(arena, (size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

size_t arena_used_bytes(const Arena *arena)
{
    return arena->used_bytes;
}

void arena_destroy_wiped(Arena *arena)
{
    for (Chunk *chunk = arena ? arena->chunks : NULL; chunk; chunk = chunk->next)
        explicit_bzero(chunk->data, chunk->size);
    arena_destroy(arena);
}
