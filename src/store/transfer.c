#include "store/transfer.h"

#include "base/file.h"
#include "base/interrupt.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_S 15L
#define ANSWER_MAX_BYTES  ((size_t)16 << 20) /* a page of a listing is below 1 MiB */

/* What we use of libcurl. Types are those of its header, the functions those of the library that
 * is loaded. */
typedef struct {
    void *library;
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *init;
    __typeof__(curl_easy_cleanup) *cleanup;
    __typeof__(curl_easy_reset) *reset;
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_setopt) *setopt;
    __typeof__(curl_easy_getinfo) *getinfo;
    __typeof__(curl_easy_strerror) *strerror;
    __typeof__(curl_slist_append) *list_append;
    __typeof__(curl_slist_free_all) *list_free;
    __typeof__(curl_getdate) *getdate;
} Curl;

struct Connection {
    CURL *handle;
};

static pthread_mutex_t curl_lock = PTHREAD_MUTEX_INITIALIZER;
static Curl curl; /* loaded once, under the lock; a library has no owner */

static bool load_symbols(Curl *to)
{
    const struct {
        const char *name;
        void *slot;
    } symbols[] = {
        {"curl_global_init", &to->global_init},  {"curl_easy_init", &to->init},
        {"curl_easy_cleanup", &to->cleanup},     {"curl_easy_reset", &to->reset},
        {"curl_easy_perform", &to->perform},     {"curl_easy_setopt", &to->setopt},
        {"curl_easy_getinfo", &to->getinfo},     {"curl_easy_strerror", &to->strerror},
        {"curl_slist_append", &to->list_append}, {"curl_slist_free_all", &to->list_free},
        {"curl_getdate", &to->getdate},
    };
    for (size_t i = 0; i < COUNT_OF(symbols); i++) {
        void *found = dlsym(to->library, symbols[i].name);
        if (!found)
            return false;
        memcpy(symbols[i].slot, &found, sizeof(found)); /* POSIX: a function fits in a void * */
    }
    return true;
}

static bool load_curl(Error *err)
{
    bool loaded = true;
    (void)pthread_mutex_lock(&curl_lock);
    if (!curl.library) {
        Curl made = {.library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL)};
        loaded = made.library && load_symbols(&made) &&
                 made.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
        if (loaded)
            curl = made;
        else if (made.library)
            (void)dlclose(made.library);
    }
    (void)pthread_mutex_unlock(&curl_lock);
    if (loaded)
        return true;
    (void)error_set(err, ERR_FAILED, "libcurl.so.4 cannot be loaded, and S3 needs it");
    return error_hint(err, "apt-get install libcurl4");
}

bool connection_open(Connection **connection, Error *err)
{
    if (!load_curl(err))
        return false;
    CURL *handle = curl.init();
    Connection *made = calloc(1, sizeof(*made));
    if (!handle || !made) {
        curl.cleanup(handle);
        free(made);
        return error_set(err, ERR_FAILED, "out of memory");
    }
    made->handle = handle;
    *connection = made;
    return true;
}

void connection_close(Connection *connection)
{
    if (!connection)
        return;
    curl.cleanup(connection->handle);
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
    if (origin != SEEK_SET || offset < 0 || offset > work->transfer->length)
        return CURL_SEEKFUNC_FAIL;
    work->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static size_t on_write(char *data, size_t size, size_t count, void *context)
{
    Work *work = context;
    Answer *answer = work->answer;
    size_t length = size * count;
    long status = 0;
    (void)curl.getinfo(work->connection->handle, CURLINFO_RESPONSE_CODE, &status);
    if (work->transfer->save < 0 || status < 200 || status > 299)
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
        time_t moment = curl.getdate(copy, NULL);
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
static void set_request(Work *work)
{
    CURL *handle = work->connection->handle;
    const Transfer *transfer = work->transfer;
    bool sends = transfer->descriptor >= 0 || transfer->body;
    for (size_t i = 0; i < transfer->headers->count; i++)
        work->headers = curl.list_append(work->headers, transfer->headers->items[i]);
    /* What libcurl would add by itself, and no signature covers. */
    work->headers = curl.list_append(work->headers, "Expect:");
    work->headers = curl.list_append(work->headers, "Accept:");
    (void)curl.setopt(handle, CURLOPT_URL, transfer->url);
    (void)curl.setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    (void)curl.setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl.setopt(handle, CURLOPT_HTTPHEADER, work->headers);
    if (str_equal(transfer->method, "HEAD")) {
        (void)curl.setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (sends) {
        (void)curl.setopt(handle, CURLOPT_UPLOAD, 1L);
        (void)curl.setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->length);
        (void)curl.setopt(handle, CURLOPT_READFUNCTION, on_read);
        (void)curl.setopt(handle, CURLOPT_READDATA, work);
        (void)curl.setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
        (void)curl.setopt(handle, CURLOPT_SEEKDATA, work);
    }
    (void)curl.setopt(handle, CURLOPT_CUSTOMREQUEST, transfer->method);
}

static void set_limits(Work *work)
{
    CURL *handle = work->connection->handle;
    const Transfer *transfer = work->transfer;
    (void)curl.setopt(handle, CURLOPT_NOSIGNAL, 1L); /* threads */
    (void)curl.setopt(handle, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    (void)curl.setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl.setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)(transfer->silence_ms / 1000));
    (void)curl.setopt(handle, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)transfer->bytes_per_second);
    (void)curl.setopt(handle, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)transfer->bytes_per_second);
}

static void set_callbacks(Work *work, char *failure)
{
    CURL *handle = work->connection->handle;
    (void)curl.setopt(handle, CURLOPT_WRITEFUNCTION, on_write);
    (void)curl.setopt(handle, CURLOPT_WRITEDATA, work);
    (void)curl.setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl.setopt(handle, CURLOPT_HEADERDATA, work);
    (void)curl.setopt(handle, CURLOPT_NOPROGRESS, 0L);
    (void)curl.setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl.setopt(handle, CURLOPT_XFERINFODATA, work);
    (void)curl.setopt(handle, CURLOPT_ERRORBUFFER, failure);
}

/* Trying again cannot mend these. */
static bool is_final(CURLcode code)
{
    static const CURLcode codes[] = {
        CURLE_UNSUPPORTED_PROTOCOL,     CURLE_URL_MALFORMAT,      CURLE_OUT_OF_MEMORY,
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_ENGINE_NOTFOUND,      CURLE_FAILED_INIT,        CURLE_WRITE_ERROR,
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (code == codes[i])
            return true;
    }
    return false;
}

bool connection_perform(Connection *connection, const Transfer *transfer, Answer *answer,
                        Error *err)
{
    Work work = {.connection = connection, .transfer = transfer, .answer = answer};
    char failure[CURL_ERROR_SIZE] = "";
    if (!interrupt_check(err))
        return false;
    curl.reset(connection->handle); /* options; the connection stays open */
    set_request(&work);
    set_limits(&work);
    set_callbacks(&work, failure);
    CURLcode code = curl.perform(connection->handle);
    curl.list_free(work.headers);
    if (code == CURLE_OK) {
        curl_off_t length = -1;
        (void)curl.getinfo(connection->handle, CURLINFO_RESPONSE_CODE, &answer->status);
        if (curl.getinfo(connection->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) ==
            CURLE_OK)
            answer->length = length;
        return true;
    }
    if (code == CURLE_ABORTED_BY_CALLBACK && !interrupt_check(err))
        return false;
    if (!answer->local_failure)
        (void)snprintf(answer->failure, sizeof(answer->failure), "%s",
                       *failure ? failure : curl.strerror(code));
    answer->again = !answer->local_failure && !is_final(code);
    return true;
}
