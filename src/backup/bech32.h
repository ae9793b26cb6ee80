/* Bech32 (BIP 173) without its limit on the length: a name, "1", and bytes with a checksum that
 * finds any four wrong letters. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* In lower case. */
char *bech32_encode(Arena *arena, const char *name, const uint8_t *bytes, size_t length);
/* In one case, either. False where text is not `length` bytes under this name. */
bool bech32_decode(const char *text, const char *name, uint8_t *bytes, size_t length) MUST_CHECK;
