#define _GNU_SOURCE
#include "tests/sim/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/sim/machine.h"
#include "tests/sim/wraps.h"

enum { NAMES_MAX = 256, CHANGES_MAX = 512, BLOCKS_KEPT = 256 };

struct name {
    char path[FILE_PATH_BYTES];
    struct inode *inode;
};

/* A change of a directory that is not synced yet: one name goes, another comes, both at once. */
struct change {
    char directory[FILE_PATH_BYTES];
    char gone[FILE_PATH_BYTES]; /* empty: none */
    struct name come;           /* empty path: none */
};

struct names {
    struct name all[NAMES_MAX];
    unsigned count;
};

struct file_faults file_faults;
struct rot file_rot;
static struct names names;         /* as processes see them */
static struct names durable_names; /* as the disk has them */
static struct names kept_names;
static struct change changes[CHANGES_MAX];
static unsigned change_count;
static struct {
    uint8_t *block;
    size_t used; /* bytes that may not be zero */
} blocks[BLOCKS_KEPT];
static unsigned blocks_kept;

/* ---- inodes ---- */

/* Behind it both blocks are zero. */
static size_t end_of(const struct inode *inode)
{
    return inode->size > inode->disk_size ? inode->size : inode->disk_size;
}

static uint8_t *block_take(void)
{
    if (blocks_kept) {
        blocks_kept--;
        memset(blocks[blocks_kept].block, 0, blocks[blocks_kept].used);
        return blocks[blocks_kept].block;
    }
    void *block = __real_mmap(NULL, FILE_MAX_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) abort();
    return block;
}

/* Large ones are given back: clearing them would cost more than new ones. */
static void block_give(uint8_t *block, size_t used)
{
    if (!block) return;
    if (used > 256 * 1024 || blocks_kept == BLOCKS_KEPT) {
        (void)__real_munmap(block, FILE_MAX_BYTES);
        return;
    }
    blocks[blocks_kept].block = block;
    blocks[blocks_kept++].used = used;
}

struct inode *inode_new(enum inode_kind kind, bool is_volatile)
{
    struct inode *self = kernel_alloc(sizeof *self);
    self->kind = kind;
    self->is_volatile = is_volatile;
    self->refs = 1;
    if (kind == INODE_FILE) {
        self->cache = block_take();
        if (!is_volatile) self->disk = block_take();
    }
    return self;
}

void inode_unref(struct inode *self)
{
    if (--self->refs) return;
    if (file_rot.inode == self) file_rot.inode = NULL;
    block_give(self->cache, self->size);
    block_give(self->disk, end_of(self));
    kernel_free(self);
}

struct description *description_open(struct inode *inode)
{
    struct description *self = kernel_alloc(sizeof *self);
    self->inode = inode;
    self->refs = 1;
    inode->refs++;
    return self;
}

void description_close(struct description *self)
{
    if (--self->refs) return;
    if (self->inode->lock_holder == self) self->inode->lock_holder = NULL;
    inode_unref(self->inode);
    kernel_free(self);
}

/* ---- names ---- */

static struct name *find(struct names *in, const char *path)
{
    for (unsigned i = 0; i < in->count; i++)
        if (strcmp(in->all[i].path, path) == 0) return &in->all[i];
    return NULL;
}

static void remove_name(struct names *from, const char *path)
{
    struct name *name = find(from, path);
    if (!name) return;
    struct inode *inode = name->inode;
    memmove(name, name + 1, (size_t)(&from->all[--from->count] - name) * sizeof *name);
    inode_unref(inode);
}

static void set_name(struct names *in, const char *path, struct inode *inode)
{
    inode->refs++;
    remove_name(in, path);
    if (in->count == NAMES_MAX || strlen(path) >= FILE_PATH_BYTES) {
        machine_fail("the simulated disk has no room for the name %s", path);
        return;
    }
    strcpy(in->all[in->count].path, path);
    in->all[in->count++].inode = inode;
}

struct inode *files_find(const char *path)
{
    struct name *name = find(&names, path);
    return name ? name->inode : NULL;
}

bool files_name_at(unsigned index, const char **path, struct inode **inode)
{
    if (index >= names.count) return false;
    *path = names.all[index].path;
    *inode = names.all[index].inode;
    return true;
}

static bool is_volatile(const char *path)
{
    return strncmp(path, "/dev/shm", 8) == 0;
}

static void directory_of(char directory[FILE_PATH_BYTES], const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    memcpy(directory, path, length);
    directory[length] = '\0';
    if (!length) strcpy(directory, "/");
}

/* Takes it over to the disk, or drops it. */
static void settle(struct change *c, bool kept)
{
    if (kept && c->gone[0]) remove_name(&durable_names, c->gone);
    if (kept && c->come.path[0]) set_name(&durable_names, c->come.path, c->come.inode);
    if (c->come.inode) inode_unref(c->come.inode);
}

static void change(const char *gone, const char *come, struct inode *inode)
{
    const char *any = gone ? gone : come;
    if (is_volatile(any)) return;
    if (change_count == CHANGES_MAX) { /* the system writes the oldest by itself */
        struct change oldest = changes[0];
        memmove(changes, changes + 1, sizeof changes - sizeof changes[0]);
        change_count--;
        settle(&oldest, true);
    }
    struct change *c = &changes[change_count++];
    *c = (struct change){.come.inode = inode};
    directory_of(c->directory, any);
    if (gone) strcpy(c->gone, gone);
    if (come) strcpy(c->come.path, come);
    if (inode) inode->refs++;
}

static void sync_names(const char *directory)
{
    unsigned left = 0;
    for (unsigned i = 0; i < change_count; i++) {
        if (strcmp(changes[i].directory, directory) == 0)
            settle(&changes[i], true);
        else
            changes[left++] = changes[i];
    }
    change_count = left;
}

int files_link(const char *path, struct inode *inode)
{
    char directory[FILE_PATH_BYTES];
    directory_of(directory, path);
    if (!files_find(directory)) return ENOENT;
    if (strlen(path) >= FILE_PATH_BYTES) return ENAMETOOLONG;
    if (!is_volatile(path) && file_faults.disk_full && chance(300)) return ENOSPC;
    set_name(&names, path, inode);
    change(NULL, path, inode);
    return 0;
}

int files_unlink(const char *path)
{
    if (!files_find(path)) return ENOENT;
    remove_name(&names, path);
    change(path, NULL, NULL);
    return 0;
}

int files_rename(const char *from, const char *to)
{
    struct inode *inode = files_find(from);
    if (!inode) return ENOENT;
    set_name(&names, to, inode);
    remove_name(&names, from);
    change(from, to, inode);
    return 0;
}

/* ---- bytes ---- */

static void mark_dirty(struct inode *inode, uint64_t from, uint64_t to)
{
    for (uint64_t s = from / SECTOR_BYTES; s * SECTOR_BYTES < to; s++)
        inode->dirty[s / 64] |= UINT64_C(1) << s % 64;
    if (file_rot.inode == inode && from <= file_rot.offset && file_rot.offset < to)
        file_rot.inode = NULL; /* written over */
}

int files_write(struct inode *inode, const void *bytes, size_t length, uint64_t at, size_t *written)
{
    *written = 0;
    if (at + length > FILE_MAX_BYTES) return EFBIG;
    bool full = inode->is_volatile ? file_faults.memory_full : file_faults.disk_full;
    if (full && at + length > inode->allocated) {
        if (at >= inode->allocated) return ENOSPC;
        length = inode->allocated - at;
    }
    if (!inode->is_volatile && chance(file_faults.write_errors)) return EIO;
    if (!inode->is_volatile && chance(file_faults.short_writes)) {
        if (length < 2) return EINTR;
        length = 1 + random_below(&machine.random, (uint32_t)length - 1);
    }
    memcpy(inode->cache + at, bytes, length);
    if (at + length > inode->size) inode->size = at + length;
    if (inode->size > inode->allocated) inode->allocated = inode->size;
    mark_dirty(inode, at, at + length);
    *written = length;
    return 0;
}

int files_resize(struct inode *inode, size_t size)
{
    if (size > FILE_MAX_BYTES) return EFBIG;
    if (!inode->is_volatile && chance(file_faults.write_errors)) return EIO;
    size_t end = end_of(inode);
    if (size < inode->size) {
        memset(inode->cache + size, 0, inode->size - size);
        mark_dirty(inode, size, inode->size);
        if (inode->allocated > size) inode->allocated = size;
    }
    inode->size = size;
    /* a sync that failed may have left bytes there that no size tells of any more */
    if (inode->disk && end > end_of(inode))
        memset(inode->disk + end_of(inode), 0, end - end_of(inode));
    return 0;
}

int files_allocate(struct inode *inode, size_t size)
{
    if (size > FILE_MAX_BYTES) return EFBIG;
    bool full = inode->is_volatile ? file_faults.memory_full : file_faults.disk_full;
    if (full && size > inode->allocated) return ENOSPC;
    if (!inode->is_volatile && chance(file_faults.write_errors)) return EIO;
    if (size > inode->allocated) inode->allocated = size;
    if (size > inode->size) inode->size = size;
    return 0;
}

static bool is_dirty(const struct inode *inode, size_t sector)
{
    return inode->dirty[sector / 64] >> sector % 64 & 1;
}

/* Each dirty sector below `end` reaches the disk, or not, as `of_a_thousand` says. */
static void write_back(struct inode *inode, size_t end, unsigned of_a_thousand)
{
    for (size_t s = 0; s * SECTOR_BYTES < end; s++) {
        if (!is_dirty(inode, s)) continue;
        size_t at = s * SECTOR_BYTES;
        if (of_a_thousand == 1000 || chance(of_a_thousand))
            memcpy(inode->disk + at, inode->cache + at, SECTOR_BYTES);
    }
    memset(inode->dirty, 0, sizeof inode->dirty);
}

int files_sync(const char *directory, struct inode *inode)
{
    if (inode->is_volatile || file_faults.sync_lies) return 0;
    bool fails = chance(file_faults.sync_errors);
    if (inode->kind == INODE_DIRECTORY) {
        if (!fails) sync_names(directory);
        return fails ? EIO : 0;
    }
    if (inode->kind != INODE_FILE) return EINVAL;
    write_back(inode, end_of(inode), fails ? 500 : 1000);
    if (fails) {
        /* some systems go on with what is on disk, others with what is not */
        if (chance(300)) memcpy(inode->cache, inode->disk, inode->size);
        return EIO;
    }
    if (inode->disk_size > inode->size)
        memset(inode->disk + inode->size, 0, inode->disk_size - inode->size);
    inode->disk_size = inode->size;
    return 0;
}

/* ---- loss of power ---- */

static void forget_all(struct names *in)
{
    while (in->count) remove_name(in, in->all[in->count - 1].path);
}

/* Of each directory's changes the first few are there. */
static void settle_changes(void)
{
    for (unsigned i = 0; i < change_count; i++) {
        bool is_cut = false;
        if (!changes[i].directory[0] && !changes[i].gone[0] && !changes[i].come.path[0]) continue;
        char directory[FILE_PATH_BYTES];
        strcpy(directory, changes[i].directory);
        for (unsigned j = i; j < change_count; j++) {
            struct change *c = &changes[j];
            if (strcmp(c->directory, directory) != 0 || (!c->gone[0] && !c->come.path[0])) continue;
            if (chance(400)) is_cut = true;
            settle(c, !is_cut);
            *c = (struct change){.directory = ""};
        }
    }
    change_count = 0;
}

/* A name whose directory is not there is not there. */
static void drop_orphans(void)
{
    for (unsigned i = 0; i < durable_names.count; i++) {
        char directory[FILE_PATH_BYTES];
        directory_of(directory, durable_names.all[i].path);
        if (find(&durable_names, directory)) continue;
        remove_name(&durable_names, durable_names.all[i].path);
        i = UINT32_MAX; /* from the beginning: it may have been a directory itself */
    }
}

static void forget_unsynced(struct inode *inode)
{
    if (inode->kind != INODE_FILE) return;
    size_t end = end_of(inode);
    write_back(inode, end, random_below(&machine.random, 4) * 333);
    if (inode->size != inode->disk_size && chance(500)) inode->disk_size = inode->size;
    if (file_rot.inode == inode && file_rot.offset >= inode->disk_size) file_rot.inode = NULL;
    memset(inode->disk + inode->disk_size, 0,
           end - (end < inode->disk_size ? end : inode->disk_size));
    memcpy(inode->cache, inode->disk, end);
    inode->size = inode->allocated = inode->disk_size;
    inode->lock_holder = NULL;
}

void files_lose_power(void)
{
    forget_all(&names);
    settle_changes();
    drop_orphans();
    for (unsigned i = 0; i < durable_names.count; i++) {
        forget_unsynced(durable_names.all[i].inode);
        set_name(&names, durable_names.all[i].path, durable_names.all[i].inode);
    }
}

bool files_are_durable(const char *path, size_t at, const void *bytes, size_t length)
{
    char directory[FILE_PATH_BYTES];
    const struct name *name = find(&durable_names, path);
    directory_of(directory, path);
    return name && find(&durable_names, directory) && at + length <= name->inode->disk_size &&
           memcmp(name->inode->disk + at, bytes, length) == 0;
}

/* ---- copies ---- */

void files_keep(const char *path)
{
    struct inode *inode = files_find(path);
    if (inode) set_name(&kept_names, path, inode);
}

void files_restore_kept(void)
{
    for (unsigned i = 0; i < kept_names.count; i++)
        if (!files_find(kept_names.all[i].path))
            set_name(&names, kept_names.all[i].path, kept_names.all[i].inode);
}

/* ---- rot ---- */

void files_rot(const char *path, struct inode *inode, size_t offset, uint8_t mask)
{
    inode->cache[offset] ^= mask;
    inode->disk[offset] ^= mask;
    file_rot = (struct rot){.inode = inode, .offset = offset, .mask = mask};
    strcpy(file_rot.path, path);
}

void files_heal(void)
{
    if (!file_rot.inode) return;
    file_rot.inode->cache[file_rot.offset] ^= file_rot.mask;
    file_rot.inode->disk[file_rot.offset] ^= file_rot.mask;
    file_rot.inode = NULL;
}

/* ---- begin and end ---- */

void files_begin(void)
{
    file_faults = (struct file_faults){.sync_ns = 200000};
    file_rot = (struct rot){.inode = NULL};
    static const char *const given[] = {"/", "/dev", "/dev/shm"};
    for (unsigned i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct inode *directory = inode_new(INODE_DIRECTORY, false);
        set_name(&names, given[i], directory);
        set_name(&durable_names, given[i], directory);
        inode_unref(directory);
    }
}

void files_end(void)
{
    forget_all(&names);
    for (unsigned i = 0; i < change_count; i++) settle(&changes[i], false);
    change_count = 0;
    forget_all(&durable_names);
    forget_all(&kept_names);
}
