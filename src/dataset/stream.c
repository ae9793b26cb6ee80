#include "dataset/stream.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define SLOT_COUNT 8

typedef struct {
    uint8_t *data;
    size_t length;
    int64_t rows;
} Slot;

/* Slots are filled and sent in turn: those from `sent` to `filled` wait to be sent; the one after
 * them is being filled. The last one sent stays the reader's until it asks for the next. */
struct Stream {
    const World *world;
    TableIndex table;
    CopyWriter writer;
    HashStream *hash;
    Slot slots[SLOT_COUNT];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t filled;
    uint64_t sent;
    bool reading; /* slot `sent` is with the reader */
    bool finished;
    bool stopped;
};

static uint8_t *take_block(void *data, uint8_t *block, size_t length)
{
    Stream *stream = data;
    (void)pthread_mutex_lock(&stream->mutex);
    Slot *slot = &stream->slots[stream->filled % SLOT_COUNT];
    assert(slot->data == block);
    slot->length = length;
    slot->rows = stream->writer.rows;
    stream->filled++;
    (void)pthread_cond_signal(&stream->changed);
    while (!stream->stopped && stream->filled - stream->sent == SLOT_COUNT)
        (void)pthread_cond_wait(&stream->changed, &stream->mutex);
    uint8_t *next = stream->stopped ? NULL : stream->slots[stream->filled % SLOT_COUNT].data;
    (void)pthread_mutex_unlock(&stream->mutex);
    return next;
}

static void *generate(void *data)
{
    Stream *stream = data;
    CopyWriter *writer = &stream->writer;
    copy_begin(writer, stream->slots[0].data, stream->hash, take_block, stream);
    dataset_tables[stream->table].write(stream->world, writer);
    copy_end(writer);
    (void)pthread_mutex_lock(&stream->mutex);
    stream->finished = true;
    (void)pthread_cond_signal(&stream->changed);
    (void)pthread_mutex_unlock(&stream->mutex);
    return NULL;
}

static void stream_free(Stream *stream)
{
    for (size_t i = 0; i < SLOT_COUNT; i++)
        free(stream->slots[i].data);
    hash_destroy(stream->hash);
    free(stream);
}

bool stream_open(const World *world, TableIndex table, Stream **opened, Error *err)
{
    Stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return error_set(err, ERR_FAILED, "out of memory");
    stream->world = world;
    stream->table = table;
    stream->hash = hash_create();
    bool allocated = true;
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        stream->slots[i].data = malloc(COPY_BLOCK_BYTES);
        allocated = allocated && stream->slots[i].data;
    }
    if (!allocated) {
        stream_free(stream);
        return error_set(err, ERR_FAILED, "out of memory");
    }
    (void)pthread_mutex_init(&stream->mutex, NULL);
    (void)pthread_cond_init(&stream->changed, NULL);

    /* Signals are for the thread that waits on the server. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&stream->thread, NULL, generate, stream);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        (void)pthread_cond_destroy(&stream->changed);
        (void)pthread_mutex_destroy(&stream->mutex);
        stream_free(stream);
        return error_set_errno(err, ERR_FAILED, failed, "cannot start a thread");
    }
    *opened = stream;
    return true;
}

bool stream_next(Stream *stream, StreamBlock *block)
{
    (void)pthread_mutex_lock(&stream->mutex);
    if (stream->reading) {
        stream->reading = false;
        stream->sent++;
        (void)pthread_cond_signal(&stream->changed);
    }
    while (!stream->finished && stream->filled == stream->sent)
        (void)pthread_cond_wait(&stream->changed, &stream->mutex);
    bool found = stream->filled > stream->sent;
    if (found) {
        const Slot *slot = &stream->slots[stream->sent % SLOT_COUNT];
        *block = (StreamBlock){slot->data, slot->length, slot->rows};
        stream->reading = true;
    }
    (void)pthread_mutex_unlock(&stream->mutex);
    return found;
}

void stream_finish(Stream *stream, StreamSummary *summary)
{
    assert(stream->finished && stream->filled == stream->sent);
    summary->rows = stream->writer.rows;
    hash_finish(stream->hash, summary->sha256);
}

void stream_close(Stream *stream)
{
    if (!stream)
        return;
    (void)pthread_mutex_lock(&stream->mutex);
    stream->stopped = true;
    (void)pthread_cond_signal(&stream->changed);
    (void)pthread_mutex_unlock(&stream->mutex);
    (void)pthread_join(stream->thread, NULL);
    (void)pthread_cond_destroy(&stream->changed);
    (void)pthread_mutex_destroy(&stream->mutex);
    stream_free(stream);
}
