#include "store/transfer.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "store/curl_library.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_S 15L
#define ANSWER_MAX_BYTES  ((size_t)16 << 20) /* a page of a listing is below 1 MiB */

struct Connection {
    const Curl *curl;
    CURL *handle;
};

bool connection_open(Connection **connection, Error *err)
{
    const Curl *curl = NULL;
    if (!curl_library_load(&curl, err))
        return false;
    CURL *handle = curl->init();
    Connection *made = calloc(1, sizeof(*made));
    if (!handle || !made) {
        curl->cleanup(handle);
        free(made);
        return error_set(err, ERR_FAILED, "out of memory");
    }
    made->curl = curl;
    made->handle = handle;
    *connection = made;
    return true;
}

void connection_close(Connection *connection)
{
    if (!connection)
        return;
    connection->curl->cleanup(connection->handle);
    free(connection);
}

void answer_init(Answer *answer)
{
    *answer = (Answer){.length = -1};
    buffer_init(&answer->body, ANSWER_MAX_BYTES);
}

void answer_free(Answer *answer)
{
    buffer_free(&answer->body);
}

/* ---- what libcurl calls ------------------------------------------------------------------- */

typedef struct {
    Connection *connection;
    const Transfer *transfer;
    Answer *answer;
    int64_t sent;
    struct curl_slist *headers;
    struct curl_slist *commands;
} Work;

static bool local_failure(Work *work, const char *what)
{
    (void)snprintf(work->answer->failure, sizeof(work->answer->failure), "cannot %s: %s", what,
                   strerrordesc_np(errno));
    work->answer->local_failure = true;
    return false;
}

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
    Work *work = context;
    const Transfer *transfer = work->transfer;
    size_t room = size * count;
    int64_t left = transfer->length - work->sent;
    size_t wanted = left < (int64_t)room ? (size_t)left : room;
    if (!wanted)
        return 0;
    if (transfer->descriptor < 0) {
        memcpy(to, transfer->body + work->sent, wanted);
        work->sent += (int64_t)wanted;
        return wanted;
    }
    ssize_t got = 0;
    do
        got = pread(transfer->descriptor, to, wanted, transfer->offset + work->sent);
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        if (got == 0)
            errno = ENODATA;
        (void)local_failure(work, "read the file that is sent");
        return CURL_READFUNC_ABORT;
    }
    work->sent += got;
    return (size_t)got;
}

/* A connection that the server had closed meanwhile: libcurl opens another and begins again. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    Work *work = context;
    /* By SFTP it counts from the beginning of the file. */
    int64_t at = work->transfer->ssh ? offset - work->transfer->offset : offset;
    if (origin != SEEK_SET || at < 0 || at > work->transfer->length)
        return CURL_SEEKFUNC_FAIL;
    work->sent = at;
    return CURL_SEEKFUNC_OK;
}

static size_t on_write(char *data, size_t size, size_t count, void *context)
{
    Work *work = context;
    Answer *answer = work->answer;
    size_t length = size * count;
    long status = 0;
    (void)work->connection->curl->getinfo(work->connection->handle, CURLINFO_RESPONSE_CODE,
                                          &status);
    bool good = work->transfer->ssh || (status >= 200 && status <= 299);
    if (work->transfer->save < 0 || !good)
        return buffer_append(&answer->body, data, length) ? length : 0;
    for (size_t done = 0; done < length;) {
        ssize_t put = pwrite(work->transfer->save, data + done, length - done,
                             work->transfer->save_offset + answer->saved);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            (void)local_failure(work, "write the file that is read");
            return 0;
        }
        answer->saved += put;
        done += (size_t)put;
    }
    return length;
}

/* The value of a header line, without white space; "" when it is of another name. */
static size_t header_value(const char *line, size_t length, const char *name, const char **value)
{
    size_t name_length = strlen(name);
    if (length <= name_length || line[name_length] != ':' ||
        strncasecmp(line, name, name_length) != 0)
        return 0;
    const char *start = line + name_length + 1;
    const char *end = line + length;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    *value = start;
    return (size_t)(end - start);
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    Work *work = context;
    Answer *answer = work->answer;
    size_t whole = size * count;
    const struct {
        const char *name;
        char *to;
        size_t room;
    } texts[] = {
        {"ETag", answer->etag, sizeof(answer->etag)},
        {"x-amz-meta-sha256", answer->sha256, sizeof(answer->sha256)},
        {"x-amz-bucket-region", answer->region, sizeof(answer->region)},
    };
    const struct {
        const char *name;
        int64_t *to;
    } moments[] = {{"Date", &answer->date}, {"Last-Modified", &answer->modified_at}};
    const char *value = NULL;
    size_t length = 0;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        length = header_value(line, whole, texts[i].name, &value);
        if (length && length < texts[i].room)
            (void)snprintf(texts[i].to, texts[i].room, "%.*s", (int)length, value);
    }
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        char copy[64];
        length = header_value(line, whole, moments[i].name, &value);
        if (!length || length >= sizeof(copy))
            continue;
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)length, value);
        time_t moment = work->connection->curl->getdate(copy, NULL);
        *moments[i].to = moment > 0 ? moment : 0;
    }
    return whole;
}

static int on_progress(void *context, UNUSED curl_off_t to_get, curl_off_t got,
                       UNUSED curl_off_t to_send, curl_off_t sent)
{
    Work *work = context;
    if (work->transfer->moved)
        work->transfer->moved(work->transfer->context, work->transfer->save >= 0 ? got : sent);
    return interrupt_pending();
}

/* ---- one transfer ------------------------------------------------------------------------- */

/* setopt takes long, curl_off_t or a pointer by its option; the casts here are that contract. */
static void set_reading(Work *work, int64_t length)
{
    const Curl *curl = work->connection->curl;
    CURL *handle = work->connection->handle;
    (void)curl->setopt(handle, CURLOPT_UPLOAD, 1L);
    (void)curl->setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
    (void)curl->setopt(handle, CURLOPT_READFUNCTION, on_read);
    (void)curl->setopt(handle, CURLOPT_READDATA, work);
    (void)curl->setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
    (void)curl->setopt(handle, CURLOPT_SEEKDATA, work);
}

static void set_request(Work *work)
{
    const Curl *curl = work->connection->curl;
    CURL *handle = work->connection->handle;
    const Transfer *transfer = work->transfer;
    bool sends = transfer->descriptor >= 0 || transfer->body;
    for (size_t i = 0; i < transfer->headers->count; i++)
        work->headers = curl->list_append(work->headers, transfer->headers->items[i]);
    /* What libcurl would add by itself, and no signature covers. */
    work->headers = curl->list_append(work->headers, "Expect:");
    work->headers = curl->list_append(work->headers, "Accept:");
    (void)curl->setopt(handle, CURLOPT_URL, transfer->url);
    (void)curl->setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    (void)curl->setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl->setopt(handle, CURLOPT_HTTPHEADER, work->headers);
    if (str_equal(transfer->method, "HEAD")) {
        (void)curl->setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (sends) {
        set_reading(work, transfer->length);
    }
    (void)curl->setopt(handle, CURLOPT_CUSTOMREQUEST, transfer->method);
}

static void set_ssh_request(Work *work)
{
    const Curl *curl = work->connection->curl;
    CURL *handle = work->connection->handle;
    const Transfer *transfer = work->transfer;
    const SshTransfer *ssh = transfer->ssh;
    (void)curl->setopt(handle, CURLOPT_URL, transfer->url);
    (void)curl->setopt(handle, CURLOPT_PROTOCOLS_STR, "sftp");
    (void)curl->setopt(handle, CURLOPT_SSH_AUTH_TYPES,
                       (long)(CURLSSH_AUTH_PUBLICKEY | CURLSSH_AUTH_AGENT));
    (void)curl->setopt(handle, CURLOPT_SSH_KNOWNHOSTS, ssh->known_hosts);
    if (ssh->key_file)
        (void)curl->setopt(handle, CURLOPT_SSH_PRIVATE_KEYFILE, ssh->key_file);
    (void)curl->setopt(handle, CURLOPT_NEW_FILE_PERMS, 0600L);
    (void)curl->setopt(handle, CURLOPT_NEW_DIRECTORY_PERMS, 0700L);
    if (ssh->range)
        (void)curl->setopt(handle, CURLOPT_RANGE, ssh->range);
    if (ssh->commands) {
        for (size_t i = 0; i < ssh->commands->count; i++)
            work->commands = curl->list_append(work->commands, ssh->commands->items[i]);
        (void)curl->setopt(handle, CURLOPT_QUOTE, work->commands);
        (void)curl->setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (transfer->descriptor >= 0) {
        set_reading(work, transfer->offset + transfer->length);
        (void)curl->setopt(handle, CURLOPT_FTP_CREATE_MISSING_DIRS, 1L);
        (void)curl->setopt(handle, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)transfer->offset);
    } else if (transfer->save >= 0) {
        (void)curl->setopt(handle, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)transfer->save_offset);
    }
}

static void set_limits(Work *work)
{
    const Curl *curl = work->connection->curl;
    CURL *handle = work->connection->handle;
    const Transfer *transfer = work->transfer;
    (void)curl->setopt(handle, CURLOPT_NOSIGNAL, 1L); /* threads */
    (void)curl->setopt(handle, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    (void)curl->setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl->setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)(transfer->silence_ms / 1000));
    (void)curl->setopt(handle, CURLOPT_MAX_SEND_SPEED_LARGE,
                       (curl_off_t)transfer->bytes_per_second);
    (void)curl->setopt(handle, CURLOPT_MAX_RECV_SPEED_LARGE,
                       (curl_off_t)transfer->bytes_per_second);
}

static void set_callbacks(Work *work, char *failure)
{
    const Curl *curl = work->connection->curl;
    CURL *handle = work->connection->handle;
    (void)curl->setopt(handle, CURLOPT_WRITEFUNCTION, on_write);
    (void)curl->setopt(handle, CURLOPT_WRITEDATA, work);
    (void)curl->setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl->setopt(handle, CURLOPT_HEADERDATA, work);
    (void)curl->setopt(handle, CURLOPT_NOPROGRESS, 0L);
    (void)curl->setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl->setopt(handle, CURLOPT_XFERINFODATA, work);
    (void)curl->setopt(handle, CURLOPT_ERRORBUFFER, failure);
}

/* Trying again cannot mend these. */
static const CURLcode finals[] = {
    CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT,   CURLE_OUT_OF_MEMORY,
    CURLE_SSL_CACERT_BADFILE,   CURLE_SSL_CERTPROBLEM, CURLE_SSL_ENGINE_NOTFOUND,
    CURLE_FAILED_INIT,          CURLE_WRITE_ERROR,     CURLE_REMOTE_DISK_FULL,
};
static const CURLcode refusals[] = {
    CURLE_PEER_FAILED_VERIFICATION, CURLE_LOGIN_DENIED,
    CURLE_REMOTE_ACCESS_DENIED,     CURLE_QUOTE_ERROR,
    CURLE_REMOTE_FILE_EXISTS,
};

static bool is_one(CURLcode code, const CURLcode *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (code == codes[i])
            return true;
    }
    return false;
}

bool connection_perform(Connection *connection, const Transfer *transfer, Answer *answer,
                        Error *err)
{
    Work work = {.connection = connection, .transfer = transfer, .answer = answer};
    const Curl *curl = connection->curl;
    char failure[CURL_ERROR_SIZE] = "";
    if (!interrupt_check(err))
        return false;
    curl->reset(connection->handle); /* options; the connection stays open */
    if (transfer->ssh)
        set_ssh_request(&work);
    else
        set_request(&work);
    set_limits(&work);
    set_callbacks(&work, failure);
    CURLcode code = curl->perform(connection->handle);
    curl->list_free(work.headers);
    curl->list_free(work.commands);
    if (code == CURLE_OK) {
        curl_off_t length = -1;
        (void)curl->getinfo(connection->handle, CURLINFO_RESPONSE_CODE, &answer->status);
        if (transfer->ssh)
            answer->status = 200;
        if (curl->getinfo(connection->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) ==
            CURLE_OK)
            answer->length = length;
        return true;
    }
    if (code == CURLE_ABORTED_BY_CALLBACK && !interrupt_check(err))
        return false;
    if (!answer->local_failure)
        (void)snprintf(answer->failure, sizeof(answer->failure), "%s",
                       *failure ? failure : curl->strerror(code));
    answer->missing = code == CURLE_REMOTE_FILE_NOT_FOUND;
    answer->refused = is_one(code, refusals, COUNT_OF(refusals));
    answer->again = !answer->local_failure && !answer->missing && !answer->refused &&
                    !is_one(code, finals, COUNT_OF(finals));
    return true;
}
