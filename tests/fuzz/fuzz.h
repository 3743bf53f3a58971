/* fuzz.h - what each fuzz target is: one function that takes any bytes and CHECKs what must hold.
 *
 * Every run of the tests replays the target's corpus and a fixed number of mutants of it (replay.c:
 * the same ones each time). For a search without end build with clang and
 *   cmake -B build-fuzz -DCMAKE_C_COMPILER=clang -DHOGA_LIBFUZZER=ON \
 *         -DCMAKE_C_FLAGS="-g -O1 -fsanitize=fuzzer-no-link,address,undefined"
 *   build-fuzz/tests/fuzz/fuzz_NAME NEW_CORPUS tests/fuzz/corpus/NAME
 * and put what it finds into the corpus.
 */
#ifndef HOGA_TESTS_FUZZ_FUZZ_H
#define HOGA_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's name for it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
