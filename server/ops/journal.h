/* journal.h - hoga journal: the records of the journals, as they were or as they come. */
#ifndef HOGA_OPS_JOURNAL_H
#define HOGA_OPS_JOURNAL_H

int journal_main(int argc, char **argv);

#endif
