// Shapes and arrangements.
#include <xtensor/xpad.hpp>

#include "cases.hpp"

namespace views {
namespace {

namespace d = xg::detail;

/// The same elements under another shape.
Shape regrouped(Random& r, Shape s) {
    for (int n = int(r.between(0, 4)); n > 0; --n) {
        if (s.size() > 1 && r.chance(50)) {
            const auto at = std::size_t(r.between(0, Index(s.size()) - 1));
            s[at] *= s[at + 1];
            s.erase(at + 1);
        } else if (!s.empty() && s.size() < 8) {
            const auto at = std::size_t(r.between(0, Index(s.size())));
            for (const Index p : {3, 2})
                if (s[at] % p == 0 && s[at] > 0) {
                    s[at] /= p;
                    s.insert(at, p);
                    break;
                }
        }
        if (s.size() < 8 && r.chance(20)) s.insert(std::size_t(r.between(0, Index(s.size()) + 1)), 1);
    }
    return s;
}

Case reshape(Random& r) {
    const Shape shape = r.shape(0, 6);
    Shape to = regrouped(r, shape);
    Index n = 1;
    for (const Index e : shape) n *= e;
    if (n > 0 && !to.empty() && r.chance(30)) to[std::size_t(r.between(0, Index(to.size())))] = -1;
    return of_one({shape, r.dtype()}, text("to ", to), [=](const Tensor& x) { return xg::reshape(x, to); });
}

/// f(x, axis)
Case along(Random& r, int least_rank, std::function<Tensor(const Tensor&, Index)> f) {
    const Shape shape = r.shape(least_rank, 6);
    const Index axis = shape.empty() ? 0 : r.axis(shape.size());
    return of_one({shape, r.dtype()}, text("along ", axis), [=](const Tensor& x) { return f(x, axis); });
}
Case plain(Random& r, int least_rank, std::function<Tensor(const Tensor&)> f) {
    return of_one({r.shape(least_rank, 6), r.dtype()}, "", std::move(f));
}

Case permute(Random& r) {
    const Shape shape = r.shape(0, 6);
    const Axes order = r.permutation(shape.size());
    return of_one({shape, r.dtype()}, text(order), [=](const Tensor& x) { return xg::permute(x, order); });
}

Case squeeze(Random& r) {
    Shape shape = r.shape(0, 5);
    shape.insert(std::size_t(r.between(0, Index(shape.size()) + 1)), 1);
    Axes ones;
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == 1 && r.chance(60)) ones.push_back(r.chance(50) ? Index(i) : Index(i) - Index(shape.size()));
    const bool all = r.chance(20);
    return of_one({shape, r.dtype()}, text(ones), [=](const Tensor& x) { return d::squeeze(x, all ? nullptr : &ones); });
}

Case expand_dims(Random& r) {
    const Shape shape = r.shape(0, 6);
    const Index axis = r.between(-Index(shape.size()) - 1, Index(shape.size()) + 1);
    return of_one({shape, r.dtype()}, text(axis), [=](const Tensor& x) { return d::expand_dims(x, axis); });
}

Case broadcast_to(Random& r) {
    const Shape shape = r.shape(0, 6), from = r.part_of(shape);
    Case c = of_one({from, r.dtype()}, text("to ", shape), [=](const Tensor& x) { return xg::broadcast_to(x, shape); });
    c.gradients = Agreement::rounding;  // sums
    return c;
}

Case split(Random& r) {
    const Shape shape = r.shape(1, 5);
    const Index axis = r.axis(shape.size()), n = shape[std::size_t(axis < 0 ? axis + Index(shape.size()) : axis)];
    Index parts = 1;
    for (const Index p : {2, 3, 5})
        if (n % p == 0 && r.chance(60)) parts = p;
    const auto which = std::size_t(r.between(0, parts));
    return of_one({shape, r.dtype()}, text(parts, " along ", axis),
                  [=](const Tensor& x) { return d::split(x, parts, axis)[which]; });
}

/// Several tensors that differ in one extent, or in none.
Case joined(Random& r, bool differ, std::function<Tensor(const Inputs&, Index)> f) {
    const Shape shape = r.shape(1, 5, 0, 1500);
    const Index axis = r.axis(shape.size());
    const Dtype dtype = r.dtype();
    Case c{.inputs = {}, .call = [=](const Inputs& x) { return f(x, axis); }, .arguments = text("along ", axis)};
    for (int n = int(r.between(1, 5)); n > 0; --n) {
        Shape s = shape;
        if (differ) s[std::size_t(axis < 0 ? axis + Index(s.size()) : axis)] = r.between(0, 4);
        c.inputs.push_back({s, dtype});
    }
    return c;
}

Case stacked(Random& r, std::size_t along, Tensor (*f)(std::span<const Tensor>)) {
    Shape shape = r.shape(0, 4, 0, 1500);
    const std::size_t axis = along == 1 && shape.size() > 1;
    const Dtype dtype = r.dtype();
    Case c{.inputs = {}, .call = [=](const Inputs& x) { return f(x); }};
    for (int n = int(r.between(1, 4)); n > 0; --n) {
        if (along == 1 ? !shape.empty() : shape.size() > 1) shape[axis] = r.between(0, 4);
        c.inputs.push_back({shape, dtype});
    }
    return c;
}

Case repeat(Random& r) {
    const Shape shape = r.shape(1, 5, 0, 1500);
    const Index axis = r.axis(shape.size()), times = r.between(0, 5);
    std::vector<std::size_t> each;
    for (Index n = shape[std::size_t(axis < 0 ? axis + Index(shape.size()) : axis)]; n > 0; --n)
        each.push_back(std::size_t(r.between(0, 4)));
    const bool one = r.chance(50);
    return of_one({shape, r.dtype()}, text("along ", axis),
                  [=](const Tensor& x) { return one ? d::repeat(x, times, axis) : d::repeat(x, each, axis); });
}

Case tile(Random& r) {
    const Shape shape = r.shape(0, 4, 0, 500);
    Axes times;
    for (Index n = r.between(0, 4); n > 0; --n) times.push_back(r.between(0, 4));
    return of_one({shape, r.dtype()}, text(times), [=](const Tensor& x) { return d::tile(x, times); });
}

Case pad(Random& r) {
    const Shape shape = r.shape(0, 4, 0, 800);
    const int mode = int(r.between(0, 5));
    std::vector<std::vector<Index>> widths;
    for (const Index n : shape)
        widths.push_back(mode != 0 && n == 0 ? std::vector<Index>{0, 0} : std::vector<Index>{r.between(0, 7), r.between(0, 7)});
    return of_one({shape, r.number_dtype()}, text("mode ", mode),
                  [=](const Tensor& x) { return d::pad(x, widths, false, mode, 1.5 - 0.5); });
}

Case diagonal(Random& r) {
    const Shape shape = r.shape(2, 5);
    const Axes order = r.permutation(shape.size());
    const Index k = r.chance(10) ? r.one_of<Index>({INT64_MIN, INT64_MAX}) : r.between(-4, 5);
    const bool trace = r.chance(30);
    return of_one({shape, r.floating()}, text(k, " of ", order[0], " and ", order[1]), [=](const Tensor& x) {
        return trace ? xg::trace(x, k, order[0], order[1]) : d::diagonal(x, k, order[0], order[1]);
    });
}

Case triangle(Random& r, d::Triangle which) {
    const Index k = r.chance(10) ? r.one_of<Index>({INT64_MIN, INT64_MAX}) : r.between(-4, 5);
    return of_one({r.shape(2, 5), r.dtype()}, text(k), [=](const Tensor& x) { return d::triangle(which, x, k); });
}

Case meshgrid(Random& r) {
    const Dtype dtype = r.dtype();
    const auto n = std::size_t(r.between(1, 4));
    const auto which = std::size_t(r.between(0, Index(n)));
    Case c{.inputs = {}, .call = [=](const Inputs& x) { return xg::meshgrid(x)[which]; }, .gradients = Agreement::rounding};
    for (std::size_t i = 0; i < n; ++i) c.inputs.push_back({{r.between(0, 8)}, dtype});
    return c;
}

}  // namespace

std::vector<Op> shape_ops() {
    std::vector<Op> ops;
    const auto add = [&](const char* name, std::function<Case(Random&)> make) { ops.push_back({name, std::move(make)}); };
    add("reshape", reshape);
    add("permute", permute);
    add("transpose", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::transpose(x); }); });
    add("squeeze", squeeze);
    add("expand_dims", expand_dims);
    add("broadcast_to", broadcast_to);
    add("broadcast", broadcast_to);
    add("copy", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::copy(x); }); });
    add("split", split);
    add("concatenate",
        [](Random& r) { return joined(r, true, [](const Inputs& x, Index axis) { return xg::concatenate(x, axis); }); });
    add("stack", [](Random& r) { return joined(r, false, [](const Inputs& x, Index axis) { return xg::stack(x, axis); }); });
    add("hstack", [](Random& r) { return stacked(r, 1, d::hstack); });
    add("vstack", [](Random& r) { return stacked(r, 0, d::vstack); });
    add("flatten", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::flatten(x); }); });
    add("ravel", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::ravel(x); }); });
    add("atleast_1d", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::atleast_1d(x); }); });
    add("atleast_2d", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::atleast_2d(x); }); });
    add("atleast_3d", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return xg::atleast_3d(x); }); });
    add("hsplit", [](Random& r) { return plain(r, 2, [](const Tensor& x) { return xg::hsplit(x, 1)[0]; }); });
    add("vsplit", [](Random& r) { return plain(r, 1, [](const Tensor& x) { return xg::vsplit(x, 1)[0]; }); });
    add("flip", [](Random& r) { return along(r, 1, [](const Tensor& x, Index axis) { return d::flip(x, &axis); }); });
    add("flip", [](Random& r) { return plain(r, 0, [](const Tensor& x) { return d::flip(x, nullptr); }); });
    add("rot90", [](Random& r) {
        const Shape shape = r.shape(2, 5);
        const Axes order = r.permutation(shape.size());
        const Index times = r.between(-5, 6);
        return of_one({shape, r.dtype()}, text(times, " from ", order[0], " to ", order[1]),
                      [=](const Tensor& x) { return d::rot90(x, times, order[0], order[1]); });
    });
    add("roll", [](Random& r) {
        const Index shift = r.chance(5) ? r.one_of<Index>({INT64_MIN, INT64_MAX}) : r.between(-9, 10);
        return along(r, 1, [shift](const Tensor& x, Index axis) { return d::roll(x, shift, axis); });
    });
    add("roll", [](Random& r) {
        const Index shift = r.between(-9, 10);
        return plain(r, 0, [shift](const Tensor& x) { return d::roll(x, shift); });
    });
    add("repeat", repeat);
    add("tile", tile);
    add("pad", pad);
    add("diagonal", diagonal);
    add("trace", diagonal);
    add("diag", [](Random& r) {
        const Index k = r.between(-4, 5);
        return of_one({r.shape(1, 2, 0, 300), r.dtype()}, text(k), [=](const Tensor& x) { return d::diag(x, k); });
    });
    add("tril", [](Random& r) { return triangle(r, d::Triangle::lower); });
    add("triu", [](Random& r) { return triangle(r, d::Triangle::upper); });
    add("meshgrid", meshgrid);
    add("swapaxes", [](Random& r) {
        const Shape shape = r.shape(1, 6);
        const Index a = r.axis(shape.size()), b = r.axis(shape.size());
        return of_one({shape, r.dtype()}, text(a, " and ", b), [=](const Tensor& x) { return xg::swapaxes(x, a, b); });
    });
    add("moveaxis", [](Random& r) {
        const Shape shape = r.shape(1, 6);
        const Axes from = r.axes(shape.size()), order = r.permutation(shape.size());
        Axes to;
        for (std::size_t i = 0; i < from.size(); ++i) to.push_back(order[i]);
        return of_one({shape, r.dtype()}, text(from, " to ", to), [=](const Tensor& x) { return xg::moveaxis(x, from, to); });
    });
    return ops;
}

}  // namespace views
