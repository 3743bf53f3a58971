/* psql.h - `hoga psql`: PostgreSQL's own shell on the exchange's reports, as the role that may read
 * the views and nothing else. */
#ifndef HOGA_OPS_PSQL_H
#define HOGA_OPS_PSQL_H

int psql_main(int argc, char **argv);

#endif
