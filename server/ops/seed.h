/* seed.h - `hoga seed`: brings a running exchange to what the demonstration needs, from whatever
 * state it is in.
 *
 * It looks in a replica what is there already and sends the rest, so that an interrupted start goes
 * on where it was and a later one sends nothing. No deposit is made twice and no fee or limit set
 * twice: what counts is whether the journal has it, not what is left of it. Started by `hoga up`;
 * harmless by hand.
 */
#ifndef HOGA_OPS_SEED_H
#define HOGA_OPS_SEED_H

int seed_main(int argc, char **argv);

#endif
