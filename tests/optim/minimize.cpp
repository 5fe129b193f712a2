// minimize on problems whose minima are published: More, Garbow and Hillstrom, "Testing Unconstrained Optimization Software",
// ACM TOMS 7 (1981), by their numbers there.
#include <xtgrad/optim.hpp>

#include "../transforms/near.hpp"

namespace {

Tensor at(const Tensor& x, int i) { return xg::view(x, i); }

struct Problem {
    const char* name;
    std::function<Tensor(const Tensor&)> f;
    Tensor start, solution;
    double minimum;
};

std::vector<Problem> problems() {
    using namespace xg;
    return {
        {"1, Rosenbrock", [](const Tensor& x) { return 100. * square(at(x, 1) - square(at(x, 0))) + square(1. - at(x, 0)); },
         tensor({-1.2, 1.}), tensor({1., 1.}), 0},
        {"5, Beale",
         [](const Tensor& x) {
             const Tensor powers =
                 concatenate({reshape(at(x, 1), {1}), reshape(square(at(x, 1)), {1}), reshape(cube(at(x, 1)), {1})});
             return sum(square(tensor({1.5, 2.25, 2.625}) - at(x, 0) * (1. - powers)));
         },
         tensor({1., 1.}), tensor({3., 0.5}), 0},
        {"13, Powell singular",
         [](const Tensor& x) {
             return square(at(x, 0) + 10. * at(x, 1)) + 5. * square(at(x, 2) - at(x, 3)) + pow(at(x, 1) - 2. * at(x, 2), 4.) +
                    10. * pow(at(x, 0) - at(x, 3), 4.);
         },
         tensor({3., -1., 0., 1.}), Tensor(), 0},
        {"14, Wood",
         [](const Tensor& x) {
             return 100. * square(at(x, 1) - square(at(x, 0))) + square(1. - at(x, 0)) +
                    90. * square(at(x, 3) - square(at(x, 2))) + square(1. - at(x, 2)) + 10. * square(at(x, 1) + at(x, 3) - 2.) +
                    0.1 * square(at(x, 1) - at(x, 3));
         },
         tensor({-3., -1., -3., -1.}), tensor({1., 1., 1., 1.}), 0},
        {"16, Brown and Dennis",
         [](const Tensor& x) {
             const Tensor t = arange(1., 21.) / 5.;
             return sum(square(square(at(x, 0) + t * at(x, 1) - exp(t)) + square(at(x, 2) + at(x, 3) * sin(t) - cos(t))));
         },
         tensor({25., 5., -5., -1.}), Tensor(), 85822.2016},
        {"21, extended Rosenbrock",
         [](const Tensor& x) {
             const Tensor pairs = reshape(x, {10, 2}), a = view(pairs, xt::all(), 0), b = view(pairs, xt::all(), 1);
             return sum(100. * square(b - square(a)) + square(1. - a));
         },
         tile(tensor({-1.2, 1.}), 10), ones({20}, f64), 0},
    };
}

}  // namespace

TEST_CASE("published minima by both methods") {
    for (const auto method : {xg::optim::lbfgs, xg::optim::newton_cg})
        for (const Problem& p : problems()) {
            CAPTURE(p.name);
            CAPTURE(int(method));
            const bool large = p.minimum > 1;  // its gradient is known to fewer digits
            const auto m = xg::optim::minimize(p.f, p.start, {.method = method, .tolerance = large ? 1e-3 : 1e-9});
            CHECK(m.reason == xg::optim::Stop::gradient);
            CHECK(m.value == doctest::Approx(p.minimum).epsilon(1e-8));
            CHECK(xg::amax(xg::abs(m.gradient)).item<double>() <= (large ? 1e-3 : 1e-9));
            CHECK(near(m.gradient, xg::grad(p.f)(m.x)));
            if (p.solution.defined()) CHECK(near(m.x, p.solution, 1e-6));
            CHECK(m.iterations <= 500);
            CHECK(m.evaluations > m.iterations);
        }
}

TEST_CASE("lists of tensors, and what stops a minimization") {
    const auto f = [](const std::vector<Tensor>& v) { return xg::sum(xg::square(v[0] - 2.)) + xg::sum(xg::square(v[1] + v[0])); };
    const std::vector<Tensor> start{xg::zeros({2, 3}, xg::f64), xg::ones({3}, xg::f64)};
    for (const auto method : {xg::optim::lbfgs, xg::optim::newton_cg}) {
        const auto m = xg::optim::minimize(f, start, {.method = method});
        CHECK(near(m.x[0], xg::full({2, 3}, 2., xg::f64), 1e-7));
        CHECK(near(m.x[1], xg::full({3}, -2., xg::f64), 1e-7));
    }
    const Problem rosenbrock = problems()[0];
    const auto few = xg::optim::minimize(rosenbrock.f, rosenbrock.start, {.max_iterations = 3});
    CHECK(few.reason == xg::optim::Stop::iterations);
    CHECK(few.iterations == 3);
    CHECK(few.value < rosenbrock.f(rosenbrock.start).item<double>());
    const auto kink = [](const Tensor& x) { return xg::sum(xg::abs(x - 0.3)) + xg::sum(x * 0.5); };
    CHECK(xg::optim::minimize(kink, xg::tensor({1., 2.})).reason == xg::optim::Stop::progress);
    CHECK(xg::optim::minimize(rosenbrock.f, xg::tensor({1., 1.})).iterations == 0);
    CHECK(has(complaint([] { xg::optim::minimize([](const Tensor& x) { return xg::log(x); }, Tensor(-1.)); }),
              "[minimize] the function is"));
    CHECK(has(complaint([] {
                  xg::optim::minimize([](const Tensor& x) { return x; }, xg::tensor({1., 2.}));
              }),
              "[minimize] the function returned (2,)"));
    xg::Tape tape;
    const Tensor x(3.), y = x * x;
    xg::optim::minimize([](const Tensor& t) { return t * t; }, x);
    CHECK(tape.nodes() == 1);
}
