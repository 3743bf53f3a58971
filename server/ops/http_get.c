#include "server/ops/http_get.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 64 * 1024 * 1024, REQUEST_BYTES = 1024, HOST_BYTES = 256 };

/* Connects to "http://host:port"; -1 with errno. */
static int connect_to(const char *url, int timeout_ms)
{
    char host[HOST_BYTES];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (strncmp(url, "http://", 7) != 0) return errno = EINVAL, -1;
    snprintf(host, sizeof host, "%s", url + 7);
    char *colon = strrchr(host, ':');
    if (!colon) return errno = EINVAL, -1;
    *colon = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return errno = EHOSTUNREACH, -1;
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000,
                                    .tv_usec = timeout_ms % 1000 * 1000};
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
                    connect(fd, found->ai_addr, found->ai_addrlen) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Everything until the server closes, NUL-terminated; NULL when that fails. */
static char *receive_all(int fd)
{
    size_t capacity = 64 * 1024, length = 0;
    char *text = malloc(capacity);
    while (text) {
        ssize_t got = recv(fd, text + length, capacity - length - 1, 0);
        if (got < 0) break;
        length += (size_t)got;
        text[length] = '\0';
        if (got == 0) return text;
        if (capacity - length > 1) continue;
        capacity *= 2;
        char *grown = capacity <= ANSWER_MAX_BYTES ? realloc(text, capacity) : NULL;
        if (!grown) break;
        text = grown;
    }
    free(text);
    return NULL;
}

json_t *http_get(const char *url, const char *target, const char *headers, int timeout_ms,
                 bool *is_good)
{
    char request[REQUEST_BYTES];
    *is_good = false;
    int fd = connect_to(url, timeout_ms);
    if (fd < 0) return NULL;
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", target,
                          url + 7, headers);
    char *answer = NULL;
    if (length < 0 || (size_t)length >= sizeof request)
        errno = EMSGSIZE;
    else if (send_all(fd, request, (size_t)length))
        answer = receive_all(fd);
    int error = errno;
    close(fd);
    errno = error;
    if (!answer) return NULL;
    const char *body = strstr(answer, "\r\n\r\n");
    json_t *root = body ? json_loads(body + 4, 0, NULL) : NULL;
    *is_good = root && strncmp(answer, "HTTP/1.1 200 ", 13) == 0;
    free(answer);
    if (!root) errno = EPROTO;
    return root;
}
