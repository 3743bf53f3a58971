#define _GNU_SOURCE
#include "engine/bus/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "engine/base/check.h"
#include "engine/bus/segment.h"

enum { LINE_BYTES = 192, READ_BYTES = 128 * 1024, HASH_BYTES = 32 };

static void chain_path(char path[SEGMENT_PATH_BYTES], const struct chain *self)
{
    (void)snprintf(path, SEGMENT_PATH_BYTES, "%s/%s.chain", self->instance->journal_dir,
                   self->kind == JOURNAL_IN ? "in" : "out");
}

static enum status problem(struct chain *self, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status problem(struct chain *self, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->problem, sizeof self->problem, format, arguments);
    va_end(arguments);
    return status;
}

/* ---- hashes ---- */

static void write_hex(char text[CHAIN_HASH_TEXT], const uint8_t hash[HASH_BYTES])
{
    for (unsigned i = 0; i < HASH_BYTES; i++) (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static void link_of(char link[CHAIN_HASH_TEXT], const char *before, const char *line)
{
    char text[CHAIN_HASH_TEXT + LINE_BYTES];
    uint8_t hash[HASH_BYTES];
    int length = snprintf(text, sizeof text, "%s%s", before, line);
    CHECK(EVP_Digest(text, (size_t)length, hash, NULL, EVP_sha256(), NULL) == 1);
    write_hex(link, hash);
}

static void first_link(struct chain *self)
{
    link_of(self->link, self->instance->id, self->kind == JOURNAL_IN ? "in" : "out");
}

/* SHA-256 of a whole file, its length and the first sequence number that its header names. */
static enum status hash_segment(const struct chain *self, uint32_t number, const struct pace *pace,
                                char text[CHAIN_HASH_TEXT], uint64_t *bytes, seq_t *first_seq)
{
    char path[SEGMENT_PATH_BYTES];
    uint8_t *buffer = malloc(READ_BYTES), hash[HASH_BYTES];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    segment_archive_path(path, self->instance, self->kind, number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    *bytes = 0;
    *first_seq = 0;
    CHECK(buffer && digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1);
    while (fd >= 0 && (n = pread(fd, buffer, READ_BYTES, (off_t)*bytes)) > 0) {
        if (*bytes == 0 &&
            segment_header_good(buffer, (size_t)n, self->instance, self->kind, number))
            *first_seq = segment_first_seq(buffer);
        CHECK(EVP_DigestUpdate(digest, buffer, (size_t)n) == 1);
        *bytes += (uint64_t)n;
        pace_rest(pace);
    }
    int error = errno;
    CHECK(EVP_DigestFinal_ex(digest, hash, NULL) == 1);
    EVP_MD_CTX_free(digest);
    free(buffer);
    if (fd >= 0) (void)close(fd);
    errno = error;
    write_hex(text, hash);
    if (fd < 0 && error == ENOENT) return STATUS_NOT_FOUND;
    return n == 0 ? STATUS_OK : STATUS_IO;
}

/* ---- lines ---- */

/* What a line says; `link` is where its last word begins. */
struct line {
    bool is_seal;
    uint32_t number;
    seq_t first_seq;
    uint64_t bytes;
    char hash[CHAIN_HASH_TEXT];
    char link[CHAIN_HASH_TEXT];
};

static bool parse(const char *text, struct line *line)
{
    int end = -1;
    *line = (struct line){.is_seal = true};
    if (sscanf(text, "seal %" SCNu32 " %" SCNu64 " %" SCNu64 " %64[0-9a-f] %64[0-9a-f]%n",
               &line->number, &line->first_seq, &line->bytes, line->hash, line->link, &end) == 5 &&
        text[end] == '\0')
        return true;
    line->is_seal = false;
    return sscanf(text, "drop %" SCNu32 " %64[0-9a-f]%n", &line->number, line->link, &end) == 2 &&
           text[end] == '\0';
}

static void write_words(char text[LINE_BYTES], const struct line *line)
{
    if (line->is_seal)
        (void)snprintf(text, LINE_BYTES, "seal %" PRIu32 " %" PRIu64 " %" PRIu64 " %s",
                       line->number, line->first_seq, line->bytes, line->hash);
    else
        (void)snprintf(text, LINE_BYTES, "drop %" PRIu32, line->number);
}

/* Whether a line follows from all before it; then it is taken in. */
static bool take_line(struct chain *self, const char *text, struct line *line)
{
    char words[LINE_BYTES], link[CHAIN_HASH_TEXT], whole[LINE_BYTES + CHAIN_HASH_TEXT];
    if (!parse(text, line)) return false;
    write_words(words, line);
    link_of(link, self->link, words);
    (void)snprintf(whole, sizeof whole, "%s %s", words, link);
    uint32_t *last = line->is_seal ? &self->sealed : &self->dropped;
    bool follows = strcmp(text, whole) == 0 && line->number == *last + 1 &&
                   (line->is_seal || line->number <= self->sealed);
    if (!follows) return false;
    *last = line->number;
    memcpy(self->link, link, sizeof link);
    return true;
}

/* What a loss of power makes of a line that was being added: cut short, or zeros in it. */
static bool is_torn(const char *text, size_t length, FILE *file)
{
    if (text[length - 1] != '\n') return true;
    if (!memchr(text, 0, length)) return false;
    int next = getc(file);
    if (next != EOF) (void)ungetc(next, file);
    return next == EOF;
}

/* Calls `seen` (or NULL) for each whole line. */
static enum status read_lines(struct chain *self,
                              enum status (*seen)(struct chain *self, const struct line *line,
                                                  void *context),
                              void *context)
{
    char path[SEGMENT_PATH_BYTES], *text = NULL;
    size_t room = 0;
    ssize_t length;
    struct line line;
    enum status status = STATUS_OK;
    chain_path(path, self);
    FILE *file = fopen(path, "re");
    if (!file) {
        if (errno == ENOENT) return STATUS_OK;
        return problem(self, STATUS_IO, "%s: %s", path, strerror(errno));
    }
    while (status == STATUS_OK && (length = getline(&text, &room, file)) > 0) {
        if (is_torn(text, (size_t)length, file)) break; /* written again */
        text[length - 1] = '\0';
        if (strlen(text) != (size_t)length - 1 || !take_line(self, text, &line))
            status =
                problem(self, STATUS_CORRUPT,
                        "%s: offset %" PRIu64 ": this line does not follow from those before it",
                        path, self->bytes);
        else if (seen)
            status = seen(self, &line, context);
        self->bytes += (uint64_t)length;
    }
    if (status == STATUS_OK && ferror(file))
        status = problem(self, STATUS_IO, "%s: cannot be read", path);
    free(text);
    (void)fclose(file);
    return status;
}

static void begin(struct chain *self, const struct instance *instance, enum journal_kind kind)
{
    memset(self, 0, sizeof *self);
    self->instance = instance;
    self->kind = kind;
    first_link(self);
}

enum status chain_open(struct chain *self, const struct instance *instance, enum journal_kind kind)
{
    begin(self, instance, kind);
    return read_lines(self, NULL, NULL);
}

static bool sync_directory(const struct instance *instance)
{
    int fd = open(instance->journal_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = fsync(fd) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return good;
}

static enum status append(struct chain *self, const struct line *line)
{
    char path[SEGMENT_PATH_BYTES], words[LINE_BYTES], text[LINE_BYTES + CHAIN_HASH_TEXT];
    char link[CHAIN_HASH_TEXT];
    chain_path(path, self);
    write_words(words, line);
    link_of(link, self->link, words);
    int length = snprintf(text, sizeof text, "%s %s\n", words, link);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    bool good = ftruncate(fd, (off_t)self->bytes) == 0 &&
                pwrite(fd, text, (size_t)length, (off_t)self->bytes) == length &&
                sync_directory(self->instance) && fsync(fd) == 0; /* names first: the segment's */
    int error = errno;
    (void)close(fd);
    errno = error;
    if (!good) return STATUS_IO;
    self->bytes += (uint64_t)length;
    memcpy(self->link, link, sizeof link);
    return STATUS_OK;
}

enum status chain_seal(struct chain *self, const struct pace *pace)
{
    struct line line = {.is_seal = true, .number = self->sealed + 1};
    enum status status =
        hash_segment(self, line.number, pace, line.hash, &line.bytes, &line.first_seq);
    if (status == STATUS_OK) status = append(self, &line);
    if (status == STATUS_OK) self->sealed = line.number;
    return status;
}

enum status chain_drop(struct chain *self)
{
    const struct line line = {.number = self->dropped + 1};
    CHECK(line.number <= self->sealed);
    enum status status = append(self, &line);
    if (status == STATUS_OK) self->dropped = line.number;
    return status;
}

/* ---- verification ---- */

struct verification {
    struct chain whole; /* read to its end first: which segments are dropped */
    struct chain_check *check;
};

/* Whether the link that somebody kept is where the chain is now. */
static void look_for_link(const struct chain *self, struct chain_check *check)
{
    if (check->link && strcmp(check->link, self->link) == 0) check->has_link = true;
}

static enum status compare(struct chain *self, const struct line *line, void *context)
{
    struct verification *v = context;
    char hash[CHAIN_HASH_TEXT];
    uint64_t bytes;
    seq_t first_seq;
    look_for_link(self, v->check);
    if (!line->is_seal || line->number <= v->whole.dropped) return STATUS_OK;
    enum status status = hash_segment(self, line->number, NULL, hash, &bytes, &first_seq);
    const char *name = self->kind == JOURNAL_IN ? "in" : "out";
    if (status == STATUS_NOT_FOUND)
        return problem(self, STATUS_CORRUPT, "segment %" PRIu32 " of %s is missing", line->number,
                       name);
    if (status != STATUS_OK)
        return problem(self, status, "segment %" PRIu32 " of %s cannot be read: %s", line->number,
                       name, strerror(errno));
    if (strcmp(hash, line->hash) != 0 || bytes != line->bytes)
        return problem(self, STATUS_CORRUPT,
                       "segment %" PRIu32 " of %s is not what it was when it was sealed: its "
                       "SHA-256 is %s, and was %s",
                       line->number, name, hash, line->hash);
    v->check->compared++;
    if (v->check->progress)
        v->check->progress(v->check->context, v->check->compared,
                           v->whole.sealed - v->whole.dropped);
    return STATUS_OK;
}

enum status chain_verify(struct chain *self, const struct instance *instance,
                         enum journal_kind kind, struct chain_check *check)
{
    struct verification v = {.check = check};
    check->compared = 0;
    check->has_link = false;
    enum status status = chain_open(&v.whole, instance, kind);
    begin(self, instance, kind);
    if (status != STATUS_OK) return problem(self, status, "%s", v.whole.problem);
    look_for_link(self, check);
    return read_lines(self, compare, &v);
}
