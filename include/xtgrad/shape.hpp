// Shapes, strides and lists of axes: short lists of integers without memory of their own.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <limits>
#include <utility>

namespace [[gnu::visibility("default")]] xtgrad {

using Index = std::ptrdiff_t;

/// The largest number of axes of a tensor.
inline constexpr int max_rank = 16;

/// What shapes are taken from: std::vector, std::array, xtensor's shapes. (With <ranges> every file would compile 0.3 s longer.)
template <class R>
concept IntegerRange = requires(const R& r) {
    std::end(r);
    requires std::integral<std::remove_cvref_t<decltype(*std::begin(r))>>;
};

/// Up to `max_rank` integers. Taken from any integers, `{n, 4}`, or from a range of them, a std::vector or an xtensor shape.
class IndexList {
public:
    IndexList() = default;

    template <std::integral... I>
        requires(sizeof...(I) > 0)
    IndexList(I... values) : size_(int(sizeof...(I))) {
        static_assert(sizeof...(I) <= std::size_t(max_rank), "a tensor has at most 16 axes");
        Index* to = values_;
        ((*to++ = clamped(values)), ...);
    }

    /// Throws ShapeError when the range is longer than `max_rank`.
    template <IntegerRange R>
        requires(!std::same_as<std::remove_cvref_t<R>, IndexList>)
    IndexList(const R& range) {
        for (const auto value : range) push_back(clamped(value));
    }

    IndexList(const IndexList& other) noexcept { assign(other.values_, other.size_); }
    IndexList& operator=(const IndexList& other) noexcept {
        if (this != &other) assign(other.values_, other.size_);
        return *this;
    }

    /// The n integers at p.
    static IndexList of(const Index* p, int n) noexcept {
        IndexList list;
        list.assign(p, n);
        return list;
    }

    std::size_t size() const noexcept { return std::size_t(size_); }
    bool empty() const noexcept { return size_ == 0; }
    Index operator[](std::size_t i) const noexcept { return values_[i]; }
    Index& operator[](std::size_t i) noexcept { return values_[i]; }
    Index front() const noexcept { return values_[0]; }
    Index back() const noexcept { return values_[size_ - 1]; }
    Index& back() noexcept { return values_[size_ - 1]; }
    const Index* data() const noexcept { return values_; }
    Index* data() noexcept { return values_; }
    const Index* begin() const noexcept { return values_; }
    const Index* end() const noexcept { return values_ + size_; }
    Index* begin() noexcept { return values_; }
    Index* end() noexcept { return values_ + size_; }

    /// Throws ShapeError when the list is full.
    void push_back(Index value) {
        if (size_ == max_rank) too_long();
        values_[size_++] = value;
    }
    void pop_back() noexcept { --size_; }
    /// Puts `value` before position i.
    void insert(std::size_t i, Index value) {
        push_back(value);
        std::rotate(begin() + i, end() - 1, end());
    }
    void erase(std::size_t i) noexcept {
        std::copy(begin() + i + 1, end(), begin() + i);
        --size_;
    }

    friend bool operator==(const IndexList& a, const IndexList& b) noexcept {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }
    /// Equality with any list of integers, an xtensor shape or a std::vector.
    template <IntegerRange R>
        requires(!std::same_as<std::remove_cvref_t<R>, IndexList>)
    friend bool operator==(const IndexList& a, const R& b) {
        return std::ranges::equal(a, b, [](Index x, auto y) { return std::cmp_equal(x, y); });
    }

    /// (2, 3), as NumPy writes it; (3,) for a single one.
    friend std::ostream& operator<<(std::ostream&, const IndexList&);

private:
    static Index clamped(std::integral auto value) noexcept {
        return std::in_range<Index>(value) ? Index(value) : std::numeric_limits<Index>::max();
    }
    static Index clamped(bool value) noexcept { return value; }
    void assign(const Index* p, int n) noexcept {
        size_ = n;
        for (int i = 0; i < n; ++i) values_[i] = p[i];
    }
    [[noreturn]] static void too_long();

    Index values_[max_rank] = {};
    int size_ = 0;
};

/// The extents of a tensor, outermost first.
using Shape = IndexList;
/// Distances between neighbours along each axis, in elements.
using Strides = IndexList;
/// A list of axes; negative ones count from the end.
using Axes = IndexList;

}  // namespace xtgrad
