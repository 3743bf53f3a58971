/* show_status.h - `hoga status`: what runs, how far everything is, where it listens.
 *
 * From the control page (stations, cursors, counters) and run/supervisor.json (restarts, ports,
 * PostgreSQL). Only reads; works also when nothing runs.
 */
#ifndef HOGA_OPS_SHOW_STATUS_H
#define HOGA_OPS_SHOW_STATUS_H

int status_main(int argc, char **argv);

#endif
