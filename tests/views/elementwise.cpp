// The rows of the op table whose inputs may have any shapes that broadcast, and what they leave out: integers, masks, numbers.
#include <xtgrad/vectorize.hpp>

#include "../ops/table.hpp"
#include "cases.hpp"

namespace views {
namespace {

/// What the row's k-th input may lie between.
std::pair<double, double> range(const table::Row& row, std::size_t k) {
    for (const table::Sample& s : row.samples)
        if (k < s.inputs.size() && s.inputs[k].size() != 0)
            return {xg::amin(s.inputs[k]).item<double>(), xg::amax(s.inputs[k]).item<double>()};
    return {0, 1};
}

/// Now and then with long rows, of whole vectors, where what repeats along them stays in its place.
Shape any_shape(Random& r, int most_rank) {
    if (r.chance(8)) return {r.between(2, 5), 16 * r.between(8, 33)};
    return r.shape(0, most_rank, 0, r.chance(2) ? 1 << 17 : 3000);
}

Case of_row(Random& r, const table::Row& row) {
    const std::size_t n = row.samples[0].inputs.size();
    const Shape shape = any_shape(r, n > 1 ? 4 : 6);
    const Dtype dtype = r.floating();
    Case c{.inputs = {},
           .call = row.op,
           .differentiable = row.differentiable,
           .gradients = Agreement::rounding};  // sums where operands repeat
    const std::size_t whole = std::size_t(r.between(0, Index(n)));
    for (std::size_t k = 0; k < n; ++k) {
        const auto [low, high] = range(row, k);
        c.inputs.push_back({k == whole ? shape : r.part_of(shape), dtype, low, high});
    }
    return c;
}

/// f of two or three tensors that broadcast.
Case broadcast(Random& r, Dtype dtype, std::size_t n, std::function<Tensor(const Inputs&)> f) {
    const Shape shape = any_shape(r, 5);
    Case c{.inputs = {}, .call = std::move(f), .gradients = Agreement::rounding};
    const std::size_t whole = std::size_t(r.between(0, Index(n)));
    for (std::size_t k = 0; k < n; ++k) c.inputs.push_back({k == whole ? shape : r.part_of(shape), dtype, -9, 9});
    return c;
}

Case where(Random& r) {
    Case c = broadcast(r, r.number_dtype(), 3, [](const Inputs& x) { return xg::where(x[0], x[1], x[2]); });
    c.inputs[0].dtype = xg::boolean;
    c.inputs[0].low = 0, c.inputs[0].high = 2;
    return c;
}

Case astype(Random& r) {
    const Dtype to = r.dtype();
    return of_one({r.shape(0, 6), r.dtype(), -9, 9}, xg::name_of(to), [to](const Tensor& x) { return xg::astype(x, to); });
}

Case isclose(Random& r) {
    return unrecorded(broadcast(r, r.floating(), 2, [](const Inputs& x) { return xg::isclose(x[0], x[1], 0.1, 0.2); }));
}

/// With a number on either side, which takes the dtype of the tensor.
Case numbers(Random& r) {
    const double p = std::round(r.number(-4, 4)), q = 3;
    const int which = int(r.between(0, 8));
    return of_one({any_shape(r, 6), r.number_dtype(), -9, 9}, text(which, " with ", p), [=](const Tensor& x) {
        switch (which) {
            case 0: return x + p;
            case 1: return p - x;
            case 2: return x * p;
            case 3: return xg::maximum(x, p);
            case 4: return xg::minimum(p, x);
            case 5: return xg::clip(x, -q, q);
            case 6: return xg::where(x > p, x, q);
            default: return xg::where(xg::logical_not(x < p), p, x);
        }
    });
}

Tensor comparison(int which, const Tensor& a, const Tensor& b) {
    switch (which) {
        case 0: return a < b;
        case 1: return a <= b;
        case 2: return a > b;
        case 3: return a >= b;
        case 4: return xg::equal(a, b);
        default: return xg::not_equal(a, b);
    }
}

}  // namespace

std::vector<Op> elementwise_ops() {
    std::vector<Op> ops;
    for (const table::Family& family : table::families) {
        if (std::string(family.name) != "elementwise") continue;
        for (table::Row& row : table::rows_of(family))
            if (row.name != "where" && row.name != "astype" && row.name != "isclose") {
                const std::string name = row.name;
                ops.push_back({name, [row = std::move(row)](Random& r) { return of_row(r, row); }});
            }
    }
    const auto add = [&](const char* name, auto make) { ops.push_back({name, make}); };
    add("where", where);
    add("astype", astype);
    add("isclose", isclose);
    add("numbers", numbers);
    add("stop_gradient", [](Random& r) {
        return unrecorded(of_one({r.shape(0, 6), r.dtype(), -9, 9}, "", [](const Tensor& x) { return xg::stop_gradient(x); }));
    });
    const auto integers = [&](const char* name, Tensor (*f)(const Tensor&, const Tensor&)) {
        add(name, [f](Random& r) { return broadcast(r, xg::i64, 2, [f](const Inputs& x) { return f(x[0], x[1]); }); });
    };
    integers("operator+", [](const Tensor& a, const Tensor& b) { return a + b; });
    integers("operator-", [](const Tensor& a, const Tensor& b) { return a - b; });
    integers("operator*", [](const Tensor& a, const Tensor& b) { return a * b; });
    integers("maximum", [](const Tensor& a, const Tensor& b) { return xg::maximum(a, b); });
    integers("minimum", [](const Tensor& a, const Tensor& b) { return xg::minimum(a, b); });
    add("abs", [](Random& r) {
        return of_one({r.shape(0, 6), xg::i64, -9, 9}, "", [](const Tensor& x) { return xg::abs(-x); });
    });
    add("clip", [](Random& r) {
        return broadcast(r, r.number_dtype(), 3,
                         [](const Inputs& x) { return xg::clip(x[0], xg::minimum(x[1], x[2]), xg::maximum(x[1], x[2])); });
    });
    add("comparison", [](Random& r) {
        const int which = int(r.between(0, 6));
        return unrecorded(broadcast(r, r.number_dtype(), 2, [which](const Inputs& x) { return comparison(which, x[0], x[1]); }));
    });
    add("logic", [](Random& r) {
        Case c = broadcast(r, xg::boolean, 2, [](const Inputs& x) { return xg::logical_xor(x[0] && x[1], !x[0] || x[1]); });
        for (Input& in : c.inputs) in.low = 0, in.high = 2;
        return c;
    });
    add("fma",
        [](Random& r) { return broadcast(r, r.floating(), 3, [](const Inputs& x) { return xg::fma(x[0], x[1], x[2]); }); });
    add("formula", [](Random& r) {
        return broadcast(r, r.floating(), 3, [](const Inputs& x) {
            return xg::vectorize([](auto a, auto b, auto c) {
                using std::exp, std::sin;
                return a * exp(-b * b / 40) + sin(c) * b;
            })(x[0], x[1], x[2]);
        });
    });
    return ops;
}

}  // namespace views
