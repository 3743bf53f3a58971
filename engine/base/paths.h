/* paths.h - which code lies on the way of every order, and which beside it.
 *
 * An order's way is worth being one straight piece of code: what it calls is inlined into it, and
 * what only some orders need is kept out, so that it does not cost those that do not.
 */
#ifndef HOGA_BASE_PATHS_H
#define HOGA_BASE_PATHS_H

#define HOT_PATH  __attribute__((flatten))
#define SIDE_PATH __attribute__((noinline))

#endif
