/* The page's files. Only names that a web page needs are served: known types, no hidden files, no
 * packages' folders, and nothing outside the static directory, since no segment may climb. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/rest/resources.h"
#include "web/rest/respond.h"

struct type {
    const char *suffix, *type;
};

static const struct type types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".webmanifest", "application/manifest+json"},
    {".txt", "text/plain; charset=utf-8"},
};

/* Files that come from npm, by the path the page asks for. */
static const struct {
    const char *name, *file;
} vendor[] = {
    {"lightweight-charts.mjs",
     "node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs"},
};

static const char *type_of(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t suffix = strlen(types[i].suffix);
        if (length > suffix && strcmp(name + length - suffix, types[i].suffix) == 0)
            return types[i].type;
    }
    return NULL;
}

static bool plain_segment(const char *segment)
{
    return segment[0] != '\0' && segment[0] != '.' && !strchr(segment, '/') &&
           strcmp(segment, "node_modules") != 0;
}

/* The path below the static directory; false when no file may be there. */
static bool file_path(const struct request *request, char *path, size_t path_bytes)
{
    if (request->segment_count == 0)
        return snprintf(path, path_bytes, "index.html") < (int)path_bytes;
    if (request->segment_count == 2 && strcmp(request->segments[0], "vendor") == 0)
        for (size_t i = 0; i < sizeof vendor / sizeof vendor[0]; i++)
            if (strcmp(request->segments[1], vendor[i].name) == 0)
                return snprintf(path, path_bytes, "%s", vendor[i].file) < (int)path_bytes;
    size_t length = 0;
    for (unsigned i = 0; i < request->segment_count; i++) {
        const char *segment = request->segments[i];
        if (!plain_segment(segment)) return false;
        int added = snprintf(path + length, path_bytes - length, "%s%s", i > 0 ? "/" : "", segment);
        if (added < 0 || (size_t)added >= path_bytes - length) return false;
        length += (size_t)added;
    }
    return true;
}

/* Scripts and styles are ours alone. The stream is on another port of the same host, which is
 * another origin, so it is named; a Host that is no plain name or address gets none. */
static void add_page_headers(struct request *request)
{
    char policy[512], stream[192] = "";
    const char *host = request_header(request, MHD_HTTP_HEADER_HOST);
    size_t length = host ? strcspn(host, ":") : 0;
    bool plain = length > 0 && length < 64;
    for (size_t i = 0; i < length && plain; i++)
        plain = isalnum((unsigned char)host[i]) || host[i] == '.' || host[i] == '-';
    if (plain)
        snprintf(stream, sizeof stream, " ws://%.*s:%u wss://%.*s:%u", (int)length, host,
                 request->front->ws_port, (int)length, host, request->front->ws_port);
    snprintf(policy, sizeof policy,
             "default-src 'self'; connect-src 'self'%s; style-src 'self' 'unsafe-inline'; "
             "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
             "frame-ancestors 'none'",
             stream);
    respond_header(request, "Content-Security-Policy", policy);
    respond_header(request, "Referrer-Policy", "no-referrer");
}

static void respond_file(struct request *request, int fd, const struct stat *status,
                         const char *type)
{
    char etag[64];
    snprintf(etag, sizeof etag, "\"%llx-%llx\"",
             (unsigned long long)status->st_mtim.tv_sec * 1000000000 +
                 (unsigned long long)status->st_mtim.tv_nsec,
             (unsigned long long)status->st_size);
    const char *known = request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool unchanged = known && strstr(known, etag);
    struct MHD_Response *response;
    if (unchanged) {
        close(fd);
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_fd64((uint64_t)status->st_size, fd);
        if (!response) close(fd);
    }
    respond_with(request, unchanged ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
    respond_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    respond_header(request, MHD_HTTP_HEADER_ETAG, etag);
    respond_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    add_page_headers(request);
}

void static_file_get(struct request *request)
{
    char below[512], path[INSTANCE_PATH_BYTES];
    struct stat status;
    if (file_path(request, below, sizeof below)) {
        const char *type = type_of(below);
        int length =
            snprintf(path, sizeof path, "%s/%s", request->front->options->static_dir, below);
        bool fits = length > 0 && length < (int)sizeof path;
        int fd = type && fits ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
            respond_file(request, fd, &status, type);
            return;
        }
        if (fd >= 0) close(fd);
    }
    respond_problem(request, REJECT_NOT_FOUND, "");
}
