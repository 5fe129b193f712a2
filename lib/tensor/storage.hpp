// Making tensors: owners, views, and shapes without data. Everything above uses these and never a Block's fields directly
// to write.
#pragma once
#include <xtgrad/tensor.hpp>

namespace xtgrad::detail {

/// Every owner's memory may be read and written this far beyond its last element, so that a dense kernel works on whole
/// vectors and needs no tail; it is zero at first, so that no lane ever holds garbage.
inline constexpr std::size_t padding = 64;

inline constexpr std::size_t alignment = 64;

/// Tags that no other tensor has or will have; each thread takes them in batches.
struct Tags {
    std::uint64_t next = 0, end = 0;
};
extern constinit thread_local Tags tags_here;
void refill_tags();
inline std::uint64_t fresh_tag() {
    if (tags_here.next == tags_here.end) [[unlikely]]
        refill_tags();
    return tags_here.next++;
}

/// A dense tensor, not initialized. Throws ShapeError on a negative extent or an overflowing size, naming `op`.
Tensor allocate(Dtype, const Index* shape, int rank, const char* op = "allocate");
inline Tensor allocate(Dtype d, const Shape& s, const char* op = "allocate") { return allocate(d, s.data(), int(s.size()), op); }
/// A dense tensor of x's shape and dtype.
Tensor allocate_like(const Tensor& x, const char* op = "allocate");

/// Another arrangement of x's elements, `offset` elements from x's first one.
Tensor make_view(const Tensor& x, const Shape&, const Strides&, Index offset = 0);
/// x's elements under another shape of the same size; x is dense.
Tensor reshaped(const Tensor& dense, const Shape&);
/// The same elements, another variable.
Tensor alias(const Tensor& x);
/// Only shape and dtype.
Tensor ghost(Dtype, const Shape&);
Tensor ghost(const Tensor& x);

/// x itself when it is dense, else a dense copy, not recorded.
Tensor contiguous(const Tensor& x);
/// A dense copy that nobody else sees.
Tensor copied(const Tensor& x);

/// Does it describe its memory as Tensor::strides says? Debug builds ask before a kernel reads it.
bool is_consistent(const Tensor&) noexcept;

/// Are dtypes, shapes and the bytes of all elements the same?
bool same_elements(const Tensor& a, const Tensor& b);

/// Row-major strides of a shape.
Strides dense_strides(const Shape&);
/// The number of elements; throws ShapeError naming `op` on a negative extent or on overflow.
Index checked_size(const char* op, const Index* shape, int rank);
Index size_of(const Shape&) noexcept;

/// Writable elements of a tensor that nobody else sees yet.
template <class T>
T* mutable_data(const Tensor& x) noexcept {
    return reinterpret_cast<T*>(x.block()->data);
}

/// An owner that only this reference sees: it may be written to.
inline bool unshared(const Tensor& x) noexcept {
    return !x.block()->base && x.block()->references.load(std::memory_order_acquire) == 1;
}

inline bool same_shape(const Block* a, const Block* b) noexcept {
    if (a->rank != b->rank) return false;
    auto *p = const_cast<Block*>(a)->shape(), *q = const_cast<Block*>(b)->shape();
    for (int i = 0; i < a->rank; ++i)
        if (p[i] != q[i]) return false;
    return true;
}
inline bool same_shape(const Tensor& a, const Tensor& b) noexcept { return same_shape(a.block(), b.block()); }

inline Index element_count(const Tensor& x) noexcept {
    Index n = 1;
    Block* b = x.block();
    for (int i = 0; i < b->rank; ++i) n *= b->shape()[i];
    return n;
}

/// Calls f with a value of the element type: f(float{}) ...
auto with_element(Dtype d, auto f) {
    switch (d) {
        case Dtype::f32: return f(float{});
        case Dtype::f64: return f(double{});
        case Dtype::i64: return f(std::int64_t{});
        default: return f(bool{});
    }
}
/// f(float{}) or f(double{}); the caller has checked that d is floating.
auto with_floating(Dtype d, auto f) { return d == Dtype::f32 ? f(float{}) : f(double{}); }

}  // namespace xtgrad::detail
