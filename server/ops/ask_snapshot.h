/* ask_snapshot.h - hoga snapshot: asks the running exchange for a snapshot and waits for it. */
#ifndef HOGA_OPS_ASK_SNAPSHOT_H
#define HOGA_OPS_ASK_SNAPSHOT_H

int snapshot_main(int argc, char **argv);

#endif
