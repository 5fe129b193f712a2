// Comparisons, logic, selection and conversion. Only selection and a change between f32 and f64 are recorded.
#include "../kernels/predicate.hpp"

#include <algorithm>
#include <cmath>

#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/strided_operand.hpp"
#include "elementwise.hpp"

#include <xtgrad/ops/elementwise.hpp>

namespace xtgrad {
namespace detail {
namespace {

/// A boolean tensor, filled block by block.
template <std::size_t N>
Tensor mask_of(const char* op, const Tensor (&x)[N], auto kernel) {
    Shape shape = x[0].shape();
    for (std::size_t i = 1; i < N; ++i) shape = broadcast_shapes(op, shape, x[i].shape());
    Tensor out = allocate(Dtype::boolean, shape, op);
    const kernels::Space space = space_of(out);
    std::array<kernels::Strided, N> operands;
    for (std::size_t i = 0; i < N; ++i) operands[i] = operand_in(space, x[i]);
    bool* to = mutable_data<bool>(out);
    kernels::for_blocks(space, operands, [&](Index first, Index n, const void* const* p) { kernel(n, to + first, p); });
    return out;
}

void check_boolean(const char* op, const Tensor& x) {
    check_defined(op, x);
    if (x.dtype() != Dtype::boolean)
        fail<DtypeError>(op, "needs boolean tensors, got ", x.dtype(), ' ', x.shape(), "; compare first, as in x > 0");
}

constexpr const char* comparison_names[] = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"};
constexpr const char* logic_names[] = {"logical_and", "logical_or", "logical_xor"};
constexpr const char* class_names[] = {"isfinite", "isinf", "isnan"};

}  // namespace

Tensor compare(Comparison c, const Tensor& a, const Tensor& b) {
    const char* op = name_of(c);
    check_defined(op, a);
    check_defined(op, b);
    check_same_dtype(op, a, b);
    return with_element(a.dtype(), [&](auto z) {
        using T = decltype(z);
        return mask_of(op, {a, b}, [&](Index n, bool* out, const void* const* p) {
            kernels::compare(c, n, out, static_cast<const T*>(p[0]), static_cast<const T*>(p[1]));
        });
    });
}

Tensor logic(Logic l, const Tensor& a, const Tensor& b) {
    const char* op = logic_names[int(l)];
    check_boolean(op, a);
    check_boolean(op, b);
    return mask_of(op, {a, b}, [&](Index n, bool* out, const void* const* p) {
        kernels::logic(l, n, out, static_cast<const bool*>(p[0]), static_cast<const bool*>(p[1]));
    });
}

Tensor negation(const Tensor& x) {
    check_boolean("logical_not", x);
    return mask_of("logical_not", {x},
                   [](Index n, bool* out, const void* const* p) { kernels::negation(n, out, static_cast<const bool*>(p[0])); });
}

Tensor classify(FloatClass c, const Tensor& x) {
    const char* op = class_names[int(c)];
    check_floating(op, x);
    return with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        return mask_of(op, {x}, [c](Index n, bool* out, const void* const* p) {
            kernels::classify(c, n, out, static_cast<const T*>(p[0]));
        });
    });
}

Tensor is_close(const Tensor& a, const Tensor& b, Tolerance tolerance) {
    check_defined("isclose", a);
    check_defined("isclose", b);
    check_same_dtype("isclose", a, b);
    if (!(tolerance.relative >= 0 && tolerance.absolute >= 0))
        fail<Error>("isclose", "the tolerances must not be negative: rtol = ", tolerance.relative,
                    ", atol = ", tolerance.absolute, "; give numbers >= 0");
    const auto close = [&](auto z) {
        using T = decltype(z);
        return mask_of("isclose", {a, b}, [tolerance](Index n, bool* out, const void* const* p) {
            kernels::is_close(tolerance, n, out, static_cast<const T*>(p[0]), static_cast<const T*>(p[1]));
        });
    };
    if (a.dtype() == Dtype::i64) return close(std::int64_t{});
    check_floating("isclose", a);
    return with_floating(a.dtype(), close);
}

bool all_true(const Tensor& mask) {
    const Tensor dense = contiguous(mask);
    const bool* p = mutable_data<bool>(dense);
    return std::all_of(p, p + element_count(dense), [](bool b) { return b; });
}

const char* name_of(Comparison c) noexcept { return comparison_names[int(c)]; }

void check_fits(const char* op, Dtype dtype, Literal value) {
    if (is_floating(dtype)) return;
    const bool whole = value.is_whole || (value.real == std::trunc(value.real) && value.real >= -0x1p63 && value.real < 0x1p63);
    if (whole && (dtype == Dtype::i64 || value.real == 0 || value.real == 1)) return;
    fail<DtypeError>(op, value.real, " does not fit a tensor of ", dtype,
                     "; convert the tensor with astype(x, xg::", dtype == Dtype::boolean && whole ? "i64)" : "f32)");
}

Tensor number_like(const char* op, const Tensor& x, Literal value) {
    check_defined(op, x);
    check_fits(op, x.dtype(), value);
    return value.is_whole ? integer_scalar(value.whole, x.dtype()) : scalar(value.real, x.dtype());
}

namespace {

// y = a where the mask is true, else b;  a' = g where true, else 0,  b' = 0 where true, else g.  out of the node is the mask.

void select_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Tensor zero = scalar(0, g.dtype());
    if (need & 1) cotangents[0] = select(n.out, g, zero);
    if (need & 2) cotangents[1] = select(n.out, zero, g);
}
Tensor select_jvp(const Node& n, const Tensor* tangents) {
    const Tensor zero = scalar(0, n.dtype());
    return select(n.out, tangents[0].defined() ? tangents[0] : zero, tangents[1].defined() ? tangents[1] : zero);
}
constexpr Op select_op{"where", select_vjp, select_jvp};

}  // namespace

Tensor select(const Tensor& mask, const Tensor& a, const Tensor& b) {
    check_boolean("where", mask);
    check_defined("where", a);
    check_defined("where", b);
    check_same_dtype("where", a, b);
    const Shape shape = broadcast_shapes("where", broadcast_shapes("where", a.shape(), b.shape()), mask.shape());
    Tensor out = allocate(a.dtype(), shape, "where");
    const kernels::Space space = space_of(out);
    std::array operands{operand_in(space, mask), operand_in(space, a), operand_in(space, b)};
    const int item = operands[1].item;
    std::byte* to = out.block()->data;
    kernels::for_blocks(space, operands, [&](Index first, Index n, const void* const* p) {
        kernels::select(item, n, to + first * item, static_cast<const bool*>(p[0]), p[1], p[2]);
    });
    if (recording() && is_floating(a.dtype())) {
        const bool repeats_a = a.shape() != shape, repeats_b = b.shape() != shape;
        Node& n = record(select_op, out, a, b, {repeats_a ? ghost(a) : Tensor(), repeats_b ? ghost(b) : Tensor(), mask});
        n.broadcast = std::uint8_t(repeats_a | repeats_b << 1);
    }
    return out;
}

namespace {

void astype_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = astype(g, Dtype(n.attr.i)); }
Tensor astype_jvp(const Node& n, const Tensor* tangents) { return astype(tangents[0], n.dtype()); }
constexpr Op astype_op{"astype", astype_vjp, astype_jvp};

}  // namespace

}  // namespace detail

Tensor astype(const Tensor& x, Dtype to) {
    using namespace detail;
    check_defined("astype", x);
    if (x.dtype() == to) return x;
    const Tensor dense = contiguous(x);
    Tensor out = allocate(to, x.shape());
    with_element(x.dtype(), [&](auto from) {
        with_element(to, [&](auto into) {
            const auto* p = mutable_data<decltype(from)>(dense);
            auto* q = mutable_data<decltype(into)>(out);
            kernels::parallel_ranges(element_count(out), 4096,
                                     [&](Index begin, Index end) { kernels::convert(end - begin, q + begin, p + begin); });
        });
    });
    if (recording() && is_floating(x.dtype()) && is_floating(to)) {
        Attr from;
        from.i = Index(x.dtype());
        record(astype_op, out, x, {}, from);
    }
    return out;
}

}  // namespace xtgrad
