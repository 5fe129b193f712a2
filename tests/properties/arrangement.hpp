// Random shapes, and random ways for a tensor's elements to lie in memory.
#pragma once
#include <rapidcheck.h>

#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "../ops/table.hpp"

namespace properties {

using namespace table;

/// Few axes; mostly short, the last one sometimes longer than the kernels' blocks; sometimes empty.
inline Shape any_shape(int least_rank, int most_rank) {
    Shape shape;
    for (int rank = *rc::gen::inRange(least_rank, most_rank + 1); rank > 0; --rank) shape.push_back(*rc::gen::inRange(0, 6));
    if (shape.size() && *rc::gen::inRange(0, 3) == 0) shape[shape.size() - 1] = *rc::gen::inRange(0, 700);
    return shape;
}

/// Another shape that broadcasts with this one.
inline Shape any_partner(const Shape& shape) {
    Shape other;
    const auto dropped = *rc::gen::inRange<std::size_t>(0, shape.size() + 1);
    for (std::size_t i = dropped; i < shape.size(); ++i) other.push_back(*rc::gen::inRange(0, 3) == 0 ? 1 : shape[i]);
    return other;
}

/// How elements lie: axes in any order, of each every so many-th element, from the front or the back, and what is between.
struct Arrangement {
    std::vector<std::size_t> order;
    std::vector<Index> step, lead;
    std::vector<bool> backwards;
};

inline Arrangement any_arrangement(std::size_t rank) {
    Arrangement a;
    for (std::size_t i = 0; i < rank; ++i) {
        a.order.insert(a.order.begin() + std::ptrdiff_t(*rc::gen::inRange<std::size_t>(0, i + 1)), i);
        a.step.push_back(*rc::gen::element<Index>(1, 1, 2, 3));
        a.lead.push_back(*rc::gen::inRange<Index>(0, a.step.back()));
        a.backwards.push_back(*rc::gen::inRange(0, 4) == 0);
    }
    return a;
}

/// The values in that arrangement: every place is computed here, and a view of the library takes them together again.
inline Tensor arranged(const Array& values, const Arrangement& a, xg::Dtype dtype) {
    const Shape& shape = values.shape();
    Shape base_shape;
    for (const std::size_t axis : a.order) base_shape.push_back(shape[axis] * a.step[axis]);
    Array base(base_shape);
    for (Index i = 0; i < base.size(); ++i) base[i] = 99;
    for (Index i = 0; i < values.size(); ++i) {
        const Shape p = values.position(i);
        Shape q;
        for (const std::size_t axis : a.order)
            q.push_back(a.lead[axis] + a.step[axis] * (a.backwards[axis] ? shape[axis] - 1 - p[axis] : p[axis]));
        base.place(q) = values[i];
    }
    std::vector<xg::detail::Slice> slices;
    xg::Axes back = shape;
    for (std::size_t k = 0; k < a.order.size(); ++k) {
        const std::size_t axis = a.order[k];
        xg::detail::Slice slice = xg::detail::Slice::all();
        slice.has_start = true;
        slice.start = a.backwards[axis] ? std::max<Index>(0, a.lead[axis] + a.step[axis] * (shape[axis] - 1)) : a.lead[axis];
        slice.step = a.backwards[axis] ? -a.step[axis] : a.step[axis];
        slices.push_back(slice);
        back[axis] = Index(k);
    }
    const Tensor view = xg::detail::sliced(xg::astype(base.tensor(), dtype), slices);
    return shape.size() ? xg::permute(view, back) : view;
}

inline Array any_values(const Shape& shape, double low, double high, std::uint32_t seed) {
    xg::Rng rng(seed);
    return Array(xg::uniform(shape, xg::f64, rng, low, high));
}

inline std::string text(const auto&... parts) {
    std::ostringstream s;
    (s << ... << parts);
    return s.str();
}

/// Does the property hold for many random cases? When not: the smallest counterexample found, and the seed, for RC_PARAMS.
inline std::string counterexample(const std::string& name, const std::function<void()>& property) {
    setenv("RC_PARAMS", "seed=20261123 max_success=60", 0);
    rc::detail::TestMetadata metadata;
    metadata.id = metadata.description = name;
    const auto result = rc::detail::checkTestable(property, metadata);
    if (result.is<rc::detail::SuccessResult>()) return {};
    std::ostringstream s;
    s << name << ", seed " << rc::detail::configuration().testParams.seed << '\n';
    rc::detail::printResultMessage(result, s);
    return s.str();
}

}  // namespace properties
