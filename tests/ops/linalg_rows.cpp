#include <limits>

#include "naive_matrices.hpp"
#include "table.hpp"

namespace table {
namespace {

namespace la = xg::linalg;
using naive::Matrix, naive::Number;
using Matrices = std::vector<Matrix>;

/// A reference for each matrix of a batch, which has so many axes: matrices, a row, or a single element.
std::function<Tensor(const Inputs&)> batched(std::size_t axes, std::function<Matrix(const Matrices&)> f) {
    return [=](const Inputs& x) {
        std::vector<Array> in;
        Shape batch;
        for (Tensor t : x) {
            if (t.dimension() == 1) t = xg::expand_dims(t, 1);
            in.emplace_back(t);
            const Shape own = in.back().shape();
            const std::size_t leading = own.size() - 2;
            while (batch.size() < leading) batch.insert(0, 1);
            for (std::size_t d = 0; d < leading; ++d) {
                Index& extent = batch[batch.size() - leading + d];
                if (extent == 1) extent = own[d];
            }
        }
        Index count = 1;
        for (const Index extent : batch) count *= extent;
        std::vector<double> values;
        Matrix y(0, 0);
        for (Index i = 0; i < std::max<Index>(count, 1); ++i) {
            Shape at = batch;
            for (std::size_t d = batch.size(), rest = std::size_t(i); d-- > 0 && count > 0; rest /= std::size_t(batch[d])) at[d] = Index(rest) % batch[d];
            Matrices matrices;
            for (const Array& a : in) {
                const Shape s = a.shape();
                Matrix m(std::size_t(s[s.size() - 2]), std::size_t(s.back()));
                for (std::size_t r = 0; r < m.rows; ++r)
                    for (std::size_t c = 0; c < m.columns; ++c) {
                        Shape place = at;
                        place.push_back(r);
                        place.push_back(c);
                        m(r, c) = count > 0 ? a.at(place) : r == c;  // of an empty batch only the shape matters
                    }
                matrices.push_back(m);
            }
            y = f(matrices);
            if (count > 0) values.insert(values.end(), y.values.begin(), y.values.end());
        }
        Shape shape = batch;
        if (axes == 2) shape.push_back(y.rows);
        if (axes >= 1) shape.push_back(y.columns);
        if (x.back().dimension() == 1) shape.pop_back();
        Array out(shape);
        for (Index i = 0; i < out.size(); ++i) out[i] = values[std::size_t(i)];
        return out.tensor();
    };
}
auto one(Number (*f)(const Matrix&)) {
    return batched(0, [=](const Matrices& m) {
        Matrix y(1, 1);
        y(0, 0) = f(m[0]);
        return y;
    });
}
Matrix row_of(const std::vector<Number>& values) {
    Matrix y(1, values.size());
    y.values = values;
    return y;
}
std::vector<Number> singular_values(const Matrix& a) {
    Matrix u(0, 0), v(0, 0);
    std::vector<Number> s;
    naive::singular(a.rows < a.columns ? naive::transposed(a) : a, u, s, v);
    return s;
}

/// Random elements, and on the diagonal first, first + step, ... more: distinct eigenvalues and singular values, no small ones.
Tensor spread(const Shape& shape, double first = 4, double step = 0) {
    const Index m = shape[shape.size() - 2], n = shape.back();
    Array diagonal(Shape{m, n});
    for (Index i = 0; i < std::min(m, n); ++i) diagonal.place({i, i}) = first + step * double(i);
    return random(shape, -1, 1) + diagonal.tensor();
}
std::vector<Sample> squares(double first = 4, double step = 0) {
    return {{"square", {spread({4, 4}, first, step)}}, {"batch", {spread({2, 3, 3}, first, step)}}, {"batch of two axes", {spread({2, 1, 2, 2}, first, step)}},
            {"one", {spread({1, 1}, first, step)}},    {"empty", {random({0, 0})}},                 {"empty batch", {random({0, 3, 3})}}};
}
/// Tall, wide and square.
std::vector<Sample> oblongs(double step) {
    return {{"tall", {spread({5, 3}, 3, step)}}, {"wide", {spread({2, 4}, 3, step)}}, {"square", {spread({3, 3}, 3, step)}}, {"batch", {spread({2, 4, 2}, 3, step)}},
            {"column", {spread({3, 1}, 3, step)}}, {"row", {spread({1, 3}, 3, step)}}, {"empty", {random({3, 0})}}, {"empty batch", {random({0, 3, 2})}}};
}
std::vector<Sample> without(const std::string& what, std::vector<Sample> samples) {
    std::erase_if(samples, [&](const Sample& s) { return s.what == what; });
    return samples;
}
std::vector<Sample> systems() {
    return {{"matrix", {spread({4, 4}), random({4, 3})}}, {"vector", {spread({3, 3}), random({3})}}, {"batch", {spread({2, 3, 3}), random({2, 3, 2})}},
            {"batch by one", {spread({2, 3, 3}), random({3, 1})}}, {"one by batch", {spread({3, 3}), random({2, 3, 2})}}, {"broadcast", {spread({2, 1, 2, 2}), random({3, 2, 4})}},
            {"batch by vector", {spread({2, 3, 3}), random({3})}}, {"one", {spread({1, 1}), random({1, 1})}}, {"empty", {random({0, 0}), random({0, 2})}},
            {"no columns", {spread({3, 3}), random({3, 0})}}, {"empty batch", {random({0, 3, 3}), random({0, 3, 2})}}};
}

/// The columns from k on times their transpose: does not depend on the choice of a basis.
Tensor projector(const Tensor& q, Index k) {
    const Tensor rest = xg::view(q, xt::ellipsis(), xt::range(k, q.shape(-1)));
    return xg::matmul(rest, xg::swapaxes(rest, -2, -1));
}
/// What is left of the identity without the columns of a.
Matrix left_over(const Matrix& a) { return Matrix::identity(a.rows) + -1 * (a * naive::pseudo_inverse(a)); }

/// q and r as with a positive diagonal of r: LAPACK's signs are constants.
Tensor signs(const Tensor& r) {
    const Index k = std::min(r.shape(-2), r.shape(-1));
    return xg::sign(xg::diagonal(xg::view(r, xt::ellipsis(), xt::range(0, k), xt::range(0, k)), 0, r.dimension() - 2, r.dimension() - 1));
}
Matrix factor_q(const Matrix& a) {
    const std::size_t k = std::min(a.rows, a.columns);
    Matrix front(a.rows, k), q(0, 0), r(0, 0);
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t j = 0; j < k; ++j) front(i, j) = a(i, j);
    naive::gram_schmidt(front, q, r);
    return q;
}

}  // namespace

std::vector<Row> linalg_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, std::vector<Sample> s, bool differentiable = true) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = std::move(s), .differentiable = differentiable});
    };
    const auto on_one = [](Tensor (*f)(const Tensor&)) { return [=](const Inputs& v) { return f(v[0]); }; };
    using V = const Inputs&;
    using M = const Matrices&;

    row("solve", [](V v) { return la::solve(v[0], v[1]); }, batched(2, [](M m) { return naive::solve(m[0], m[1]); }), systems());
    row("inv", on_one(la::inv), batched(2, [](M m) { return naive::solve(m[0], Matrix::identity(m[0].rows)); }), squares());
    row("det", on_one(la::det), one([](const Matrix& a) { return naive::det(a); }), squares(1));
    const Tensor singular = xg::tensor({{1., 2., 3.}, {4., 5., 6.}, {5., 7., 9.}}), zero = xg::zeros({1, 1});
    row("det", on_one(la::det), one([](const Matrix& a) { return naive::det(a); }), {{"singular", {singular}}, {"zero", {zero}}});
    row("slogdet", [](V v) { return la::slogdet(v[0]).logdet; }, one([](const Matrix& a) { return std::log(std::fabs(naive::det(a))); }), squares(-3));
    row("slogdet", [](V v) { return la::slogdet(v[0]).sign; }, one([](const Matrix& a) -> Number { return naive::det(a) < 0 ? -1 : 1; }), squares(-3), false);

    const auto definite = [](const Tensor& x) { return xg::matmul(x, xg::swapaxes(x, -2, -1)); };
    row("cholesky", on_one(la::cholesky), batched(2, [](M m) { return naive::cholesky(naive::symmetric(m[0])); }), squares());
    row("cholesky", [=](V v) { return la::cholesky(definite(v[0])); }, batched(2, [](M m) { return naive::cholesky(m[0] * naive::transposed(m[0])); }), {{"of a product", {spread({3, 3}, 2)}}});
    for (const bool lower : {true, false})
        for (const bool transposed : {true, false})
            for (const bool unit : {true, false}) {
                const auto reference = [=](M m) {
                    Matrix t = m[0];
                    for (std::size_t i = 0; i < t.rows; ++i)
                        for (std::size_t j = 0; j < t.rows; ++j) t(i, j) = i == j ? unit ? 1 : t(i, j) : (j < i) == lower ? t(i, j) : 0;
                    return naive::solve(transposed ? naive::transposed(t) : t, m[1]);
                };
                const bool all = lower && !transposed && !unit;
                row("solve_triangular", [=](V v) { return la::solve_triangular(v[0], v[1], {lower, transposed, unit}); }, batched(2, reference),
                    all ? systems() : std::vector<Sample>{{"batch", {spread({2, 3, 3}), random({3, 2})}}});
            }
    row("solve_cholesky", [](V v) { return la::solve_cholesky(v[0], v[1]); },
        batched(2, [](M m) {
            Matrix l = m[0];
            for (std::size_t i = 0; i < l.rows; ++i)
                for (std::size_t j = i + 1; j < l.rows; ++j) l(i, j) = 0;
            return naive::solve(l * naive::transposed(l), m[1]);
        }),
        systems());

    row("qr", [](V v) { const auto [q, r] = la::qr(v[0]); return q * xg::expand_dims(signs(r), v[0].dimension() - 2); }, batched(2, [](M m) { return factor_q(m[0]); }), without("row", oblongs(0)));
    row("qr", [](V v) { const Tensor r = la::qr(v[0], la::qrmode::r).r; return r * xg::expand_dims(signs(r), v[0].dimension() - 1); },
        batched(2, [](M m) { return naive::transposed(factor_q(m[0])) * m[0]; }), oblongs(0));
    row("qr", [](V v) { const auto [q, r] = la::qr(v[0], la::qrmode::complete); return xg::matmul(q, r); }, batched(2, [](M m) { return m[0]; }),
        {{"complete", {spread({4, 2})}}, {"complete, wide", {spread({2, 3})}}, {"complete batch", {spread({2, 3, 1})}}});
    row("qr", [](V v) { return projector(la::qr(v[0], la::qrmode::complete).q, v[0].shape(-1)); }, batched(2, [](M m) { return left_over(m[0]); }),
        {{"complement", {spread({4, 2})}}, {"complement, batch", {spread({2, 3, 1})}}});

    const auto eigen = [](auto pick) {
        return [=](M m) {
            std::vector<Number> w;
            Matrix v(0, 0);
            naive::jacobi(naive::symmetric(m[0]), w, v);
            return pick(w, v);
        };
    };
    const auto values = [](const std::vector<Number>& w, const Matrix&) { return row_of(w); };
    row("eigvalsh", on_one(la::eigvalsh), batched(1, eigen(values)), squares(-3, 3));
    row("eigh", [](V v) { return la::eigh(v[0]).values; }, batched(1, eigen(values)), squares(-3, 3));
    row("eigh", [](V v) { return la::eigh(v[0]).vectors; }, batched(2, eigen([](const auto&, const Matrix& v) { return v; })), {squares(-3, 3)[0], squares(-3, 3)[1], {"empty", {random({0, 0})}}});

    row("svd", [](V v) { return la::svd(v[0], true, false).s; }, batched(1, [](M m) { return row_of(singular_values(m[0])); }), oblongs(3));
    // Of a wide matrix the vectors of its transpose, with the signs of this u.
    const auto factor = [](bool left) {
        return batched(2, [=](M m) {
            Matrix u(0, 0), v(0, 0);
            std::vector<Number> s;
            naive::singular(m[0], u, s, v);
            return left ? u : naive::transposed(v);
        });
    };
    const std::vector<Sample> tall{{"tall", {spread({5, 3}, 3, 3)}}, {"square", {spread({3, 3}, 3, 3)}}, {"batch", {spread({2, 4, 2}, 3, 3)}}, {"empty", {random({3, 0})}}};
    row("svd", [](V v) { return la::svd(v[0], false).u; }, factor(true), tall);
    row("svd", [](V v) { return la::svd(v[0], false).vt; }, factor(false), tall);
    row("svd", [](V v) { const auto [u, s, vt] = la::svd(v[0], false); return xg::matmul(u * xg::expand_dims(xg::exp(-s), v[0].dimension() - 2), vt); },
        batched(2, [](M m) {
            Matrix u(0, 0), v(0, 0);
            std::vector<Number> s;
            const bool wide = m[0].rows < m[0].columns;
            naive::singular(wide ? naive::transposed(m[0]) : m[0], u, s, v);
            for (std::size_t i = 0; i < u.rows; ++i)
                for (std::size_t j = 0; j < u.columns; ++j) u(i, j) *= std::exp(-s[j]);
            const Matrix y = u * naive::transposed(v);
            return wide ? naive::transposed(y) : y;
        }),
        oblongs(3));
    row("svd", [](V v) { return projector(la::svd(v[0]).u, v[0].shape(-1)); }, batched(2, [](M m) { return left_over(m[0]); }), {{"full, tall", {spread({4, 2}, 3, 3)}}});
    row("svd", [](V v) { return projector(xg::swapaxes(la::svd(v[0]).vt, -2, -1), v[0].shape(-2)); }, batched(2, [](M m) { return left_over(naive::transposed(m[0])); }),
        {{"full, wide", {spread({2, 4}, 3, 3)}}});

    row("pinv", [](V v) { return la::pinv(v[0]); }, batched(2, [](M m) { return naive::pseudo_inverse(m[0]); }), oblongs(3));
    const auto deficient = [](const Tensor& x, const Tensor& y) { return xg::matmul(x, y); };
    row("pinv", [=](V v) { return la::pinv(deficient(v[0], v[1]), 1e-5); }, batched(2, [](M m) { return naive::pseudo_inverse(m[1]) * naive::pseudo_inverse(m[0]); }),
        {{"of rank 2", {spread({4, 2}, 3), spread({2, 3}, 3)}}});
    const std::vector<Sample> overdetermined{{"matrix", {spread({5, 3}), random({5, 2})}}, {"vector", {spread({4, 2}), random({4})}}, {"batch", {spread({2, 3, 2}), random({2, 3, 1})}}};
    std::vector<Sample> any = overdetermined;
    any.push_back({"wide", {spread({2, 4}), random({2, 3})}});
    any.push_back({"empty", {random({0, 2}), random({0, 3})}});
    row("lstsq", [](V v) { return la::lstsq(v[0], v[1]).solution; }, batched(2, [](M m) { return naive::pseudo_inverse(m[0]) * m[1]; }), any);
    row("lstsq", [](V v) { return la::lstsq(v[0], v[1]).residuals; },
        batched(1, [](M m) {
            const Matrix rest = left_over(m[0]) * m[1];
            return naive::transposed(rest) * rest;
        }),
        {{"residuals", {spread({4, 2}), random({4, 1})}}, {"residuals, batch", {spread({2, 5, 3}), random({2, 5, 1})}}});
    row("lstsq", [](V v) { return la::lstsq(v[0], v[1]).rank; }, batched(0, [](M m) { Matrix y(1, 1); y(0, 0) = Number(std::min(m[0].rows, m[0].columns)); return y; }),
        {{"rank", {spread({2, 4, 3}), random({2, 4, 2})}}}, false);
    row("lstsq", [](V v) { return la::lstsq(v[0], v[0] * 0.).singular_values; }, batched(1, [](M m) { return row_of(singular_values(m[0])); }), {{"singular values", {spread({4, 2}, 3, 3)}}});

    row("expm", on_one(la::expm), batched(2, [](M m) { return naive::exponential(m[0]); }), squares(0));
    row("expm", [](V v) { return la::expm(v[0]); }, batched(2, [](M m) { return naive::exponential(m[0]); }), {{"large beside small", {xg::stack(std::vector{random({3, 3}, -3, 3), random({3, 3}, -0.1, 0.1)})}}});
    for (const long n : {-2, 0, 1, 5})
        row("matrix_power", [=](V v) { return la::matrix_power(v[0], n); },
            batched(2, [=](M m) {
                Matrix y = Matrix::identity(m[0].rows);
                for (long k = 0; k < std::labs(n); ++k) y = y * m[0];
                return n < 0 ? naive::solve(y, Matrix::identity(y.rows)) : y;
            }),
            n == 5 ? squares(1) : std::vector<Sample>{{"batch", {spread({2, 3, 3}, 2)}}}, n != 0);
    row("kron", [](V v) { return la::kron(v[0], v[1]); },
        [](V v) {
            Array a(xg::reshape(v[0], v[0].dimension() == 1 ? Shape{1, v[0].size()} : v[0].shape())), b(v[1]);
            const Shape p = a.shape(), q = b.shape();
            Array y(Shape{p[0] * q[0], p[1] * q[1]});
            for (Index i = 0; i < y.shape()[0]; ++i)
                for (Index j = 0; j < y.shape()[1]; ++j) y.place({i, j}) = a.at({i / q[0], j / q[1]}) * b.at({i % q[0], j % q[1]});
            return y.tensor();
        },
        {{"matrices", {random({2, 3}), random({4, 2})}}, {"vector", {random({3}), random({2, 4})}}, {"one", {random({1, 1}), random({2, 2})}}, {"empty", {random({0, 2}), random({2, 3})}}});

    const auto norm_of = [&](const std::string& what, auto ord, std::size_t axes, std::function<Number(const Matrix&)> f, std::vector<Sample> s, bool differentiable = true) {
        for (Sample& sample : s) sample.what += ", " + what;
        row("norm", [=](V v) { return axes == 0 ? la::norm(v[0], ord) : axes == 1 ? la::norm(v[0], ord, {-1}) : la::norm(v[0], ord, {-2, -1}, false); },
            batched(axes == 1 ? 1 : 0, [=](M m) {
                if (axes != 1) return row_of({f(m[0])});
                std::vector<Number> norms;
                for (std::size_t i = 0; i < m[0].rows; ++i) {
                    Matrix r(1, m[0].columns);
                    for (std::size_t j = 0; j < r.columns; ++j) r(0, j) = m[0](i, j);
                    norms.push_back(f(r));
                }
                return row_of(norms);
            }), s, differentiable);
    };
    const auto power = [](double p) {
        return [=](const Matrix& a) {
            Number sum = 0;
            for (const Number x : a.values) sum += std::pow(std::fabs(x), Number(p));
            return std::pow(sum, 1 / Number(p));
        };
    };
    const auto lines = [](bool rows_of_it, bool largest) {
        return [=](const Matrix& given) {
            const Matrix a = rows_of_it ? given : naive::transposed(given);
            Number best = largest ? 0 : std::numeric_limits<Number>::infinity();
            for (std::size_t i = 0; i < a.rows; ++i) {
                Number sum = 0;
                for (std::size_t j = 0; j < a.columns; ++j) sum += std::fabs(a(i, j));
                best = largest ? std::max(best, sum) : std::min(best, sum);
            }
            return best;
        };
    };
    const std::vector<Sample> vectors{{"vectors", {random({2, 5}, 0.5, 2)}}}, matrices{{"matrix", {spread({3, 4}, 3, 3)}}, {"matrices", {spread({2, 4, 3}, 3, 3)}}};
    row("norm", [](V v) { return la::norm(v[0]); }, [=](V v) { Matrix all(1, v[0].size()); const Array a(v[0]); for (Index i = 0; i < a.size(); ++i) all.values[std::size_t(i)] = a[i]; return Tensor(double(power(2)(all))); },
        {{"all", {random({2, 3, 2})}}});
    for (const double p : {1., 2., 3., -1., 2.5}) norm_of("order " + std::to_string(p), p, 1, power(p), vectors);
    norm_of("inf", double(INFINITY), 1, [](const Matrix& a) { return std::fabs(*std::max_element(a.values.begin(), a.values.end())); }, vectors);
    norm_of("-inf", double(-INFINITY), 1, [](const Matrix& a) { return std::fabs(*std::min_element(a.values.begin(), a.values.end())); }, vectors);
    norm_of("0", 0., 1, [](const Matrix& a) { return Number(a.columns); }, vectors, false);
    norm_of("1", 1., 2, lines(false, true), matrices);
    norm_of("-1", -1., 2, lines(false, false), matrices);
    norm_of("inf", la::normorder::inf, 2, lines(true, true), matrices);
    norm_of("-inf", la::normorder::neg_inf, 2, lines(true, false), matrices);
    norm_of("2", 2., 2, [](const Matrix& a) { return singular_values(a).front(); }, matrices);
    norm_of("-2", -2., 2, [](const Matrix& a) { return singular_values(a).back(); }, matrices);
    norm_of("frob", la::normorder::frob, 2, power(2), matrices);
    norm_of("nuc", la::normorder::nuc, 2, [](const Matrix& a) { Number sum = 0; for (const Number s : singular_values(a)) sum += s; return sum; }, matrices);
    norm_of("of a matrix", 2., 0, [](const Matrix& a) { return singular_values(a).front(); }, {matrices[0]});
    row("norm", [](V v) { return la::norm(v[0], la::normorder::nuc, {2, 0}, true); },
        [](V v) {
            Array a(v[0]);
            const Shape s = a.shape();
            Array y(Shape{1, s[1], 1});
            for (Index j = 0; j < s[1]; ++j) {
                Matrix m{std::size_t(s[0]), std::size_t(s[2])};
                for (Index i = 0; i < s[0]; ++i)
                    for (Index k = 0; k < s[2]; ++k) m(std::size_t(i), std::size_t(k)) = a.at({i, j, k});
                for (const Number x : singular_values(m)) y[j] += double(x);
            }
            return y.tensor();
        },
        {{"axes, kept", {random({3, 2, 4})}}});
    return rows;
}

}  // namespace table
