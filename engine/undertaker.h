/* undertaker.h - lets a core's lock go before its memory, when it dies.
 *
 * The kernel takes the memory of a dying process apart first and frees its locks afterwards: for a
 * core with its engine and its journals mapped that is some ten milliseconds in which no standby
 * can go on. So a second process shares the core's memory (clone(2) with CLONE_VM) and does nothing
 * but wait for the core's end. While it lives the memory has another user, the core's threads only
 * let go of it, and the lock is free as soon as the last of them is gone; then the undertaker ends,
 * too, and the kernel takes the memory apart at its expense, on processor time that nobody wants.
 *
 *   core        dies -> (memory has another user) -> lock freed -> standby goes on
 *   undertaker                                        wakes, waits 0.1 s, ends -> memory taken apart
 *
 * It is never needed for what is right: where it is killed or cannot be had, takeovers last longer.
 */
#ifndef HOGA_UNDERTAKER_H
#define HOGA_UNDERTAKER_H

/* Starts it, once a process, from any thread. It keeps no descriptor open, `lock_fd` least of all,
 * and ends with the calling process, however that ends. Silently does nothing where the kernel
 * lacks what it needs (pidfd_open, Linux 5.3). Maps 16 KiB that stay. */
void undertaker_start(int lock_fd);

#endif
