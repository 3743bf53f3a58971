/* bench.h - what every benchmark does alike: medians, and the one JSON line it prints.
 *
 * A figure and its baseline are measured in turn in the same run, since machines are shared and
 * differ from hour to hour; the median of the ratios is what can be compared.
 */
#ifndef HOGA_BENCH_H
#define HOGA_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BENCH_REPEATS_MAX = 64 };

/* The clock that throughput is timed by: the wall's, or on a machine that is shared with others
 * CLOCK_THREAD_CPUTIME_ID, which stands still while they have the processor. Waiting in a loop
 * counts in both. */
extern clockid_t bench_clock;

static inline int64_t bench_clock_ns(void)
{
    struct timespec t;
    clock_gettime(bench_clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The value below which `share` (0..1) of them lie; sorts them. */
static inline double bench_quantile(double *values, unsigned count, double share)
{
    qsort(values, count, sizeof *values, bench_compare);
    unsigned at = (unsigned)(share * (double)count);
    return values[at < count ? at : count - 1];
}

static inline double bench_median(double *values, unsigned count)
{
    return bench_quantile(values, count, 0.5);
}

/* Median of the ratios of what was measured one right after the other: a machine that changes its
 * pace in between moves both. Call it before the medians, which sort. */
static inline double bench_paired_ratio(const double *ours, const double *baseline, unsigned count)
{
    double ratios[BENCH_REPEATS_MAX];
    for (unsigned i = 0; i < count; i++) ratios[i] = ours[i] / baseline[i];
    return bench_median(ratios, count);
}

static inline double bench_max(const double *values, unsigned count)
{
    double max = values[0];
    for (unsigned i = 1; i < count; i++)
        if (values[i] > max) max = values[i];
    return max;
}

/* As a JSON array, in the order of the passes: before anything sorts them. */
static inline void bench_print_array(const double *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++) printf("%s%.3f", i ? "," : "[", values[i]);
    putchar(']');
}

#endif
