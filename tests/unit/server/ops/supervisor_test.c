/* The supervisor with real processes: small shell programs that die in every way. */
#include "server/ops/supervisor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct supervisor supervisor;
    char dir[64];
    char log[128];
    bool allowed;  /* what may_start answers */
    int64_t until; /* when the run gives up */
    bool (*done)(const struct supervisor *supervisor);
};

static bool may_start(void *context, const struct child *child)
{
    (void)child;
    return ((struct fixture *)context)->allowed;
}

static void changed(void *context, const struct child *child, bool ended)
{
    (void)context, (void)child, (void)ended;
}

static int tick(void *context)
{
    struct fixture *f = context;
    if (f->done(&f->supervisor) || child_now_ms() > f->until) f->supervisor.stopping = true;
    return 5;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/hoga-supervisor-XXXXXX");
    if (!f || !mkdtemp(f->dir)) return -1;
    (void)snprintf(f->log, sizeof f->log, "%s/log", f->dir);
    f->allowed = true;
    f->supervisor.context = f;
    f->supervisor.may_start = may_start;
    f->supervisor.changed = changed;
    f->supervisor.tick = tick;
    *state = f;
    return supervisor_open(&f->supervisor) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char aside[160];
    (void)snprintf(aside, sizeof aside, "%s.1", f->log);
    (void)unlink(aside);
    (void)unlink(f->log);
    (void)rmdir(f->dir);
    (void)close(f->supervisor.signals);
    free(f);
    return 0;
}

static struct child *shell(struct fixture *f, const char *script)
{
    struct child *child = supervisor_add(&f->supervisor, "shell", "");
    child->log_path = f->log;
    child_argument(child, "/bin/sh");
    child_argument(child, "-c");
    child_argument(child, script);
    return child;
}

static void run_until(struct fixture *f, bool (*done)(const struct supervisor *supervisor))
{
    f->done = done;
    f->until = child_now_ms() + 30000;
    f->supervisor.stopping = false;
    supervisor_run(&f->supervisor);
    assert_true(done(&f->supervisor));
}

static bool is_done(const struct supervisor *s)
{
    return s->children[0].state == CHILD_DONE;
}
static bool has_failed(const struct supervisor *s)
{
    return s->children[0].state == CHILD_FAILED;
}
static bool is_running(const struct supervisor *s)
{
    return s->children[0].pid != 0;
}
static bool restarted_thrice(const struct supervisor *s)
{
    return s->children[0].restarts >= 3 && s->children[0].pid == 0;
}

static void read_log(const struct fixture *f, char *text, size_t bytes)
{
    FILE *file = fopen(f->log, "r");
    assert_non_null(file);
    text[fread(text, 1, bytes - 1, file)] = 0;
    (void)fclose(file);
}

static void a_step_runs_once_and_its_words_are_logged(void **state)
{
    struct fixture *f = *state;
    char text[64];
    struct child *child = shell(f, "echo out; echo err >&2");
    child->once = true;
    run_until(f, is_done);
    assert_int_equal(child->starts, 1);
    read_log(f, text, sizeof text);
    assert_string_equal(text, "out\nerr\n");
}

static void a_step_that_fails_is_tried_again(void **state)
{
    struct fixture *f = *state;
    char script[256];
    (void)snprintf(script, sizeof script, "[ -e %s/x ] && rm %s/x && exit 0; touch %s/x; exit 1",
                   f->dir, f->dir, f->dir);
    struct child *child = shell(f, script);
    child->once = true;
    run_until(f, is_done);
    assert_int_equal(child->starts, 2);
    assert_int_equal(child->restarts, 0);
}

static void a_daemon_is_started_again_ever_more_slowly(void **state)
{
    struct fixture *f = *state;
    struct child *child = shell(f, "exit 3");
    int64_t before = child_now_ms();
    run_until(f, restarted_thrice);
    assert_true(child_now_ms() - before >= 100 + 200 + 400);
    assert_int_equal(child->backoff_ms, 800);
    assert_string_equal(child_end_text(child), "exit status 3");
}

static void what_cannot_be_healed_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct child *child = shell(f, "exit 78"); /* EX_CONFIG */
    run_until(f, has_failed);
    assert_int_equal(child->starts, 1);
}

static void nothing_starts_before_it_may(void **state)
{
    struct fixture *f = *state;
    struct child *child = shell(f, "exit 0");
    child->once = true;
    f->allowed = false;
    f->done = is_done;
    f->until = child_now_ms() + 100;
    supervisor_run(&f->supervisor);
    assert_int_equal(child->starts, 0);
    f->allowed = true;
    run_until(f, is_done);
}

static void a_stop_is_asked_for_first(void **state)
{
    struct fixture *f = *state;
    char text[64];
    struct child *child =
        shell(f, "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    run_until(f, is_running);
    do {
        supervisor_wait(&f->supervisor, 10);
        read_log(f, text, sizeof text);
    } while (strcmp(text, "up\n") != 0);
    assert_true(supervisor_stop(&f->supervisor, child));
    assert_int_equal(child->state, CHILD_DONE);
    read_log(f, text, sizeof text);
    assert_string_equal(text, "up\nbye\n");
}

static void who_does_not_stop_is_killed(void **state)
{
    struct fixture *f = *state;
    char text[64];
    struct child *child = shell(f, "trap '' TERM; echo up; while :; do sleep 0.01; done");
    child->stop_ms = 50;
    run_until(f, is_running);
    do {
        supervisor_wait(&f->supervisor, 10);
        read_log(f, text, sizeof text);
    } while (strcmp(text, "up\n") != 0);
    assert_false(supervisor_stop(&f->supervisor, child));
    assert_true(WIFSIGNALED(child->wait_status) && WTERMSIG(child->wait_status) == SIGKILL);
}

static void a_child_has_no_files_of_ours_and_a_group_of_its_own(void **state)
{
    struct fixture *f = *state;
    char text[64];
    int extra = dup(STDERR_FILENO); /* not close-on-exec */
    struct child *child = shell(f, "ls /proc/self/fd | wc -l; "
                                   "[ $$ = $(cut -d' ' -f5 /proc/$$/stat) ] && echo leads");
    child->once = true;
    run_until(f, is_done);
    (void)close(extra);
    read_log(f, text, sizeof text);
    assert_string_equal(text, "4\nleads\n"); /* three files, and ls's own */
}

static void a_child_may_be_nicer_than_we_are(void **state)
{
    struct fixture *f = *state;
    char text[64];
    struct child *child = shell(f, "nice");
    child->once = true;
    child->niceness = 7;
    run_until(f, is_done);
    read_log(f, text, sizeof text);
    assert_string_equal(text, "7\n");
}

static void children_die_with_the_supervisor(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t supervisor = fork();
    if (supervisor == 0) {
        struct child *child = shell(f, "while :; do sleep 0.01; done");
        (void)child_start(child, child_now_ms());
        (void)!write(ends[1], &child->pid, sizeof child->pid);
        (void)pause();
        _exit(0);
    }
    pid_t grandchild = 0;
    assert_int_equal(read(ends[0], &grandchild, sizeof grandchild), sizeof grandchild);
    (void)kill(supervisor, SIGKILL);
    (void)waitpid(supervisor, NULL, 0);
    /* an orphan is reaped by init, or by whoever plays its part: a zombie is dead enough */
    char path[64], state_letter = 'R';
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
    for (int i = 0; i < 3000 && state_letter != 'Z'; i++) {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state_letter) != 1) state_letter = 'Z';
        if (file) (void)fclose(file);
        (void)usleep(10000);
    }
    assert_int_equal(state_letter, 'Z');
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_large_log_is_put_aside(void **state)
{
    struct fixture *f = *state;
    struct child *child = shell(f, "exit 0");
    FILE *file = fopen(f->log, "w");
    assert_non_null(file);
    assert_int_equal(fseek(file, CHILD_LOG_MAX_BYTES, SEEK_SET), 0);
    assert_int_equal(fputs("end\n", file) >= 0, 1);
    (void)fclose(file);
    child_rotate_log(child);
    struct stat st;
    assert_int_equal(stat(f->log, &st), 0);
    assert_int_equal(st.st_size, 0);
    char aside[160];
    (void)snprintf(aside, sizeof aside, "%s.1", f->log);
    assert_int_equal(stat(aside, &st), 0);
    assert_int_equal(st.st_size, CHILD_LOG_MAX_BYTES + 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_step_runs_once_and_its_words_are_logged),
        TEST(a_step_that_fails_is_tried_again),
        TEST(a_daemon_is_started_again_ever_more_slowly),
        TEST(what_cannot_be_healed_is_left_alone),
        TEST(nothing_starts_before_it_may),
        TEST(a_stop_is_asked_for_first),
        TEST(who_does_not_stop_is_killed),
        TEST(a_child_has_no_files_of_ours_and_a_group_of_its_own),
        TEST(a_child_may_be_nicer_than_we_are),
        TEST(children_die_with_the_supervisor),
        TEST(a_large_log_is_put_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
