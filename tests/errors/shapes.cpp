// Bad calls of ops of shape, of indices and of products: each throws the right class, says which op, which shapes and what to
// do, and leaves no node on the tape.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <typeinfo>
#include <vector>

#include <xtensor/xpad.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

namespace {

const std::type_info& shape = typeid(xg::ShapeError);
const std::type_info& dtype = typeid(xg::DtypeError);
const std::type_info& index = typeid(xg::IndexError);

const xg::Tensor a = xg::ones({2, 3}), b = xg::ones({3, 4}), cube = xg::ones({2, 3, 4}), v = xg::ones({3}), s = xg::Tensor(1.5),
                 nothing = xg::ones({0, 3}), single = xg::ones({2, 3}, xg::f32), whole = xg::tensor({{1, 2, 3}, {4, 5, 6}}),
                 rows = xg::tensor({0, 1, 0}), far = xg::tensor({{0, 1, 5}}), full = xg::ones(std::vector<int>(16, 1)), none;

struct Row {
    std::string name;
    std::function<void()> call;
    const std::type_info& type;
    std::vector<std::string> says;
};

std::vector<Row> arrangements() {
    using xt::pad_mode;
    return {
        {"swapaxes", [] { xg::swapaxes(a, 0, 2); }, shape, {"[swapaxes]", "axis 2", "-2 to 1"}},
        {"moveaxis, no such axis", [] { xg::moveaxis(a, 0, -3); }, shape, {"[moveaxis]", "axis -3"}},
        {"moveaxis, lists",
         [] {
             xg::moveaxis(cube, {0, 1}, {2});
         },
         shape,
         {"[moveaxis]", "(0, 1)", "(2,)", "as many"}},
        {"moveaxis, twice",
         [] {
             xg::moveaxis(cube, {0, 1}, {2, -1});
         },
         shape,
         {"[moveaxis]", "twice"}},
        {"hsplit", [] { xg::hsplit(a, 2); }, shape, {"[hsplit]", "axis 1", "(2, 3)", "2 equal parts"}},
        {"hsplit of a vector", [] { xg::hsplit(v, 3); }, shape, {"[hsplit]", "axis 1", "(3,)"}},
        {"vsplit", [] { xg::vsplit(a, 0); }, shape, {"[vsplit]", "axis 0", "(2, 3)"}},
        {"flip", [] { xg::flip(a, 2); }, shape, {"[flip]", "axis 2"}},
        {"rot90",
         [] {
             xg::rot90(a, {1, -1});
         },
         shape,
         {"[rot90]", "twice"}},
        {"rot90 of a vector", [] { xg::rot90(v); }, shape, {"[rot90]", "axis 1"}},
        {"roll", [] { xg::roll(a, 1, 2); }, shape, {"[roll]", "axis 2"}},
        {"repeat", [] { xg::repeat(a, 2, 5); }, shape, {"[repeat]", "axis 5"}},
        {"repeat, a list",
         [] {
             xg::repeat(a, {1, 2}, 1);
         },
         shape,
         {"[repeat]", "2 numbers", "axis 1", "(2, 3)"}},
        {"repeat, negative", [] { xg::repeat(a, std::size_t(-2), 0); }, shape, {"[repeat]", "negative"}},
        {"repeat, too many axes", [] { xg::repeat(full, 2, 0); }, shape, {"[repeat]", "17 axes"}},
        {"tile",
         [] {
             xg::tile(a, {2, -1});
         },
         shape,
         {"[tile]", "negative", "(2, -1)"}},
        {"tile, too large", [] { xg::tile(a, xg::Index(1) << 60); }, shape, {"[tile]", "overflows"}},
        {"pad, numbers of axes",
         [] {
             xg::pad(a, {{1, 1}, {1, 1}, {0, 0}});
         },
         shape,
         {"[pad]", "3 axes", "(2, 3)"}},
        {"pad, no pair",
         [] {
             xg::pad(a, {{1, 1}, {1, 1, 1}});
         },
         shape,
         {"[pad]", "3 widths", "axis 1"}},
        {"pad, negative", [] { xg::pad(a, -1); }, shape, {"[pad]", "negative", "axis 0", "view"}},
        {"pad, nothing to mirror", [] { xg::pad(nothing, 1, pad_mode::wrap); }, shape, {"[pad]", "axis 0", "(0, 3)", "constant"}},
        {"pad, too large", [] { xg::pad(a, xg::Index(1) << 61); }, shape, {"[pad]", "overflows"}},
        {"pad, a number that i64 lacks", [] { xg::pad(whole, 1, pad_mode::constant, 0.5); }, dtype, {"[pad]", "0.5"}},
        {"hstack",
         [] {
             xg::hstack(std::vector{a, b});
         },
         shape,
         {"[hstack]", "axis 1", "(2, 3)", "(3, 4)"}},
        {"hstack of none", [] { xg::hstack(std::vector<xg::Tensor>{}); }, shape, {"[hstack]", "no tensors"}},
        {"vstack",
         [] {
             xg::vstack(std::vector{v, b});
         },
         shape,
         {"[vstack]", "axis 0", "(3,)", "(3, 4)"}},
        {"vstack, mixed",
         [] {
             xg::vstack(std::array{a, single});
         },
         dtype,
         {"[vstack]", "f32", "f64"}},
        {"meshgrid", [] { xg::meshgrid(v, a); }, shape, {"[meshgrid]", "(2, 3)", "flatten"}},
        {"tril", [] { xg::tril(v); }, shape, {"[tril]", "(3,)", "two axes"}},
        {"triu", [] { xg::triu(s); }, shape, {"[triu]", "()", "two axes"}},
        {"diag", [] { xg::diag(cube); }, shape, {"[diag]", "(2, 3, 4)", "diagonal"}},
        {"diagonal", [] { xg::diagonal(a, 0, 1, 1); }, shape, {"[diagonal]", "twice"}},
        {"diagonal, no such axis", [] { xg::diagonal(v); }, shape, {"[diagonal]", "axis 1"}},
        {"trace", [] { xg::trace(v); }, shape, {"[trace]", "axis 1"}},
    };
}

std::vector<Row> indices() {
    return {
        {"take_along_axis, out of range",
         [] { xg::take_along_axis(a, far, 1); },
         index,
         {"[take_along_axis]", "index 5", "axis 1", "extent 3", "use -3 to 2"}},
        {"take_along_axis, axes",
         [] { xg::take_along_axis(a, rows, 0); },
         shape,
         {"[take_along_axis]", "(3,)", "(2, 3)", "axis 0"}},
        {"take_along_axis, extents",
         [] {
             xg::take_along_axis(cube, xg::zeros({5, 1, 4}, xg::i64), 1);
         },
         shape,
         {"[take_along_axis]", "(5, 1, 4)", "(2, 3, 4)", "equal or 1"}},
        {"take_along_axis, no indices", [] { xg::take_along_axis(a, a, 0); }, dtype, {"[take_along_axis]", "f64", "i64"}},
        {"take_along_axis, no such axis", [] { xg::take_along_axis(a, far, 2); }, shape, {"[take_along_axis]", "axis 2"}},
        {"scatter_add, out of range",
         [] {
             xg::scatter_add(a, xg::zeros({2, 1}, xg::i64) - 4, xg::ones({2, 1}), 1);
         },
         index,
         {"[scatter_add]", "index -4", "axis 1", "extent 3"}},
        {"scatter_add, values",
         [] {
             xg::scatter_add(a, xg::zeros({2, 1}, xg::i64), xg::ones({2, 2}), 1);
         },
         shape,
         {"[scatter_add]", "(2, 2)", "(2, 1)", "(2, 3)", "take_along_axis"}},
        {"scatter_add, x would broadcast",
         [] {
             xg::scatter_add(xg::ones({1, 3}), xg::zeros({2, 1}, xg::i64), xg::ones({2, 1}), 1);
         },
         shape,
         {"[scatter_add]", "(1, 3)"}},
        {"scatter_add, mixed",
         [] {
             xg::scatter_add(a, xg::zeros({2, 1}, xg::i64), xg::ones({2, 1}, xg::f32), 1);
         },
         dtype,
         {"[scatter_add]", "f32", "f64"}},
        {"scatter_add, boolean",
         [] {
             xg::scatter_add(a > 0., xg::zeros({2, 1}, xg::i64), xg::ones({2, 1}) > 0., 1);
         },
         dtype,
         {"[scatter_add]", "boolean"}},
        {"embedding, out of range", [] { xg::embedding(a, far); }, index, {"[embedding]", "index 5", "axis 0", "extent 2"}},
        {"embedding of a vector", [] { xg::embedding(v, rows); }, shape, {"[embedding]", "(3,)", "take"}},
        {"embedding, no indices", [] { xg::embedding(a, v); }, dtype, {"[embedding]", "f64", "astype"}},
    };
}

std::vector<Row> products() {
    using List = std::vector<xg::Tensor>;
    return {
        {"dot", [] { xg::dot(a, a); }, shape, {"[dot]", "axis 1 of (2, 3)", "axis 0 of (2, 3)"}},
        {"dot of integers", [] { xg::dot(whole, whole); }, dtype, {"[dot]", "i64"}},
        {"vdot", [] { xg::vdot(a, v); }, shape, {"[vdot]", "(2, 3) has 6", "(3,) has 3"}},
        {"outer, mixed", [] { xg::outer(a, single); }, dtype, {"[outer]", "f32", "f64"}},
        {"inner", [] { xg::inner(a, b); }, shape, {"[inner]", "axis 1 of (2, 3) has 3", "axis 1 of (3, 4) has 4"}},
        {"tensordot", [] { xg::tensordot(a, b); }, shape, {"[tensordot]", "axis 0 of (2, 3) has 2", "axis 0 of (3, 4) has 3"}},
        {"tensordot, too many", [] { xg::tensordot(a, b, 3); }, shape, {"[tensordot]", "last 3 axes", "use 0 to 2"}},
        {"tensordot, negative", [] { xg::tensordot(a, b, -1); }, shape, {"[tensordot]", "-1", "use 0 to 2"}},
        {"tensordot, no pairs",
         [] {
             xg::tensordot(a, b, {0, 1}, {0});
         },
         shape,
         {"[tensordot]", "(0, 1)", "(0,)", "as many"}},
        {"tensordot, twice",
         [] {
             xg::tensordot(a, b, {1, 1}, {0, 0});
         },
         shape,
         {"[tensordot]", "twice"}},
        {"tensordot, too many axes", [] { xg::tensordot(full, v, 0); }, shape, {"[tensordot]", "17 axes"}},
        {"einsum, sizes",
         [] {
             xg::einsum("ij,jk->ik", a, xg::ones({4, 2}));
         },
         shape,
         {"[einsum]", "'j' has extent 3 in operand 0 (2, 3)", "4 in operand 1 (4, 2)"}},
        {"einsum, one is no other extent",
         [] {
             xg::einsum("ij,jk->ik", a, xg::ones({1, 2}));
         },
         shape,
         {"'j'", "3", "1", "(1, 2)"}},
        {"einsum, a diagonal", [] { xg::einsum("ii", a); }, shape, {"[einsum]", "'i'", "2", "3", "operand 0"}},
        {"einsum, the ellipsis",
         [] {
             xg::einsum("...i,...i", a, xg::ones({3, 3}));
         },
         shape,
         {"[einsum]", "'...'", "2", "(2, 3)", "(3, 3)"}},
        {"einsum, operands missing",
         [] { xg::einsum("ij,jk->ik", a); },
         shape,
         {"[einsum]", "\"ij,jk->ik\"", "2 operands, got 1"}},
        {"einsum, operands too many",
         [] {
             xg::einsum("ij->i", List{a, b});
         },
         shape,
         {"[einsum]", "1 operands, got 2"}},
        {"einsum of none", [] { xg::einsum("", List{}); }, shape, {"[einsum]", "got 0"}},
        {"einsum, letters missing",
         [] { xg::einsum("i->", a); },
         shape,
         {"[einsum]", "operand 0 (2, 3) has 2 axes", "1 letters"}},
        {"einsum, letters too many", [] { xg::einsum("...ijk", a); }, shape, {"[einsum]", "2 axes", "3 letters"}},
        {"einsum, unknown output letter", [] { xg::einsum("ij->iz", a); }, shape, {"[einsum]", "'z'", "\"ij->iz\""}},
        {"einsum, output letter twice", [] { xg::einsum("ij->ii", a); }, shape, {"[einsum]", "'i' is twice", "\"ij->ii\""}},
        {"einsum, a sign", [] { xg::einsum("i?->i", a); }, shape, {"[einsum]", "'?' at position 1", "\"i?->i\""}},
        {"einsum, two arrows", [] { xg::einsum("ij->i->j", a); }, shape, {"[einsum]", "'-' at position 5"}},
        {"einsum, a comma in the output", [] { xg::einsum("ij->i,j", a); }, shape, {"[einsum]", "',' at position 5"}},
        {"einsum, two ellipses", [] { xg::einsum("...i...", a); }, shape, {"[einsum]", "more than one '...'"}},
        {"einsum, mixed", [] { xg::einsum("ij,ij", a, single); }, dtype, {"[einsum]", "f32", "f64"}},
        {"einsum of integers", [] { xg::einsum("ij->", whole); }, dtype, {"[einsum]", "i64"}},
        {"einsum, too many axes",
         [] { xg::einsum("abcdefghijklmnop,q->abcdefghijklmnopq", full, v); },
         shape,
         {"[einsum]", "17 axes"}},
    };
}

void check(const Row& row) {
    CAPTURE(row.name);
    xg::Tape tape;
    std::string text;
    try {
        row.call();
        FAIL_CHECK("no error");
        return;
    } catch (const xg::Error& error) {
        CHECK((typeid(error) == row.type));
        text = error.what();
    }
    CAPTURE(text);
    for (const std::string& part : row.says) {
        CAPTURE(part);
        CHECK((text.find(part) != std::string::npos));
    }
    CHECK(text[0] == '[');
    CHECK((text.find("; ") != std::string::npos));  // what to do
    CHECK(text.size() < 400);
    CHECK(tape.nodes() == 0);
}

}  // namespace

TEST_CASE("arrangements that do not exist") {
    for (const Row& row : arrangements()) check(row);
}
TEST_CASE("indices along an axis") {
    for (const Row& row : indices()) check(row);
}
TEST_CASE("products that do not fit") {
    for (const Row& row : products()) check(row);
}

TEST_CASE("an empty tensor is an error of every op, under the name that the user wrote") {
    const xg::Tensor zeros = xg::zeros({2, 3}, xg::i64);
    const std::vector<std::pair<std::string, std::function<void()>>> calls{
        {"flatten", [] { xg::flatten(none); }},
        {"ravel", [] { xg::ravel(none); }},
        {"atleast_1d", [] { xg::atleast_1d(none); }},
        {"atleast_2d", [] { xg::atleast_2d(none); }},
        {"atleast_3d", [] { xg::atleast_3d(none); }},
        {"swapaxes", [] { xg::swapaxes(none, 0, 1); }},
        {"moveaxis", [] { xg::moveaxis(none, 0, 1); }},
        {"hsplit", [] { xg::hsplit(none, 1); }},
        {"vsplit", [] { xg::vsplit(none, 1); }},
        {"flip", [] { xg::flip(none); }},
        {"flip", [] { xg::flip(none, 0); }},
        {"rot90", [] { xg::rot90(none); }},
        {"roll", [] { xg::roll(none, 1); }},
        {"roll", [] { xg::roll(none, 1, 0); }},
        {"repeat", [] { xg::repeat(none, 2, 0); }},
        {"repeat", [] { xg::repeat(none, {2}, 0); }},
        {"tile", [] { xg::tile(none, 2); }},
        {"tile",
         [] {
             xg::tile(none, {2, 2});
         }},
        {"pad", [] { xg::pad(none, 1); }},
        {"hstack", [] { xg::hstack(std::vector{none}); }},
        {"vstack",
         [] {
             xg::vstack(std::vector{v, none});
         }},
        {"meshgrid", [] { xg::meshgrid(v, none); }},
        {"tril", [] { xg::tril(none); }},
        {"triu", [] { xg::triu(none); }},
        {"diag", [] { xg::diag(none); }},
        {"diagonal", [] { xg::diagonal(none); }},
        {"trace", [] { xg::trace(none); }},
        {"take_along_axis", [&] { xg::take_along_axis(none, zeros, 0); }},
        {"take_along_axis", [] { xg::take_along_axis(a, none, 0); }},
        {"scatter_add", [&] { xg::scatter_add(none, zeros, a, 0); }},
        {"scatter_add", [&] { xg::scatter_add(a, zeros, none, 0); }},
        {"embedding", [&] { xg::embedding(none, zeros); }},
        {"dot", [] { xg::dot(a, none); }},
        {"vdot", [] { xg::vdot(none, a); }},
        {"outer", [] { xg::outer(none, a); }},
        {"inner", [] { xg::inner(a, none); }},
        {"tensordot", [] { xg::tensordot(none, a); }},
        {"tensordot", [] { xg::tensordot(a, none, {0}, {0}); }},
        {"einsum", [] { xg::einsum("ij,jk", a, none); }},
    };
    for (const auto& [op, call] : calls) {
        CAPTURE(op);
        std::string text;
        try {
            call();
        } catch (const xg::Error& error) {
            text = error.what();
        }
        CAPTURE(text);
        CHECK((text.find("[" + op + "] an empty tensor") == 0));
    }
}
