/* files.h - the simulated machine's files: a disk with a page cache before it, and shared memory.
 *
 *   pwrite --> cache --fsync--> disk          a loss of power leaves of what was not synced: each
 *   rename --> names --fsync of the           sector or not, sizes or not, and of a directory's
 *              directory--> names on disk     changes the first few
 *   /dev/shm:  cache alone                    a loss of power leaves nothing
 *
 * Maps of a file are its cache, the same bytes for all processes. As strict as POSIX: a file's
 * fsync does not sync its name, and after one that failed what it should have written is clean in
 * the cache and not on disk.
 */
#ifndef HOGA_TESTS_SIM_FILES_H
#define HOGA_TESTS_SIM_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILE_MAX_BYTES = 4 * 1024 * 1024,
    FILE_PATH_BYTES = 128,
    SECTOR_BYTES = 512,
};

enum inode_kind { INODE_FILE, INODE_DIRECTORY, INODE_FIFO, INODE_EVENT, INODE_PID };

struct inode {
    enum inode_kind kind;
    bool is_volatile;
    unsigned refs;  /* names, descriptions and maps */
    uint8_t *cache; /* FILE_MAX_BYTES, zeros behind `size` */
    uint8_t *disk;  /* what would survive; NULL for shared memory */
    size_t size;
    size_t disk_size;
    size_t allocated; /* bytes that a full disk still lets be written */
    uint64_t dirty[FILE_MAX_BYTES / SECTOR_BYTES / 64];
    struct description *lock_holder;
    uint64_t count; /* of an eventfd; bytes in a FIFO; a process */
};

/* An open file. */
struct description {
    struct inode *inode;
    unsigned refs; /* descriptors in processes */
    uint64_t offset;
    bool is_nonblocking;
};

/* What is wrong with the machine's disk and memory at the moment. */
struct file_faults {
    bool disk_full;
    bool memory_full;
    unsigned write_errors; /* of a thousand writes */
    unsigned sync_errors;  /* of a thousand syncs */
    unsigned short_writes; /* of a thousand writes: some bytes fewer, or EINTR */
    int64_t sync_ns;       /* what a sync takes, at most */
    bool sync_lies;        /* a deliberate mistake: nothing reaches the disk */
};

/* One bit of one file that is not what it was. */
struct rot {
    struct inode *inode; /* NULL: there is none */
    char path[FILE_PATH_BYTES];
    size_t offset;
    uint8_t mask;
};

extern struct file_faults file_faults;
extern struct rot file_rot;

void files_begin(void);
void files_end(void);

/* All shared memory is gone, and of the disk's files there is what was synced and some of the rest.
 * No process may be alive. */
void files_lose_power(void);

/* Without name or description; it has one reference. */
struct inode *inode_new(enum inode_kind kind, bool is_volatile);
void inode_unref(struct inode *self);

struct inode *files_find(const char *path);
bool files_name_at(unsigned index, const char **path, struct inode **inode); /* false: no more */

/* Whether a loss of power now would leave these bytes there. */
bool files_are_durable(const char *path, size_t at, const void *bytes, size_t length);

/* Each returns 0 or an errno. */
int files_link(const char *path, struct inode *inode);
int files_unlink(const char *path);
int files_rename(const char *from, const char *to);
int files_write(struct inode *inode, const void *bytes, size_t length, uint64_t at,
                size_t *written);
int files_resize(struct inode *inode, size_t size);
int files_allocate(struct inode *inode, size_t size);
int files_sync(const char *directory, struct inode *inode); /* the directory's path, if it is one */

struct description *description_open(struct inode *inode);
void description_close(struct description *self);

/* Keeps a file that is about to be removed, and gives all such files their names back: an auditor
 * has copies. */
void files_keep(const char *path);
void files_restore_kept(void);

/* Flips one bit of a file, in the cache and on disk; and back, if nobody has written there since.
 */
void files_rot(const char *path, struct inode *inode, size_t offset, uint8_t mask);
void files_heal(void);

#endif
