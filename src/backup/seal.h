/* Encryption of backups: FILE.sql.gz.enc, the members of a FILE.sql.gz, each encrypted by itself.
 *
 * The file
 * --------
 * header, encrypted members one behind the other, encrypted index, locator. Numbers are
 * little-endian. "HMAC" is HMAC-SHA-256 (RFC 2104), "GCM" AES-256-GCM (SP 800-38D) with a tag of 16
 * bytes.
 *
 *     header   0  "VXSEALED"
 *              8  version 1 (2), slots (2), length of the header (4)
 *             16  key ID (16)
 *             32  slots: kind (1), 0 (1), length of what follows (2), and of kind
 *                   1, X25519: ephemeral public key (32), wrapped data key (32 + tag)
 *                   2, scrypt: salt (16), log2 of N (1), r 8 (1), p 1 (1), 0 (1), wrapped data
 *                   key (32 + tag)
 *              .  HMAC of all before (32); CRC-32 of all before (4), which needs no key and tells
 *                 damage from a wrong one
 *     member      seed (32); chunks of 256 KiB of the gzip member (member.h) and its tag each, the
 *                 last one shorter
 *     index       likewise, of the entries of archive.h, each with its member's seed behind it
 *     locator  0  offset of the index (8), its encrypted bytes (8), members (8), "VXSEALIX"
 *
 * Keys
 * ----
 * A folder of backups has a data key of 32 random bytes. Each other key is HMAC(data key, "vaxdb
 * seal 1 NAME"), NAME being "id" (cut to 16 bytes: it commits a header to one data key), "header",
 * "manifest", "seed", "member" and "index". A slot wraps the data key by GCM, nonce 0, associated
 * data the key ID, under
 *
 *     X25519   HKDF-SHA-256 (RFC 5869) of the shared secret of an ephemeral key and the recipient's
 *              (RFC 7748), salt both public keys, information "vaxdb backup X25519 1"
 *     scrypt   scrypt (RFC 7914) of the passphrase
 *
 * as the files of age do (https://age-encryption.org/v1). A recipient is written "vaxdb1...", an
 * identity "VAXDB-SECRET-1...", in Bech32 (BIP 173).
 *
 * A piece (member or index) is encrypted by GCM under a key of its own, HMAC("member" or "index"
 * key, seed). The nonce of a chunk is its number (8), 0 (3), and 1 for the last chunk, else 0. Its
 * associated data is what the piece is bound to, 64 bytes: for a member its label (the gzip header:
 * table, part, kind, rows, digest, lengths), for the index the header's HMAC and the locator. The
 * seed is HMAC("seed" key, binding and HMAC("seed" key, plain bytes)).
 *
 * What that gives
 * ---------------
 * The same label and rows give the same seed, so the same bytes tomorrow, and `push` need not send
 * them; other ones give another key, so no nonce is used twice with one key. Bounds are those of a
 * random value of 256 bits, far from any number of members.
 *
 * Who can read and write the bucket and has no key
 * - reads the header (how many may open it), sizes of members, and the manifest: names of tables,
 *   indexes and sequences, how many rows, where sequences are. It has no digests of rows,
 *   by which values could be guessed.
 * - sees which members are the same on two days, or in two backups of a folder: what did not
 *   change. That is the price of sending only what did. Labels are part of a member, so the same
 *   rows in two tables are not the same bytes.
 * - cannot flip, cut, reorder, leave out or repeat anything: the index has every member's seed in
 *   order, is bound to header and locator, and no byte lies between or behind. A member of another
 *   day has another seed than the index wants. No byte of a chunk is used before its tag was
 *   checked, and statements are never run from an unchecked one.
 * - cannot change the manifest: it carries an HMAC under the "manifest" key. One without is
 * refused.
 * - can delete, and can put an older backup whole in the place of a newer one: its manifest then
 *   tells its age. Object Lock is for that.
 * - can make a new backup of their own under a data key of their own for a recipient whom they
 *   know, as with every public key. Its key ID is another one than the folder's: the machine that
 *   made the folder's knows, and warns.
 *
 * Whoever holds the data key reads every backup under it. Any change of the recipients makes a new
 * one: who was taken out cannot read what comes later, and who came in not what was before. The
 * state directory of the machine that makes backups holds data keys (seal_keys.h), so that it needs
 * no identity to go on or to verify. When that is lost the next backup gets a new key; every file
 * carries its own header, and an identity (or the passphrase) and the file suffice. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SEAL_SUFFIX ".enc" /* behind BACKUP_SUFFIX */

#define SEAL_KEY_BYTES   32
#define SEAL_ID_BYTES    16
#define SEAL_ID_HEX_SIZE (2 * SEAL_ID_BYTES + 1)
#define SEAL_SEED_BYTES  32
#define SEAL_TAG_BYTES   16
#define SEAL_BOUND_BYTES 64
#define SEAL_MAC_BYTES   32
/* Encrypted at a time: not more than this is held before it was checked. */
#define SEAL_CHUNK_BYTES 262144

/* ---- the data key and what is made of it --------------------------------------------------- */

typedef struct {
    uint8_t data[SEAL_KEY_BYTES];
    uint8_t id[SEAL_ID_BYTES];
    uint8_t header[SEAL_KEY_BYTES];
    uint8_t manifest[SEAL_KEY_BYTES];
    uint8_t seed[SEAL_KEY_BYTES];
    uint8_t piece[2][SEAL_KEY_BYTES]; /* by SealKind */
} SealKey;

void seal_random(uint8_t *bytes, size_t length);
void seal_key_derive(SealKey *key, const uint8_t data[SEAL_KEY_BYTES]);
/* HMAC under the key's "manifest" key, as 64 hexadecimal digits. */
void seal_manifest_mac(const SealKey *key, const char *text, char hex[2 * SEAL_MAC_BYTES + 1]);
/* In a time that does not tell where they differ. */
bool seal_equal(const void *a, const void *b, size_t length);
/* Overwrites a secret, also where the compiler thinks that nobody looks again. */
void seal_forget(void *secret, size_t length);

/* ---- pieces -------------------------------------------------------------------------------- */

typedef enum { SEAL_MEMBER, SEAL_INDEX } SealKind;

/* What length bytes take encrypted, and back: -1 where there is no such length. */
int64_t seal_length(int64_t plain_bytes);
int64_t seal_plain_length(int64_t sealed_bytes);

/* One a thread. key must outlive it. Never fails. */
typedef struct SealCipher SealCipher;
SealCipher *seal_cipher_create(const SealKey *key);
void seal_cipher_destroy(SealCipher *cipher); /* NULL is allowed */

/* Appends seed and chunks; false where sealed may not hold so much. */
bool seal_piece(SealCipher *cipher, SealKind kind, const uint8_t bound[SEAL_BOUND_BYTES],
                const void *plain, size_t length, Buffer *sealed);
/* Chunks must follow in order, each but the last SEAL_CHUNK_BYTES and its tag. */
void seal_open_begin(SealCipher *cipher, SealKind kind, const uint8_t seed[SEAL_SEED_BYTES],
                     const uint8_t bound[SEAL_BOUND_BYTES]);
/* Decrypts in place; length counts the tag. False, and the bytes are worth nothing, where they are
 * not what was encrypted there. */
bool seal_open_chunk(SealCipher *cipher, void *chunk, size_t length, bool last) MUST_CHECK;

static inline void cleanup_seal_cipher(SealCipher **cipher)
{
    seal_cipher_destroy(*cipher);
}
#define _cleanup_seal_cipher_ _cleanup_(cleanup_seal_cipher)
