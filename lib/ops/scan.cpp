// Running sums and products. The derivatives of products, of any order, are linear recurrences and divide by nothing.
#include <xtgrad/ops/scan.hpp>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../kernels/scan.hpp"
#include "../tape/algebra.hpp"
#include "lines.hpp"
#include "reduced.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// The axis along which a scan goes, and whether it begins at the end.
struct Direction {
    Index axis;
    bool reverse = false;

    explicit Direction(Index a, bool r = false) : axis(a), reverse(r) {}
    explicit Direction(const Attr& attr) : axis(attr.i), reverse(attr.j != 0) {}
    Attr attr() const {
        Attr a;
        a.i = axis;
        a.j = reverse;
        return a;
    }
    Direction reversed() const { return Direction(axis, !reverse); }
};

/// out = kernel(operands), all of x's shape.
template <class... X>
Tensor scanned(const Direction& d, auto kernel, const Tensor& x, const X&... more) {
    Tensor out = allocate_like(x);
    const kernels::Lines lines = lines_of(x.shape(), d.axis);
    kernel(lines, d.reverse, out, contiguous(x), contiguous(more)...);
    return out;
}
void with_number(Dtype d, auto f) { d == Dtype::i64 ? f(std::int64_t{}) : with_floating(d, f); }

/// x one step further along the scan: y_i = x_(i-1), and `first` comes in.
Tensor delayed(const Tensor& x, const Direction& d, double first) {
    Shape edge = x.shape();
    Index& extent = edge[std::size_t(d.axis)];
    if (extent == 0) return x;
    std::vector<Slice> slices(std::size_t(d.axis), Slice::all());
    slices.push_back(d.reverse ? Slice::range(1, extent) : Slice::range(0, extent - 1));
    extent = 1;
    const Tensor border = broadcast_to(scalar(first, x.dtype()), edge), rest = sliced(x, slices);
    return concatenate(d.reverse ? std::array{rest, border} : std::array{border, rest}, d.axis);
}

// ---- y_i = x_0 + ... + x_i: linear;  x' = g summed from the end

Tensor running_sum(const Tensor& x, const Direction& d);

void cumsum_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = running_sum(g, Direction(n.attr).reversed());
}
Tensor cumsum_jvp(const Node& n, const Tensor* tangents) { return running_sum(tangents[0], Direction(n.attr)); }
constexpr Op cumsum_op{"cumsum", cumsum_vjp, cumsum_jvp};

Tensor running_sum(const Tensor& x, const Direction& d) {
    Tensor out = scanned(
        d,
        [](const kernels::Lines& lines, bool reverse, const Tensor& y, const Tensor& in) {
            with_number(in.dtype(), [&](auto z) {
                using T = decltype(z);
                kernels::cumsum(lines, reverse, mutable_data<T>(in), mutable_data<T>(y));
            });
        },
        x);
    if (recording() && is_floating(x.dtype())) record(cumsum_op, out, x, {}, d.attr());
    return out;
}

// ---- y_i = a_i y_(i-1) + b_i;  b' = t with t_i = g_i + a_(i+1) t_(i+1),  a'_i = t_i y_(i-1);
//      y._i = a_i y._(i-1) + (a._i y_(i-1) + b._i)

Tensor recurrence(const Tensor& a, const Tensor& b, const Direction& d);

void recurrence_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Direction d(n.attr), back = d.reversed();
    const Tensor t = recurrence(delayed(n.in[0], back, 0), g, back);
    if (need & 1) cotangents[0] = t * delayed(n.out, d, 0);
    if (need & 2) cotangents[1] = t;
}
Tensor recurrence_jvp(const Node& n, const Tensor* tangents) {
    const Direction d(n.attr);
    Tensor in;
    if (tangents[0].defined()) in = tangents[0] * delayed(n.out, d, 0);
    if (tangents[1].defined()) accumulate(in, Tensor(tangents[1]));
    return recurrence(n.in[0], in, d);
}
constexpr Op recurrence_op{"recurrence", recurrence_vjp, recurrence_jvp};

Tensor recurrence(const Tensor& a, const Tensor& b, const Direction& d) {
    Tensor out = scanned(
        d,
        [](const kernels::Lines& lines, bool reverse, const Tensor& y, const Tensor& p, const Tensor& q) {
            with_floating(p.dtype(), [&](auto z) {
                using T = decltype(z);
                kernels::recurrence(lines, reverse, mutable_data<T>(p), mutable_data<T>(q), mutable_data<T>(y));
            });
        },
        a, b);
    if (recording()) record(recurrence_op, out, a, b, {.in0 = a, .out = out}, d.attr());
    return out;
}

// ---- y_i = x_i y_(i-1), from 1: as the recurrence

void cumprod_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Direction d(n.attr), back = d.reversed();
    cotangents[0] = recurrence(delayed(n.in[0], back, 0), g, back) * delayed(n.out, d, 1);
}
Tensor cumprod_jvp(const Node& n, const Tensor* tangents) {
    const Direction d(n.attr);
    return recurrence(n.in[0], tangents[0] * delayed(n.out, d, 1), d);
}
constexpr Op cumprod_op{"cumprod", cumprod_vjp, cumprod_jvp};

Tensor running_product(const Tensor& x, const Direction& d) {
    Tensor out = scanned(
        d,
        [](const kernels::Lines& lines, bool reverse, const Tensor& y, const Tensor& in) {
            with_number(in.dtype(), [&](auto z) {
                using T = decltype(z);
                kernels::cumprod(lines, reverse, mutable_data<T>(in), mutable_data<T>(y));
            });
        },
        x);
    if (recording() && is_floating(x.dtype())) record(cumprod_op, out, x, {.in0 = x, .out = out}, d.attr());
    return out;
}

/// f(x, direction) along the axis, or over all elements in one.
Tensor along(const char* op, const Tensor& x, const Index* axis, Tensor (*f)(const Tensor&, const Direction&)) {
    check_defined(op, x);
    const Tensor source = x.dtype() == Dtype::boolean ? astype(x, Dtype::i64) : x;
    if (!axis) return f(reshape(source, {element_count(x)}), Direction(0));
    return f(source, Direction(normalized_axis(op, *axis, x)));
}

// ---- y = prod x;  x'_i = g times all others: those before i times those behind it

Tensor others(const Tensor& x, const Reduced& r) {
    const Shape shape = x.shape();
    Axes kept_first, back;
    Shape permuted, rows{1, 1};
    for (const bool gone : {false, true})
        for (std::size_t i = 0; i < shape.size(); ++i)
            if (r.has(i) == gone) kept_first.push_back(Index(i)), permuted.push_back(shape[i]), rows[gone] *= shape[i];
    back = kept_first;
    for (std::size_t i = 0; i < shape.size(); ++i) back[std::size_t(kept_first[i])] = Index(i);
    const Tensor lines = reshape(permute(x, kept_first), rows);
    const Direction forward(1), backward(1, true);
    const Tensor before = delayed(running_product(lines, forward), forward, 1);
    const Tensor behind = delayed(running_product(lines, backward), backward, 1);
    return permute(reshape(before * behind, permuted), back);
}
void prod_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Reduced r(n.attr);
    cotangents[0] = spread(g, r, n.in[0].shape()) * others(n.in[0], r);
}
Tensor prod_jvp(const Node& n, const Tensor* tangents) {
    const Reduced r(n.attr);
    return sum(tangents[0] * others(n.in[0], r), r);
}
constexpr Op prod_op{"prod", prod_vjp, prod_jvp};

}  // namespace

Tensor prod(const Tensor& x, const Axes* axes, bool keep_dims) {
    const Reduced r("prod", x, axes, keep_dims);
    const Tensor source = x.dtype() == Dtype::boolean ? astype(x, Dtype::i64) : x;
    Tensor out = reduced(kernels::Reduction::product, source, r);
    if (recording() && is_floating(x.dtype())) record(prod_op, out, x, {.in0 = x}, r.attr());
    return out;
}

Tensor cumsum(const Tensor& x, const Index* axis) { return along("cumsum", x, axis, running_sum); }
Tensor cumprod(const Tensor& x, const Index* axis) { return along("cumprod", x, axis, running_product); }

}  // namespace detail

Tensor diff(const Tensor& x, std::size_t n, Index axis) {
    using namespace detail;
    check_defined("diff", x);
    const auto at = std::size_t(normalized_axis("diff", axis, x));
    Tensor y = x;
    for (Index extent = x.shape()[at]; n > 0 && y.shape()[at] > 0; --n, --extent) {
        std::vector<Slice> low(at, Slice::all()), high = low;
        low.push_back(Slice::range(0, extent - 1));
        high.push_back(Slice::range(1, extent));
        const Tensor before = sliced(y, low), behind = sliced(y, high);
        y = x.dtype() == Dtype::boolean ? not_equal(behind, before) : behind - before;
    }
    return y;
}

}  // namespace xtgrad
