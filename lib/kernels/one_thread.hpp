// BLAS and LAPACK on one thread: they split work as they like, and the bits follow.
#pragma once
#include <dlfcn.h>

// OpenBLAS's own; absent in other libraries.
extern "C" [[gnu::weak]] int openblas_get_parallel();
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);

namespace xtgrad::kernels {

/// While one lives, BLAS and LAPACK calls of this thread use one thread.
class OneThread {
public:
    OneThread() noexcept {
        // An OpenBLAS with threads of its own has one number for the whole process, which we set for good.
        static const bool own_threads = openblas_get_parallel && openblas_get_parallel() == 1;
        static const bool quiet = own_threads && (openblas_set_num_threads(1), true);
        static_cast<void>(quiet);
        if (openmp.get) before_ = openmp.get();
        if (before_ != 1) openmp.set(1);
    }
    ~OneThread() {
        if (before_ != 1) openmp.set(before_);
    }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    /// OpenMP's numbers of threads, which are each thread's own; null when the BLAS brought no OpenMP.
    struct OpenMp {
        int (*get)();
        void (*set)(int);

        OpenMp() noexcept
            : get(reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"))),
              set(reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) {}
    };
    static inline const OpenMp openmp;

    int before_ = 1;
};

}  // namespace xtgrad::kernels
