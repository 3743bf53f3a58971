/* down.h - `hoga down`: asks the running exchange to stop and waits until it has. */
#ifndef HOGA_OPS_DOWN_H
#define HOGA_OPS_DOWN_H

int down_main(int argc, char **argv);

#endif
