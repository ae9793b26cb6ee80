#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

/* Cuts at a UTF-8 character boundary and marks the cut. */
static void copy_bounded(char *target, size_t size, const char *source)
{
    size_t length = strlen(source);
    if (length < size) {
        memcpy(target, source, length + 1);
        return;
    }
    size_t keep = size - 4;
    while (keep > 0 && ((unsigned char)source[keep] & 0xC0) == 0x80)
        keep--;
    memcpy(target, source, keep);
    memcpy(target + keep, "...", 4);
}

static void format_bounded(char *target, size_t size, const char *format, va_list arguments)
{
    _cleanup_free_ char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
        copy_bounded(target, size, "out of memory");
        return;
    }
    copy_bounded(target, size, text);
}

bool error_set(Error *err, ErrorCode code, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX]; /* the arguments may point into *err */
    va_list arguments;
    va_start(arguments, format);
    format_bounded(message, sizeof(message), format, arguments);
    va_end(arguments);
    *err = (Error){.code = code};
    memcpy(err->message, message, sizeof(message));
    return false;
}

bool error_set_errno(Error *err, ErrorCode code, int errnum, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_bounded(message, sizeof(message), format, arguments);
    va_end(arguments);
    char reason[128];
    return error_set(err, code, "%s: %s", message, strerror_r(errnum, reason, sizeof(reason)));
}

bool error_hint(Error *err, const char *format, ...)
{
    char hint[ERROR_HINT_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_bounded(hint, sizeof(hint), format, arguments);
    va_end(arguments);
    memcpy(err->hint, hint, sizeof(hint));
    return false;
}

bool error_context(Error *err, const char *format, ...)
{
    char context[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_bounded(context, sizeof(context), format, arguments);
    va_end(arguments);
    _cleanup_free_ char *joined = NULL;
    if (asprintf(&joined, "%s: %s", context, err->message) < 0) {
        joined = NULL;
        return false;
    }
    copy_bounded(err->message, sizeof(err->message), joined);
    return false;
}

const char *error_code_name(ErrorCode code)
{
    switch (code) {
    case ERR_NONE:
        return "none";
    case ERR_FAILED:
        return "failed";
    case ERR_USAGE:
        return "usage";
    case ERR_REFUSED:
        return "refused";
    case ERR_PROBLEMS:
        return "problems";
    case ERR_UNREACHABLE:
        return "unreachable";
    case ERR_OFFSITE:
        return "offsite";
    case ERR_INTERRUPTED:
        return "interrupted";
    }
    return "failed";
}
