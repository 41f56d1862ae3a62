/* The peer of `halfopen load` in connect-only mode: as little as an epoll loop can do. No latencies, no errors told apart.
 *
 * connect_loop PORT CONNECTIONS TOTAL: opens TOTAL connections to 127.0.0.1:PORT, CONNECTIONS at a time, closed by RST.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in target;
static int poller;

static void begin(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.fd = fd};
    connect(fd, (struct sockaddr *)&target, sizeof target);
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void end(int fd) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

int main(int count, char **words) {
    if (count != 4) return 2;
    long width = atol(words[2]), total = atol(words[3]), begun = 0, done = 0;
    struct epoll_event events[256];
    target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (; begun < width && begun < total; begun++) begin();
    while (done < total) {
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].events & (EPOLLERR | EPOLLHUP)) return 1;
            end(events[i].data.fd);
            done++;
            if (begun < total) begun++, begin();
        }
    }
    return 0;
}
