/* Recipients, identities, and the header of an encrypted backup, which wraps its data key for them.
 * The format is in seal.h. */
#pragma once

#include "backup/seal.h"
#include "base/arena.h"

#define SEAL_SLOTS_MAX  64
#define SEAL_HEADER_MIN 68   /* without slots */
#define SEAL_HEADER_MAX 8192 /* with all that may be */

/* ---- key pairs ------------------------------------------------------------------------------ */

typedef struct {
    uint8_t bytes[SEAL_KEY_BYTES];
} SealRecipient;

typedef struct {
    uint8_t secret[SEAL_KEY_BYTES];
    SealRecipient recipient;
} SealIdentity;

void seal_identity_create(SealIdentity *identity);
/* "VAXDB-SECRET-1..."; the text is as secret as the key. */
char *seal_identity_text(Arena *arena, const SealIdentity *identity);
bool seal_identity_parse(const char *text, SealIdentity *identity) MUST_CHECK;
/* "vaxdb1..." */
char *seal_recipient_text(Arena *arena, const SealRecipient *recipient);
bool seal_recipient_parse(const char *text, SealRecipient *recipient) MUST_CHECK;

/* ---- header --------------------------------------------------------------------------------- */

typedef enum { SEAL_SLOT_X25519 = 1, SEAL_SLOT_SCRYPT = 2 } SealSlotKind;

typedef struct {
    SealSlotKind kind;
    const uint8_t *body;
} SealSlot;

/* Points into the bytes that it was parsed from. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
    const uint8_t *id;
    size_t slot_count;
    SealSlot slots[SEAL_SLOTS_MAX];
} SealHeader;

/* A header for these recipients, and for the passphrase where it is not NULL; at least one of
 * these, at most SEAL_SLOTS_MAX. Replaces what is in bytes. A recipient that is no point of the
 * curve is ERR_USAGE. */
bool seal_header_write(const SealKey *key, const SealRecipient *recipients, size_t count,
                       const char *passphrase, Buffer *bytes, Error *err) MUST_CHECK;
/* How long is the header that begins with these SEAL_HEADER_MIN bytes? 0: it is none. */
size_t seal_header_length(const void *bytes);
/* False where the bytes are no header to the last bit (but for what only a key can tell). */
bool seal_header_parse(const void *bytes, size_t length, SealHeader *header) MUST_CHECK;
bool seal_header_has(const SealHeader *header, SealSlotKind kind);
void seal_header_id(const SealHeader *header, char hex[SEAL_ID_HEX_SIZE]);

/* Was the header written with this key? */
bool seal_header_check(const SealHeader *header, const SealKey *key) MUST_CHECK;
/* False where no slot is for it, or the header was not written with the key in it. */
bool seal_header_open(const SealHeader *header, const SealIdentity *identity,
                      SealKey *key) MUST_CHECK;
/* Takes some tenths of a second and 128 MiB, on purpose. */
bool seal_header_open_passphrase(const SealHeader *header, const char *passphrase,
                                 SealKey *key) MUST_CHECK;
