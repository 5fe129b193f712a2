// Work at the end of a thread, without a thread_local object that has a destructor: where there is no memory to note one down,
// the C library ends the program.
#pragma once
#include <pthread.h>

namespace xtgrad {

/// f() at the end of each thread that asked for it, after its thread_local objects; the main thread has no such end.
template <void (*f)() noexcept>
class AtThreadEnd {
public:
    /// Asks for it. False when there is no memory for that.
    static bool ask() noexcept {
        static const AtThreadEnd once;
        return once.made_ && pthread_setspecific(once.key_, &once) == 0;
    }

private:
    AtThreadEnd() noexcept : made_(pthread_key_create(&key_, [](void*) { f(); }) == 0) {}

    pthread_key_t key_{};
    bool made_;
};

}  // namespace xtgrad
