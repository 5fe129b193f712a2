// The check of derivatives must notice wrong ones: ops with a wrong rule each are given to it.
#include <doctest/doctest.h>

#include <string>

#include <xtgrad/xtgrad.hpp>

#include "tape/record.hpp"

namespace xg = xtgrad;
using xg::Tensor;
using xg::detail::Need, xg::detail::Node, xg::detail::Op;

namespace {

/// x * y + y with rules of one's choice.
template <const Op& op>
Tensor wrong(const Tensor& x, const Tensor& y) {
    Tensor out;
    {
        const xg::no_record pause;
        out = x * y + y;
    }
    if (xg::detail::recording()) xg::detail::record(op, out, x, y, {x, y, {}});
    return out;
}

Tensor right_tangent(const Node& n, const Tensor* d) {
    Tensor sum = xg::zeros_like(n.in[0]);
    if (d[0].defined()) sum = sum + d[0] * n.in[1];
    if (d[1].defined()) sum = sum + d[1] * (n.in[0] + 1.);
    return sum;
}
void right_adjoint(const Node& n, Tensor g, Need, Tensor* c) {
    c[0] = g * n.in[1];
    c[1] = g * (n.in[0] + 1.);
}

constexpr Op correct{"correct", right_adjoint, right_tangent};
constexpr Op wrong_sign{"wrong_sign",
                        [](const Node& n, Tensor g, Need, Tensor* c) { c[0] = -g * n.in[1], c[1] = g * (n.in[0] + 1.); },
                        right_tangent};
constexpr Op missing_term{
    "missing_term", [](const Node& n, Tensor g, Need, Tensor* c) { c[0] = g * n.in[1], c[1] = g * n.in[0]; }, right_tangent};
constexpr Op zero{"zero",
                  [](const Node& n, Tensor, Need, Tensor* c) { c[0] = xg::zeros_like(n.in[0]), c[1] = xg::zeros_like(n.in[1]); },
                  right_tangent};
constexpr Op wrong_transpose{
    "wrong_transpose",
    [](const Node& n, Tensor g, Need, Tensor* c) { c[0] = xg::copy(xg::transpose(g * n.in[1])), c[1] = g * (n.in[0] + 1.); },
    right_tangent};
constexpr Op wrong_shape{"wrong_shape",
                         [](const Node& n, Tensor g, Need, Tensor* c) { c[0] = xg::sum(g * n.in[1]), c[1] = g * (n.in[0] + 1.); },
                         right_tangent};
constexpr Op wrong_tangent{"wrong_tangent", right_adjoint, [](const Node& n, const Tensor* d) {
                               return (d[0].defined() ? d[0] : xg::zeros_like(n.in[0])) * n.in[1];
                           }};
/// Right at first order, but its adjoint forgets that it depends on x itself.
constexpr Op wrong_second{
    "wrong_second",
    [](const Node& n, Tensor g, Need, Tensor* c) { c[0] = g * xg::stop_gradient(n.in[1]), c[1] = g * (n.in[0] + 1.); },
    right_tangent};

struct Pair {
    Tensor a, b;
    static void visit(auto& self, auto&& field) { field("a", self.a), field("b", self.b); }
};

Tensor square_matrix(std::uint64_t seed) {
    xg::Rng rng(seed);
    return xg::randn({3, 3}, xg::f64, rng);
}

std::string complaint(auto f, const auto&... x) {
    try {
        xg::gradcheck(f, x...);
    } catch (const xg::Error& error) {
        return error.what();
    }
    return "";
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("gradcheck accepts a right rule") { CHECK_NOTHROW(xg::gradcheck(wrong<correct>, square_matrix(1), square_matrix(2))); }

TEST_CASE("gradcheck notices a wrong sign, a missing term, a zero, a wrong transpose, a wrong shape") {
    const Tensor x = square_matrix(1), y = square_matrix(2);
    CHECK(has(complaint(wrong<wrong_sign>, x, y), "wrong_sign: argument 0, element (0, 0)"));
    CHECK(has(complaint(wrong<missing_term>, x, y), "missing_term: argument 1, element"));
    CHECK(has(complaint(wrong<zero>, x, y), "zero: argument 0, element"));
    CHECK(has(complaint(wrong<wrong_transpose>, x, y), "wrong_transpose: argument 0, element (0, 1)"));
    CHECK(complaint(wrong<wrong_shape>, x, y) != "");
    CHECK(has(complaint(wrong<wrong_tangent>, x, y), "the forward mode"));
    CHECK(has(complaint(wrong<wrong_second>, x, y), "over"));
}

TEST_CASE("gradcheck notices them in inputs too large to check each element") {
    xg::Rng rng(3);
    const Tensor x = xg::randn({20, 20}, xg::f64, rng), y = xg::randn({20, 20}, xg::f64, rng);
    CHECK_NOTHROW(xg::gradcheck(wrong<correct>, x, y));
    CHECK(has(complaint(wrong<wrong_sign>, x, y), "random direction"));
    CHECK(has(complaint(wrong<missing_term>, x, y), "argument 1"));
    CHECK(has(complaint(wrong<wrong_transpose>, x, y), "argument 0"));
    CHECK(has(complaint(wrong<zero>, x, y), "argument 0"));
}

TEST_CASE("gradcheck gives both numbers") {
    const std::string text = complaint([](const Tensor& x) { return wrong<wrong_sign>(x, xg::full({}, 2.)); }, Tensor(5.));
    CHECK(has(text, "-2"));
    CHECK(has(text, "differences 2"));
}

TEST_CASE("an argument without influence is reported, not passed") {
    const Tensor x = square_matrix(1), y = square_matrix(2);
    CHECK(has(complaint([](const Tensor& a, const Tensor&) { return xg::sin(a); }, x, y), "argument 1 (3, 3) has no influence"));
    CHECK(has(complaint([](const Tensor& a) { return xg::stop_gradient(xg::sin(a)); }, x), "gradcheck"));
    CHECK(has(complaint([](const Tensor& a) { return xg::where(a > 100, a, 0.); }, x), "no influence"));
}

TEST_CASE("gradcheck needs f64, and arguments") {
    CHECK_THROWS_AS(xg::gradcheck([](const Tensor& a) { return xg::sin(a); }, Tensor(1.f)), xg::DtypeError);
    CHECK_THROWS_AS(xg::gradcheck([](const Tensor& a) { return xg::sin(a); }, Tensor()), xg::Error);
}

TEST_CASE("steps fit the size of the elements") {
    const auto f = [](const Tensor& a) { return xg::log(a) + xg::sqrt(a); };
    CHECK_NOTHROW(xg::gradcheck(f, xg::tensor({1e-7, 3e-5, 1e-3, 0.2, 5., 1e4})));
    const auto wrong = [](const Tensor& a) { return xg::log(a) + xg::stop_gradient(a); };
    CHECK(has(complaint(wrong, xg::tensor({0.2, 5.})), "argument 0, element (0,)"));
    CHECK(has(complaint(wrong, xg::tensor({1e-3})), "argument 0, element (0,)"));
    CHECK_NOTHROW(xg::gradcheck([](const Tensor& a) { return a * a; }, xg::tensor({0., 1e6})));
}

TEST_CASE("options come last; arguments may be lists and models") {
    const Tensor x = square_matrix(1), y = square_matrix(2), z = square_matrix(3);
    const auto second = [](const Tensor& a, const Tensor& b) { return wrong<wrong_second>(a, b); };
    CHECK(has(complaint(second, x, y), "over"));
    CHECK_NOTHROW(xg::gradcheck(second, x, y, {.second_order = false}));
    const auto rough = [](const Tensor& a) { return wrong<correct>(a, a) + xg::stop_gradient(a) * 1e-4; };
    CHECK_THROWS(xg::gradcheck(rough, x));
    CHECK_NOTHROW(xg::gradcheck(rough, x, {.tolerance = 1e-2}));
    const auto three = [](const Tensor& a, const Tensor& b, const Tensor& c) { return a * b * c; };
    CHECK_NOTHROW(xg::gradcheck(three, x, y, z));
    CHECK_NOTHROW(xg::gradcheck(three, x, y, z, xg::GradcheckOptions{.tolerance = 1e-5}));
    const auto list = [](const std::vector<Tensor>& v) { return wrong<missing_term>(v[0], v[1]); };
    CHECK(has(complaint(list, std::vector{x, y}), "missing_term: argument 1, element"));
    const Pair pair{x, y};
    CHECK_NOTHROW(xg::gradcheck([](const Pair& p) { return wrong<correct>(p.a, p.b); }, pair));
    CHECK(has(complaint([](const Pair& p, const Tensor& c) { return wrong<zero>(c, p.b); }, pair, z),
              "argument 0 (3, 3) has no influence"));
}

TEST_CASE("gradcheck does not record on the tapes around it") {
    const Tensor x(2.);
    xg::Tape tape;
    const Tensor y = x * x;
    xg::gradcheck([](const Tensor& a) { return xg::sin(a) * a; }, x);
    CHECK(tape.nodes() == 1);
    CHECK(tape.gradient(y, x).item<double>() == 4);
}
