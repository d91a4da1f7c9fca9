// The leash: parent of one QEMU or storage daemon, which it kills when the server's lease runs out.
//
// The manager's JVM may hang, be stopped or die; this process keeps the promise for it. It holds one
// absolute deadline on CLOCK_BOOTTIME (which also runs while the machine sleeps) and acts a stated
// kill budget before it. It does nothing else, allocates nothing after start and is locked in memory.
// If the leash itself dies, the kernel kills the child (parent-death signal).
//
// The promise in one place: enforce() runs before anything is read, on every turn and before every
// command. So a leash that was stopped beyond its deadline kills first, and refuses the extension that
// waited in its socket meanwhile.
//
// README.md beside this file tells the commands and the status file.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 16, LINE = 128 };

static const char usage[] =
    "usage: belay-leash --socket PATH --status PATH --deadline BOOTTIME_NS [--kill-budget MS] [--log PATH]\n"
    "                   [--lifeline ADDRESS:PORT] [--also-kill-group] -- PROGRAM [ARGUMENT...]\n"
    "       belay-leash --tell SOCKET COMMAND...     (status, extend NS, arm NS, disarm, kill, expire)\n"
    "       belay-leash --now                        (prints CLOCK_BOOTTIME in ns)\n";

// What the command line asked for.
static const char *socket_path, *status_path, *log_path = "/dev/null", *lifeline_address;
static int64_t kill_budget = 100 * 1000000LL;
static bool kill_group;

// What is so.
static enum { RUNNING, KILLING, EXPIRED, ENDED } state = RUNNING; // KILLING, EXPIRED: SIGKILL is sent, the end not yet seen
static pid_t child;
static unsigned long long child_start;
static bool armed = true;
static int64_t deadline;
static int timer, lifeline = -1;
static char ending[32] = "running"; // how it ended, for people and for the manager

static struct client { int fd; size_t length; char line[LINE]; } clients[CLIENTS];

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

#define fail(format, ...) (fprintf(stderr, "belay-leash: " format "\n", __VA_ARGS__), exit(1))

static bool write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool whole = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return whole;
}

static char *read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    return text;
}

// --- The child ----------------------------------------------------------------------------------------

// Safe against a reused process number: only this process collects the child, and does so last.
static void kill_child(void) {
    if (kill_group) kill(-child, SIGKILL);
    kill(child, SIGKILL);
}

static void enforce(void) {
    if (state != RUNNING || !armed || now() < deadline - kill_budget) return;
    kill_child();
    state = EXPIRED;
}

static void set_timer(void) {
    int64_t at = deadline - kill_budget;
    if (at < 1) at = 1; // zero would mean "never"
    struct itimerspec when = {.it_value = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000}};
    if (!armed) memset(&when, 0, sizeof when);
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) != 0) kill_child(); // no clock, no life
}

// Field 22 of /proc/PID/stat: with the process number it names one process of this boot for good.
static unsigned long long start_time(pid_t pid) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    char *at = strrchr(read_file(path, text, sizeof text), ')');
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

static void write_status(void) {
    char boot[64], ended[32] = "", temporary[512], text[512];
    read_file("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    boot[strcspn(boot, "\n")] = 0;
    if (state == ENDED) snprintf(ended, sizeof ended, "ended=%lld\n", (long long)now());
    snprintf(text, sizeof text, "boot=%s\nleash=%d\nchild=%d\nstart=%llu\nstate=%s\n%s", boot, (int)getpid(),
             (int)child, child_start, ending, ended);
    snprintf(temporary, sizeof temporary, "%s.tmp", status_path);
    if (!write_file(temporary, text) || rename(temporary, status_path) != 0)
        dprintf(2, "belay-leash: cannot write %s: %s\n", status_path, strerror(errno));
}

// True once the child has ended and was collected.
static bool collect(void) {
    siginfo_t seen = {0};
    if (waitid(P_PID, child, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid != child) return false;
    if (kill_group) kill(-child, SIGKILL); // while the zombie still holds the group's number
    waitid(P_PID, child, &seen, WEXITED);
    if (state == EXPIRED) strcpy(ending, "expired");
    else snprintf(ending, sizeof ending, seen.si_code == CLD_EXITED ? "exited:%d" : "signalled:%d", seen.si_status);
    state = ENDED;
    return true;
}

// When nobody reads any more, the starter is gone; its successor will read the status file.
static void report_error(int pipe, int error) {
    ssize_t ignored = write(pipe, &error, sizeof error);
    (void)ignored;
    close(pipe);
}

static void become_child(pid_t leash, int report, char **program) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != leash) _exit(127); // the leash died before the line above could matter
    setsid(); // a group of its own to kill, and its own share of the processor
    // Whatever weight the manager gave itself is not for guests.
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
    setpriority(PRIO_PROCESS, 0, 0);
    write_file("/proc/self/oom_score_adj", "0");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++) signal(s, SIG_DFL);
    execvp(program[0], program);
    report_error(report, errno);
    _exit(127);
}

// Returns 0 once the program runs, else the error of its exec.
static int start_child(char **program) {
    int report[2], error = 0;
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    pid_t leash = getpid();
    child = fork();
    if (child < 0) return errno;
    if (child == 0) become_child(leash, report[1], program);
    close(report[1]);
    if (read(report[0], &error, sizeof error) <= 0) error = 0; // closed by the exec
    close(report[0]);
    if (error) waitpid(child, NULL, 0);
    return error;
}

// --- Commands -----------------------------------------------------------------------------------------

static bool parse_time(const char *text, int64_t *time) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    *time = value;
    return !errno && end != text && !*end && value > 0;
}

// A deadline never moves backwards, and one that has passed has passed.
static const char *move_deadline(const char *text, bool arm) {
    int64_t wanted;
    if (!parse_time(text, &wanted)) return "error: expected a time in ns";
    if (state != RUNNING) return "refused: too late";
    if (!armed && !arm) return "refused: disarmed";
    if (!armed || wanted > deadline) deadline = wanted;
    armed = true;
    set_timer();
    enforce(); // `arm` may bring a deadline that is over already
    return state == RUNNING ? "ok" : "refused: too late";
}

static const char *disarm(void) {
    if (state != RUNNING) return "refused: too late";
    armed = false;
    set_timer();
    return "ok";
}

static const char *end_it(int how) {
    if (state == RUNNING) state = how;
    kill_child();
    return "ok";
}

static const char *obey(char *line) {
    char *argument = strchr(line, ' ');
    if (argument) *argument++ = 0;
    else argument = "";
    if (!strcmp(line, "status")) return "";
    if (!strcmp(line, "extend")) return move_deadline(argument, false);
    if (!strcmp(line, "arm")) return move_deadline(argument, true);
    if (!strcmp(line, "disarm")) return disarm();
    if (!strcmp(line, "kill")) return end_it(KILLING);
    if (!strcmp(line, "expire")) return end_it(EXPIRED);
    return "error: unknown command";
}

static void drop(struct client *c) {
    close(c->fd);
    c->fd = -1;
}

static void answer(struct client *c, char *line) {
    enforce();
    const char *word = obey(line);
    static const char *const states[] = {"running", "killing", "expiring"};
    char text[2 * LINE];
    int length = *word ? snprintf(text, sizeof text, "%s\n", word)
                       : snprintf(text, sizeof text, "%d %s %lld %lld\n", (int)child, states[state],
                                  armed ? (long long)deadline : -1LL, (long long)now());
    if (send(c->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) != length) drop(c);
}

static void listen_to(struct client *c) {
    ssize_t n = recv(c->fd, c->line + c->length, sizeof c->line - c->length, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return drop(c);
    c->length += n;
    char *end;
    while (c->fd >= 0 && (end = memchr(c->line, '\n', c->length))) {
        *end = 0;
        answer(c, c->line);
        c->length -= end + 1 - c->line;
        memmove(c->line, end + 1, c->length);
    }
    if (c->length == sizeof c->line) drop(c); // no command is that long
}

static void admit(int door) {
    int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i].fd >= 0) continue;
        clients[i] = (struct client){.fd = fd};
        return;
    }
    close(fd);
}

// Being connected to is all that it is for.
static bool greets = true;

static void greet(void) {
    int fd = accept4(lifeline, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) close(fd);
    // Out of descriptors or memory: the kernel goes on to answer for us, and we do not spin.
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) greets = false;
}

static void guard(int door, int signals) {
    for (;;) {
        enforce();
        if (collect()) return;
        struct pollfd p[4 + CLIENTS] = {{door, POLLIN, 0}, {signals, POLLIN, 0}, {state == RUNNING ? timer : -1, POLLIN, 0},
                                        {greets ? lifeline : -1, POLLIN, 0}};
        for (int i = 0; i < CLIENTS; i++) p[4 + i] = (struct pollfd){clients[i].fd, POLLIN, 0};
        if (poll(p, 4 + CLIENTS, -1) < 0) continue;
        enforce();
        struct signalfd_siginfo signal;
        while (read(signals, &signal, sizeof signal) == sizeof signal)
            if (signal.ssi_signo == SIGTERM) end_it(KILLING);
        for (int i = 0; i < CLIENTS; i++)
            if (p[4 + i].revents) listen_to(&clients[i]);
        if (p[0].revents) admit(door);
        if (p[3].revents) greet();
    }
}

// --- Start --------------------------------------------------------------------------------------------

static struct sockaddr_un address(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) fail("socket path is longer than %zu bytes: %s", sizeof a.sun_path - 1, path);
    strcpy(a.sun_path, path);
    return a;
}

static int connect_to(const char *path) {
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    close(fd);
    return -1;
}

static int open_door(void) {
    struct sockaddr_un a = address(socket_path);
    if (connect_to(socket_path) >= 0) fail("another leash answers at %s", socket_path);
    struct stat old;
    if (errno == ECONNREFUSED && lstat(socket_path, &old) == 0 && S_ISSOCK(old.st_mode))
        unlink(socket_path); // what a killed leash left
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, CLIENTS) != 0)
        fail("cannot listen at %s: %s", socket_path, strerror(errno));
    umask(before);
    return fd;
}

// Best effort, each of these: to be able to act when the machine is busy, short of memory or swapping.
static void raise_own_weight(void) {
    mlockall(MCL_CURRENT | MCL_FUTURE);
    prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    struct sched_param lowest = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) != 0) setpriority(PRIO_PROCESS, 0, -10);
    write_file("/proc/self/oom_score_adj", "-1000");
}

// Everything that the starter had open is not ours to hold: a pipe or a lock would outlive it.
static void settle_descriptors(int door, int report) {
    int null = open("/dev/null", O_RDWR);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (null < 0 || log < 0) fail("cannot open %s: %s", log_path, strerror(errno));
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    int low = door < report ? door : report, high = door + report - low;
    close_range(3, low - 1, 0); // an empty range is an error that does not matter
    close_range(low + 1, high - 1, 0);
    close_range(high + 1, ~0U, 0);
}

// A port that all leashes of a server share: a connection is refused only when none is left, nor any of
// their children, which inherit it. Evidence for the other servers, not part of the promise: without it the
// program runs all the same.
static int open_lifeline(void) {
    char host[64];
    const char *colon = strrchr(lifeline_address, ':');
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr *to = NULL;
    if (colon && colon - lifeline_address < (long)sizeof host) {
        memcpy(host, lifeline_address, colon - lifeline_address);
        host[colon - lifeline_address] = 0;
        v4.sin_port = v6.sin6_port = htons(atoi(colon + 1));
        if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) to = (struct sockaddr *)&v4;
        else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) to = (struct sockaddr *)&v6;
    }
    int one = 1, fd = to ? socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0) : -1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0
        && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0
        && bind(fd, to, to == (struct sockaddr *)&v4 ? sizeof v4 : sizeof v6) == 0 && listen(fd, CLIENTS) == 0)
        return fd;
    dprintf(2, "belay-leash: no lifeline at %s: %s\n", lifeline_address, to ? strerror(errno) : "expected ADDRESS:PORT");
    if (fd >= 0) close(fd);
    return -1;
}

static int blocked_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// The daemon. It reports to the starter: zero, or the error of the exec.
static int hold(int door, int report, char **program) {
    setsid();
    settle_descriptors(door, report);
    if (lifeline_address) lifeline = open_lifeline();
    int signals = blocked_signals();
    timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    for (int i = 0; i < CLIENTS; i++) clients[i].fd = -1;
    int error = signals < 0 || timer < 0 ? errno : start_child(program);
    if (error) {
        unlink(socket_path);
        report_error(report, error);
        return 1;
    }
    raise_own_weight();
    child_start = start_time(child);
    set_timer();
    write_status();
    report_error(report, 0); // the starter may go
    guard(door, signals);
    write_status();
    unlink(socket_path);
    return 0;
}

static int start(char **program) {
    int report[2], error;
    int door = open_door();
    if (pipe2(report, O_CLOEXEC) != 0) fail("pipe: %s", strerror(errno));
    pid_t leash = fork();
    if (leash < 0) fail("fork: %s", strerror(errno));
    if (leash == 0) _exit(hold(door, report[1], program));
    close(report[1]);
    if (read(report[0], &error, sizeof error) != sizeof error) fail("the leash died while starting (log: %s)", log_path);
    if (error) fail("cannot run %s: %s", program[0], strerror(error));
    return 0;
}

static int tell(const char *path, char **words) {
    char line[LINE] = "", reply[2 * LINE];
    for (; *words; words++) {
        if (strlen(line) + strlen(*words) + 2 > sizeof line) fail("the command is longer than %d bytes", LINE);
        strcat(strcat(line, *words), words[1] ? " " : "\n");
    }
    int fd = connect_to(path);
    if (fd < 0) fail("no leash answers at %s: %s", path, strerror(errno));
    struct timeval patience = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send(fd, line, strlen(line), MSG_NOSIGNAL);
    ssize_t n = recv(fd, reply, sizeof reply - 1, 0);
    if (n <= 0) fail("the leash at %s did not answer", path);
    reply[n] = 0;
    fputs(reply, stdout);
    return !strncmp(reply, "refused", 7) || !strncmp(reply, "error", 5) ? 2 : 0;
}

static char *value(char ***word) {
    if (!*++*word) fail("%s needs a value", (*word)[-1]);
    return **word;
}

int main(int count, char **word) {
    (void)count;
    for (word++; *word && strcmp(*word, "--"); word++) {
        int64_t ms;
        if (!strcmp(*word, "--socket")) socket_path = value(&word);
        else if (!strcmp(*word, "--status")) status_path = value(&word);
        else if (!strcmp(*word, "--log")) log_path = value(&word);
        else if (!strcmp(*word, "--lifeline")) lifeline_address = value(&word);
        else if (!strcmp(*word, "--also-kill-group")) kill_group = true;
        else if (!strcmp(*word, "--deadline")) {
            if (!parse_time(value(&word), &deadline)) fail("%s is a time in ns", "--deadline");
        } else if (!strcmp(*word, "--kill-budget")) {
            if (!parse_time(value(&word), &ms)) fail("%s is a number of ms", "--kill-budget");
            kill_budget = ms * 1000000;
        } else if (!strcmp(*word, "--tell")) {
            const char *path = value(&word);
            return word[1] ? tell(path, word + 1) : (fputs(usage, stderr), 1);
        } else if (!strcmp(*word, "--now")) return printf("%lld\n", (long long)now()) < 0;
        else return fputs(usage, stderr), 1;
    }
    if (!*word || !word[1] || !socket_path || !status_path || !deadline) return fputs(usage, stderr), 1;
    if (strlen(status_path) > 400) fail("the status path is longer than 400 bytes: %s", status_path);
    if (now() >= deadline - kill_budget) fail("the deadline is over: %lld", (long long)deadline);
    return start(word + 1);
}
