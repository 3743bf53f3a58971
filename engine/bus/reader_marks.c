#define _GNU_SOURCE
#include "engine/bus/reader_marks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = INSTANCE_PATH_BYTES + 80, NAME_MAX_BYTES = 32, LINE_BYTES = 64 };

static void directory(char path[PATH_BYTES], const struct instance *instance)
{
    (void)snprintf(path, PATH_BYTES, "%s/readers", instance->journal_dir);
}

enum status reader_mark_write(const struct instance *instance, const char *name,
                              uint32_t in_segment, uint32_t out_segment)
{
    char dir[PATH_BYTES], path[PATH_BYTES + NAME_MAX_BYTES], fresh[PATH_BYTES + NAME_MAX_BYTES + 8];
    char line[LINE_BYTES];
    directory(dir, instance);
    if (strlen(name) >= NAME_MAX_BYTES) return STATUS_INVALID;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) return STATUS_IO;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int length = snprintf(line, sizeof line, "%" PRIu32 " %" PRIu32 "\n", in_segment, out_segment);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    bool good = pwrite(fd, line, (size_t)length, 0) == length && fsync(fd) == 0;
    (void)close(fd);
    if (good && rename(fresh, path) == 0) return STATUS_OK;
    (void)unlink(fresh);
    return STATUS_IO;
}

static bool read_mark(const char *dir, const char *name, uint32_t segments[2])
{
    char path[PATH_BYTES + 256], line[LINE_BYTES] = "";
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t length = pread(fd, line, sizeof line - 1, 0);
    (void)close(fd);
    return length > 0 && sscanf(line, "%" SCNu32 " %" SCNu32, &segments[0], &segments[1]) == 2;
}

uint32_t reader_marks_first_needed(const struct instance *instance, enum journal_kind kind)
{
    char path[PATH_BYTES];
    uint32_t first = 0;
    bool has_snapshot = false;
    directory(path, instance);
    DIR *dir = opendir(path);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint32_t segments[2];
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        if (length > 4 && strcmp(entry->d_name + length - 4, ".new") == 0) continue;
        if (!read_mark(path, entry->d_name, segments)) {
            first = 0;
            break;
        }
        has_snapshot = has_snapshot || strcmp(entry->d_name, READER_MARK_SNAPSHOTS) == 0;
        if (!first || segments[kind] < first) first = segments[kind];
        if (!first) break;
    }
    (void)closedir(dir);
    return has_snapshot ? first : 0; /* without one a start needs everything */
}
