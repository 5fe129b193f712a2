// Text as numbers, and stretches of it.
#include <xtgrad/data/text.hpp>

#include <cstring>

#include <xtgrad/ops/creation.hpp>

#include "../io/files.hpp"

namespace xg = xtgrad;
using Integers = std::vector<std::int64_t>;

TEST_CASE("bytes") {
    const xg::Tensor x = xg::data::bytes("a\xC3\xA9\xFF");
    CHECK(elements<std::int64_t>(x) == Integers{97, 0xC3, 0xA9, 255});
    CHECK(xg::data::text_of(x) == "a\xC3\xA9\xFF");
    CHECK(xg::data::bytes("").shape() == xg::Shape{0});
    CHECK(contains(message<xg::IndexError>([] { xg::data::text_of(xg::tensor({97, 256})); }), "[text_of] 256 is not one of 256"));
}

TEST_CASE("characters") {
    const xg::data::Characters c("hällo 日本\xFFh");  // a byte that is not UTF-8 is a character too
    CHECK(c.size() == 8);
    CHECK(xg::data::Characters(c.alphabet()).alphabet() == c.alphabet());
    CHECK(c.alphabet() == " hloä日本\xFF");
    CHECK(elements<std::int64_t>(c.encode("本ho\xFF")) == Integers{6, 1, 3, 7});
    CHECK(c.decode(c.encode("hällo 日本\xFF")) == "hällo 日本\xFF");
    CHECK(c.decode(xg::tensor({{1, 4}, {2, 3}})) == "hälo");
    CHECK(c.contains("ä"));
    CHECK_FALSE(c.contains("x"));
    CHECK(contains(message<xg::Error>([&] { c.encode("hx"); }), "[encode] 'x' is not one of the 8 characters"));
    CHECK(contains(message<xg::IndexError>([&] { c.decode(xg::tensor({-1})); }), "-1 is not one of 8"));
    CHECK(xg::data::Characters("\xE6\x97").size() == 2);  // cut in the middle
    // Longer than need be, half of a pair, beyond U+10FFFF: no UTF-8, so each byte stands for itself (RFC 3629).
    for (const char* bytes :
         {"\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBE", "\xF4\x90\x80\x81", "\xF5\x80\x81\x82"}) {
        CAPTURE(bytes);
        CHECK(xg::data::Characters(bytes).size() == xg::Index(std::strlen(bytes)));
    }
    for (const char* character :
         {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        CHECK(xg::data::Characters(character).size() == 1);
    CHECK(xg::data::Characters().size() == 0);
}

TEST_CASE("windows") {
    const xg::Tensor text = xg::tensor({10, 11, 12, 13, 14, 15, 16, 17});
    const auto all = xg::data::windows(text, 3);
    CHECK(all.inputs.shape() == xg::Shape{2, 3});
    CHECK(elements<std::int64_t>(all.inputs) == Integers{10, 11, 12, 13, 14, 15});
    CHECK(elements<std::int64_t>(all.targets) == Integers{11, 12, 13, 14, 15, 16});
    CHECK(xg::data::windows(text, 7).inputs.shape() == xg::Shape{1, 7});

    xg::Rng rng(3);
    const auto drawn = xg::data::random_windows(text, 200, 3, rng);
    CHECK(drawn.inputs.shape() == xg::Shape{200, 3});
    const auto inputs = elements<std::int64_t>(drawn.inputs), targets = elements<std::int64_t>(drawn.targets);
    Integers begins(20, 0);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        CHECK(inputs[i] == inputs[i / 3 * 3] + std::int64_t(i % 3));
        CHECK(targets[i] == inputs[i] + 1);
        if (i % 3 == 0) ++begins[std::size_t(inputs[i])];
    }
    for (std::size_t begin = 10; begin <= 14; ++begin) CHECK(begins[begin] > 20);  // each place that fits, none other
    CHECK(begins[10] + begins[11] + begins[12] + begins[13] + begins[14] == 200);

    CHECK(contains(message<xg::ShapeError>([&] { xg::data::windows(text, 8); }), "more than 8 characters, got (8,)"));
    CHECK(contains(message<xg::ShapeError>([&] { xg::data::windows(text, 0); }), "a length of 0"));
    CHECK(contains(message<xg::DtypeError>([&] { xg::data::random_windows(xg::ones({9}), 1, 2, rng); }), "i64, got f64"));
}
