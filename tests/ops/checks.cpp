// Every row of the op table through every check.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "table.hpp"

namespace table {
namespace {

const std::vector<Row>& rows() {
    static const std::vector<Row> list = all_rows();
    return list;
}

/// The same values in memory that is walked another way: every second element of every axis.
Tensor strided(const Tensor& x) {
    if (x.dimension() == 0) return x;
    Tensor t = x;
    for (std::size_t d = 0; d < x.dimension(); ++d) {
        xg::Axes swap;
        for (std::size_t i = 0; i < x.dimension(); ++i) swap.push_back(Index(i));
        std::swap(swap[0], swap[d]);
        t = xg::permute(t, swap);
        t = xg::stack(std::vector{t * 0 + 9., t}, 1);  // garbage between
        Shape s = t.shape();
        s.erase(1);
        s[0] *= 2;
        t = xg::permute(xg::reshape(t, s), swap);
    }
    using xt::range;
    using namespace xt::placeholders;
    switch (x.dimension()) {
        case 1: return xg::view(t, range(1, _, 2));
        case 2: return xg::view(t, range(1, _, 2), range(1, _, 2));
        case 3: return xg::view(t, range(1, _, 2), range(1, _, 2), range(1, _, 2));
        case 4: return xg::view(t, range(1, _, 2), range(1, _, 2), range(1, _, 2), range(1, _, 2));
        default: return x;
    }
}

Inputs each(const Inputs& x, const std::function<Tensor(const Tensor&)>& f) {
    Inputs y;
    for (const Tensor& t : x) y.push_back(f(t));
    return y;
}

void for_samples(const std::function<void(const Row&, const Sample&)>& check) {
    for (const Row& row : rows())
        for (const Sample& sample : row.samples) {
            std::string shapes;
            for (const Tensor& x : sample.inputs) {
                std::ostringstream s;
                s << ' ' << x.shape();
                shapes += s.str();
            }
            const std::string name = row.name + ", " + sample.what + shapes;
            INFO(name);
            try {
                check(row, sample);
            } catch (const std::exception& error) {
                FAIL_CHECK(name << " threw: " << std::string(error.what()));
            }
        }
}

bool is_empty(const Inputs& x, const Tensor& y) {
    bool empty = y.size() == 0;
    for (const Tensor& t : x) empty |= t.size() == 0;
    return empty;
}

std::vector<Tensor> vjp(const Row& row, const Inputs& x, const Tensor& w) {
    xg::Tape tape;
    const Tensor y = row.op(x);
    return tape.vjp(y, w, x, xg::zeros_if_unused);
}

}  // namespace

TEST_CASE("values agree with the reference") {
    for_samples([](const Row& row, const Sample& s) { CHECK(distance(row.op(s.inputs), row.reference(s.inputs)) < 1e-12); });
}

TEST_CASE("f32 agrees with f64") {
    for_samples([](const Row& row, const Sample& s) {
        const Inputs rounded = each(s.inputs, [](const Tensor& x) { return xg::astype(x, xg::f32); });
        const Tensor y = row.op(rounded), want = row.op(each(rounded, [](const Tensor& x) { return xg::astype(x, xg::f64); }));
        if (row.name != "astype" && xg::is_floating(want.dtype()) && !s.inputs.empty() && row.name != "one_hot") CHECK(y.dtype() == xg::f32);
        if (row.differentiable) CHECK(distance(y, want) < 1e-5);
        if (!row.differentiable || row.name == "astype") return;
        const Tensor w = random(y.shape(), 0.5, 1.5);
        const auto g32 = vjp(row, rounded, xg::astype(w, xg::f32)), g64 = vjp(row, s.inputs, w);
        for (std::size_t i = 0; i < g32.size(); ++i) {
            CHECK(g32[i].dtype() == xg::f32);
            CHECK(distance(g32[i], g64[i]) < 1e-3);
        }
    });
}

TEST_CASE("strided inputs give what dense ones give") {
    for_samples([](const Row& row, const Sample& s) {
        const Inputs other = each(s.inputs, strided);
        for (std::size_t i = 0; i < other.size(); ++i) REQUIRE(distance(other[i], s.inputs[i]) == 0);
        const Tensor y = row.op(s.inputs);
        CHECK(distance(row.op(other), y) < 1e-14);
        if (!row.differentiable) return;
        const Tensor w = random(y.shape());
        const auto want = vjp(row, s.inputs, w), got = vjp(row, other, strided(w));
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(distance(got[i], want[i]) < 1e-13);
    });
}

TEST_CASE("derivatives agree with differences, in both modes and to second order") {
    for_samples([](const Row& row, const Sample& s) {
        if (!row.differentiable || row.name == "astype" || is_empty(s.inputs, row.op(s.inputs))) return;
        const auto call = [&](std::span<const Tensor> x) { return row.op(Inputs(x.begin(), x.end())); };
        xg::detail::gradcheck(call, s.inputs, {});
    });
}

TEST_CASE("derivatives of empty tensors have their shapes") {
    for_samples([](const Row& row, const Sample& s) {
        const Tensor y = row.op(s.inputs);
        if (!row.differentiable || !is_empty(s.inputs, y)) return;
        const auto g = vjp(row, s.inputs, xg::ones_like(y));
        for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i].shape() == s.inputs[i].shape());
        xg::Tape tape;
        CHECK(tape.jvp(row.op(s.inputs), s.inputs, each(s.inputs, [](const Tensor& x) { return xg::ones_like(x); })).shape() == y.shape());
    });
}

TEST_CASE("the two modes are adjoint: <vjp(w), dx> = <w, jvp(dx)>") {
    for_samples([](const Row& row, const Sample& s) {
        if (!row.differentiable) return;
        const Tensor w = random(row.op(s.inputs).shape());
        const Inputs dx = each(s.inputs, [](const Tensor& x) { return random(x.shape()); });
        const auto g = vjp(row, s.inputs, w);
        const Tensor tangent = [&] {
            xg::Tape tape;
            const Tensor y = row.op(s.inputs);
            return tape.jvp(y, s.inputs, dx);
        }();
        double left = 0, size = 0;
        for (std::size_t i = 0; i < g.size(); ++i) {
            left += xg::sum(g[i] * dx[i]).item<double>();
            size += xg::sum(xg::abs(g[i] * dx[i])).item<double>();
        }
        CHECK(std::fabs(left - xg::sum(w * tangent).item<double>()) <= (row.name == "astype" ? 1e-6 : 1e-12) * (1 + size));
    });
}

TEST_CASE("an adjoint is the same whether an outer tape records it or not") {
    for_samples([](const Row& row, const Sample& s) {
        if (!row.differentiable) return;
        const Tensor w = random(row.op(s.inputs).shape());
        const auto fused = vjp(row, s.inputs, w);
        xg::Tape outer;
        const auto recorded = vjp(row, s.inputs, w);
        for (std::size_t i = 0; i < fused.size(); ++i) CHECK(distance(recorded[i], fused[i]) < 1e-12);
    });
}

TEST_CASE("inputs stay as they were") {
    for_samples([](const Row& row, const Sample& s) {
        const Inputs before = each(s.inputs, [](const Tensor& x) { return xg::copy(x); });
        const Tensor y = row.op(s.inputs), kept = xg::copy(y);
        if (row.differentiable) vjp(row, s.inputs, xg::ones_like(y));
        for (std::size_t i = 0; i < before.size(); ++i) CHECK(distance(s.inputs[i], before[i]) == 0);
        CHECK(distance(y, kept) == 0);
    });
}

TEST_CASE("an empty tensor or a wrong dtype is an error, and the tape goes on") {
    for_samples([](const Row& row, const Sample& s) {
        for (std::size_t i = 0; i < s.inputs.size(); ++i) {
            if (row.name == "one_hot") continue;
            Inputs bad = s.inputs;
            bad[i] = Tensor();
            xg::Tape tape;
            const Tensor x(3.), y = x * x;
            CHECK_THROWS_AS(row.op(bad), xg::Error);
            if (s.inputs.size() > 1) {
                bad[i] = xg::astype(s.inputs[i], xg::f32);
                if (!row.mixes_dtypes) CHECK_THROWS_AS(row.op(bad), xg::DtypeError);
            }
            CHECK(tape.gradient(y, x).item<double>() == 6);
        }
    });
}

TEST_CASE("every public op has a row") {
    std::set<std::string> tested;
    for (const Row& row : rows()) tested.insert(row.name);
    const std::regex declaration(R"(^(?:inline |    inline |    )?(?:Tensor|std::vector<Tensor>|SignAndLog|QR|Eigen|SVD|LeastSquares|XTGRAD_REDUCTION\()\s*(operator[^\s(]+|\w+)[()])");
    std::size_t found = 0;
    const auto check = [&](const std::filesystem::path& path) {
        std::ifstream in(path);
        std::string line;
        bool internal = false;
        while (std::getline(in, line)) {
            if (line == "namespace detail {") internal = true;
            if (line == "}  // namespace detail") internal = false;
            std::smatch match;
            if (internal || !std::regex_search(line, match, declaration) || match[1] == "name") continue;
            ++found;
            INFO(match[1].str() << " in " << path.filename().string());
            CHECK(tested.count(match[1]) == 1);
        }
    };
    for (const auto& file : std::filesystem::directory_iterator(XTGRAD_OPS_HEADERS)) check(file.path());
    CHECK(found > 60);
    found = 0;
    check(XTGRAD_OPS_HEADERS "/../linalg.hpp");
    CHECK(found > 20);
}

}  // namespace table
