/* command_stream_profiles.h - what the days of the streams are about, one profile after the other
 * by seed.
 */
#ifndef HOGA_TESTS_COMMAND_STREAM_PROFILES_H
#define HOGA_TESTS_COMMAND_STREAM_PROFILES_H

#include "tests/model/command_stream_generator.h"

/* The seed's; static storage. */
const struct profile *profile_of(uint64_t seed);

/* The usual weight of each kind of command, with the profile's changes. */
void profile_weights(const struct profile *self, uint32_t *weights);

#endif
