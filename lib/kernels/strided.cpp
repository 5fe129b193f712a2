#include "strided.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "elementwise_table.hpp"
#include "matrix.hpp"
#include "moving.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Index block = 512;
constexpr int most_operands = 4;

/// Where element `first` of the space lies: its index along each axis, and its offset in an operand.
struct Position {
    Index at[max_dims];
    Index offset = 0;

    Position(const Space& space, const Index* stride, Index first) {
        for (int d = space.rank - 1; d >= 0; --d) {
            at[d] = first % space.shape[d];
            first /= space.shape[d];
            offset += at[d] * stride[d];
        }
    }
    /// To the beginning of the next row.
    void next_row(const Space& space, const Index* stride) {
        int d = space.rank - 1;
        offset -= at[d] * stride[d];
        at[d] = 0;
        while (--d >= 0) {
            offset += stride[d];
            if (++at[d] < space.shape[d]) return;
            offset -= at[d] * stride[d];
            at[d] = 0;
        }
    }
};

/// Calls f(offset, done, run) for each run along the last axis within elements [first, first + n).
void for_runs(const Space& space, const Index* stride, Index first, Index n, auto f) {
    Position p(space, stride, first);
    const int last = space.rank - 1;
    for (Index done = 0; done < n;) {
        const Index run = std::min(n - done, space.shape[last] - p.at[last]);
        f(p.offset, done, run);
        done += run;
        p.next_row(space, stride);
    }
}

template <class T>
void gather(const Strided& from, const Space& space, Index first, Index n, T* to) {
    const T* data = reinterpret_cast<const T*>(from.data);
    if (space.rank == 0) {
        std::fill_n(to, n, *data);
        return;
    }
    const Index step = from.stride[space.rank - 1];
    for_runs(space, from.stride, first, n, [&](Index offset, Index done, Index run) {
        const T* p = data + offset;
        T* q = to + done;
        if (step == 1)
            std::copy_n(p, run, q);
        else if (step == 0)
            std::fill_n(q, run, *p);
        else
            for (Index i = 0; i < run; ++i) q[i] = p[i * step];
    });
}

bool is_constant(const Strided& s, const Space& space) {
    return std::all_of(s.stride, s.stride + space.rank, [](Index step) { return step == 0; });
}

/// Transposes tiles of the last two axes when the source is contiguous along the last but one. By way of a buffer: rows whose
/// distance is a power of two push each other out of the cache.
template <class T>
void copy_transposed(const Space& space, const Strided& from, T* to) {
    using Float = std::conditional_t<sizeof(T) == 4, float, double>;  // of the same size: its bits are only moved
    constexpr Index tile = 256 / std::max<Index>(sizeof(T), 4);       // 4 cache lines
    const int rank = space.rank;
    const Index rows = space.shape[rank - 2], columns = space.shape[rank - 1], step = from.stride[rank - 1];
    const Index tiles = (rows + tile - 1) / tile;
    Space outer = space;
    outer.rank -= 2;
    const Index planes = space.count / (rows * columns);
    const auto strip = [&](Index i) {
        const Index which = i / tiles, row = i % tiles * tile, height = std::min(rows - row, tile);
        const T* p = reinterpret_cast<const T*>(from.data) + Position(outer, from.stride, which).offset + row;
        T* q = to + (which * rows + row) * columns;
        alignas(64) T buffer[tile * tile];
        const Writer writer(space.count * Index(sizeof(T)));
        for (Index c = 0; c < columns; c += tile) {
            const Index width = std::min(columns - c, tile);
            if constexpr (sizeof(T) >= 4)
                matrix_kernels<Float>().transpose(width, height, reinterpret_cast<const Float*>(p + c * step), step,
                                                  reinterpret_cast<Float*>(buffer), tile);
            else
                for (Index r = 0; r < height; ++r)
                    for (Index k = 0; k < width; ++k) buffer[r * tile + k] = p[r + (c + k) * step];
            for (Index r = 0; r < height; ++r) writer.copy(q + r * columns + c, buffer + r * tile, width * Index(sizeof(T)));
        }
    };
    if (space.count < parallel_threshold)
        for (Index i = 0; i < planes * tiles; ++i) strip(i);
    else
        parallel_tasks(planes * tiles, strip);
}

/// An operand's blocks: in place where they are contiguous, else in a buffer.
class Blocks {
public:
    Blocks(const Strided& s, const Space& space) : s_(s), space_(space), constant_(is_constant(s, space)) {
        if (constant_ && s.data && !s.dense) fill(0, block);
    }

    /// Elements [first, first + n); `in_row`: they lie in one row of the space.
    const void* at(Index first, Index n, bool in_row) {
        if (!s_.data) return nullptr;
        if (s_.dense) return s_.data + first * s_.item;
        if (constant_) return buffer_;
        const Index step = s_.stride[space_.rank - 1];
        if (in_row && step <= 1 && step >= 0) {
            const Index offset = Position(space_, s_.stride, first).offset;
            if (step == 1) return s_.data + offset * s_.item;
            if (offset != filled_) fill(offset, n);
            return buffer_;
        }
        with_item(s_.item, [&](auto z) {
            using T = decltype(z);
            T* to = reinterpret_cast<T*>(buffer_);
            gather(s_, space_, first, n, to);
            std::fill_n(to + n, lanes, to[n - 1]);
        });
        return buffer_;
    }

private:
    /// With one element.
    void fill(Index offset, Index n) {
        filled_ = n == block ? std::optional(offset) : std::nullopt;
        with_item(s_.item, [&](auto z) {
            using T = decltype(z);
            std::fill_n(reinterpret_cast<T*>(buffer_), n + lanes, reinterpret_cast<const T*>(s_.data)[offset]);
        });
    }

    const Strided& s_;
    const Space& space_;
    bool constant_;
    std::optional<Index> filled_;  // where the element lies that the whole buffer holds; left of the first in a flipped view
    alignas(64) std::byte buffer_[(block + lanes) * 8];
};

}  // namespace

void simplify(Space& space, std::span<Strided> operands) {
    int rank = 0;
    for (int d = 0; d < space.rank; ++d) {
        if (space.shape[d] == 1) continue;
        const bool join = rank > 0 && std::all_of(operands.begin(), operands.end(), [&](const Strided& s) {
                              return s.stride[rank - 1] == s.stride[d] * space.shape[d];
                          });
        if (join)
            space.shape[rank - 1] *= space.shape[d];
        else
            space.shape[rank++] = space.shape[d];
        for (Strided& s : operands) s.stride[rank - 1] = s.stride[d];
    }
    space.rank = rank;
    for (Strided& s : operands)
        if (space.rank == 1) s.dense = s.dense || s.stride[0] == 1;
}

void for_blocks(Space space, std::span<Strided> operands, FunctionRef<void(Index, Index, const void* const*)> f) {
    if (space.count == 0) return;
    simplify(space, operands);
    const bool all_dense = std::all_of(operands.begin(), operands.end(), [](const Strided& s) { return !s.data || s.dense; });
    // Blocks within rows, so that a repeated row stays where it is; but not where a block would end between lanes.
    const Index row = space.rank > 0 ? space.shape[space.rank - 1] : 1;
    const bool by_rows = !all_dense && row >= block / 4 && row % lanes == 0;
    static constexpr Strided none;
    const auto operand = [&](std::size_t k) -> const Strided& { return k < operands.size() ? operands[k] : none; };
    const auto range = [&](Index begin, Index end) {
        static_assert(most_operands == 4);
        Blocks blocks[]{{operand(0), space}, {operand(1), space}, {operand(2), space}, {operand(3), space}};
        for (Index first = begin, n; first < end; first += n) {
            n = all_dense ? end - first : std::min(end - first, block);
            if (by_rows) n = std::min(n, row - first % row);
            const void* p[most_operands];
            for (int k = 0; k < most_operands; ++k) p[k] = blocks[k].at(first, n, by_rows);
            f(first, n, p);
        }
    };
    parallel_ranges(space.count, block * 8, range);
}

void copy(const Space& full, const Strided& source, void* to) {
    if (full.count == 0) return;
    Space space = full;
    Strided from = source;
    simplify(space, {&from, 1});
    with_item(from.item, [&](auto z) {
        using T = decltype(z);
        const int rank = space.rank;
        if (rank >= 2 && from.stride[rank - 2] == 1 && from.stride[rank - 1] != 0)
            copy_transposed(space, from, static_cast<T*>(to));
        else
            parallel_ranges(space.count, block * 8, [&](Index begin, Index end) {
                gather(from, space, begin, end - begin, static_cast<T*>(to) + begin);
            });
    });
}

namespace {

/// put(q, p, n, step): n elements at p for those `step` apart at q.
template <class T>
void scatter_runs(const Space& space, const T* from, T* to, const Index* stride, auto put) {
    if (space.count == 0) return;
    if (space.rank == 0) return put(to, from, Index(1), Index(1));
    for_runs(space, stride, 0, space.count,
             [&](Index offset, Index done, Index run) { put(to + offset, from + done, run, stride[space.rank - 1]); });
}

}  // namespace

void scatter(const Space& space, const void* from, std::byte* to, const Index* stride, int item) {
    with_item(item, [&](auto z) {
        using T = decltype(z);
        const auto put = [](T* q, const T* p, Index n, Index step) {
            if (step == 1)
                std::copy_n(p, n, q);
            else
                for (Index i = 0; i < n; ++i) q[i * step] = p[i];
        };
        scatter_runs(space, static_cast<const T*>(from), reinterpret_cast<T*>(to), stride, put);
    });
}

template <class T>
void scatter_add(const Space& space, const T* from, T* to, const Index* stride) {
    scatter_runs(space, from, to, stride, [](T* q, const T* p, Index n, Index step) {
        if (step == 1)
            for (Index i = 0; i < n; ++i) q[i] += p[i];
        else
            for (Index i = 0; i < n; ++i) q[i * step] += p[i];
    });
}
template void scatter_add(const Space&, const float*, float*, const Index*);
template void scatter_add(const Space&, const double*, double*, const Index*);

}  // namespace xtgrad::kernels
