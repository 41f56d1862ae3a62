/* The control of `halfopen probe`: a plain blocking connect() between two readings of the clock, and the kernel's own round trip.
 *
 * connect_times ADDRESS PORT COUNT PAUSE_US: a line «microseconds of connect() tcpi_rtt» for each of COUNT connects.
 */
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int count, char **words) {
    if (count != 5) return 2;
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
    if (inet_pton(AF_INET, words[1], &target.sin_addr) != 1) return 2;
    for (long left = atol(words[3]); left > 0; left--) {
        struct tcp_info info;
        socklen_t size = sizeof info;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        double begin = now_us();
        int failed = connect(fd, (struct sockaddr *)&target, sizeof target);
        double end = now_us();
        if (failed || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size)) return 1;
        printf("%.3f %u\n", end - begin, info.tcpi_rtt);
        close(fd);
        usleep(atoi(words[4]));
    }
    return 0;
}
