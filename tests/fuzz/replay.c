/* replay.c - a fuzz target's main without libFuzzer: each file of the corpus as it is, then
 * mutants of it, made from a fixed seed so that every run does the same.
 *
 *   fuzz_NAME CORPUS_DIRECTORY [mutants of each file, default 20000]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX_BYTES = 64 * 1024, MUTATIONS_MAX = 6, MUTANTS_DEFAULT = 20000 };

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

static size_t insert(uint8_t *bytes, size_t length, const void *piece, size_t piece_bytes)
{
    if (length + piece_bytes > INPUT_MAX_BYTES) return length;
    size_t at = random_below(length + 1);
    memmove(bytes + at + piece_bytes, bytes + at, length - at);
    memcpy(bytes + at, piece, piece_bytes);
    return length + piece_bytes;
}

/* Changes the input in place once; returns its new length. */
static size_t mutate(uint8_t *bytes, size_t length)
{
    static const char *const tokens[] = {"\"",          "\\",
                                         "{",           "}",
                                         "[",           "]",
                                         ":",           ",",
                                         "%",           "%00",
                                         "/",           "?",
                                         "&",           "=",
                                         "-",           "+",
                                         ".",           "0",
                                         "e308",        "null",
                                         "true",        "9223372036854775808",
                                         "\\u0000",     "\xff",
                                         "\xed\xa0\x80"};
    uint8_t piece[32];
    switch (random_below(6)) {
    case 0:
        if (length > 0) bytes[random_below(length)] ^= (uint8_t)(1 << random_below(8));
        return length;
    case 1:
        if (length > 0) bytes[random_below(length)] = (uint8_t)random_below(256);
        return length;
    case 2: return random_below(length + 1); /* cut */
    case 3: {
        const char *token = tokens[random_below(sizeof tokens / sizeof tokens[0])];
        return insert(bytes, length, token, strlen(token));
    }
    case 4: { /* a piece of itself once more */
        if (length == 0) return length;
        size_t from = random_below(length), piece_bytes = 1 + random_below(sizeof piece);
        if (piece_bytes > length - from) piece_bytes = length - from;
        memcpy(piece, bytes + from, piece_bytes);
        return insert(bytes, length, piece, piece_bytes);
    }
    default: { /* a piece less */
        if (length == 0) return length;
        size_t from = random_below(length), piece_bytes = 1 + random_below(length - from);
        memmove(bytes + from, bytes + from + piece_bytes, length - from - piece_bytes);
        return length - piece_bytes;
    }
    }
}

/* The target sees a copy of exactly the input's size, so that reading past it is found. */
static void run(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (!copy) abort();
    memcpy(copy, bytes, length);
    LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

static size_t replay_file(const char *path, size_t mutants)
{
    static uint8_t original[INPUT_MAX_BYTES], mutant[INPUT_MAX_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t length = fread(original, 1, sizeof original, file);
    fclose(file);
    run(original, length);
    for (size_t i = 0; i < mutants; i++) {
        size_t mutant_bytes = length;
        memcpy(mutant, original, length);
        for (size_t m = 1 + random_below(MUTATIONS_MAX); m > 0; m--)
            mutant_bytes = mutate(mutant, mutant_bytes);
        run(mutant, mutant_bytes);
    }
    return 1 + mutants;
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    size_t mutants = argc > 2 ? strtoul(argv[2], NULL, 10) : MUTANTS_DEFAULT, runs = 0;
    int count = argc > 1 ? scandir(argv[1], &entries, is_file, alphasort) : -1;
    if (count <= 0) {
        fprintf(stderr, "usage: %s CORPUS_DIRECTORY [mutants of each file]\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        runs += replay_file(path, mutants);
        free(entries[i]);
    }
    free(entries);
    printf("%zu inputs\n", runs);
    return 0;
}
