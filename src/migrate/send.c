/* How the statements of a file reach the server: one by one, or those of a small file together,
 * because a round trip costs more than many a statement. */
#include "migrate/runner.h"

#define COPY_PIECE_BYTES   ((size_t)256 << 10)
#define TOGETHER_MAX_BYTES ((size_t)64 << 10)

/* ---- one by one -------------------------------------------------------------------------- */

static bool send_copy(Session *session, const char *sql, const char *data, size_t length,
                      Error *err)
{
    if (!session_copy_begin(session, sql, err))
        return false;
    for (size_t sent = 0; sent < length;) {
        size_t piece = length - sent < COPY_PIECE_BYTES ? length - sent : COPY_PIECE_BYTES;
        if (!session_copy_data(session, data + sent, piece, err))
            return false;
        sent += piece;
    }
    return session_copy_end(session, NULL, err);
}

bool step_send(StepRun *now, size_t index, Error *err)
{
    const Script *script = &now->step->script;
    const SqlPiece *piece = &script->items[index].piece;
    if (script->items[index].left_out)
        return true;
    _cleanup_free_ char *sql = strndup(script->text + piece->start, piece->length);
    if (!sql)
        return error_set(err, ERR_FAILED, "out of memory");
    Session *work = now->runner->work;
    bool done = piece->copy
                    ? send_copy(work, sql, script->text + piece->data, piece->data_length, err)
                    : session_execute(work, sql, err);
    statement_watch_end(&now->runner->watch, done);
    return done;
}

/* ---- together ---------------------------------------------------------------------------- */

/* Of these the outcome is the same when the whole message is read before the first one runs. */
static bool goes_with_others(const ScriptStatement *statement)
{
    StatementKind kind = statement->what.kind;
    bool plain = kind == STATEMENT_ORDINARY || kind == STATEMENT_NEUTRAL || kind == STATEMENT_CALL;
    return statement->left_out || (plain && statement->what.analysed && !statement->piece.copy);
}

bool step_fits_message(const Script *script)
{
    if (script->length > TOGETHER_MAX_BYTES)
        return false;
    for (size_t i = 0; i < script->count; i++) {
        if (!goes_with_others(&script->items[i]))
            return false;
    }
    return true;
}

typedef struct {
    char *text;
    size_t length;
    size_t *starts;  /* in text, of those that are sent */
    size_t *indexes; /* in the script */
    size_t count;
} Message;

static void append(Message *message, const char *text, size_t length)
{
    memcpy(message->text + message->length, text, length);
    message->length += length;
    message->text[message->length] = '\0';
}

static Message join(const StepRun *now, const char *begin, const char *end)
{
    const Script *script = &now->step->script;
    static const char separator[] = "\n;\n";
    size_t room = strlen(begin) + script->length + strlen(end) + script->count * sizeof(separator);
    Message message = {.text = arena_alloc(now->arena, room + 1),
                       .starts = arena_array(now->arena, script->count, sizeof(size_t)),
                       .indexes = arena_array(now->arena, script->count, sizeof(size_t))};
    append(&message, begin, strlen(begin));
    for (size_t i = 0; i < script->count; i++) {
        const SqlPiece *piece = &script->items[i].piece;
        if (script->items[i].left_out)
            continue;
        message.starts[message.count] = message.length;
        message.indexes[message.count++] = i;
        append(&message, script->text + piece->start, piece->length);
        append(&message, separator, strlen(separator));
    }
    append(&message, end, strlen(end));
    return message;
}

static int count_characters(const char *text, size_t bytes)
{
    int count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* The statement that failed: by the error's position where it has one, because a syntax error fails
 * the message before its first statement has run. The position becomes the statement's own. */
static size_t find_failed(const Message *message, size_t completed, Error *err)
{
    size_t at = completed;
    for (size_t i = message->count; err->position > 0 && i-- > 0;) {
        int before = count_characters(message->text, message->starts[i]);
        if (err->position <= before)
            continue;
        err->position -= before;
        at = i;
        break;
    }
    return at;
}

bool step_send_together(StepRun *now, const char *begin, size_t begin_count, const char *end,
                        bool *began, Error *err)
{
    Session *work = now->runner->work;
    const Message message = join(now, begin, end);
    bool done = session_execute(work, message.text, err);
    statement_watch_end(&now->runner->watch, done);
    if (done)
        return true;
    size_t completed = session_completed(work);
    *began = completed >= begin_count || err->position > count_characters(begin, strlen(begin));
    if (!*began)
        return false;
    size_t failed = find_failed(&message, completed - begin_count, err);
    if (failed < message.count)
        now->at = message.indexes[failed];
    return false;
}
