#include "convolution.hpp"

#include "gemm.hpp"

namespace xtgrad::kernels {
namespace {

/// The places [begin, end) of an axis whose windows have their k-th element inside [0, extent).
struct Inside {
    Index begin, end;

    Inside(Index k, Index extent, Index out, Index stride, Index padding, Index dilation) {
        const Index first = padding - k * dilation;  // i stride >= first
        begin = std::clamp<Index>(first > 0 ? (first + stride - 1) / stride : 0, 0, out);
        const Index last = extent - 1 + first;  // i stride <= last
        end = std::clamp<Index>(last < 0 ? 0 : last / stride + 1, begin, out);
    }
};

Inside rows_inside(const Window& w, Index k) { return {k, w.height, w.out_height, w.stride[0], w.padding[0], w.dilation[0]}; }
Inside columns_inside(const Window& w, Index l) { return {l, w.width, w.out_width, w.stride[1], w.padding[1], w.dilation[1]}; }
/// The element (k, l) of the window at (i, 0), which may lie outside.
Index corner(const Window& w, Index i, Index k, Index l) {
    return (i * w.stride[0] + k * w.dilation[0] - w.padding[0]) * w.width + l * w.dilation[1] - w.padding[1];
}

/// patches[c, k, l][place] = x[c] where the window at that place has its element (k, l), 0 outside.
template <class T>
void gather(const Convolution& c, const T* x, T* patches) {
    const Window& w = c.window;
    for (Index channel = 0; channel < c.channels; ++channel, x += w.plane())
        for (Index k = 0; k < w.rows; ++k)
            for (Index l = 0; l < w.columns; ++l, patches += w.places()) {
                const Inside down = rows_inside(w, k), across = columns_inside(w, l);
                std::fill_n(patches, down.begin * w.out_width, T(0));
                for (Index i = down.begin; i < down.end; ++i) {
                    const T* from = x + corner(w, i, k, l);
                    T* to = patches + i * w.out_width;
                    std::fill_n(to, across.begin, T(0));
                    if (w.stride[1] == 1)
                        std::copy(from + across.begin, from + across.end, to + across.begin);
                    else
                        for (Index j = across.begin; j < across.end; ++j) to[j] = from[j * w.stride[1]];
                    std::fill(to + across.end, to + w.out_width, T(0));
                }
                std::fill_n(patches + down.end * w.out_width, (w.out_height - down.end) * w.out_width, T(0));
            }
}

/// The adjoint of gather.
template <class T>
void scatter(const Convolution& c, const T* patches, T* x) {
    const Window& w = c.window;
    std::fill_n(x, c.channels * w.plane(), T(0));
    for (Index channel = 0; channel < c.channels; ++channel, x += w.plane())
        for (Index k = 0; k < w.rows; ++k)
            for (Index l = 0; l < w.columns; ++l, patches += w.places()) {
                const Inside down = rows_inside(w, k), across = columns_inside(w, l);
                for (Index i = down.begin; i < down.end; ++i) {
                    const T* from = patches + i * w.out_width;
                    T* to = x + corner(w, i, k, l);
                    if (w.stride[1] == 1)
                        for (Index j = across.begin; j < across.end; ++j) to[j] += from[j];
                    else
                        for (Index j = across.begin; j < across.end; ++j) to[j * w.stride[1]] += from[j];
                }
            }
}

/// Is a patch one element, and every element one?
bool is_plain(const Window& w) {
    return w.rows * w.columns == 1 && w.stride[0] * w.stride[1] == 1 && w.padding[0] + w.padding[1] == 0;
}

template <class T>
void multiply(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c) {
    gemm<T>(1, m, n, k, [&](Index) { return Product<T>{a, b, c}; });
}

/// f(part, group, at) for each group of the images of each part in order; `at` counts the groups of all images.
void for_groups(const Convolution& c, FunctionRef<void(Index, Index, Index)> f) {
    const Index parts = c.parts();
    parallel_tasks(parts, [&](Index part) {
        for (Index i = c.images * part / parts, end = c.images * (part + 1) / parts; i < end; ++i)
            for (Index g = 0; g < c.groups; ++g) f(part, g, i * c.groups + g);
    });
}

/// The patches of group `at` of x, perhaps in the part's memory.
template <class T>
const T* patches_of(const Convolution& c, const T* x, Index part, Index at, T* scratch) {
    x += at * c.channels * c.window.plane();
    if (is_plain(c.window)) return x;
    T* const own = scratch + part * c.patches();
    gather(c, x, own);
    return own;
}

}  // namespace

template <class T>
void convolve(const Convolution& c, const T* x, const T* w, const T* bias, T* y, T* scratch) {
    const Index patch = c.patch(), places = c.window.places();
    for_groups(c, [&](Index part, Index g, Index at) {
        const T* const from = patches_of(c, x, part, at, scratch);
        T* const to = y + at * c.filters * places;
        multiply<T>(c.filters, places, patch, {w + g * c.filters * patch, patch, 1}, {from, places, 1}, to);
        if (!bias) return;
        for (Index f = 0; f < c.filters; ++f)
            for (Index i = 0; i < places; ++i) to[f * places + i] += bias[g * c.filters + f];
    });
}

template <class T>
void convolve_back(const Convolution& c, const T* y, const T* w, T* x, T* scratch) {
    const Index patch = c.patch(), places = c.window.places();
    const bool plain = is_plain(c.window);
    for_groups(c, [&](Index part, Index g, Index at) {
        T* const own = x + at * c.channels * c.window.plane();
        T* const to = plain ? own : scratch + part * c.patches();
        multiply<T>(patch, places, c.filters, {w + g * c.filters * patch, 1, patch}, {y + at * c.filters * places, places, 1},
                    to);
        if (!plain) scatter(c, to, own);
    });
}

template <class T>
void convolve_weights(const Convolution& c, const T* x, const T* y, T* w, T* scratch, T* sums) {
    const Index patch = c.patch(), places = c.window.places(), size = c.filters * patch, parts = c.parts();
    std::fill_n(sums, parts * c.groups * size, T(0));
    T* const products = sums + parts * c.groups * size;
    for_groups(c, [&](Index part, Index g, Index at) {
        const T* const from = patches_of(c, x, part, at, scratch);
        T* const product = products + part * size;
        multiply<T>(c.filters, patch, places, {y + at * c.filters * places, places, 1}, {from, 1, places}, product);
        T* __restrict sum = sums + (part * c.groups + g) * size;
        for (Index i = 0; i < size; ++i) sum[i] += product[i];
    });
    std::copy_n(sums, c.groups * size, w);
    for (Index part = 1; part < parts; ++part)
        for (Index i = 0; i < c.groups * size; ++i) w[i] += sums[part * c.groups * size + i];
}

namespace {

/// f(plane) for each, in parts of about the same work.
void for_planes(Index planes, const Window& w, FunctionRef<void(Index)> f) {
    const double work =
        double(w.plane()) + double(w.places()) * double(std::min(w.rows, w.height) * std::min(w.columns, w.width));
    if (double(planes) * work < parallel_threshold) {
        for (Index p = 0; p < planes; ++p) f(p);
        return;
    }
    const Index some = std::max<Index>(1, Index((1 << 14) / work));
    parallel_tasks((planes + some - 1) / some, [&](Index t) {
        for (Index p = t * some, end = std::min(planes, p + some); p < end; ++p) f(p);
    });
}

/// The part of a window along one axis that lies inside: [begin, end).
struct Cut {
    Index begin, end;

    Cut(const Window& w, int axis, Index place)
        : begin(place * w.stride[axis] - w.padding[axis]), end(begin + (axis ? w.columns : w.rows)) {
        begin = std::max<Index>(begin, 0);
        end = std::min(end, axis ? w.width : w.height);
    }
};

/// f(place, rows, columns) for each window of a plane.
void for_windows(const Window& w, auto f) {
    for (Index i = 0; i < w.out_height; ++i) {
        const Cut rows(w, 0, i);
        for (Index j = 0; j < w.out_width; ++j) f(i * w.out_width + j, rows, Cut(w, 1, j));
    }
}

}  // namespace

template <class T>
void largest_places(Index planes, const Window& w, const T* x, std::int64_t* places) {
    for_planes(planes, w, [&](Index plane) {
        const T* const from = x + plane * w.plane();
        std::int64_t* const to = places + plane * w.places();
        for_windows(w, [&](Index place, Cut rows, Cut columns) {
            Index best = rows.begin * w.width + columns.begin;
            T most = from[best];
            for (Index r = rows.begin; r < rows.end; ++r)
                for (Index at = r * w.width + columns.begin, end = r * w.width + columns.end; at < end; ++at)
                    if (!(from[at] <= most) && most == most) most = from[best = at];
            to[place] = best;
        });
    });
}

template <class T>
void pool_sum(Index planes, const Window& w, T factor, const T* x, T* y) {
    for_planes(planes, w, [&](Index plane) {
        const T* const from = x + plane * w.plane();
        T* const to = y + plane * w.places();
        for_windows(w, [&](Index place, Cut rows, Cut columns) {
            double sum = 0;
            for (Index r = rows.begin; r < rows.end; ++r)
                for (Index k = columns.begin; k < columns.end; ++k) sum += from[r * w.width + k];
            to[place] = T(double(factor) * sum);
        });
    });
}

template <class T>
void pool_sum_back(Index planes, const Window& w, T factor, const T* y, T* x) {
    for_planes(planes, w, [&](Index plane) {
        const T* const from = y + plane * w.places();
        T* const to = x + plane * w.plane();
        std::fill_n(to, w.plane(), T(0));
        for_windows(w, [&](Index place, Cut rows, Cut columns) {
            const T share = factor * from[place];
            for (Index r = rows.begin; r < rows.end; ++r)
                for (Index k = columns.begin; k < columns.end; ++k) to[r * w.width + k] += share;
        });
    });
}

template void convolve(const Convolution&, const float*, const float*, const float*, float*, float*);
template void convolve_back(const Convolution&, const float*, const float*, float*, float*);
template void convolve_weights(const Convolution&, const float*, const float*, float*, float*, float*);
template void largest_places(Index, const Window&, const float*, std::int64_t*);
template void pool_sum(Index, const Window&, float, const float*, float*);
template void pool_sum_back(Index, const Window&, float, const float*, float*);
template void convolve(const Convolution&, const double*, const double*, const double*, double*, double*);
template void convolve_back(const Convolution&, const double*, const double*, double*, double*);
template void convolve_weights(const Convolution&, const double*, const double*, double*, double*, double*);
template void largest_places(Index, const Window&, const double*, std::int64_t*);
template void pool_sum(Index, const Window&, double, const double*, double*);
template void pool_sum_back(Index, const Window&, double, const double*, double*);

}  // namespace xtgrad::kernels
