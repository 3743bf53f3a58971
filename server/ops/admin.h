/* admin.h - `hoga admin`: an administrator's commands to the running exchange, each answered by one
 * line of JSON. */
#ifndef HOGA_OPS_ADMIN_H
#define HOGA_OPS_ADMIN_H

int admin_main(int argc, char **argv);

#endif
