/* SipHash-2-4 (Aumasson and Bernstein, 2012): a hash for tables whose keys strangers choose.
 * Without the key nobody can make keys that fall into one bucket. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_BYTES 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t length);
