/* libcurl, loaded by the first transfer that is made: it brings thirty other libraries along. */
#pragma once

#include "base/error.h"

#include <curl/curl.h>

/* What we use of libcurl. Types are those of its header, the functions those of the library that
 * is loaded. */
typedef struct {
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

/* The one of this process, which stays loaded. */
bool curl_library_load(const Curl **curl, Error *err) MUST_CHECK;
