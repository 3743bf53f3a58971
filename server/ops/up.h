/* up.h - `hoga up`: starts an exchange and keeps it running, in the foreground or (--detach) as a
 * daemon. */
#ifndef HOGA_OPS_UP_H
#define HOGA_OPS_UP_H

int up_main(int argc, char **argv);

#endif
