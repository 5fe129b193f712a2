#include "rotary.hpp"

namespace xtgrad::kernels {

template <class T>
void rotate(Index batch, Index rows, Index heads, Index half, const T* cosine, const T* sine, const T* x, T* out) {
    const Index width = heads * 2 * half;
    const auto some_rows = [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const T* __restrict c = cosine + r % rows * half;
            const T* __restrict s = sine + r % rows * half;
            const T* from = x + r * width;
            T* to = out + r * width;
            for (Index h = 0; h < heads; ++h, from += 2 * half, to += 2 * half)
                for (Index i = 0; i < half; ++i) {
                    const T a = from[i], b = from[i + half];
                    to[i] = a * c[i] - b * s[i];
                    to[i + half] = b * c[i] + a * s[i];
                }
        }
    };
    const Index n = batch * rows, some = std::max<Index>(1, (1 << 13) / std::max<Index>(1, width));
    if (n * width < parallel_threshold) return some_rows(0, n);
    parallel_tasks((n + some - 1) / some, [&](Index i) { some_rows(i * some, std::min(n, (i + 1) * some)); });
}

template void rotate(Index, Index, Index, Index, const float*, const float*, const float*, float*);
template void rotate(Index, Index, Index, Index, const double*, const double*, const double*, double*);

}  // namespace xtgrad::kernels
