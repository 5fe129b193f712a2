// The table of bad calls: a row says what is called, what is thrown and what the message tells. A family of rows a function.
#pragma once
#include <functional>
#include <string>
#include <typeinfo>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace errors {

namespace xg = xtgrad;

using Strings = std::vector<std::string>;

inline const std::type_info& shape = typeid(xg::ShapeError);
inline const std::type_info& dtype = typeid(xg::DtypeError);
inline const std::type_info& index = typeid(xg::IndexError);
inline const std::type_info& tape_error = typeid(xg::TapeError);
inline const std::type_info& error = typeid(xg::Error);

/// What the calls are made with.
struct Arguments {
    xg::Tensor a = xg::tensor({{0.5, -1.25, 2.}, {1.5, 0.75, -0.25}});  // (2, 3)
    xg::Tensor b = xg::ones({3, 4}) * 0.5, c = xg::ones({2, 4}) * 1.5, d = xg::ones({5, 3});
    xg::Tensor v = xg::tensor({2., 3., 4.}), s = xg::Tensor(1.5), nothing = xg::zeros({0, 3}), cube = xg::ones({2, 3, 4}),
               thin = xg::ones({2, 1, 3});
    xg::Tensor f = xg::ones({2, 3}, xg::f32), i = xg::tensor({{1, -2, 3}, {4, 0, 6}}), m = a > 0., labels = xg::tensor({2, 0}),
               rows = xg::tensor({1, 0, -1});
    xg::Tensor full = xg::ones(std::vector<int>(16, 1)), none;

    std::vector<xg::Tensor> all() const { return {a, b, c, d, v, s, nothing, cube, thin, f, i, m, labels, rows, full, none}; }
};

/// One bad call: its name, the call, the class, what the message contains, what it must not contain.
struct Row {
    std::string name;
    std::function<void(const Arguments&, xg::Tape&)> call;
    const std::type_info& type;
    Strings says;
    Strings never = {};
};

using A = const Arguments&;
using T = xg::Tape&;
constexpr auto huge = xg::Index(1) << 40;

/// Compilers warn of a comparison whose result nobody uses.
inline void drop(const xg::Tensor&) {}

std::vector<Row> broadcasting();
std::vector<Row> products();
std::vector<Row> arrangements();
std::vector<Row> slices();
std::vector<Row> reductions();
std::vector<Row> of_rows();
std::vector<Row> dtypes();
std::vector<Row> creation();
std::vector<Row> reading();
std::vector<Row> of_tapes();

/// Everything that is true of every error.
void check_call(const std::string& name, const std::function<void(A, T)>& call, const std::type_info& type, const Strings& says,
                const Strings& never = {});

}  // namespace errors
