// Softmax, norms, losses, rotations, dropout.
#include "cases.hpp"

namespace views {
namespace {

Shape rows(Random& r, Index least = 0) { return r.shape(1, 5, least, r.chance(3) ? 1 << 16 : 3000); }

Case along(Random& r, std::function<Tensor(const Tensor&, Index)> f) {
    const Shape shape = rows(r);
    const Index axis = r.axis(shape.size());
    return of_one({shape, r.floating()}, text("along ", axis), [=](const Tensor& x) { return f(x, axis); });
}

Case softmax_vjp(Random& r) {
    const Shape shape = rows(r);
    const Index axis = r.axis(shape.size());
    const Dtype dtype = r.floating();
    return {.inputs = {{shape, dtype, 0, 1}, {shape, dtype}},
            .call = [=](const Inputs& x) { return xg::softmax_vjp(x[0], x[1], axis); },
            .arguments = text("along ", axis)};
}

/// By the last axes, with as many parameters as the op takes.
Case norm(Random& r, std::size_t parameters, std::function<Tensor(const Inputs&)> f) {
    const Shape shape = rows(r, 2);
    const Dtype dtype = r.floating();
    Case c{.inputs = {{shape, dtype}}, .call = std::move(f)};
    for (auto n = std::size_t(r.between(0, Index(parameters) + 1)); n > 0; --n)
        c.inputs.push_back({{shape.back()}, dtype, 0.5, 1.5});
    return c;
}

Case cross_entropy(Random& r) {
    Shape shape = r.shape(1, 4, 1, 2000);
    const Index classes = shape.back();
    const Dtype dtype = r.floating();
    Shape labels = shape;
    labels.pop_back();
    const double smoothing = r.one_of({0., 0.1});
    Case c{
        .inputs = {{shape, dtype}, {labels, xg::i64, 0, double(classes)}}, .call = [=](const Inputs& x) {
            return xg::cross_entropy(
                x[0], x[1],
                {.label_smoothing = smoothing, .ignore_index = classes > 2 ? 1 : -100, .weight = x.size() > 2 ? x[2] : Tensor()});
        }};
    if (r.chance(40)) c.inputs.push_back({.shape = {classes}, .dtype = dtype, .low = 0.5, .constant = true});
    return c;
}

Case rotary(Random& r) {
    Shape shape = r.shape(1, 3, 0, 300);
    const Index heads = r.between(1, 4), offset = r.between(-5, 100);
    shape.push_back(heads * 2 * r.between(0, 5));
    return of_one({shape, r.floating()}, text(heads, " heads"),
                  [=](const Tensor& x) { return xg::rotary(x, {.heads = heads, .offset = offset, .base = 100}); });
}

Case dropout(Random& r) {
    const double p = r.one_of({0., 0.3, 0.9});
    const auto seed = r.bits();
    return of_one({rows(r), r.floating()}, text(p), [=](const Tensor& x) {
        xg::Rng rng(seed);
        return xg::dropout(x, p, rng);
    });
}

}  // namespace

std::vector<Op> row_ops() {
    return {
        {"softmax", [](Random& r) { return along(r, [](const Tensor& x, Index axis) { return xg::softmax(x, axis); }); }},
        {"log_softmax", [](Random& r) { return along(r, [](const Tensor& x, Index axis) { return xg::log_softmax(x, axis); }); }},
        {"softmax_vjp", softmax_vjp},
        {"layer_norm",
         [](Random& r) {
             return norm(r, 2, [](const Inputs& x) {
                 return x.size() == 1   ? xg::layer_norm(x[0])
                        : x.size() == 2 ? xg::layer_norm(x[0], x[1])
                                        : xg::layer_norm(x[0], x[1], x[2]);
             });
         }},
        {"rms_norm",
         [](Random& r) {
             return norm(r, 1, [](const Inputs& x) { return x.size() == 1 ? xg::rms_norm(x[0]) : xg::rms_norm(x[0], x[1]); });
         }},
        {"cross_entropy", cross_entropy},
        {"rotary", rotary},
        {"dropout", dropout}};
}

}  // namespace views
