// Linear algebra, of matrices that are far from singular.
#include "cases.hpp"

namespace views {
namespace {

namespace la = xg::linalg;

Shape batch(Random& r) { return r.chance(60) ? Shape() : r.shape(0, 2, 0, 6); }
Shape with(Shape s, Index rows, Index columns) {
    s.push_back(rows), s.push_back(columns);
    return s;
}
Tensor random(Random& r, const Shape& shape, Dtype dtype) {
    xg::Rng rng(r.bits());
    return xg::uniform(shape, dtype, rng, -1, 1);
}
Tensor identity(Index n, Dtype dtype) { return xg::eye(n, 0, dtype); }

/// With eigenvalues away from 0, and from one another.
Input regular(Random& r, const Shape& lead, Index n, Dtype dtype) {
    const Shape shape = with(lead, n, n);
    return {.shape = shape, .dtype = dtype, .values = xg::copy(random(r, shape, dtype) + double(n + 1) * identity(n, dtype))};
}
Input symmetric(Random& r, const Shape& lead, Index n, Dtype dtype) {
    const Shape shape = with(lead, n, n);
    const Tensor x = random(r, shape, dtype),
                 spread = identity(n, dtype) * xg::reshape(xg::astype(xg::arange(double(n)), dtype), {n, 1});
    return {.shape = shape,
            .dtype = dtype,
            .values = xg::copy(0.2 * (x + xg::swapaxes(x, -1, -2)) + 2. * spread + 2. * identity(n, dtype))};
}
/// With singular values of that kind.
Input tall(Random& r, const Shape& lead, Index m, Index n, Dtype dtype) {
    const Shape shape = with(lead, m, n);
    const Tensor x = random(r, shape, dtype), spread = xg::eye({std::size_t(m), std::size_t(n)}, 0, dtype) *
                                                       xg::astype(2. * xg::arange(double(n)) + 3., dtype);
    return {.shape = shape, .dtype = dtype, .values = xg::copy(0.3 * x + spread)};
}

Case of(Input x, std::function<Tensor(const Tensor&)> f) { return by_rounding(of_one(std::move(x), "", std::move(f))); }
Case of(Input x, Input y, std::function<Tensor(const Tensor&, const Tensor&)> f) {
    return by_rounding({.inputs = {std::move(x), std::move(y)}, .call = [f](const Inputs& v) { return f(v[0], v[1]); }});
}

Index order(Random& r) { return r.between(1, 7); }

template <class F>
Op square(const char* name, F f) {
    return {name, [f](Random& r) { return of(regular(r, batch(r), order(r), r.floating()), f); }};
}
template <class F>
Op hermitian(const char* name, F f) {
    return {name, [f](Random& r) { return of(symmetric(r, batch(r), order(r), r.floating()), f); }};
}
template <class F>
Op any(const char* name, F f) {
    return {name, [f](Random& r) {
                const Index m = order(r), n = order(r);
                return of(tall(r, batch(r), std::max(m, n), std::min(m, n), r.floating()), f);
            }};
}
template <class F>
Op system(const char* name, F f) {
    return {name, [f](Random& r) {
                const Index n = order(r);
                const Dtype dtype = r.floating();
                const Shape lead = batch(r);
                return of(symmetric(r, lead, n, dtype), {with(lead, n, r.between(1, 4)), dtype}, f);
            }};
}

Case norm(Random& r) {
    const Shape shape = r.shape(1, 4, 1, 300);
    const Index axis = r.axis(shape.size());
    const double p = r.one_of({1., 2., 3., 0.5, double(INFINITY)});
    return by_rounding(
        of_one({shape, r.floating(), 0.5, 2}, text(p, " along ", axis), [=](const Tensor& x) { return la::norm(x, p, {axis}); }));
}

Case kron(Random& r) {
    const Dtype dtype = r.floating();
    return by_rounding({.inputs = {{r.shape(2, 2, 0, 20), dtype}, {r.shape(2, 2, 0, 20), dtype}},
                        .call = [](const Inputs& x) { return la::kron(x[0], x[1]); }});
}

Case lstsq(Random& r) {
    const Index n = order(r), m = n + r.between(0, 4);
    const Dtype dtype = r.floating();
    return of(tall(r, {}, m, n, dtype), {{m, r.between(1, 4)}, dtype},
              [](const Tensor& a, const Tensor& b) { return la::lstsq(a, b).solution; });
}

}  // namespace

std::vector<Op> linalg_ops() {
    return {
        square("det", [](const Tensor& x) { return la::det(x); }),
        square("inv", [](const Tensor& x) { return la::inv(x); }),
        square("slogdet", [](const Tensor& x) { return la::slogdet(x).logdet; }),
        square("matrix_power", [](const Tensor& x) { return la::matrix_power(0.2 * x, 3); }),
        square("expm", [](const Tensor& x) { return la::expm(0.1 * x); }),
        hermitian("cholesky", [](const Tensor& x) { return la::cholesky(x); }),
        hermitian("eigh", [](const Tensor& x) { return xg::square(la::eigh(x).vectors); }),
        hermitian("eigvalsh", [](const Tensor& x) { return la::eigvalsh(x); }),
        any("qr", [](const Tensor& x) { return la::qr(x).r; }),
        any("qr", [](const Tensor& x) { return la::qr(x).q; }),
        any("svd", [](const Tensor& x) { return la::svd(x, false).s; }),
        any("svd",
            [](const Tensor& x) {
                const la::SVD d = la::svd(x, false);
                return xg::matmul(xg::square(d.u), xg::square(d.vt));
            }),
        any("pinv", [](const Tensor& x) { return la::pinv(x); }),
        system("solve", [](const Tensor& a, const Tensor& b) { return la::solve(a, b); }),
        system("solve_cholesky", [](const Tensor& a, const Tensor& b) { return la::solve_cholesky(a, b); }),
        system("solve_triangular",
               [](const Tensor& a, const Tensor& b) { return la::solve_triangular(a, b, {.lower = false, .transposed = true}); }),
        {"lstsq", lstsq},
        {"norm", norm},
        {"kron", kron}};
}

}  // namespace views
