// What runs in Belay's test guest: three servers, each simple enough that any wrong answer after a
// failover is a finding.
//
//   port 7   answers each line with "<n> <line>", n counting from 1 on each connection
//   port 8   appends each line to /data/log, syncs, and answers with the line's number in that file;
//            "?" is answered with "<lines in the file> <its SHA-256>"
//   port 9   sends "<boot id> <uptime in s> <lines answered on all ports>" at once and for each line;
//            "!panic" makes the kernel panic; "!dial <IPv4 address> <port>" connects to there, and answers
//            each line that comes from there as port 7 does
//
// Each port has a process of its own, so that a slow disk delays nobody but port 8, and one loop without
// threads in it, so that two guests in lockstep do the same things in the same order.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/random.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 256, LINE = 16384, PORTS = 3, ECHO_LINES = 0 };

struct client {
    int fd, service;
    unsigned long lines;
    size_t in_length, out_length;
    char in[LINE], out[2 * LINE + 64];
};

static struct client clients[CLIENTS];
static unsigned long *answered; // shared by the servers

static void die(const char *what) {
    fprintf(stderr, "guestd: %s: %s\n", what, strerror(errno));
    exit(1);
}

// --- SHA-256 (FIPS 180-4) -----------------------------------------------------------------------------

struct sha256 { uint32_t h[8]; uint64_t length; uint8_t block[64]; };

static const struct sha256 sha256_empty = {.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};

static const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void sha256_block(struct sha256 *s) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)s->block[4 * i] << 24 | s->block[4 * i + 1] << 16 | s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
               (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t a = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_k[i] + w[i];
        uint32_t b = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += a;
        v[0] = a + b;
    }
    for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

static void sha256_add(struct sha256 *s, const void *data, size_t length) {
    for (const uint8_t *p = data; length; p++, length--) {
        s->block[s->length++ % 64] = *p;
        if (s->length % 64 == 0) sha256_block(s);
    }
}

static void sha256_hex(struct sha256 s, char hex[65]) { // a copy: the sum so far may go on
    uint64_t bits = s.length * 8;
    sha256_add(&s, "\x80", 1);
    while (s.length % 64 != 56) sha256_add(&s, "", 1);
    for (int i = 7; i >= 0; i--) sha256_add(&s, &(uint8_t){bits >> 8 * i}, 1);
    for (int i = 0; i < 8; i++) sprintf(hex + 8 * i, "%08x", s.h[i]);
}

// --- What each port does ------------------------------------------------------------------------------

static void reply(struct client *c, const char *head, const char *line, size_t length) {
    c->out_length += sprintf(c->out + c->out_length, "%s", head);
    memcpy(c->out + c->out_length, line, length);
    c->out_length += length;
    c->out[c->out_length++] = '\n';
    __atomic_add_fetch(answered, 1, __ATOMIC_RELAXED);
}

static void echo_line(struct client *c, const char *line, size_t length) {
    char head[32];
    sprintf(head, "%lu ", c->lines);
    reply(c, head, line, length);
}

static int log_fd;
static unsigned long log_lines;
static struct sha256 log_sum;
static const char *log_error; // once a write has failed, nobody knows what the disk holds

static void log_open(void) {
    static char text[65536];
    off_t whole = 0, at = 0;
    log_fd = open("/data/log", O_RDWR | O_CREAT | O_APPEND, 0644);
    if (log_fd < 0) die("/data/log");
    log_sum = sha256_empty;
    for (ssize_t n; (n = pread(log_fd, text, sizeof text, at)) > 0; at += n)
        for (ssize_t i = 0; i < n; i++)
            if (text[i] == '\n') log_lines++, whole = at + i + 1;
    if (whole < at && ftruncate(log_fd, whole) != 0) die("/data/log"); // a torn last line was never answered
    at = 0;
    for (ssize_t n; (n = pread(log_fd, text, sizeof text, at)) > 0; at += n) sha256_add(&log_sum, text, n);
    fsync(log_fd);
    int folder = open("/data", O_RDONLY | O_DIRECTORY);
    fsync(folder);
    close(folder);
}

static void log_line(struct client *c, const char *line, size_t length) {
    char text[LINE + 1], head[32], sum[65];
    if (length == 1 && *line == '?' && !log_error) {
        sprintf(head, "%lu ", log_lines);
        sha256_hex(log_sum, sum);
        return reply(c, head, sum, 64);
    }
    memcpy(text, line, length);
    text[length++] = '\n';
    if (!log_error && (write(log_fd, text, length) != (ssize_t)length || fdatasync(log_fd) != 0))
        log_error = strerror(errno);
    if (log_error) return reply(c, "error: ", log_error, strlen(log_error));
    log_lines++;
    sha256_add(&log_sum, text, length);
    reply(c, "", head, sprintf(head, "%lu", log_lines));
}

static size_t read_word(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    return text[strcspn(text, " \n")] = 0, strlen(text);
}

static struct client *take(int fd, int service) {
    for (int i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        if (c->fd >= 0) continue;
        c->fd = fd, c->service = service;
        c->lines = c->in_length = c->out_length = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        return c;
    }
    return NULL;
}

static void dial(struct client *c, const char *line, size_t length) {
    char text[64], address[32];
    struct sockaddr_in there = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sprintf(text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), line);
    bool known = sscanf(text, "!dial %31s %hu", address, &there.sin_port) == 2 && inet_aton(address, &there.sin_addr);
    there.sin_port = htons(there.sin_port);
    if (!known || (connect(fd, (struct sockaddr *)&there, sizeof there) != 0 && errno != EINPROGRESS) || !take(fd, ECHO_LINES))
        return close(fd), reply(c, "", "no", 2);
    reply(c, "", "dialed", 6);
}

static void tell_life(struct client *c, const char *line, size_t length) {
    char boot[64], uptime[32], text[160];
    if (length > 6 && !memcmp(line, "!dial ", 6)) return dial(c, line, length);
    if (length == 6 && !memcmp(line, "!panic", 6)) {
        int fd = open("/proc/sysrq-trigger", O_WRONLY);
        if (write(fd, "c", 1) != 1) die("/proc/sysrq-trigger");
    }
    read_word("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    read_word("/proc/uptime", uptime, sizeof uptime);
    reply(c, "", text, sprintf(text, "%s %s %lu", boot, uptime, *answered));
}

static const struct {
    int port;
    void (*line)(struct client *, const char *, size_t);
    bool greets;
} services[PORTS] = {{7, echo_line, false}, {8, log_line, false}, {9, tell_life, true}};

// --- The loop of one port -----------------------------------------------------------------------------

static int listen_at(int port) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)); // IPv4 comes in here too
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, CLIENTS) != 0) die("listen");
    return fd;
}

static void drop(struct client *c) {
    close(c->fd);
    c->fd = -1;
}

static void flush(struct client *c) {
    ssize_t n = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return drop(c);
    if (n <= 0) return;
    c->out_length -= n;
    memmove(c->out, c->out + n, c->out_length);
}

// Answers the whole lines that came in, as long as there is room for answers.
static void answer(struct client *c) {
    char *end;
    size_t used = 0;
    while (c->out_length <= LINE && (end = memchr(c->in + used, '\n', c->in_length - used))) {
        size_t length = end - c->in - used;
        c->lines++;
        services[c->service].line(c, c->in + used, length);
        used += length + 1;
    }
    c->in_length -= used;
    memmove(c->in, c->in + used, c->in_length);
}

static void serve_client(struct client *c) {
    if (c->out_length == 0) {
        ssize_t n = recv(c->fd, c->in + c->in_length, LINE - c->in_length, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return drop(c);
        c->in_length += n;
    }
    do {
        answer(c);
        if (c->out_length) flush(c);
    } while (c->fd >= 0 && c->out_length == 0 && memchr(c->in, '\n', c->in_length));
    if (c->fd >= 0 && c->in_length == LINE && c->out_length == 0) drop(c); // a line of that length is nonsense
}

static void admit(int door, int service) {
    int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    struct client *c = take(fd, service);
    if (!c) close(fd);
    else if (services[service].greets) services[service].line(c, "", 0), flush(c);
}

static void serve(int door, int service) {
    static struct pollfd p[CLIENTS + 1];
    if (services[service].line == log_line) log_open();
    for (int i = 0; i < CLIENTS; i++) clients[i].fd = -1;
    for (;;) {
        p[CLIENTS] = (struct pollfd){door, POLLIN, 0};
        for (int i = 0; i < CLIENTS; i++) p[i] = (struct pollfd){clients[i].fd, clients[i].out_length ? POLLOUT : POLLIN, 0};
        if (poll(p, CLIENTS + 1, -1) < 0) continue;
        for (int i = 0; i < CLIENTS; i++)
            if (p[i].revents && clients[i].fd >= 0) serve_client(&clients[i]);
        if (p[CLIENTS].revents) admit(door, service);
    }
}

static void stop_all(int signal) {
    (void)signal;
    kill(0, SIGKILL); // every append was synced before its answer
}

// At its first connection, and once its random numbers are good, the kernel rewrites its own code. That is
// over before anybody hears of this guest: an emulated one in lockstep may crash on its second server when
// code changes (see the README's limits). A test guest has no secrets, so its clock will do as a seed.
static void settle(void) {
    struct {
        int bits, bytes;
        struct timespec now[4];
    } seed = {8 * sizeof seed.now, sizeof seed.now, {{0}}};
    for (int i = 0; i < 4; i++) clock_gettime(CLOCK_MONOTONIC, &seed.now[i]);
    int pool = open("/dev/urandom", O_WRONLY);
    ioctl(pool, RNDADDENTROPY, &seed);
    close(pool);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    int door = socket(AF_INET, SOCK_STREAM, 0), self = socket(AF_INET, SOCK_STREAM, 0), other = -1;
    char said = '!', heard = 0;
    if (bind(door, (struct sockaddr *)&here, length) || listen(door, 1) ||
        getsockname(door, (struct sockaddr *)&here, &length) || connect(self, (struct sockaddr *)&here, length) ||
        (other = accept(door, NULL, NULL)) < 0 || write(self, &said, 1) != 1 || read(other, &heard, 1) != 1)
        die("settle");
    close(self), close(other), close(door);
}

// All doors are open before anybody hears that the guest is ready.
static void serve_all(void) {
    int doors[PORTS];
    setpgid(0, 0);
    signal(SIGTERM, stop_all);
    settle();
    answered = mmap(NULL, sizeof *answered, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PORTS; i++) doors[i] = listen_at(services[i].port);
    for (int i = 0; i < PORTS; i++)
        if (fork() == 0) serve(doors[i], i);
    close(open("/tmp/ready", O_CREAT, 0644));
    wait(NULL);
    die("a server ended");
}

static void await_power_button(void) {
    struct pollfd p[8];
    char path[32];
    struct input_event event;
    for (int i = 0; i < 8; i++) {
        sprintf(path, "/dev/input/event%d", i);
        p[i] = (struct pollfd){open(path, O_RDONLY), POLLIN, 0};
    }
    close(open("/tmp/button", O_WRONLY | O_CREAT, 0600)); // from here on no press is lost
    for (;;) {
        if (poll(p, 8, -1) < 0) continue;
        for (int i = 0; i < 8; i++)
            if (p[i].revents && read(p[i].fd, &event, sizeof event) == sizeof event && event.type == EV_KEY &&
                event.code == KEY_POWER && event.value)
                return;
    }
}

int main(int count, char **word) {
    if (count == 2 && !strcmp(word[1], "serve")) serve_all();
    else if (count == 2 && !strcmp(word[1], "power-button")) await_power_button();
    else return fputs("usage: guestd serve|power-button\n", stderr), 2;
}
