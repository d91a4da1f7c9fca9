// Lets the wall clock of a lab's node jump (`lab clock`): preloaded into the node's processes, it adds to
// CLOCK_REALTIME the nanoseconds that the file BELAY_LAB_CLOCK holds, an int64 that the lab changes in place.
// Clocks that measure time are left alone. (libfaketime does that, too, but under it the timed waits of a JVM
// return at once and spin.)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static const volatile int64_t *ahead;

__attribute__((constructor)) static void find_the_file(void) {
    const char *path = getenv("BELAY_LAB_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) close(fd);
    if (map != MAP_FAILED) ahead = map;
}

static void shift(struct timespec *t, int64_t by) {
    int64_t nanos = t->tv_nsec + by % SECOND;
    t->tv_sec += by / SECOND + (nanos < 0 ? -1 : nanos >= SECOND);
    t->tv_nsec = (nanos + SECOND) % SECOND;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real ? real(clock, t) : (int)syscall(SYS_clock_gettime, clock, t);
    if (result == 0 && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(t, *ahead);
    return result;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}

// Waits until a moment of the shifted clock, which is another one of the kernel's.
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    // Its older version, which plain dlsym may give, takes another kind of condition.
    if (!real) real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec at = *until;
    int monotonic = cond->__data.__wrefs & 2; // where glibc keeps the clock of a condition
    if (ahead && !monotonic) shift(&at, -*ahead);
    return real(cond, mutex, &at);
}
