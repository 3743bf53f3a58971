/* undertaker_test.c - a core that is killed leaves its lock at once, its memory to the undertaker,
 * and nothing behind. With real processes. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/undertaker.h"

enum { MEMORY_BYTES = 16 * 1024 * 1024, PATIENCE_S = 20 };

static char path[] = "/tmp/undertaker_test.XXXXXX";
static pid_t core, keeper_of_memory;
static uint8_t *shared; /* of the test and the core: the core's word that it is ready */

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)alarm(PATIENCE_S); /* what would wait for ever ends the test */
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)alarm(0);
    (void)unlink(path);
    strcpy(path + strlen(path) - 6, "XXXXXX");
    (void)munmap(shared, 4096);
    return 0;
}

_Noreturn static void run_core(void)
{
    int lock = open(path, O_RDWR | O_CLOEXEC);
    uint8_t *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (lock < 0 || memory == MAP_FAILED || flock(lock, LOCK_EX | LOCK_NB) != 0) _exit(1);
    undertaker_start(lock);
    __atomic_store_n(shared, 1, __ATOMIC_RELEASE);
    for (;;) (void)pause();
}

/* Its only child, by the system's list; 0: none. */
static pid_t child_of(pid_t pid)
{
    char name[64];
    int child = 0;
    (void)snprintf(name, sizeof name, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(name, "re");
    if (file) {
        if (fscanf(file, "%d", &child) != 1) child = 0;
        (void)fclose(file);
    }
    return child;
}

static char state_of(pid_t pid)
{
    char name[64], state = 0;
    (void)snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *file = fopen(name, "re");
    if (!file) return 0;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 0;
    (void)fclose(file);
    return state;
}

static bool has_name(pid_t pid, const char *wanted)
{
    char path_of[64], name[32] = "";
    (void)snprintf(path_of, sizeof path_of, "/proc/%d/comm", pid);
    FILE *file = fopen(path_of, "re");
    if (!file) return false;
    if (!fgets(name, sizeof name, file)) name[0] = '\0';
    (void)fclose(file);
    return strncmp(name, wanted, strlen(wanted)) == 0;
}

static void start(void)
{
    core = fork();
    if (core == 0) run_core();
    while (!__atomic_load_n(shared, __ATOMIC_ACQUIRE)) usleep(1000);
    while ((keeper_of_memory = child_of(core)) == 0) usleep(1000);
    while (!has_name(keeper_of_memory, "undertaker")) usleep(1000); /* its descriptors are closed */
}

static void kill_core(void)
{
    assert_int_equal(kill(core, SIGKILL), 0);
    assert_int_equal(waitpid(core, NULL, 0), core);
}

static void the_lock_is_free_while_the_memory_is_not(void **state)
{
    (void)state;
    start();
    int lock = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), -1);
    /* held where it is: the memory has a user as long as we like */
    assert_int_equal(kill(keeper_of_memory, SIGSTOP), 0);
    while (state_of(keeper_of_memory) != 'T') usleep(1000);
    kill_core();
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(state_of(keeper_of_memory), 'T');
    (void)close(lock);
    assert_int_equal(kill(keeper_of_memory, SIGCONT), 0);
    for (char s = 'S'; s && s != 'Z'; s = state_of(keeper_of_memory)) usleep(1000);
}

static void without_it_the_core_dies_as_well(void **state)
{
    (void)state;
    start();
    assert_int_equal(kill(keeper_of_memory, SIGKILL), 0);
    for (char s = 'S'; s && s != 'Z'; s = state_of(keeper_of_memory)) usleep(1000);
    assert_int_not_equal(state_of(core), 0);
    kill_core();
    int lock = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    (void)close(lock);
}

/* Ctrl-C goes to all processes of a terminal, and a stop is the core's to decide. */
static void it_takes_no_notice_of_signals(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 3; i++) {
        static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
        assert_int_equal(kill(keeper_of_memory, signals[i]), 0);
    }
    usleep(20000);
    assert_int_equal(child_of(core), keeper_of_memory);
    kill_core();
    for (char s = 'S'; s && s != 'Z'; s = state_of(keeper_of_memory)) usleep(1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lock_is_free_while_the_memory_is_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_it_the_core_dies_as_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_takes_no_notice_of_signals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
