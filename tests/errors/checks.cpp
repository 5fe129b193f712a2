// Bad calls: each throws the right class, says which op, which shapes and dtypes and what to do, changes nothing, and
// the tape that was alive goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "table.hpp"

// Sanitizers: no memory is an answer.
extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace xg = xtgrad;

namespace {

/// What can be seen of a tensor from outside.
struct Snapshot {
    bool defined;
    xg::Shape extents, strides;
    xg::Dtype type = xg::f64;
    const void* memory = nullptr;
    std::string bytes;

    explicit Snapshot(const xg::Tensor& x) : defined(x.defined()) {
        if (!defined) return;
        extents = x.shape();
        strides = x.strides();
        type = x.dtype();
        const auto take = [&](const auto* p) {
            memory = p;
            bytes.resize(x.size() * sizeof *p);
            if (!bytes.empty()) std::memcpy(bytes.data(), p, bytes.size());
        };
        switch (type) {
            case xg::f32: take(x.data<float>()); break;
            case xg::f64: take(x.data<double>()); break;
            case xg::i64: take(x.data<std::int64_t>()); break;
            case xg::boolean: take(x.data<bool>()); break;
        }
    }
    bool operator==(const Snapshot&) const = default;
};

}  // namespace

namespace errors {

void check_call(const std::string& name, const std::function<void(A, T)>& call, const std::type_info& type, const Strings& says,
                const Strings& never) {
    CAPTURE(name);
    const Arguments t;
    std::vector<Snapshot> before;
    for (const xg::Tensor& x : t.all()) before.emplace_back(x);

    xg::Tape tape(xg::persistent);
    const xg::Tensor h = t.a * t.a;
    std::string text;
    try {
        call(t, tape);
    } catch (const std::exception& e) {
        text = e.what();
        const std::string thrown = typeid(e).name(), expected = type.name();
        CHECK(thrown == expected);
    }
    CAPTURE(text);
    CHECK_FALSE(text.empty());
    if (text.empty()) return;
    for (const std::string& part : says) {
        CAPTURE(part);
        CHECK((text.find(part) != std::string::npos));
    }
    for (const std::string& part : never) {
        CAPTURE(part);
        CHECK((text.find(part) == std::string::npos));
    }
    CHECK(text[0] == '[');
    CHECK(text.find("] ") < 24);
    CHECK((text.find("; ") != std::string::npos));           // what to do
    CHECK((text.find("use 0 to -1") == std::string::npos));  // that helps nobody
    CHECK((text.find("are 0 to -1") == std::string::npos));
    CHECK((text.find('\n') == std::string::npos));
    CHECK(text.size() < 400);

    const auto all = t.all();
    for (std::size_t i = 0; i < all.size(); ++i) CHECK((Snapshot(all[i]) == before[i]));

    const xg::Tensor y = xg::sum(h * t.v);
    const auto [da, dh] = tape.gradient(y, {t.a, h});
    const double *a = t.a.data<double>(), *v = t.v.data<double>();
    REQUIRE(da.shape() == t.a.shape());
    for (std::int64_t r = 0; r < 2; ++r)
        for (std::int64_t k = 0; k < 3; ++k) {
            CHECK(xg::view(da, r, k).item<double>() == 2 * a[r * 3 + k] * v[k]);
            CHECK(xg::view(dh, r, k).item<double>() == v[k]);
        }
}

}  // namespace errors

using namespace errors;

namespace {

void check_rows(const std::vector<Row>& rows) {
    for (const Row& row : rows) check_call(row.name, row.call, row.type, row.says, row.never);
}

}  // namespace

TEST_CASE("the table has at least sixty bad calls, each under a name of its own") {
    std::vector<std::string> names;
    for (auto* family : {broadcasting, products, arrangements, slices, reductions, of_rows, dtypes, creation, reading, of_tapes})
        for (const Row& row : family()) {
            CHECK(std::find(names.begin(), names.end(), row.name) == names.end());
            names.push_back(row.name);
        }
    CHECK(names.size() >= 60);
}

TEST_CASE("shapes that do not broadcast") { check_rows(broadcasting()); }
TEST_CASE("products that do not fit") { check_rows(products()); }
TEST_CASE("arrangements that do not exist") { check_rows(arrangements()); }
TEST_CASE("slices and indices out of range") { check_rows(slices()); }
TEST_CASE("reductions of what is not there") { check_rows(reductions()); }
TEST_CASE("functions of rows") { check_rows(of_rows()); }
TEST_CASE("dtypes that an op does not take") { check_rows(dtypes()); }
TEST_CASE("tensors that cannot be made") { check_rows(creation()); }
TEST_CASE("reading what is not there") { check_rows(reading()); }
TEST_CASE("calls of the tape") { check_rows(of_tapes()); }

TEST_CASE("a call that fails leaves no node on the tape") {
    const Arguments t;
    for (auto* family : {broadcasting, products, arrangements, slices, reductions, of_rows, dtypes, creation, reading})
        for (const Row& row : family()) {
            CAPTURE(row.name);
            if (row.name.find("more than there is") != std::string::npos) continue;  // these calls make a view first
            xg::Tape tape;
            CHECK_THROWS_AS(row.call(t, tape), xg::Error);
            CHECK(tape.nodes() == 0);
        }
}

TEST_CASE("a variable keeps its value when the operation that should rebind it fails") {
    xg::Tensor x = xg::tensor({1., 2., 3.});
    const xg::Tensor y = x;
    CHECK_THROWS_AS(x += xg::ones({2}), xg::ShapeError);
    CHECK_THROWS_AS(x *= xg::ones({3}, xg::f32), xg::DtypeError);
    CHECK_THROWS_AS(x -= xg::Tensor(), xg::Error);
    CHECK_THROWS_AS(x /= xg::tensor({true, false, true}), xg::DtypeError);
    REQUIRE(x.defined());
    CHECK(x.data<double>() == y.data<double>());
    CHECK(xg::sum(x).item<double>() == 6);
    std::ostringstream os;
    os << xg::Tensor();
    CHECK_FALSE(os.str().empty());
}
