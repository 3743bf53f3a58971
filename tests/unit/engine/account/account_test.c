#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/account/account.h"
#include "tests/unit/engine/put_text.h"

static const struct limits limits = {.accounts = 4, .users = 5, .keys = 300};

struct fixture {
    struct accounts accounts;
    void *block;
    size_t bytes;
};

static int open_table(void **state)
{
    static struct fixture f;
    struct arena measured = {0};
    accounts_init(&f.accounts, &measured, &limits);
    f.bytes = measured.used;
    f.block = arena_map(f.bytes, 0);
    struct arena arena = {.base = f.block, .capacity = f.bytes};
    accounts_init(&f.accounts, &arena, &limits);
    *state = &f;
    return f.block ? 0 : -1;
}

static int close_table(void **state)
{
    struct fixture *f = *state;
    arena_unmap(f->block, f->bytes);
    return 0;
}

static enum reject open_account(struct fixture *f, account_id_t account, const char *name)
{
    struct command_open_account command = {.account = account};
    put_text(command.name, NAME_BYTES, name);
    return account_open(&f->accounts, &command);
}

static enum reject add_user(struct fixture *f, user_id_t user, account_id_t account,
                            const char *name)
{
    struct command_add_user command = {.user = user, .account = account};
    put_text(command.name, NAME_BYTES, name);
    return account_add_user(&f->accounts, &command);
}

static enum reject add_key(struct fixture *f, user_id_t user, uint32_t scopes, const char *key_id)
{
    struct command_add_key command = {.user = user, .scopes = scopes, .sealed_secret = {1, 2, 3}};
    put_text(command.key_id, KEY_ID_BYTES, key_id);
    return account_add_key(&f->accounts, &command);
}

static const char thirty_two[] = "a name of thirty-two characters.";

static void an_account_is_opened_once(void **state)
{
    struct fixture *f = *state;
    assert_false(account_is_open(&f->accounts, 3));
    assert_int_equal(open_account(f, 3, "Ann"), REJECT_NONE);
    assert_true(account_is_open(&f->accounts, 3));
    assert_int_equal(open_account(f, 3, "Bob"), REJECT_ACCOUNT_EXISTS);
    assert_string_equal(f->accounts.account_names[3].text, "Ann");
    assert_int_equal(f->accounts.accounts[3].stp, STP_ALLOW);
    assert_int_equal(open_account(f, 0, "Ann"), REJECT_OUT_OF_LIMITS);
    assert_int_equal(open_account(f, 4, "Ann"), REJECT_OUT_OF_LIMITS);
    assert_int_equal(open_account(f, 1, ""), REJECT_INVALID_NAME);
    assert_int_equal(open_account(f, 1, thirty_two), REJECT_INVALID_NAME);
    assert_false(account_is_open(&f->accounts, 1));
    assert_false(account_is_open(&f->accounts, 0));
    assert_false(account_is_open(&f->accounts, UINT32_MAX));
    assert_int_equal(f->accounts.counts->account_end, 4);
}

static void a_user_acts_for_one_account(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_account(f, 1, "Ann"), REJECT_NONE);
    assert_int_equal(open_account(f, 2, "Bob"), REJECT_NONE);
    assert_int_equal(add_user(f, 1, 1, "ann"), REJECT_NONE);
    assert_int_equal(add_user(f, 2, 1, "ann's clerk"), REJECT_NONE);
    assert_int_equal(add_user(f, 4, 0, "staff"), REJECT_NONE);
    assert_true(account_has_user(&f->accounts, 1, 1));
    assert_true(account_has_user(&f->accounts, 1, 2));
    assert_false(account_has_user(&f->accounts, 2, 1));
    assert_false(account_has_user(&f->accounts, 1, 4));
    assert_false(account_has_user(&f->accounts, 1, 0));
    assert_false(account_has_user(&f->accounts, 0, 3)); /* not staff: nobody */
    assert_false(account_has_user(&f->accounts, 1, UINT32_MAX));
    assert_int_equal(add_user(f, 1, 2, "again"), REJECT_USER_EXISTS);
    assert_int_equal(add_user(f, 3, 3, "unopened"), REJECT_UNKNOWN_ACCOUNT);
    assert_int_equal(add_user(f, 3, 1, ""), REJECT_INVALID_NAME);
    assert_int_equal(add_user(f, 0, 1, "x"), REJECT_OUT_OF_LIMITS);
    assert_int_equal(add_user(f, 5, 1, "x"), REJECT_OUT_OF_LIMITS);
}

static void keys_are_found_by_their_text(void **state)
{
    struct fixture *f = *state;
    char key_id[KEY_ID_BYTES];
    assert_int_equal(add_user(f, 1, 0, "staff"), REJECT_NONE);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(key_id, sizeof key_id, "KEY%u", i);
        assert_int_equal(add_key(f, 1, i % 16, key_id), REJECT_NONE);
    }
    assert_int_equal(add_key(f, 1, SCOPE_READ, "ONEMORE"), REJECT_KEYS_FULL);
    assert_int_equal(add_key(f, 1, SCOPE_READ, "KEY7"), REJECT_KEY_EXISTS);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(key_id, sizeof key_id, "KEY%u", i);
        const struct api_key *key = account_find_key(&f->accounts, key_id);
        assert_non_null(key);
        assert_string_equal(key->key_id, key_id);
        assert_int_equal(key->scopes, i % 16);
        assert_int_equal(key->sealed_secret[2], 3);
    }
    assert_null(account_find_key(&f->accounts, "KEY300"));
    assert_null(account_find_key(&f->accounts, ""));
    assert_null(account_find_key(&f->accounts, "key7"));
}

static void a_key_needs_a_name_a_user_and_known_scopes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(add_user(f, 1, 0, "staff"), REJECT_NONE);
    assert_int_equal(add_key(f, 1, 1, ""), REJECT_INVALID_NAME);
    assert_int_equal(add_key(f, 1, 1, "ABCDEFGHIJKLMNOPQRSTUVWX"), REJECT_INVALID_NAME);
    assert_int_equal(add_key(f, 2, 1, "K"), REJECT_UNKNOWN_USER);
    assert_int_equal(add_key(f, 0, 1, "K"), REJECT_UNKNOWN_USER);
    assert_int_equal(add_key(f, UINT32_MAX, 1, "K"), REJECT_UNKNOWN_USER);
    assert_int_equal(add_key(f, 1, SCOPE_ALL + 1, "K"), REJECT_INVALID_MESSAGE);
    assert_int_equal(add_key(f, 1, UINT32_MAX, "K"), REJECT_INVALID_MESSAGE);
    assert_null(account_find_key(&f->accounts, "K"));
    assert_int_equal(add_key(f, 1, SCOPE_ALL, "ABCDEFGHIJKLMNOPQRSTUVW"), REJECT_NONE);
    assert_non_null(account_find_key(&f->accounts, "ABCDEFGHIJKLMNOPQRSTUVW"));
}

#define ACCOUNT_TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCOUNT_TEST(an_account_is_opened_once),
        ACCOUNT_TEST(a_user_acts_for_one_account),
        ACCOUNT_TEST(keys_are_found_by_their_text),
        ACCOUNT_TEST(a_key_needs_a_name_a_user_and_known_scopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
