// minimize on problems whose minima are published.
#include <xtgrad/optim.hpp>

#include "../../examples/common/more_garbow_hillstrom.hpp"
#include "../transforms/near.hpp"

using more_garbow_hillstrom::Problem, more_garbow_hillstrom::problems;

TEST_CASE("More, Garbow and Hillstrom: derivatives against differences, and one by hand") {
    for (const Problem& p : problems()) {
        CAPTURE(p.number);
        xg::gradcheck(p, p.start, {.tolerance = 1e-5});  // exponentials of 320 x among them
    }
    CHECK(near(xg::grad(problems()[0])(xg::tensor({-1.2, 1.})), xg::tensor({-215.6, -88.})));
}

TEST_CASE("published minima by both methods") {
    for (const auto method : {xg::optim::lbfgs, xg::optim::newton_cg})
        for (const Problem& p : problems()) {
            CAPTURE(p.number);
            CAPTURE(int(method));
            const auto m = xg::optim::minimize(p, p.start, {.method = method, .tolerance = 1e-9});
            // Where the minimum is not 0, the digits of the gradient may end first.
            CHECK(m.reason != xg::optim::Stop::iterations);
            const double tolerance = p.minimum > 0 ? 1e-6 * std::max(1., p.minimum) : 1e-9;
            CHECK(p.reached(m.value));
            CHECK(xg::amax(xg::abs(m.gradient)).item<double>() <= tolerance);
            CHECK(near(m.gradient, xg::grad(p)(m.x)));
            if (p.solution.defined()) CHECK(near(m.x, p.solution, 1e-6));
            CHECK(m.iterations <= 200);
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
    const auto few = xg::optim::minimize(rosenbrock, rosenbrock.start, {.max_iterations = 3});
    CHECK(few.reason == xg::optim::Stop::iterations);
    CHECK(few.iterations == 3);
    CHECK(few.value < rosenbrock(rosenbrock.start).item<double>());
    const auto kink = [](const Tensor& x) { return xg::sum(xg::abs(x - 0.3)) + xg::sum(x * 0.5); };
    CHECK(xg::optim::minimize(kink, xg::tensor({1., 2.})).reason == xg::optim::Stop::progress);
    CHECK(xg::optim::minimize(rosenbrock, xg::tensor({1., 1.})).iterations == 0);
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
