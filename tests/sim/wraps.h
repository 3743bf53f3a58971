/* wraps.h - the linker's names: __wrap_NAME is called instead of NAME, __real_NAME is NAME. */
#ifndef HOGA_TESTS_SIM_WRAPS_H
#define HOGA_TESTS_SIM_WRAPS_H

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <openssl/evp.h>

#include "engine/bus/archive.h"
#include "engine/bus/chain.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/ring.h"
#include "engine/engine.h"
#include "engine/sequencer.h"
#include "engine/snapshot.h"

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

WRAP(int, open, const char *name, int flags, ...);
WRAP(int, close, int fd);
WRAP(ssize_t, pwrite, int fd, const void *bytes, size_t length, off_t at);
WRAP(ssize_t, write, int fd, const void *bytes, size_t length);
WRAP(ssize_t, pread, int fd, void *bytes, size_t length, off_t at);
WRAP(ssize_t, read, int fd, void *bytes, size_t length);
WRAP(int, fstat, int fd, struct stat *st);
WRAP(int, ftruncate, int fd, off_t length);
WRAP(int, posix_fallocate, int fd, off_t at, off_t length);
WRAP(int, fsync, int fd);
WRAP(int, fdatasync, int fd);
WRAP(int, flock, int fd, int operation);
WRAP(int, eventfd, unsigned count, int flags);
WRAP(int, poll, struct pollfd *events, nfds_t count, int ms);
WRAP(int, access, const char *name, int mode);
WRAP(int, mkdir, const char *name, mode_t mode);
WRAP(int, mkfifo, const char *name, mode_t mode);
WRAP(int, rename, const char *from, const char *to);
WRAP(int, link, const char *from, const char *to);
WRAP(int, unlink, const char *name);
WRAP(char *, realpath, const char *name, char *resolved);
WRAP(DIR *, opendir, const char *path);
WRAP(struct dirent *, readdir, DIR *dir);
WRAP(int, closedir, DIR *dir);
WRAP(FILE *, fopen, const char *name, const char *mode);
WRAP(int, fclose, FILE *stream);
WRAP(void *, mmap, void *address, size_t bytes, int protection, int flags, int fd, off_t at);
WRAP(int, munmap, void *address, size_t bytes);
WRAP(void *, malloc, size_t bytes);
WRAP(void *, calloc, size_t count, size_t bytes);
WRAP(void, free, void *block);
WRAP(EVP_MD_CTX *, EVP_MD_CTX_new, void);
WRAP(void, EVP_MD_CTX_free, EVP_MD_CTX *digest);
WRAP(int, pthread_create, pthread_t *id, const pthread_attr_t *attributes, void *(*start)(void *),
     void *argument);
WRAP(int, pthread_join, pthread_t id, void **result);
WRAP(int, pthread_sigmask, int how, const sigset_t *set, sigset_t *before);
WRAP(pid_t, getpid, void);
WRAP(int, kill, pid_t pid, int signal_number);
WRAP(pid_t, waitpid, pid_t pid, int *state, int options);
WRAP(long, syscall, long number, ...);
WRAP(int, clock_gettime, clockid_t clock, struct timespec *t);
WRAP(ssize_t, getrandom, void *bytes, size_t length, unsigned flags);

WRAP(void *, arena_map, size_t bytes, int prefault);
WRAP(void, arena_unmap, void *block, size_t bytes);
WRAP(_Noreturn void, check_failed, const char *file, int line, const char *condition);
WRAP(const struct journal_record *, journal_put, struct journal_writer *self, uint64_t ref,
     uint64_t origin, int64_t time_ns, const void *message, size_t length);
WRAP(void, journal_publish, struct journal_writer *self);
WRAP(enum status, journal_reader_open, struct journal_reader *self, const struct instance *instance,
     const struct control *control, enum journal_kind kind, seq_t from_seq);
WRAP(enum status, archive_sync, struct archive *self);
WRAP(void, engine_step, struct engine *self, seq_t seq, int64_t time_ns, const void *message,
     size_t length, const struct event_sink *sink);
WRAP(unsigned, sequencer_poll, struct sequencer *self);
WRAP(void, sequencer_publish, struct sequencer *self);
WRAP(enum status, control_create, struct control **self, const struct instance *instance,
     uint32_t durability, uint32_t segment_bytes, uint32_t ring_count, uint32_t ring_bytes);
WRAP(enum status, ring_send, struct ring *self, uint64_t request_id, const void *message,
     size_t length);
WRAP(void, ring_release_taken, struct ring *self);
WRAP(enum status, ring_seek, struct ring *self, uint64_t position);
WRAP(void, segment_copy, uint8_t *map, const uint8_t *from, uint64_t length);
WRAP(void, segment_write_header, uint8_t *map, const struct instance *instance,
     enum journal_kind kind, uint32_t number, uint32_t bytes, seq_t first_seq);
WRAP(enum status, chain_drop, struct chain *self);
WRAP(pid_t, snapshot_child_start, const struct instance *instance, const struct engine *engine,
     const struct snapshot_mark *mark, int lock_fd);
WRAP(void, undertaker_start, int lock_fd);

#endif
