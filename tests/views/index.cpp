// Slices and elements by index.
#include "cases.hpp"

namespace views {
namespace {

using xg::detail::Slice;

std::vector<Slice> slices(Random& r, const Shape& shape) {
    std::vector<Slice> list;
    bool ellipsis = false;
    const auto named = std::size_t(r.between(0, Index(shape.size()) + 1));
    for (std::size_t axis = 0; axis < named; ++axis) {
        if (r.chance(10)) list.push_back(Slice::new_axis());
        if (!ellipsis && named == shape.size() && r.chance(5)) {
            list.push_back(Slice::ellipsis());
            ellipsis = true;
            continue;
        }
        if (ellipsis) {
            list.push_back(Slice::all());
        } else if (shape[axis] > 0 && r.chance(20)) {
            list.push_back(Slice::index(r.between(-shape[axis], shape[axis])));
        } else {
            Slice s = Slice::all();
            const Index far = 3 * shape[axis] + 3;
            s.start = r.between(-far, far), s.has_start = r.chance(60);
            s.stop = r.between(-far, far), s.has_stop = r.chance(60);
            s.step = r.chance(5) ? r.one_of<Index>({INT64_MAX, INT64_MIN, INT64_MIN + 1, far})
                                 : r.one_of<Index>({1, 1, 2, 3, -1, -2, -5});
            if (r.chance(3)) s.start = r.one_of<Index>({INT64_MAX, INT64_MIN});
            if (r.chance(3)) s.stop = r.one_of<Index>({INT64_MAX, INT64_MIN});
            list.push_back(s);
        }
    }
    return list;
}

std::string print(const std::vector<Slice>& list) {
    std::string s;
    for (const Slice& x : list) {
        const auto bound = [](bool has, Index i) { return has ? std::to_string(i) : std::string(); };
        if (x.kind == Slice::Kind::index) s += text(x.start, ", ");
        if (x.kind == Slice::Kind::new_axis) s += "newaxis, ";
        if (x.kind == Slice::Kind::ellipsis) s += "..., ";
        if (x.kind == Slice::Kind::range)
            s += text(bound(x.has_start, x.start), ':', bound(x.has_stop, x.stop), ':', x.step, ", ");
    }
    return s;
}

Case view(Random& r) {
    const Shape shape = r.shape(0, 6);
    const auto list = slices(r, shape);
    return of_one({shape, r.dtype()}, print(list), [=](const Tensor& x) { return xg::detail::sliced(x, list); });
}

/// The adjoint of several views of one tensor adds in place.
Case several_views(Random& r) {
    const Shape shape = r.shape(1, 4, 1);
    std::vector<std::vector<Slice>> lists;
    for (int n = int(r.between(2, 5)); n > 0; --n) lists.push_back(slices(r, shape));
    return by_rounding(of_one({shape, r.floating()}, "several", [=](const Tensor& x) {
        Tensor total = xg::sum(x) * 0.5;
        for (const auto& list : lists) total = total + xg::sum(xg::sin(xg::detail::sliced(x, list)));
        return total;
    }));
}

Case set_view(Random& r) {
    const Shape shape = r.shape(0, 5);
    const auto list = slices(r, shape);
    const Shape part = xg::detail::sliced(xg::zeros(shape), list).shape();
    const Dtype dtype = r.dtype();
    return {.inputs = {{shape, dtype}, {r.part_of(part), dtype}},
            .call = [=](const Inputs& x) { return xg::detail::with_slice(x[0], x[1], list); },
            .arguments = print(list),
            .gradients = Agreement::rounding};  // a value that repeats
}

Index extent_of(const Shape& s, Index axis) { return s[std::size_t(axis < 0 ? axis + Index(s.size()) : axis)]; }
Input indices(Shape shape, Index extent) {
    if (extent == 0) shape.push_back(0);  // there is nothing to name
    if (shape.size() > 4) shape = {0};
    return {shape, xg::i64, double(-extent), double(extent)};
}
Shape taken(const Shape& x, Index axis, const Shape& at) {
    Shape s;
    const Index from = axis < 0 ? axis + Index(x.size()) : axis;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (Index(i) != from)
            s.push_back(x[i]);
        else
            for (const Index n : at) s.push_back(n);
    }
    return s;
}

Case take(Random& r) {
    const Shape shape = r.shape(1, 4, 0, r.chance(3) ? 1 << 16 : 2000);
    const Index axis = r.axis(shape.size());
    return {.inputs = {{shape, r.dtype()}, indices(r.shape(0, 2, 0, 40), extent_of(shape, axis))},
            .call = [=](const Inputs& x) { return xg::take(x[0], x[1], axis); },
            .arguments = text("along ", axis)};
}

Case index_add(Random& r) {
    const Shape shape = r.shape(1, 4, 0, 1000);
    const Index axis = r.axis(shape.size());
    const Input at = indices(r.shape(0, 2, 0, 40), extent_of(shape, axis));
    const Dtype dtype = r.number_dtype();
    return {.inputs = {{shape, dtype}, at, {taken(shape, axis, at.shape), dtype}},
            .call = [=](const Inputs& x) { return xg::index_add(x[0], x[1], x[2], axis); },
            .arguments = text("along ", axis)};
}

Case embedding(Random& r) {
    const Shape shape = r.shape(2, 2);
    return {.inputs = {{shape, r.floating()}, indices(r.shape(0, 3, 0, 60), shape[0])},
            .call = [](const Inputs& x) { return xg::embedding(x[0], x[1]); }};
}

/// The indices' shape for take_along_axis: x's, with another extent along the axis; elsewhere it may be 1.
Shape along(Random& r, const Shape& x, Index axis, bool broadcasts) {
    Shape s = x;
    for (Index& n : s)
        if (broadcasts && r.chance(20)) n = 1;
    s[std::size_t(axis < 0 ? axis + Index(x.size()) : axis)] = extent_of(x, axis) == 0 ? 0 : r.between(0, 6);
    return s;
}

Case take_along_axis(Random& r) {
    const Shape shape = r.shape(1, 5);
    const Index axis = r.axis(shape.size()), n = extent_of(shape, axis);
    return {.inputs = {{shape, r.dtype()}, {along(r, shape, axis, true), xg::i64, double(-n), double(n)}},
            .call = [=](const Inputs& x) { return xg::take_along_axis(x[0], x[1], axis); },
            .arguments = text("along ", axis)};
}

Case scatter_add(Random& r) {
    const Shape shape = r.shape(1, 5);
    const Index axis = r.axis(shape.size()), n = extent_of(shape, axis);
    const Shape at = along(r, shape, axis, false);
    const Dtype dtype = r.number_dtype();
    return {.inputs = {{shape, dtype}, {at, xg::i64, double(-n), double(n)}, {at, dtype}},
            .call = [=](const Inputs& x) { return xg::scatter_add(x[0], x[1], x[2], axis); },
            .arguments = text("along ", axis)};
}

Case one_hot(Random& r) {
    const Index n = r.between(1, 6);
    const Dtype to = r.dtype();
    return of_one({r.shape(0, 4, 0, 500), xg::i64, 0, double(n)}, text(n),
                  [=](const Tensor& x) { return xg::one_hot(x, n, to); });
}

}  // namespace

std::vector<Op> index_ops() {
    return {{"view", view},
            {"view", several_views},
            {"set_view", set_view},
            {"take", take},
            {"index_add", index_add},
            {"embedding", embedding},
            {"take_along_axis", take_along_axis},
            {"scatter_add", scatter_add},
            {"one_hot", one_hot}};
}

}  // namespace views
