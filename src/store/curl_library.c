#include "store/curl_library.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Curl library; /* loaded once, under the lock; a library has no owner */
static void *handle;

static bool load_symbols(void *from, Curl *to)
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
        void *found = dlsym(from, symbols[i].name);
        if (!found)
            return false;
        memcpy(symbols[i].slot, &found, sizeof(found)); /* POSIX: a function fits in a void * */
    }
    return true;
}

bool curl_library_load(const Curl **curl, Error *err)
{
    (void)pthread_mutex_lock(&lock);
    if (!handle) {
        Curl made;
        void *opened = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
        if (opened && load_symbols(opened, &made) &&
            made.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
            library = made;
            handle = opened;
        } else if (opened) {
            (void)dlclose(opened);
        }
    }
    bool loaded = handle;
    (void)pthread_mutex_unlock(&lock);
    *curl = &library;
    if (loaded)
        return true;
    (void)error_set(err, ERR_FAILED, "libcurl.so.4 cannot be loaded, and S3 and SFTP need it");
    return error_hint(err, "apt-get install libcurl4");
}
