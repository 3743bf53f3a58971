/* replay.h - `hoga replay`: real orders through the running exchange. */
#ifndef HOGA_OPS_REPLAY_H
#define HOGA_OPS_REPLAY_H

/* argv[0] is "replay". Returns the exit status. */
int replay_main(int argc, char **argv);

#endif
