/* Makes a disk fail for one process: LD_PRELOAD this, name a file in $FAULTY_DISK, and write into it, when it is to begin,
 *
 *     OPERATION CODE PREFIX
 *
 * OPERATION is read, write, link or rename; it then fails with errno CODE for every path that begins with PREFIX.
 * A rename may be told LATE (it happens 0.2 s later) or LOST (it happens, and says ENOENT: a server's answer that was
 * lost, and the question asked again). All is well again when the file is gone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LATE -1
#define LOST -2
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int told(const char *operation, const char *path) {
    const char *control = getenv("FAULTY_DISK");
    int kept = errno;
    int file = control ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC) : -1;
    errno = kept;
    if (file < 0) return 0;
    char text[4096] = {0}, known[16], prefix[4000];
    int code = 0;
    long size = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    errno = kept;
    if (size <= 0 || sscanf(text, "%15s %d %3999s", known, &code, prefix) != 3) return 0;
    return strcmp(known, operation) == 0 && strncmp(path, prefix, strlen(prefix)) == 0 ? code : 0;
}

static int told_of(const char *operation, int file) {
    char link[64], path[4096] = {0};
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long size = readlink(link, path, sizeof path - 1);
    errno = kept;
    return size > 0 ? told(operation, path) : 0;
}

#define FAIL(code, answer) do { int why = (code); if (why > 0) { errno = why; return answer; } } while (0)

ssize_t write(int file, const void *from, size_t size) {
    FAIL(told_of("write", file), -1);
    return REAL(write)(file, from, size);
}

ssize_t pwrite64(int file, const void *from, size_t size, off64_t at) {
    FAIL(told_of("write", file), -1);
    return REAL(pwrite64)(file, from, size, at);
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *file) {
    FAIL(told_of("write", fileno(file)), 0);
    return REAL(fwrite)(from, size, count, file);
}

ssize_t copy_file_range(int from, off64_t *there, int file, off64_t *at, size_t size, unsigned flags) {
    FAIL(told_of("write", file), -1);
    return REAL(copy_file_range)(from, there, file, at, size, flags);
}

ssize_t sendfile64(int file, int from, off64_t *at, size_t size) {
    FAIL(told_of("write", file), -1);
    return REAL(sendfile64)(file, from, at, size);
}

int fsync(int file) {
    FAIL(told_of("write", file), -1);
    return REAL(fsync)(file);
}

ssize_t read(int file, void *into, size_t size) {
    FAIL(told_of("read", file), -1);
    return REAL(read)(file, into, size);
}

int link(const char *from, const char *to) {
    FAIL(told("link", to), -1);
    return REAL(link)(from, to);
}

int linkat(int here, const char *from, int there, const char *to, int flags) {
    FAIL(told("link", to), -1);
    return REAL(linkat)(here, from, there, to, flags);
}

int rename(const char *from, const char *to) {
    int code = told("rename", to);
    FAIL(code, -1);
    if (code == LATE) usleep(200000);
    int done = REAL(rename)(from, to);
    if (code == LOST && done == 0) { errno = ENOENT; return -1; }
    return done;
}
