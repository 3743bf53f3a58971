/* engine_bounds.h - what an ordinary order is compared with, worked out beforehand.
 *
 *   rows of limits ---> instrument's bounds, user's and account's limits ---.
 *   bands, prices ----> instrument's bounds --------------------------------+--> engine_check.c
 *
 * Limits, bands and collars change seldom and every order meets them. So whatever changes one of
 * them has the figures here worked out again, "none" being the largest number there is, and an
 * order is left with one comparison of each. All of it is derived: engine_validate() compares it
 * with what it comes from. Owned by the engine's thread.
 */
#ifndef HOGA_ENGINE_BOUNDS_H
#define HOGA_ENGINE_BOUNDS_H

#include "engine/account/account.h"
#include "engine/instrument/instrument.h"

/* Notionals above it are no ordinary order's: below it the fee to be held needs no more than 64
 * bits (fee.h), and sums of a few cannot overflow. 880 million of the currency. */
#define PLAIN_NOTIONAL_MAX ((INT64_C(1) << 43) - 1)

/* An instrument has been listed, or its limits or session have changed. No order is ordinary in
 * another session than CONTINUOUS. */
void bounds_follow_limits(struct instrument *instrument);

/* Its last or reference price, bands or collar have changed. */
void bounds_follow_px(struct instrument *instrument);

/* A user has been added, or its limits have changed. */
void bounds_follow_user(struct accounts *accounts, user_id_t user);

/* An account has been opened, its limits have changed, which are its users', too, or its kill
 * switch has: no order of a blocked one is ordinary. */
void bounds_follow_account(struct accounts *accounts, account_id_t account);

/* CHECKs that all of them are as their sources say. For engine_validate(). */
void bounds_validate_instrument(const struct instrument *instrument);
void bounds_validate_account(const struct accounts *accounts, account_id_t account);

#endif
