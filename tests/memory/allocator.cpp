// malloc and what else hands out memory, in front of the C library's. A sanitizer needs its own: then operator new, and what the
// library itself calls, by -Wl,--wrap.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "../sanitized.hpp"
#include "failing.hpp"

namespace {

constinit std::atomic<bool> counting{false}, some_failed{false}, no_threads{false};
constinit std::atomic<long> requests{0}, first{0}, live{0};
constinit std::atomic<bool> all{false};

/// The code of BLAS, LAPACK and OpenMP's runtime, which do not look whether they got memory: they get it.
class TheirCode {
public:
    TheirCode() { dl_iterate_phdr(add, this); }
    bool holds(const void* at) const noexcept {
        const auto place = reinterpret_cast<std::uintptr_t>(at);
        for (int i = 0; i < count_; ++i)
            if (place - begin_[i] < size_[i]) return true;
        return false;
    }

private:
    static int add(dl_phdr_info* module, std::size_t, void* self) {
        auto& list = *static_cast<TheirCode*>(self);
        const std::string_view name = module->dlpi_name;
        const bool theirs = name.find("blas") != name.npos || name.find("lapack") != name.npos ||
                            name.find("gomp") != name.npos || name.find("gfortran") != name.npos;
        for (int i = 0; theirs && i < module->dlpi_phnum && list.count_ < most; ++i) {
            const auto& part = module->dlpi_phdr[i];
            if (part.p_type != PT_LOAD) continue;
            list.begin_[list.count_] = module->dlpi_addr + part.p_vaddr;
            list.size_[list.count_++] = part.p_memsz;
        }
        return 0;
    }
    static constexpr int most = 64;
    std::uintptr_t begin_[most] = {}, size_[most] = {};
    int count_ = 0;
};

/// Does this request of `caller` fail?
bool refused(const void* caller) noexcept {
    if (!counting.load(std::memory_order_acquire)) return false;
    static const TheirCode theirs;
    if (theirs.holds(caller)) return false;
    const long n = requests.fetch_add(1, std::memory_order_relaxed) + 1;
    if (n != first && !(all && n > first)) return false;
    some_failed = true;
    errno = ENOMEM;
    return true;
}

void* counted(void* p) noexcept {
    if (p) live.fetch_add(1, std::memory_order_relaxed);
    return p;
}
void discounted(const void* p) noexcept {
    if (p) live.fetch_sub(1, std::memory_order_relaxed);
}

/// What is printed at the end needs memory.
const auto terminates = std::set_terminate([] {
    counting = false;
    std::abort();
});

}  // namespace

#define XG_CALLER __builtin_return_address(0)

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) { return refused(XG_CALLER) ? nullptr : counted(__libc_malloc(bytes)); }
void* calloc(std::size_t n, std::size_t bytes) { return refused(XG_CALLER) ? nullptr : counted(__libc_calloc(n, bytes)); }
void* realloc(void* p, std::size_t bytes) {
    if (bytes == 0 && p) return free(p), nullptr;
    if (refused(XG_CALLER)) return nullptr;
    void* q = __libc_realloc(p, bytes);
    return p ? q : counted(q);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
    return refused(XG_CALLER) ? nullptr : counted(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return refused(XG_CALLER) ? nullptr : counted(__libc_memalign(alignment, bytes));
}
int posix_memalign(void** p, std::size_t alignment, std::size_t bytes) {
    if (refused(XG_CALLER)) return ENOMEM;
    *p = counted(__libc_memalign(alignment, bytes));
    return *p ? 0 : ENOMEM;
}
void free(void* p) {
    discounted(p);
    __libc_free(p);
}
}

#else

void* operator new(std::size_t bytes) {
    void* p = refused(XG_CALLER) ? nullptr : std::malloc(bytes);
    if (!p) throw std::bad_alloc();
    return counted(p);
}
void operator delete(void* p) noexcept {
    discounted(p);
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    void* p = refused(XG_CALLER) ? nullptr : std::malloc(bytes);
    return p ? counted(p) : p;
}
void operator delete(void* p, const std::nothrow_t&) noexcept { operator delete(p); }

extern "C" {
void* __real_aligned_alloc(std::size_t, std::size_t);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return refused(XG_CALLER) ? nullptr : __real_aligned_alloc(alignment, bytes);
}
}

#endif

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*f)(void*), void* x) noexcept {
    static const auto create = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
    return no_threads ? EAGAIN : create(thread, attributes, f, x);
}

namespace memory {

Window::Window(long n, Failing failing) {
    requests = 0;
    first = n;
    all = failing == Failing::all;
    some_failed = false;
    counting.store(true, std::memory_order_release);
}
long Window::close() noexcept {
    counting = false;
    return requests;
}
bool Window::failed() noexcept { return some_failed; }

long live_blocks() noexcept { return live; }
void refuse_threads(bool yes) noexcept { no_threads = yes; }

bool whole() noexcept {
    static const bool asked = std::getenv("XTGRAD_MEMORY_WHOLE");
    return asked;
}

}  // namespace memory
