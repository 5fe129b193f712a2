#include "elementwise.hpp"

#include <array>

#include "../kernels/lanes.hpp"
#include "../rules/all.hpp"
#include "../tape/algebra.hpp"
#include "../tensor/message.hpp"
#include "../tensor/strided_operand.hpp"
#include "cofactor.hpp"
#include "recorded.hpp"

namespace xtgrad {
namespace detail {

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
    Shape s = a.size() >= b.size() ? a : b;
    const Shape& other = a.size() >= b.size() ? b : a;
    const std::size_t skip = s.size() - other.size();
    for (std::size_t i = 0; i < other.size(); ++i) {
        if (s[i + skip] == other[i] || other[i] == 1) continue;
        if (s[i + skip] != 1)
            fail<ShapeError>(op, "shapes do not broadcast: ", a, " and ", b,
                             "; extents must be equal or 1, aligned at the last axis");
        s[i + skip] = other[i];
    }
    return s;
}

namespace {

using kernels::Space;

kernels::Kernel kernel_of(const Elementwise& op, int k, Dtype d) {
    if (d == Dtype::i64) return op.integer;
    const auto& row = kernels::elementwise_kernels(op.place);
    const auto& of = d == Dtype::f32 ? row.f32 : row.f64;
    return k < 0 ? of.value : of.vjp[k];
}

const void* data_of(const Tensor& x) { return x.defined() ? x.block()->data : nullptr; }

/// out = the kernel over operands that broadcast to out's shape. k < 0: the value; else g * slope k.
[[gnu::noinline]] void run(const Elementwise& op, int k, const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& y,
                           const Tensor& g, Numbers numbers) {
    const kernels::Kernel kernel = kernel_of(op, k, out.block()->dtype);
    const Space space = space_of(out);
    std::array operands{operand_in(space, a), operand_in(space, b), operand_in(space, y), operand_in(space, g)};
    std::byte* to = out.block()->data;
    const Index item = Index(xtgrad::size_of(out.block()->dtype));
    kernels::for_blocks(space, operands, [&](Index first, Index n, const void* const* p) {
        kernel(n, to + first * item, {p[0], p[1], p[2], p[3]}, numbers);
    });
}

/// g * slope k: nothing (which the walks take for zeros) when the slope is 0, recorded ops when somebody records, one fused pass
/// otherwise.
Tensor times_slope(const Elementwise& op, int k, const Node& n, Tensor g) {
    const Slope& s = op.slope[k];
    if (s.constant) {
        if (*s.constant == 0) return {};
        if (*s.constant == 1) return g;
        return affine(g, *s.constant, 0);
    }
    static const Tensor none;
    const Tensor &a = s.reads.a ? n.in[0] : none, &b = s.reads.b ? n.in[1] : none, &y = s.reads.y ? n.out : none;
    const Numbers numbers{n.attr.p, n.attr.q};
    if (recording()) {
        if (op.divides)
            if (const Tensor c = cofactor(g, n); c.defined()) return broadcast_to(c, g.shape()) * n.in[k];
        return s.recorded(g, a, b, y, numbers);
    }
    Block* block = g.block();
    Tensor out = block->dense && unshared(g) ? std::move(g) : allocate_like(g);  // the result takes g's place where it can
    const auto dense = [](const Tensor& x) { return !x.defined() || x.block()->dense; };
    const Index count = element_count(out);
    if (!n.broadcast && block->dense && dense(a) && dense(b) && dense(y) && count < kernels::parallel_threshold)
        kernel_of(op, k, block->dtype)(count, out.block()->data, {data_of(a), data_of(b), data_of(y), block->data}, numbers);
    else
        run(op, k, out, a, b, y, g.defined() ? g : out, numbers);  // NOLINT(bugprone-use-after-move): empty if it was
    return out;
}

void vjp_of(const Node& n, Tensor g, Need need, Tensor* out) {
    const auto& op = static_cast<const Elementwise&>(*n.op);
    if (op.inputs == 1) {
        out[0] = times_slope(op, 0, n, std::move(g));
        return;
    }
    const int last = need & 2 ? 1 : 0;
    if (last && need & 1) out[0] = times_slope(op, 0, n, g);
    out[last] = times_slope(op, last, n, std::move(g));
}

Tensor jvp_of(const Node& n, const Tensor* tangents) {
    const auto& op = static_cast<const Elementwise&>(*n.op);
    Tensor sum;
    for (int k = 0; k < op.inputs; ++k) {
        if (!tangents[k].defined()) continue;
        Tensor part = times_slope(op, k, n, tangents[k]);
        if (part.defined()) accumulate(sum, std::move(part));
    }
    return sum;
}

template <class R, int k>
constexpr Slope slope_of() {
    if constexpr (k >= R::inputs)
        return {{}, 0, nullptr};
    else if constexpr (constant_slope<R, k>())
        return {{}, constant_slope<R, k>(), nullptr};
    else
        return {
            reads<R, k, Recorded>(), {}, [](const Tensor& g, const Tensor& a, const Tensor& b, const Tensor& y, Numbers numbers) {
                const auto s = xtgrad::slope<R, k>(Recorded(a), Recorded(b), Recorded(y), numbers);
                if constexpr (std::same_as<decltype(s), const double>)
                    return g * s;
                else
                    return g * s.tensor();
            }};
}

template <class R>
consteval std::array<Interval, 2> points_of() {
    if constexpr (R::inputs == 1)
        return {R::points, R::points};
    else
        return {R::points_a, R::points_b};
}

template <class... R>
constexpr bool one_of(auto rule) {
    return (std::same_as<typename decltype(rule)::type, R> || ...);
}

template <class R>
void integer_kernel(Index n, void* to, const kernels::Operands& in, Numbers numbers) {
    using Integer = Lanes<std::int64_t, std::int64_t>;
    auto* out = static_cast<std::int64_t*>(to);
    const auto *a = static_cast<const std::int64_t*>(in.a), *b = static_cast<const std::int64_t*>(in.b);
    for (Index i = 0; i < n; ++i) {
        if constexpr (R::inputs == 1)
            Integer(xtgrad::value<R>(Integer::load(a + i), Unused(), numbers)).store(out + i);
        else
            Integer(xtgrad::value<R>(Integer::load(a + i), Integer::load(b + i), numbers)).store(out + i);
    }
}

template <class R>
constexpr kernels::Kernel integer_kernel_of() {
    using namespace rules;
    constexpr bool whole =
        one_of<Negative, Add, Subtract, Multiply, Abs, Maximum, Minimum, Sign, Square, Cube>(std::type_identity<R>());
    if constexpr (whole)
        return integer_kernel<R>;
    else
        return nullptr;
}

template <class R>
constexpr Elementwise row{
    {R::name, vjp_of, jvp_of},
    R::inputs,
    rules::All::place_of<R>(),
    {slope_of<R, 0>(), slope_of<R, 1>()},
    {points_of<R>()[0], points_of<R>()[1]},
    integer_kernel_of<R>(),
    {slope_of<R, 0>().reads.a || slope_of<R, 1>().reads.a, slope_of<R, 0>().reads.b || slope_of<R, 1>().reads.b,
     slope_of<R, 0>().reads.y || slope_of<R, 1>().reads.y},
    one_of<rules::Abs, rules::Hypot>(std::type_identity<R>())};

constexpr auto rows = [] {
    std::array<const Elementwise*, rules::All::size> list{};
    std::size_t n = 0;
    rules::All::each([&]<class R> { list[n++] = &row<R>; });
    return list;
}();

void check_dtype(const Elementwise& op, const Tensor& x) {
    check_defined(op.name, x);
    if (is_floating(x.block()->dtype)) [[likely]]
        return;
    if (x.dtype() == Dtype::i64 && op.integer) return;
    fail<DtypeError>(op.name, "does not take ", x.dtype(), ' ', x.shape(), "; convert with astype(x, xg::f32)");
}

/// x into a place that holds nothing.
void keep(Tensor& place, const Tensor& x) { new (&place) Tensor(x); }

/// What the slopes look at is saved.
void record_elementwise(const Elementwise& op, const Tensor& out, const Tensor& a, const Tensor& b, Numbers numbers) {
    Attr attr;
    attr.p = numbers.p;
    attr.q = numbers.q;
    if (op.inputs == 1) {
        Node& n = append(op, out, a.block()->tag, 0, 1, attr);
        if (op.saves.a) keep(n.in[0], a);
        if (op.saves.y) keep(n.out, out);
        return;
    }
    const bool repeats_a = !same_shape(a, out), repeats_b = !same_shape(b, out);
    Tensor shape_a, shape_b;  // before the node: this can throw
    if (repeats_a && !op.saves.a) shape_a = ghost(a);
    if (repeats_b && !op.saves.b) shape_b = ghost(b);
    Node& n = append(op, out, a.block()->tag, b.block()->tag, 2, attr);
    n.broadcast = std::uint8_t(repeats_a | repeats_b << 1);
    keep(n.in[0], op.saves.a ? a : shape_a);
    keep(n.in[1], op.saves.b ? b : shape_b);
    if (op.saves.y) keep(n.out, out);
}

}  // namespace

std::span<const Elementwise* const> elementwise_ops() { return rows; }

namespace {

/// The value where operands broadcast, are strided, are integers, or are wrong.
[[gnu::noinline]] Tensor general_value(const Elementwise& op, const Tensor& a, const Tensor& b, Numbers numbers) {
    check_dtype(op, a);
    Shape shape = a.shape();
    if (op.inputs == 2) {
        check_dtype(op, b);
        check_same_dtype(op.name, a, b);
        shape = broadcast_shapes(op.name, shape, b.shape());
    }
    Tensor out = allocate(a.dtype(), shape, op.name);
    run(op, -1, out, a, b, {}, {}, numbers);
    return out;
}

/// Most calls, and those where overhead counts: few floating elements, dense, of one shape.
bool is_simple(const Elementwise& op, const Block* a, const Block* b) {
    if (!a || !a->dense || !is_floating(a->dtype)) return false;
    return op.inputs == 1 || (b && b->dense && a->dtype == b->dtype && same_shape(a, b));
}

}  // namespace

Tensor apply(const Elementwise& op, const Tensor& a, const Tensor& b, Numbers numbers) {
    Tensor out;
    if (is_simple(op, a.block(), b.block())) [[likely]] {
        out = allocate_like(a, op.name);
        const Index n = element_count(a);
        if (n < kernels::parallel_threshold)
            kernel_of(op, -1, a.block()->dtype)(n, out.block()->data, {a.block()->data, data_of(b)}, numbers);
        else
            run(op, -1, out, a, b, {}, {}, numbers);
    } else {
        out = general_value(op, a, b, numbers);
    }
    if (recording() && is_floating(out.block()->dtype)) record_elementwise(op, out, a, b, numbers);
    return out;
}

void accumulate(Tensor& into, Tensor&& g) {
    if (!into.defined()) {
        into = std::move(g);
        return;
    }
    const auto writable = [](const Tensor& x) { return unshared(x) && x.block()->dense; };
    if (!recording()) {
        if (!writable(into) && writable(g)) std::swap(into, g);
        if (writable(into)) {
            const Index n = element_count(into);
            if (g.block()->dense && n < kernels::parallel_threshold)
                return kernel_of(row<rules::Add>, -1, g.block()->dtype)(n, into.block()->data,
                                                                        {into.block()->data, g.block()->data}, {});
            return run(row<rules::Add>, -1, into, into, g, {}, {}, {});
        }
    }
    into = into + g;
}

template <class Rule>
Tensor apply(const Tensor& x) {
    return apply(row<Rule>, x, {});
}
template <class Rule>
Tensor apply(const Tensor& a, const Tensor& b) {
    return apply(row<Rule>, a, b);
}
template <class Rule>
Tensor apply(const Tensor& x, Numbers numbers) {
    return apply(row<Rule>, x, {}, numbers);
}

template <class Rule>
const Op& op_of() {
    return row<Rule>;
}
template const Op& op_of<rules::Add>();
template const Op& op_of<rules::Multiply>();
template const Op& op_of<rules::Affine>();

// One instantiation for each public name; a rule that is missing here does not link.
#define XG_UNARY(rule) template __attribute__((visibility("default"))) Tensor apply<rules::rule>(const Tensor&);
#define XG_BINARY(rule) template __attribute__((visibility("default"))) Tensor apply<rules::rule>(const Tensor&, const Tensor&);
#define XG_NUMBERS(rule) template Tensor apply<rules::rule>(const Tensor&, Numbers);
XG_UNARY(Negative)
XG_UNARY(Abs)
XG_UNARY(Sign)
XG_UNARY(Floor)
XG_UNARY(Ceil)
XG_UNARY(Round)
XG_UNARY(Trunc)
XG_UNARY(Square)
XG_UNARY(Cube)
XG_UNARY(Sqrt)
XG_UNARY(Rsqrt)
XG_UNARY(Cbrt)
XG_UNARY(Exp)
XG_UNARY(Exp2)
XG_UNARY(Expm1)
XG_UNARY(Log)
XG_UNARY(Log2)
XG_UNARY(Log10)
XG_UNARY(Log1p)
XG_UNARY(Sin)
XG_UNARY(Cos)
XG_UNARY(Tan)
XG_UNARY(Asin)
XG_UNARY(Acos)
XG_UNARY(Atan)
XG_UNARY(Sinh)
XG_UNARY(Cosh)
XG_UNARY(Tanh)
XG_UNARY(Asinh)
XG_UNARY(Acosh)
XG_UNARY(Atanh)
XG_UNARY(Erf)
XG_UNARY(Erfc)
XG_UNARY(Lgamma)
XG_UNARY(Sigmoid)
XG_UNARY(LogSigmoid)
XG_UNARY(Softplus)
XG_UNARY(Relu)
XG_UNARY(Silu)
XG_UNARY(Gelu)
XG_UNARY(GeluTanh)
XG_BINARY(Add)
XG_BINARY(Subtract)
XG_BINARY(Multiply)
XG_BINARY(Divide)
XG_BINARY(Maximum)
XG_BINARY(Minimum)
XG_BINARY(Fmod)
XG_BINARY(Pow)
XG_BINARY(Hypot)
XG_BINARY(Atan2)
XG_NUMBERS(Affine)
XG_NUMBERS(Reciprocal)
XG_NUMBERS(Clip)
XG_NUMBERS(Power)
XG_NUMBERS(Polygamma)
XG_NUMBERS(LeakyRelu)
XG_NUMBERS(Elu)
#undef XG_UNARY
#undef XG_BINARY
#undef XG_NUMBERS

}  // namespace detail
}  // namespace xtgrad
