#include "reduce.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "compensated.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Index block = 1024;                // elements of a line that one kernel joins
constexpr Index columns = 512;               // of a task
constexpr Index chunk = 1 << 15, most = 32;  // elements of a part of a long line; how many parts there may be
constexpr Index task_size = 1 << 13;         // elements, at least, when there are several tasks

/// The offset of element i of a space.
Index offset_of(const Space& space, const Index* stride, Index i) {
    Index offset = 0;
    for (int d = space.rank - 1; d >= 0; --d) {
        offset += i % space.shape[d] * stride[d];
        i /= space.shape[d];
    }
    return offset;
}

/// A space as rows along its last axis.
struct View {
    Space outer;
    Strided x;  // only its strides
    Index rows = 1, length = 1, step = 1, count;

    View(const Space& s, const Index* stride) : outer(s), count(s.count) {
        std::copy_n(stride, s.rank, x.stride);
        simplify(outer, {&x, 1});
        if (outer.rank == 0) {
            length = outer.count;
            return;
        }
        length = outer.shape[--outer.rank];
        step = x.stride[outer.rank];
        rows = length == 0 ? 0 : outer.count / length;
    }
    /// Where a row begins.
    Index row(Index i) const { return outer.rank == 0 ? 0 : offset_of(outer, x.stride, i); }
};

// What is done with lines and rows: `State` is a result on its way, `line` and `rows` add elements to one and to n of them,
// `merge` adds another part, `finish` writes output i. `whole`, where there is one, writes n outputs of up to row_block rows
// each.

/// One of the reductions.
template <class T>
struct Folding {
    static constexpr Index row_block = 256;
    static constexpr bool floating = std::is_floating_point_v<T>;

    Reduction kind;
    T* out;
    T (*line_of)(const T*, Index, Index) = fold_kernels<T>().line[int(kind)];
    void (*rows_of)(const T*, Index, Index, Index, T*) = fold_kernels<T>().rows[int(kind)];
    T identity = line_of(nullptr, 0, 1);

    struct Exact {
        T value = 0;
        T get() const { return value; }
    };
    using State = std::conditional_t<floating, Compensated, Exact>;

    State start() const {
        State s;
        s.value = identity;
        return s;
    }
    void join(State& s, decltype(State::value) x) const {
        using V = decltype(x);
        switch (kind) {
            case Reduction::sum:
            case Reduction::sum_squares:
                if constexpr (floating)
                    s.add(x);
                else
                    s.value = V(std::uint64_t(s.value) + std::uint64_t(x));
                return;
            case Reduction::product:
                if constexpr (floating)
                    s.value *= x;
                else
                    s.value = V(std::uint64_t(s.value) * std::uint64_t(x));
                return;
            case Reduction::max: s.value = s.value > x || s.value != s.value ? s.value : x; return;
            case Reduction::min: s.value = s.value < x || s.value != s.value ? s.value : x; return;
        }
    }
    void line(State& s, const T* x, Index n, Index step) const {
        for (Index i = 0; i < n; i += block) join(s, line_of(x + i * step, std::min(block, n - i), step));
    }
    void rows(State* s, const T* x, Index count, Index stride, Index n) const {
        T part[columns];
        rows_of(x, count, stride, n, part);
        for (Index j = 0; j < n; ++j) join(s[j], part[j]);
    }
    void whole_line(Index i, const T* x, Index n, Index step) const { out[i] = line_of(x, n, step); }
    void whole(Index first, const T* x, Index count, Index stride, Index n) const { rows_of(x, count, stride, n, out + first); }
    void merge(State& s, const State& part) const {
        join(s, part.value);
        if constexpr (floating) s.lost += part.lost;
    }
    void finish(Index i, const State& s) const { out[i] = static_cast<T>(s.get()); }
};

/// How many are true.
struct Counting {
    static constexpr Index row_block = 1 << 12;

    std::int64_t* out;

    using State = std::int64_t;

    State start() const { return 0; }
    void line(State& s, const bool* x, Index n, Index step) const {
        if (step != 1) {
            for (Index i = 0; i < n; ++i) s += x[i * step];
            return;
        }
        Index i = 0;
        for (Index words; (words = std::min<Index>(255, (n - i) / 8)) > 0;) {
            std::uint64_t bytes = 0;  // each counts up to 255
            for (; words > 0; --words, i += 8) {
                std::uint64_t eight;
                std::memcpy(&eight, x + i, 8);
                bytes += eight;
            }
            constexpr std::uint64_t even = 0x00ff00ff00ff00ff;
            s += State(((bytes & even) + (bytes >> 8 & even)) * 0x0001000100010001 >> 48);
        }
        for (; i < n; ++i) s += x[i];
    }
    void rows(State* s, const bool* x, Index count, Index stride, Index n) const {
        std::int32_t part[columns] = {};
        for (; count > 0; --count, x += stride)
            for (Index j = 0; j < n; ++j) part[j] += x[j];
        for (Index j = 0; j < n; ++j) s[j] += part[j];
    }
    void merge(State& s, const State& part) const { s += part; }
    void finish(Index i, const State& s) const { out[i] = s; }
};

/// The mean and the squares about it, in one walk: a block's sums are taken about the mean c of what came before it, or of
/// its own first quarter, and corrected for its own mean. So far c is from that, so much larger is the result: the correction
/// cancels a few of the last bits. Blocks are joined by (Chan, Golub, LeVeque, 1983)
/// n = a + b,  M = M_a + M_b + (mean_b - mean_a)^2 a b / n.
template <class T>
struct Moments {
    static constexpr Index row_block = 256;

    T *mean, *squares;
    const FoldKernels<T>& kernels = fold_kernels<T>();

    struct State {
        double mean = 0, squares = 0, count = 0;
    };

    /// How two counts weigh.
    struct Weights {
        double share, between;

        Weights(double a, double b) : share(b / (a + b)), between(a * share) {}
    };
    static void join(State& s, const Weights& w, double other_mean, double more_squares, double count) {
        const double d = other_mean - s.mean;
        s.mean += d * w.share;
        s.squares += more_squares + d * d * w.between;
        s.count += count;
    }
    /// `count` elements whose differences from c have these sums.
    static void join(State& s, const Weights& w, T c, T differences, T squares, double count, double inverse) {
        const double d = double(differences) * inverse, more = double(squares) - d * double(differences);
        join(s, w, double(c) + d, more < 0 ? 0 : more, count);  // NaN stays
    }

    State start() const { return {}; }
    void line(State& s, const T* x, Index n, Index step) const {
        for (Index i = 0, m; i < n; i += m) {
            m = std::min(block, n - i);
            const Index quarter = (m + 3) / 4;
            const T c = s.count > 0 ? static_cast<T>(s.mean)
                                    : kernels.line[int(Reduction::sum)](x + i * step, quarter, step) / T(quarter);
            T differences, more;
            kernels.moments_line(x + i * step, m, step, c, &differences, &more);
            join(s, Weights(s.count, double(m)), c, differences, more, double(m), 1 / double(m));
        }
    }
    void rows(State* s, const T* x, Index count, Index stride, Index n) const {
        T c[columns], differences[columns], more[columns];
        if (s[0].count > 0) {
            for (Index j = 0; j < n; ++j) c[j] = static_cast<T>(s[j].mean);
        } else {
            const Index quarter = (count + 3) / 4;
            kernels.rows[int(Reduction::sum)](x, quarter, stride, n, c);
            for (Index j = 0; j < n; ++j) c[j] /= T(quarter);
        }
        kernels.moments_rows(x, count, stride, n, c, differences, more);
        const double b = double(count), inverse = 1 / b;
        const Weights w(s[0].count, b);  // of all columns
        for (Index j = 0; j < n; ++j) join(s[j], w, c[j], differences[j], more[j], b, inverse);
    }
    void merge(State& s, const State& part) const {
        if (part.count > 0) join(s, Weights(s.count, part.count), part.mean, part.squares, part.count);
    }
    void finish(Index i, const State& s) const {
        mean[i] = s.count > 0 ? static_cast<T>(s.mean) : std::numeric_limits<T>::quiet_NaN();
        squares[i] = static_cast<T>(s.squares);
    }
};

/// The reduced elements of an output in parts: pieces of the runs along the last reduced axis, several to a part.
struct Parts {
    Index piece, pieces, units, group, count;

    Parts(const View& reduced, Index longest, Index unit_width, Index least, bool split)
        : piece(std::min(longest, std::max<Index>(1, reduced.length))),
          pieces((reduced.length + piece - 1) / piece),
          units(reduced.rows * pieces),
          group(std::max<Index>(1, units)),
          count(1) {
        if (!split || units <= 1) return;
        group = std::max({Index(1), least / (piece * unit_width), (units + most - 1) / most});
        count = (units + group - 1) / group;
    }
    /// f(offset, n) for each run of part p.
    void each(const View& reduced, Index p, auto f) const {
        for (Index u = p * group, end = std::min(units, u + group); u < end; ++u) {
            const Index first = u % pieces * piece;
            f(reduced.row(u / pieces) + first * reduced.step, std::min(piece, reduced.length - first));
        }
    }
};

/// f(begin, end) over [0, n) in parts; each of the n costs `work` elementary steps.
void for_parts(Index n, Index work, FunctionRef<void(Index, Index)> f) {
    if (n * work < parallel_threshold || n == 1) return f(0, n);
    const Index part = std::max<Index>(1, task_size / std::max<Index>(1, work));
    parallel_tasks((n + part - 1) / part, [&](Index t) { f(t * part, std::min(n, (t + 1) * part)); });
}
/// f(i) for i < n.
void for_tasks(Index n, Index work, FunctionRef<void(Index)> f) {
    for_parts(n, work, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) f(i);
    });
}

/// f(i, offset) for the kept elements [begin, end).
void for_kept(const View& kept, Index begin, Index end, auto f) {
    for (Index i = begin; i < end;) {
        const Index first = i % kept.length, n = std::min(end - i, kept.length - first);
        const Index offset = kept.row(i / kept.length) + first * kept.step;
        for (Index k = 0; k < n; ++k, ++i) f(i, offset + k * kept.step);
    }
}

/// Each output by itself: lines along the last reduced axis.
template <class P, class T>
void by_output(const P& policy, const View& kept, const View& reduced, const T* x) {
    const Parts parts(reduced, chunk, 1, chunk, kept.count < most && reduced.count > 2 * chunk);
    const auto part_of = [&](const T* from, Index p) {
        auto state = policy.start();
        parts.each(reduced, p, [&](Index offset, Index n) { policy.line(state, from + offset, n, reduced.step); });
        return state;
    };
    if (parts.count == 1) {
        const bool line = reduced.rows == 1;
        return for_parts(kept.count, reduced.count, [&](Index begin, Index end) {
            for_kept(kept, begin, end, [&](Index i, Index offset) {
                if (!line) return policy.finish(i, part_of(x + offset, 0));
                if constexpr (requires { &P::whole_line; })
                    if (reduced.length <= block) return policy.whole_line(i, x + offset, reduced.length, reduced.step);
                auto state = policy.start();
                policy.line(state, x + offset, reduced.length, reduced.step);
                policy.finish(i, state);
            });
        });
    }
    std::vector<typename P::State> states(std::size_t(kept.count * parts.count), policy.start());
    for_tasks(Index(states.size()), parts.piece * parts.group, [&](Index t) {
        const Index i = t / parts.count;
        for_kept(kept, i, i + 1, [&](Index, Index offset) { states[std::size_t(t)] = part_of(x + offset, t % parts.count); });
    });
    for (Index i = 0; i < kept.count; ++i) {
        auto* of = &states[std::size_t(i * parts.count)];
        for (Index p = 1; p < parts.count; ++p) policy.merge(of[0], of[p]);
        policy.finish(i, of[0]);
    }
}

/// Many neighbouring outputs at once: whole rows are joined.
template <class P, class T>
void by_rows(const P& policy, const View& kept, const View& reduced, const T* x) {
    const Index width = kept.length, across = (width + columns - 1) / columns, strips = kept.rows * across;
    const Parts parts(reduced, P::row_block, std::min(width, columns), 8 * chunk, strips < most);
    const auto from_of = [&](Index strip) { return x + kept.row(strip / across) + strip % across * columns; };
    const auto run = [&](Index strip, Index p, typename P::State* states) {
        const Index n = std::min(columns, width - strip % across * columns);
        const T* from = from_of(strip);
        std::fill_n(states, n, policy.start());
        parts.each(reduced, p, [&](Index offset, Index count) { policy.rows(states, from + offset, count, reduced.step, n); });
        return n;
    };
    const auto finish = [&](Index strip, const typename P::State* states, Index n) {
        const Index first = strip / across * width + strip % across * columns;
        for (Index j = 0; j < n; ++j) policy.finish(first + j, states[j]);
    };
    const Index work = std::min(width, columns) * std::max<Index>(1, reduced.count / parts.count);
    if constexpr (requires { &P::whole; })
        if (reduced.rows == 1 && reduced.count <= P::row_block)
            return for_tasks(strips, work, [&](Index strip) {
                const Index first = strip % across * columns;
                policy.whole(strip / across * width + first, from_of(strip), reduced.count, reduced.step,
                             std::min(columns, width - first));
            });
    if (parts.count == 1) {
        for_tasks(strips, work, [&](Index strip) {
            typename P::State states[columns];
            finish(strip, states, run(strip, 0, states));
        });
        return;
    }
    std::vector<typename P::State> all(std::size_t(strips * parts.count * columns));
    const auto of = [&](Index strip, Index p) { return &all[std::size_t((strip * parts.count + p) * columns)]; };
    for_tasks(strips * parts.count, work,
              [&](Index t) { run(t / parts.count, t % parts.count, of(t / parts.count, t % parts.count)); });
    for_tasks(strips, columns * parts.count, [&](Index strip) {
        const Index n = std::min(columns, width - strip % across * columns);
        for (Index p = 1; p < parts.count; ++p)
            for (Index j = 0; j < n; ++j) policy.merge(of(strip, 0)[j], of(strip, p)[j]);
        finish(strip, of(strip, 0), n);
    });
}

/// Is it better to take whole rows?
bool has_neighbours(const View& kept, const View& reduced) { return kept.step == 1 && kept.length >= 8 && reduced.step != 1; }

template <class P, class T>
void reduce_with(const P& policy, const Reducible<T>& r) {
    if (r.kept.count == 0) return;
    const View kept(r.kept, r.kept_stride), reduced(r.reduced, r.reduced_stride);
    if (has_neighbours(kept, reduced))
        by_rows(policy, kept, reduced, r.x);
    else
        by_output(policy, kept, reduced, r.x);
}

/// Does a come before b, the best so far?
template <class T>
bool beats(bool largest, T a, T b) {
    return !(largest ? a <= b : a >= b) && b == b;
}

/// The first best among n elements: its block by the blocks' extrema, then its place.
template <class T>
Index best_of_line(bool largest, const T* x, Index n, Index step) {
    const auto fold = fold_kernels<T>().line[int(largest ? Reduction::max : Reduction::min)];
    T best = fold(x, std::min(block, n), step);
    Index at = 0;
    for (Index i = block; i < n; i += block)
        if (const T here = fold(x + i * step, std::min(block, n - i), step); beats(largest, here, best)) best = here, at = i;
    if (step == 1) return at + fold_kernels<T>().find(x + at, n - at, best);
    while (x[at * step] != best && !(best != best && x[at * step] != x[at * step])) ++at;
    return at;
}

template <class T>
void arg_by_rows(bool largest, const View& kept, const View& reduced, const T* x, std::int64_t* out) {
    constexpr Index rows = 1024;
    const auto& kernels = fold_kernels<T>();
    const auto run = largest ? kernels.argmax_rows : kernels.argmin_rows;
    const Index width = kept.length, across = (width + columns - 1) / columns;
    for_tasks(kept.rows * across, std::min(width, columns) * reduced.count, [&](Index strip) {
        const Index first = strip % across * columns, n = std::min(columns, width - first);
        const T* from = x + kept.row(strip / across) + first;
        std::int64_t* to = out + strip / across * width + first;
        T best[columns], here[columns];
        Position<T> at[columns];
        for (Index r = 0; r < reduced.length; r += rows) {
            run(from + r * reduced.step, std::min(rows, reduced.length - r), reduced.step, n, here, at);
            for (Index j = 0; j < n; ++j)
                if (r == 0 || beats(largest, here[j], best[j])) best[j] = here[j], to[j] = r + at[j];
        }
    });
}

template <class T>
void arg_by_output(bool largest, const View& kept, const View& reduced, const T* x, std::int64_t* out) {
    const Index n = reduced.length, step = reduced.step;
    if (kept.count >= most || n <= 2 * chunk)
        return for_parts(kept.count, n, [&](Index begin, Index end) {
            for_kept(kept, begin, end, [&](Index i, Index offset) { out[i] = best_of_line(largest, x + offset, n, step); });
        });
    const Index parts = (n + chunk - 1) / chunk;
    std::vector<Index> best(static_cast<std::size_t>(parts));
    for_kept(kept, 0, kept.count, [&](Index i, Index offset) {
        const T* p = x + offset;
        parallel_tasks(parts, [&](Index t) {
            const Index first = t * chunk;
            best[std::size_t(t)] = first + best_of_line(largest, p + first * step, std::min(chunk, n - first), step);
        });
        out[i] = best[0];
        for (const Index at : best)
            if (beats(largest, p[at * step], p[out[i] * step])) out[i] = at;
    });
}

}  // namespace

template <class T>
void reduce(Reduction kind, const Reducible<T>& r, T* out) {
    reduce_with(Folding<T>{kind, out}, r);
}

void count(const Reducible<bool>& r, std::int64_t* out) { reduce_with(Counting{out}, r); }

template <class T>
void moments(const Reducible<T>& r, T* mean, T* squares) {
    reduce_with(Moments<T>{mean, squares}, r);
}

template <class T>
void centered(const Space& full, const Index* stride, const T* x, const T* mean, const T* g, T* out) {
    if (full.count == 0) return;
    Space space = full;
    Strided operands[2];
    Index dense = 1;
    for (int d = full.rank - 1; d >= 0; dense *= full.shape[d--])
        operands[0].stride[d] = stride[d], operands[1].stride[d] = dense;
    simplify(space, operands);
    const auto& kernels = fold_kernels<T>();
    const Index* of = operands[0].stride;
    const Index n = space.rank == 0 ? 1 : space.shape[space.rank - 1];
    const bool same = space.rank == 0 || of[space.rank - 1] == 0;
    Space outer = space;
    outer.rank = std::max(0, space.rank - 1);
    const Index most_columns = 4 * columns, across = (n + most_columns - 1) / most_columns;
    for_tasks(space.count / n * across, std::min(n, most_columns), [&](Index t) {
        const Index row = t / across, first = t % across * most_columns, width = std::min(most_columns, n - first);
        const Index at = offset_of(outer, of, row) + (same ? 0 : first), to = row * n + first;
        if (same)
            kernels.centered_line(width, x + to, mean[at], g[at], out + to);
        else
            kernels.centered(width, x + to, mean + at, g + at, out + to);
    });
}

template <class T>
void arg_extremum(bool largest, const Reducible<T>& r, std::int64_t* out) {
    if (r.kept.count == 0) return;
    const View kept(r.kept, r.kept_stride), reduced(r.reduced, r.reduced_stride);
    if (has_neighbours(kept, reduced))
        arg_by_rows(largest, kept, reduced, r.x, out);
    else
        arg_by_output(largest, kept, reduced, r.x, out);
}

#define XG_REDUCE(T)                                          \
    template void reduce(Reduction, const Reducible<T>&, T*); \
    template void arg_extremum(bool, const Reducible<T>&, std::int64_t*);
XG_REDUCE(float)
XG_REDUCE(double)
XG_REDUCE(std::int64_t)
XG_REDUCE(bool)
#undef XG_REDUCE
template void moments(const Reducible<float>&, float*, float*);
template void moments(const Reducible<double>&, double*, double*);
template void centered(const Space&, const Index*, const float*, const float*, const float*, float*);
template void centered(const Space&, const Index*, const double*, const double*, const double*, double*);

}  // namespace xtgrad::kernels
