#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <ostream>
#include <string>

#include "message.hpp"
#include "pool.hpp"
#include "storage.hpp"
#include "strided_operand.hpp"
#include "text.hpp"

namespace xtgrad {

const char* name_of(Dtype d) noexcept {
    constexpr const char* names[] = {"f32", "f64", "i64", "boolean"};
    return names[int(d)];
}
std::ostream& operator<<(std::ostream& os, Dtype d) { return os << name_of(d); }

void IndexList::too_long() {
    detail::fail<ShapeError>("shape", "a tensor has at most ", max_rank, " axes; join some with reshape");
}

// In one notation whatever the stream's locale is: grouped digits, (1,234, 2), would be another shape.
std::ostream& operator<<(std::ostream& os, const IndexList& list) {
    os << '(';
    for (std::size_t i = 0; i < list.size(); ++i) os << (i ? ", " : "") << std::to_string(list[i]);
    return os << (list.size() == 1 ? ",)" : ")");
}

Index Tensor::shape(Index axis) const {
    const detail::Block& b = checked("shape");
    if (axis < -Index(b.rank) || axis >= b.rank)
        detail::fail<IndexError>("shape", "axis ", axis, " does not exist in ", shape(), "; ", detail::Choices{b.rank});
    return block_->shape()[axis < 0 ? axis + b.rank : axis];
}

std::size_t Tensor::size() const {
    checked("size");
    return std::size_t(detail::element_count(*this));
}

namespace detail {

std::string message(std::string_view op, std::initializer_list<MessagePart> parts) {
    Text text;
    text << '[' << op << "] ";
    for (const MessagePart& part : parts) text << part;
    return text.str();
}

void fail_undefined(const char* op) {
    fail<Error>(op, "an empty tensor: a default-constructed Tensor has no value; assign one first");
}

void fail_mixed(const char* op, const Tensor& a, const Tensor& b) {
    Text remedy;
    if (is_floating(a.dtype()) && is_floating(b.dtype()))
        remedy << "convert one, with astype(a, xg::" << b.dtype() << ") or astype(b, xg::" << a.dtype() << ')';
    else if (is_floating(a.dtype()) || b.dtype() == Dtype::boolean)
        remedy << "convert the second, with astype(b, xg::" << a.dtype() << ')';
    else
        remedy << "convert the first, with astype(a, xg::" << b.dtype() << ')';
    fail<DtypeError>(op, "mixes ", a.dtype(), ' ', a.shape(), " and ", b.dtype(), ' ', b.shape(), "; ", remedy.str());
}

int normalized_axis(const char* op, Index axis, const Tensor& x) {
    const int rank = x.block()->rank;
    if (axis < -rank || axis >= rank) fail<ShapeError>(op, "axis ", axis, " does not exist in ", x.shape(), "; ", Choices{rank});
    return int(axis < 0 ? axis + rank : axis);
}

Axes normalized_axes(const char* op, const Axes& axes, const Tensor& x) {
    Axes result;
    for (const Index axis : axes) {
        const Index a = normalized_axis(op, axis, x);
        if (std::find(result.begin(), result.end(), a) != result.end())
            fail<ShapeError>(op, "axis ", axis, " of ", x.shape(), " is given twice in ", axes, "; give each once");
        result.push_back(a);
    }
    return result;
}

void destroy(Block* b) noexcept {
    Block* base = b->base;
    pool::give(b);
    if (base) release(base);
}

constinit thread_local Tags tags_here;

void refill_tags() {
    constexpr std::uint64_t batch = 1 << 20;
    static constinit std::atomic<std::uint64_t> next_batch{1};
    tags_here.next = next_batch.fetch_add(batch, std::memory_order_relaxed);
    tags_here.end = tags_here.next + batch;
}

Index checked_size(const char* op, const Index* shape, int rank) {
    Index n = 1;
    bool overflow = false;
    for (int i = 0; i < rank; ++i) {
        if (shape[i] < 0) fail<ShapeError>(op, "negative extent in ", Shape::of(shape, rank), "; extents are 0 or more");
        overflow |= __builtin_mul_overflow(n, std::max<Index>(shape[i], 1), &n);  // as if no extent were 0: strides must fit too
    }
    if (overflow || n > (Index(1) << 59))
        fail<ShapeError>(op, "the size of ", Shape::of(shape, rank), " overflows; use smaller extents");
    for (int i = 0; i < rank; ++i)
        if (shape[i] == 0) return 0;
    return n;
}

Index size_of(const Shape& shape) noexcept {
    Index n = 1;
    for (const Index d : shape) n *= d;
    return n;
}

Strides dense_strides(const Shape& shape) {
    Strides strides = shape;
    Index step = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        strides[i] = step;
        step *= std::max<Index>(shape[i], 1);
    }
    return strides;
}

namespace {

/// A header with dense strides, and room behind it.
[[gnu::always_inline]] inline Block* header(Dtype dtype, const Index* shape, int rank, std::size_t bytes_before_data,
                                            std::size_t data_bytes) {
    Block* b = pool::take(bytes_before_data + data_bytes);
    b->references.store(1, std::memory_order_relaxed);
    b->dtype = dtype;
    b->rank = std::uint8_t(rank);
    b->dense = true;
    b->tag = fresh_tag();
    b->base = nullptr;
    b->data = nullptr;
    Index step = 1;
    Index *extents = b->shape(), *strides = b->strides();
    for (int i = rank; i-- > 0;) {
        extents[i] = shape[i];
        strides[i] = step;
        step *= shape[i] == 0 ? 1 : shape[i];
    }
    return b;
}

constexpr std::size_t header_bytes(int rank) noexcept { return sizeof(Block) + 2 * sizeof(Index) * std::size_t(rank); }

[[noreturn, gnu::cold]] void no_memory(const char* op, Dtype dtype, const Index* shape, int rank) {
    fail<Error>(op, "no memory for ", dtype, ' ', Shape::of(shape, rank), "; use a smaller tensor, or free some first");
}

[[gnu::always_inline]] inline Tensor allocate_elements(const char* op, Dtype dtype, const Index* shape, int rank,
                                                       Index count) try {
    const std::size_t bytes = std::size_t(count) * xtgrad::size_of(dtype);
    // Small data follow the header closely; larger ones begin on a line of their own.
    const std::size_t step = bytes < alignment ? 16 : alignment;
    const std::size_t before = (header_bytes(rank) + step - 1) & ~(step - 1);
    Block* b = header(dtype, shape, rank, before, bytes + padding);
    b->data = reinterpret_cast<std::byte*>(b) + before;
    std::memset(b->data + bytes, 0, padding);
    return Tensor(b);
} catch (const std::bad_alloc&) {
    no_memory(op, dtype, shape, rank);
}

}  // namespace

Tensor allocate(Dtype dtype, const Index* shape, int rank, const char* op) {
    return allocate_elements(op, dtype, shape, rank, checked_size(op, shape, rank));
}

Tensor allocate_like(const Tensor& x, const char* op) {
    Block* b = x.block();
    Index count = 1;
    const Index* shape = b->shape();
    for (int i = 0; i < b->rank; ++i) count *= shape[i];
    return allocate_elements(op, b->dtype, shape, b->rank, count);
}

Tensor uninitialized(Dtype d, const Shape& s) { return allocate(d, s); }

Tensor make_view(const Tensor& x, const Shape& shape, const Strides& strides, Index offset) {
    const int rank = int(shape.size());
    Block* from = x.block();
    Block* b = header(from->dtype, shape.data(), rank, header_bytes(rank), 0);
    b->base = from->base ? from->base : from;
    retain(b->base);
    b->data = from->data + offset * Index(xtgrad::size_of(from->dtype));
    if (size_of(shape) == 0) return Tensor(b);
    Index* to = b->strides();
    for (int i = 0; i < rank; ++i) {
        if (shape[std::size_t(i)] == 1) continue;
        b->dense &= to[i] == strides[std::size_t(i)];
        to[i] = strides[std::size_t(i)];
    }
    return Tensor(b);
}

bool is_consistent(const Tensor& x) noexcept {
    Block* b = x.block();
    const Strides dense = dense_strides(x.shape());
    const bool empty = element_count(x) == 0;
    bool all = true;
    for (int i = 0; i < b->rank; ++i) {
        const bool same = b->strides()[i] == dense[std::size_t(i)];
        if (!same && (empty || b->shape()[i] == 1)) return false;
        all &= same;
    }
    return b->dense == all;
}

Tensor reshaped(const Tensor& dense, const Shape& shape) { return make_view(dense, shape, dense_strides(shape)); }
Tensor alias(const Tensor& x) { return make_view(x, x.shape(), x.strides()); }

Tensor ghost(Dtype dtype, const Shape& shape) {
    const int rank = int(shape.size());
    return Tensor(header(dtype, shape.data(), rank, header_bytes(rank), 0));
}
Tensor ghost(const Tensor& x) {
    Block* b = x.block();
    return Tensor(header(b->dtype, b->shape(), b->rank, header_bytes(b->rank), 0));
}

Tensor copied(const Tensor& x) {
    Tensor to = allocate_like(x, "copy");
    const kernels::Space space = space_of(x);
    kernels::copy(space, operand_in(space, x), to.block()->data);
    return to;
}
Tensor contiguous(const Tensor& x) {
    assert(is_consistent(x));
    return x.block()->dense ? x : copied(x);
}

bool same_elements(const Tensor& a, const Tensor& b) {
    if (a.block() == b.block()) return true;
    if (a.dtype() != b.dtype() || !same_shape(a, b)) return false;
    const Tensor x = contiguous(a), y = contiguous(b);
    const std::size_t bytes = std::size_t(element_count(x)) * xtgrad::size_of(x.dtype());
    return bytes == 0 || std::memcmp(x.block()->data, y.block()->data, bytes) == 0;
}

const std::byte* checked_data(const Tensor& x, Dtype wanted) {
    check_defined("data", x);
    if (x.dtype() != wanted)
        fail<DtypeError>("data", "the elements are ", x.dtype(), ", not ", wanted, "; convert with astype(x, xg::", wanted, ")");
    return x.block()->data;
}

namespace {

const std::byte* only_element(const Tensor& x) {
    check_defined("item", x);
    if (x.size() != 1)
        fail<ShapeError>("item", "needs a tensor of one element, got ", x.shape(), "; reduce it first, as with sum or mean");
    return x.block()->data;
}

}  // namespace

double scalar_value(const Tensor& x) {
    const auto* p = only_element(x);
    return with_element(x.dtype(), [&](auto z) { return double(*reinterpret_cast<const decltype(z)*>(p)); });
}
std::uint64_t integer_value(const Tensor& x, std::int64_t lowest, std::uint64_t highest) {
    const auto* p = only_element(x);
    return with_element(x.dtype(), [&](auto z) {
        const auto value = *reinterpret_cast<const decltype(z)*>(p);
        if constexpr (std::floating_point<decltype(z)>) {
            if (value != std::trunc(value))
                fail<DtypeError>("item", value, " is not an integer; ask for a double, or round it first");
            const double d = value;  // above the largest integer lies a power of two
            if (d >= double(lowest) && d < double(highest) + 1) return d < 0 ? std::uint64_t(std::int64_t(d)) : std::uint64_t(d);
        } else if (const std::int64_t whole = value; whole >= lowest && (whole < 0 || std::uint64_t(whole) <= highest)) {
            return std::uint64_t(whole);
        }
        fail<DtypeError>("item", value, " is not in the range of the integer asked for, ", lowest, " to ", highest,
                         "; ask for a larger type, std::int64_t or double");
    });
}

void fail_too_large(std::uint64_t value) {
    fail<DtypeError>("Tensor", value, " is above the range of i64; convert unsigned integers to double, or subtract an offset");
}

Tensor scalar(double value, Dtype dtype) {
    Tensor t = allocate(dtype, nullptr, 0);
    with_element(dtype, [&](auto z) { *mutable_data<decltype(z)>(t) = decltype(z)(value); });
    return t;
}
Tensor integer_scalar(std::int64_t value, Dtype dtype) {
    Tensor t = allocate(dtype, nullptr, 0);
    with_element(dtype, [&](auto z) { *mutable_data<decltype(z)>(t) = decltype(z)(value); });
    return t;
}

}  // namespace detail
}  // namespace xtgrad
