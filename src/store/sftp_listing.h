/* The listing of a folder that an SFTP server sends: lines as of `ls -l`, in the form that
 * draft-ietf-secsh-filexfer-02 (section 7) recommends and OpenSSH writes:
 *
 *     -rw-------    1 backup   backup     348911 Mar 25 14:29 NAME
 *
 * What is no regular file is left out. The moments in it have no year or no time, and are not read.
 */
#pragma once

#include "store/store.h"

/* In the order of the listing. A line of another form is ERR_FAILED: better no list than one that
 * is not complete. */
bool sftp_listing_parse(Arena *arena, const char *text, size_t length, StoreList *list,
                        Error *err) MUST_CHECK;
