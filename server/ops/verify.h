/* verify.h - `hoga verify`: proves an archive while nothing runs. Every record's checksum and
 * sequence, and that replaying `in` makes exactly the events that `out` has. */
#ifndef HOGA_OPS_VERIFY_H
#define HOGA_OPS_VERIFY_H

int verify_main(int argc, char **argv);

#endif
