#include "server/ops/layout.h"

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

#include "server/ops/credentials.h"
#include "server/ops/master_key.h"

static int set_up(void **state)
{
    struct instance *instance = calloc(1, sizeof *instance);
    (void)snprintf(instance->data_dir, sizeof instance->data_dir, "/tmp/hoga-layout-XXXXXX");
    if (!mkdtemp(instance->data_dir) || layout_prepare(instance) != STATUS_OK) return -1;
    *state = instance;
    return 0;
}

static int tear_down(void **state)
{
    struct instance *instance = *state;
    char command[INSTANCE_PATH_BYTES + 16];
    (void)snprintf(command, sizeof command, "rm -r '%s'", instance->data_dir);
    int gone = system(command);
    free(instance);
    return gone;
}

static mode_t mode_of(const struct instance *instance, const char *name)
{
    char path[LAYOUT_PATH_BYTES];
    struct stat st;
    layout_path(path, instance, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void files_are_replaced_whole(void **state)
{
    const struct instance *instance = *state;
    (void)umask(022);
    assert_null(layout_read(instance, "f", 100));
    assert_int_equal(layout_write(instance, "f", "one", 3, 0600), STATUS_OK);
    assert_int_equal(mode_of(instance, "f"), 0600);
    assert_int_equal(layout_write(instance, "f", "two!", 4, 0644), STATUS_OK);
    assert_int_equal(mode_of(instance, "f"), 0644);
    char *text = layout_read(instance, "f", 4);
    assert_string_equal(text, "two!");
    free(text);
    assert_null(layout_read(instance, "f", 3)); /* larger than asked for */
    assert_int_equal(layout_write(instance, "none/f", "x", 1, 0600), STATUS_IO);
    assert_int_equal(mode_of(instance, "secrets"), 0700);
}

static void the_lock_names_its_owner_and_ends_with_it(void **state)
{
    const struct instance *instance = *state;
    int up[2], down[2];
    assert_int_equal(layout_lock_owner(instance), 0);
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t owner;
        char answer = layout_lock(instance, &owner) == STATUS_OK ? 'y' : 'n';
        (void)!write(up[1], &answer, 1);
        (void)!read(down[0], &answer, 1);
        _exit(0);
    }
    char answer = 0;
    assert_int_equal(read(up[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    pid_t owner = 0;
    assert_int_equal(layout_lock(instance, &owner), STATUS_BUSY);
    assert_int_equal(owner, child);
    assert_int_equal(layout_lock_owner(instance), child);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    assert_int_equal(layout_lock_owner(instance), 0);
    for (int i = 0; i < 2; i++) (void)close(up[i]), (void)close(down[i]);
}

static void the_master_key_is_made_once_and_guarded(void **state)
{
    const struct instance *instance = *state;
    uint8_t first[MASTER_KEY_BYTES], again[MASTER_KEY_BYTES];
    static const uint8_t zeros[MASTER_KEY_BYTES];
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, instance, "secrets/master.key");
    assert_int_equal(master_key_load(instance, first), STATUS_OK);
    assert_memory_not_equal(first, zeros, sizeof first);
    assert_int_equal(mode_of(instance, "secrets/master.key"), 0600);
    assert_int_equal(master_key_load(instance, again), STATUS_OK);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(master_key_load(instance, again), STATUS_INVALID);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(master_key_load(instance, again), STATUS_INVALID);
}

static void credentials_come_back_as_they_were_kept(void **state)
{
    const struct instance *instance = *state;
    struct credentials kept = {.count = 2}, found;
    assert_int_equal(credentials_load(&found, instance), STATUS_OK);
    assert_int_equal(found.count, 0);
    assert_true(credential_make(&kept.list[0], "alpha"));
    assert_true(credential_make(&kept.list[1], "beta"));
    assert_string_not_equal(kept.list[0].secret, kept.list[1].secret);
    assert_int_equal(strspn(kept.list[0].key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 20);
    assert_int_equal(strspn(kept.list[0].secret, "0123456789abcdef"), 64);
    assert_int_equal(credentials_save(&kept, instance), STATUS_OK);
    assert_int_equal(mode_of(instance, "secrets/keys.json"), 0600);
    assert_int_equal(credentials_load(&found, instance), STATUS_OK);
    assert_memory_equal(&kept, &found, sizeof kept);
    assert_string_equal(credentials_find(&found, "beta")->key, kept.list[1].key);
    assert_null(credentials_find(&found, "gamma"));
}

static void keys_that_make_no_sense_are_refused(void **state)
{
    const struct instance *instance = *state;
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{\"keys\":[{}]}",
        "{\"keys\":[{\"name\":\"a\",\"key\":\"K\",\"secret\":\"00\"}]}",
        "{\"keys\":[],\"keys\":[]}",
    };
    struct credentials found;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(layout_write(instance, "secrets/keys.json", bad[i], strlen(bad[i]), 0600),
                         STATUS_OK);
        assert_int_equal(credentials_load(&found, instance), STATUS_INVALID);
    }
}

static void a_secret_is_the_bytes_it_spells(void **state)
{
    (void)state;
    struct credential c;
    uint8_t secret[32];
    (void)snprintf(c.secret, sizeof c.secret,
                   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    assert_true(credential_secret(&c, secret));
    for (int i = 0; i < 32; i++) assert_int_equal(secret[i], i);
    c.secret[5] = 'A'; /* upper case is another text, so another key */
    assert_false(credential_secret(&c, secret));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_are_replaced_whole),
        TEST(the_lock_names_its_owner_and_ends_with_it),
        TEST(the_master_key_is_made_once_and_guarded),
        TEST(credentials_come_back_as_they_were_kept),
        TEST(keys_that_make_no_sense_are_refused),
        TEST(a_secret_is_the_bytes_it_spells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
