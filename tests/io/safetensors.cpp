// Safetensors: interchange with Python's package both ways, and files that are not what they claim.
#include <xtgrad/io/tensors.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "files.hpp"

namespace xg = xtgrad;
using Integers = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

TEST_CASE("what Python wrote") {
    const xg::io::Safetensors file(stored("python.safetensors"));
    CHECK(file.metadata() == xg::io::Metadata{{"format", "np"}});
    CHECK(file.names().size() == 7);
    CHECK(file.shape("layers.0.weight") == xg::Shape{2, 3});
    CHECK(file.dtype("layers.0.weight") == xg::f32);
    const auto weight = elements<float>(file["layers.0.weight"]);
    CHECK(weight == Floats{0.5f, -1.25f, 3, 1e-30f, 7, 0});
    CHECK(std::signbit(weight[5]));
    CHECK(elements<double>(file["layers.0.bias"]) == Doubles{0.1, 0.2, 0.3});
    CHECK(elements<std::int64_t>(file["labels"]) ==
          Integers{-1, std::int64_t(1) << 40, 3, std::numeric_limits<std::int64_t>::min()});
    const auto mask = elements<bool>(file["mask"]);
    CHECK(mask == std::vector<bool>{true, false, false, true});
    CHECK(file["scalar"].shape().empty());
    CHECK(file["scalar"].item<double>() == 2.5);
    CHECK(file["nothing"].shape() == xg::Shape{0, 3});
    CHECK(file["größe"].item<float>() == 1);
    CHECK(contains(message([&] { file["weight"]; }), "python.safetensors: there is no tensor 'weight'"));
}

TEST_CASE("what we write is what Python writes, byte for byte") {
    const TemporaryFolder folder;
    const std::string path = folder / "ours.safetensors";
    const xg::io::Safetensors theirs(stored("python.safetensors"));
    auto tensors = xg::io::read_safetensors(stored("python.safetensors"));
    tensors["layers.0.weight"] = xg::transpose(tensors["layers.0.weight"]);  // and of a view, its elements in their order
    tensors["layers.0.weight"] = xg::transpose(tensors["layers.0.weight"]);
    xg::io::write_safetensors(path, tensors, theirs.metadata());
    CHECK(contents(path) == contents(stored("python.safetensors")));

    const xg::Tensor matrix = xg::tensor({{1., 2., 3.}, {4., 5., 6.}});
    xg::io::write_safetensors(path, {{"t", xg::transpose(matrix)}});
    CHECK(elements<double>(xg::io::read_safetensors(path).at("t")) == Doubles{1, 4, 2, 5, 3, 6});
    xg::io::write_safetensors(path, {});
    CHECK(xg::io::read_safetensors(path).empty());
    CHECK_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST_CASE("other dtypes become the nearest of ours") {
    const auto x = xg::io::read_safetensors(stored("narrow.safetensors"));
    CHECK(elements<float>(x.at("f16")) == Floats{1.5f, -0.f, 65504, 0x1p-24f, INFINITY, 0x1p-14f - 0x1p-24f});
    CHECK(elements<float>(x.at("bf16")) == Floats{1.5f, -2, INFINITY, 0x1p-133f});
    CHECK(elements<std::int64_t>(x.at("u8")) == Integers{0, 255});
    CHECK(elements<std::int64_t>(x.at("i8")) == Integers{-128, 127});
    CHECK(elements<std::int64_t>(x.at("u16")) == Integers{0, 65535});
    CHECK(elements<std::int64_t>(x.at("i16")) == Integers{-32768, 32767});
    CHECK(elements<std::int64_t>(x.at("u32")) == Integers{0, 4294967295});
    CHECK(elements<std::int64_t>(x.at("i32")) == Integers{-2147483648, 2147483647});
    CHECK(elements<std::int64_t>(x.at("u64")) == Integers{0, std::numeric_limits<std::int64_t>::max()});
    CHECK(contains(message([] { xg::io::read_safetensors(stored("large.safetensors")); }),
                   "9223372036854775808, which is above the range"));
}

namespace {

/// A file of this header and so many bytes of data.
std::string file_of(const std::string& header, std::size_t data) {
    const std::uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes + header + std::string(data, '\0');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return '"' + name + R"(":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + '}';
}

}  // namespace

TEST_CASE("hostile files") {
    const TemporaryFolder folder;
    const std::string path = folder / "bad.safetensors", a = entry("a", R"("F32")", "[2]", "[0,8]");
    const auto says = [&](const std::string& bytes, std::string_view part) {
        write(path, bytes);
        const std::string text = message([&] { xg::io::read_safetensors(path); });
        CHECK(contains(text, "[read_safetensors] " + path));
        return contains(text, part);
    };
    write(path, file_of('{' + a + "}  ", 8));
    CHECK(xg::io::read_safetensors(path).at("a").shape() == xg::Shape{2});

    CHECK(says("", "has 0 bytes"));
    CHECK(says("1234567", "has 7 bytes"));
    CHECK(says(std::string(8, '\xff'), "a header of 18446744073709551615 bytes"));
    CHECK(says(std::string("\0\0\0\1\0\0\0\0", 8), "a header of 16777216 bytes, and 0 follow"));
    for (const char* header : {"", " ", "[1]", "3", "{\"a\":"}) CHECK(says(file_of(header, 0), "not a JSON object"));
    for (const char* header : {"{\"a\":}", "{\"\xff\":1}", "{\"a\":1}}", "{}{}", "{} {}", "{\"a\":01}", "{'a':1}", "{/**/}"})
        CHECK(says(file_of(header, 0), "not JSON"));
    CHECK(says(file_of("{\"a\":" + std::string(100000, '[') + '}', 0), "nested too deeply"));
    CHECK(says(file_of("{\"a\":7}", 0), "tensor 'a' is described by"));
    CHECK(says(file_of('{' + a + ',' + a + '}', 8), "names 'a' twice"));
    CHECK(says(file_of("{\"a\":{\"dtype\":\"F64\"," + a.substr(5) + '}', 8), "names 'dtype' twice"));
    CHECK(says(file_of('{' + a + R"(,"__metadata__":{"k":"1","k":"2"}})", 8), "names 'k' twice"));
    for (const char* before : {" ", "\xEF\xBB\xBF"})
        CHECK(says(file_of(std::string(before) + '{' + a + '}', 8), "not a JSON object with spaces behind it"));
    for (const char behind : {'\0', '\n', '\t', 'x', ','})  // what parsers stop at or skip could hide another file
        for (const std::string end : {"", "garbage", "{}", " "})
            CHECK(says(file_of('{' + a + '}' + behind + end, 8), "this is not a safetensors file"));
    CHECK(says(file_of('{' + a + ",\"__metadata__\":[]}", 8), "__metadata__ is not a JSON object"));
    CHECK(says(file_of('{' + a + ",\"__metadata__\":{\"k\":1}}", 8), "holds 'k', which is not a string"));

    const auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets, std::size_t data = 8) {
        return file_of('{' + entry("a", dtype, shape, offsets) + '}', data);
    };
    CHECK(says(one("7", "[2]", "[0,8]"), "tensor 'a' has no dtype"));
    CHECK(says(one("\"F32\"", "2", "[0,8]"), "no shape"));
    CHECK(says(one("\"F32\"", "[-2]", "[0,8]"), "no shape"));
    CHECK(says(one("\"F32\"", "[2.0]", "[0,8]"), "no shape"));
    CHECK(says(one("\"F32\"", "[3]", "[0,8]"), "F32 (3,) has 8 bytes"));
    CHECK(says(one("\"F32\"", "[4611686018427387904]", "[0,8]"), "has 8 bytes"));
    CHECK(says(one("\"F32\"", "[18446744073709551615,0]", "[0,0]", 0), "has 0 bytes"));
    CHECK(says(one("\"F32\"", "[4294967296,4294967296,0]", "[0,0]", 0), "has 0 bytes"));
    CHECK(says(one("\"U8\"", "[4280552960,251601934,0]", "[0,0]", 0), "has 0 bytes"));
    CHECK(says(one("\"F32\"", "[99999999999999999999999]", "[0,8]"), "no shape"));
    CHECK(says(one("\"F32\"", "[2]", "[0]"), "no data_offsets"));
    CHECK(says(one("\"F32\"", "[2]", "[8,0]"), "no data_offsets"));
    CHECK(says(one("\"F32\"", "[2]", "[0,8]", 7), "ends at byte 8 of the data, which has 7"));
    CHECK(says(one("\"F32\"", "[2]", "[18446744073709551608,18446744073709551615]"), "ends at byte"));
    CHECK(says(one("\"F32\"", "[2]", "[4,12]", 12), "there is a hole"));
    CHECK(says(one("\"F32\"", "[2]", "[0,8]", 9), "1 bytes follow the last tensor"));
    CHECK(says(file_of('{' + a + ',' + entry("b", R"("F32")", "[2]", "[4,12]") + '}', 12),
               "4 of the data, where 8 belongs to another"));
    CHECK(says(file_of('{' + a + ',' + entry("b", R"("F32")", "[2]", "[0,8]") + '}', 8), "belongs to another"));
    CHECK(says(file_of('{' + entry("a", R"("BOOL")", "[1]", "[0,1]") + '}', 0) + '\x02', "a boolean 2"));
    CHECK(contains(message([&] { xg::io::read_safetensors(folder / "none"); }), "none: cannot be opened: No such file"));
    CHECK(contains(message([&] { xg::io::read_safetensors(folder.path); }), "not a regular file"));

    const std::string whole = contents(stored("python.safetensors"));
    for (std::size_t n = 0; n < whole.size(); ++n) {  // cut anywhere
        write(path, whole.substr(0, n));
        CHECK_THROWS_AS(xg::io::read_safetensors(path), xg::IoError);
    }
}

TEST_CASE("metadata that are null, as some writers have it") {
    const TemporaryFolder folder;
    const std::string path = folder / "x";
    write(path, file_of(R"({"__metadata__":null,)" + entry("a", R"("F32")", "[2]", "[0,8]") + '}', 8));
    const xg::io::Safetensors file(path);
    CHECK(file.metadata().empty());
    CHECK(file.names() == std::vector<std::string>{"a"});
    CHECK(elements<float>(file["a"]) == Floats{0, 0});
}

TEST_CASE("a tensor that cannot be read leaves the others") {
    const TemporaryFolder folder;
    const std::string path = folder / "x";
    const std::string deep = entry("deep", R"("U8")", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[10,12]");
    const std::string header =
        '{' + entry("a", R"("F32")", "[2]", "[0,8]") + ',' + entry("f8", R"("F8_E4M3")", "[2]", "[8,10]") + ',' + deep;
    write(path, file_of(header + '}', 12));
    const xg::io::Safetensors file(path);
    CHECK(file.names() == std::vector<std::string>{"a", "f8", "deep"});
    CHECK(elements<float>(file["a"]) == Floats{0, 0});
    for (const auto& ask :
         std::vector<std::function<void()>>{[&] { file["f8"]; }, [&] { file.dtype("f8"); }, [&] { file.shape("f8"); }})
        CHECK(contains(message(ask), path + ": tensor 'f8' is of dtype 'F8_E4M3', which cannot be read"));
    CHECK(contains(message([&] { file["deep"]; }), "tensor 'deep' has 17 axes, of at most 16"));
    const auto all = xg::io::read_safetensors(path);
    REQUIRE(all.size() == 1);
    CHECK(all.contains("a"));

    // What is damaged is left out by nobody, and takes nothing with it from who asks for the rest.
    write(path, file_of(header + ',' + entry("mask", R"("BOOL")", "[1]", "[12,13]") + '}', 12) + '\2');
    CHECK(contains(message([&] { xg::io::read_safetensors(path); }), "a boolean 2"));
    CHECK(elements<float>(xg::io::Safetensors(path)["a"]) == Floats{0, 0});
}

TEST_CASE("writing where that cannot be") {
    const TemporaryFolder folder;
    const xg::io::TensorMap one{{"x", xg::ones({2})}};
    CHECK(
        contains(message([&] { xg::io::write_safetensors(folder / "no/such/folder", one); }), "cannot be written: No such file"));
    CHECK(contains(message([&] { xg::io::write_safetensors("/dev/full/x", one); }), "cannot be written"));
    CHECK(contains(message<xg::Error>([&] {
                       xg::io::write_safetensors(folder / "x", {{"x", xg::Tensor()}});
                   }),
                   "an empty tensor"));
    CHECK(contains(message([&] {
                       xg::io::write_safetensors(folder / "x", {{"__metadata__", xg::ones({2})}});
                   }),
                   "cannot have the name"));
    CHECK(contains(message([&] { xg::io::write_safetensors(folder / "x", {{"\xff", xg::ones({2})}}); }), "not UTF-8"));
    CHECK(std::filesystem::is_empty(folder.path));

    // A link stays a link.
    write(folder / "target", "old");
    std::filesystem::create_symlink("target", folder.path / "link");
    xg::io::write_safetensors(folder / "link", one);
    CHECK(std::filesystem::is_symlink(folder.path / "link"));
    CHECK(xg::io::read_safetensors(folder / "target").contains("x"));
}
