/* A fuzz target is tests/fuzz/fuzz_NAME.c with this one function, and seeds in corpus/NAME/. It
 * must hold for any bytes; it ends the process (assert, sanitizer) where something is wrong.
 *
 * Linked with driver.c it tries the seeds and mutations of them, the same ones each time; built by
 * clang with -Dfuzzer=true it is libFuzzer's. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); // NOLINT(readability-*): its name
