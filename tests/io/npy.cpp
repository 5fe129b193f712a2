// NumPy's files, read, written, and damaged.
#include <xtgrad/io/tensors.hpp>

#include <cstring>
#include <locale>

#include <xtensor/xarray.hpp>
#include <xtensor/xnpy.hpp>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/runtime.hpp>
#include <xtgrad/xtensor.hpp>

#include "../sanitized.hpp"
#include "files.hpp"

namespace xg = xtgrad;
using Integers = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

TEST_CASE("arrays that NumPy wrote") {
    const auto read = [](const std::string& name) { return xg::io::read_npy(stored(name)); };
    const Floats quarters{0, 0.25f, 0.5f, 0.75f, 1, 1.25f};
    for (const char* name : {"rows.npy", "version_2.npy"}) {
        CHECK(read(name).shape() == xg::Shape{2, 3});
        CHECK(elements<float>(read(name)) == quarters);
    }
    const xg::Tensor columns = read("columns.npy");
    CHECK(columns.shape() == xg::Shape{2, 3, 4});
    CHECK(elements<double>(columns) == elements<double>(xg::arange(24)));
    CHECK(elements<std::int64_t>(read("big_endian.npy")) == Integers{1, -2, 70000});
    CHECK(elements<float>(read("half.npy")) == Floats{0.5f, -2});
    CHECK(elements<bool>(read("mask.npy")) == std::vector<bool>{true, false, true});
    CHECK(read("scalar.npy").shape().empty());
    CHECK(read("scalar.npy").item<int>() == 7);
    CHECK(contains(message([&] { read("text.npy"); }), "elements of type '<U2' cannot be read"));
    CHECK(contains(message([&] { read("complex.npy"); }), "elements of type '<c16' cannot be read"));

    for (const char* name : {"stored.npz", "packed.npz"}) {
        const auto archive = xg::io::read_npz(stored(name));
        CHECK(archive.size() == 2);
        CHECK(elements<float>(archive.at("weight")) == quarters);
    }
    CHECK(elements<std::int64_t>(xg::io::read_npz(stored("stored.npz")).at("labels")) == Integers{3, 1});
    CHECK(xg::io::read_npz(stored("packed.npz")).at("zeros").shape() == xg::Shape{7, 11});
}

TEST_CASE("arrays that we wrote, read by xtensor and by ourselves") {
    const TemporaryFolder folder;
    const std::string path = folder / "x.npy", archive = folder / "x.npz";
    xg::io::write_npy(path, xg::transpose(xg::tensor({{1., 2., 3.}, {4., 5., 6.}})));
    CHECK(xt::load_npy<double>(path) == xt::xarray<double>{{1, 4}, {2, 5}, {3, 6}});
    CHECK(contents(path).size() == 128 + 48);
    const xt::xarray<float> theirs{{1, 2}, {3, 4}, {5, 6}};
    xt::dump_npy(path, theirs);
    CHECK(elements<float>(xg::io::read_npy(path)) == Floats{1, 2, 3, 4, 5, 6});

    xg::io::write_npy(path, xg::io::read_npy(stored("rows.npy")));
    CHECK(contents(path) == contents(stored("rows.npy")));  // NumPy's bytes

    const xg::io::TensorMap tensors{
        {"a", xg::ones({2, 3}, xg::f32)}, {"b.c", xg::tensor({true, false})}, {"d", xg::zeros({0, 5})}, {"e", xg::Tensor(3)}};
    xg::io::write_npz(archive, tensors);
    const auto back = xg::io::read_npz(archive);
    REQUIRE(back.size() == tensors.size());
    for (const auto& [name, x] : tensors) {
        CHECK(back.at(name).dtype() == x.dtype());
        CHECK(back.at(name).shape() == x.shape());
    }
    CHECK(elements<float>(back.at("a")) == Floats(6, 1));
    CHECK(elements<bool>(back.at("b.c")) == std::vector<bool>{true, false});
    CHECK(back.at("e").item<int>() == 3);
}

TEST_CASE("a program's locale does not reach files and messages") {
    struct Grouped : std::numpunct<char> {
        char do_thousands_sep() const override { return ','; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouped));
    const TemporaryFolder folder;
    const std::string path = folder / "x";
    const xg::Tensor x = xg::ones({1234, 2}, xg::f32);
    xg::io::write_npy(path, x);
    CHECK(contains(contents(path), "'shape': (1234, 2), }"));
    CHECK(xg::io::read_npy(path).shape() == x.shape());
    xg::io::write_npz(path, {{"x", x}});
    CHECK(xg::io::read_npz(path).at("x").shape() == x.shape());
    CHECK(contains(message<xg::IndexError>([&] { xg::take(x, xg::Tensor(5678)); }), "5678"));
    CHECK(contains(message<xg::ShapeError>([&] { xg::reshape(x, {1357}); }), "(1357,)"));
    CHECK(xg::nn::summary(x) ==
          "name  shape      dtype  count\n"
          "      (1234, 2)  f32    2468\n"
          "2468 parameters\n");
    std::locale::global(before);
}

TEST_CASE("archives of many members, and names that are not ASCII") {
    const TemporaryFolder folder;
    const std::string path = folder / "x.npz";
    const auto bytes_of = [](auto... value) {
        std::string bytes;
        (bytes.append(reinterpret_cast<const char*>(&value), sizeof value), ...);
        return bytes;
    };
    xg::io::write_npz(path, {{"a", xg::ones({2})}, {"gr\u00f6\u00dfe", xg::zeros({3})}});
    const std::string whole = contents(path), end = whole.substr(whole.size() - 22), before = whole.substr(0, whole.size() - 22);
    const auto flags = [&](std::string_view name) { return whole[whole.find(name) - 30 + 6 + 1]; };
    CHECK(flags("a.npy") == 0);
    CHECK(flags("gr\u00f6\u00dfe.npy") == 8);  // bit 11: NumPy reads the name as UTF-8
    CHECK(xg::io::read_npz(path).contains("gr\u00f6\u00dfe"));
    CHECK(contains(message([&] { xg::io::write_npz(path, {{"\xff", xg::ones({1})}}); }), "a name is not UTF-8"));

    // As zip64 has it: a record of 64 bits, its locator, and an end that points at neither.
    std::uint32_t directory;
    std::memcpy(&directory, end.data() + 16, 4);
    const std::string end64 = bytes_of(0x06064b50, std::uint64_t(44), 0, 0, 0, std::uint64_t(2), std::uint64_t(2),
                                       std::uint64_t(before.size() - directory), std::uint64_t(directory)),
                      locator = bytes_of(0x07064b50, 0, std::uint64_t(before.size()), 1),
                      last = bytes_of(0x06054b50, 0, 0xffffffff, 0xffffffff, 0xffffffff, std::uint16_t(0));
    write(path, before + end64 + locator + last);
    CHECK(xg::io::read_npz(path).size() == 2);
    for (std::size_t n = before.size(); n < before.size() + end64.size() + locator.size(); ++n) {
        write(path, before.substr(0, n) + last);
        CHECK_THROWS_AS(xg::io::read_npz(path), xg::IoError);
    }
    std::string fewer = end;
    fewer[8] = fewer[10] = 1;
    write(path, before + fewer);
    CHECK(contains(message([&] { xg::io::read_npz(path); }), "more members than it counts"));

    xg::io::TensorMap many;
    for (int i = 0; i < 65535; ++i) many[std::to_string(i)] = xg::Tensor(1);
    CHECK(contains(message([&] { xg::io::write_npz(path, many); }), "less than 4 GiB and 65535 members"));
}

TEST_CASE("damaged files") {
    const TemporaryFolder folder;
    const std::string path = folder / "bad";
    for (const char* name : {"rows.npy", "columns.npy", "big_endian.npy"}) {
        const std::string whole = contents(stored(name));
        for (std::size_t n = 0; n < whole.size(); ++n) {
            write(path, whole.substr(0, n));
            CHECK_THROWS_AS(xg::io::read_npy(path), xg::IoError);
        }
        write(path, whole + ' ');
        CHECK(contains(message([&] { xg::io::read_npy(path); }), "does not fit its"));
    }
    const auto with_header = [&](std::string header) {
        header.resize(117, ' ');
        write(path, std::string("\x93NUMPY\x01\0\x76\0", 10) + header + '\n');
        return message([&] { xg::io::read_npy(path); });
    };
    CHECK(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}") == "");
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}"), "does not fit"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False}"), "damaged"));
    CHECK(contains(with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}"), "simple dtypes"));
    CHECK(contains(with_header("{'descr': '', 'fortran_order': False, 'shape': ()}"), "damaged"));

    for (const char* name : {"stored.npz", "packed.npz"}) {
        const std::string whole = contents(stored(name));
        for (std::size_t n = 0; n < whole.size(); ++n) {
            write(path, whole.substr(0, n));
            CHECK_THROWS_AS(xg::io::read_npz(path), xg::IoError);
        }
        for (std::size_t n = 0; n < whole.size(); ++n) {  // a wrong byte: an error, or one that does not matter
            std::string other = whole;
            other[n] = char(~other[n]);
            write(path, other);
            try {
                xg::io::read_npz(path);
            } catch (const xg::IoError&) {
            }
        }
    }
    write(path, "garbage that is longer than the record at the end of an archive");
    CHECK(contains(message([&] { xg::io::read_npz(path); }), path + ": this is not an archive"));
    CHECK(contains(message([&] { xg::io::read_npy(path); }), path + ": this is not an array"));
}

TEST_CASE("files that are larger than the memory" * doctest::skip(sanitized)) {
    constexpr std::size_t large = std::size_t(64) << 20;
    const TemporaryFolder folder;
    const std::string path = folder / "x.npy", archive = folder / "x.npz", other = folder / "x";
    xg::set_pool_limit(0);
    const xg::Tensor x = xg::zeros({xg::Index(large / 4)}, xg::f32);
    xg::io::write_npy(path, xg::transpose(xg::reshape(x, {2, -1})));
    xg::io::write_npz(archive, {{"x", x}});
    xg::io::write_safetensors(other, {{"x", x}});
    const auto no_memory = [&](const std::string& file, auto&& read) {
        std::string text;
        with_memory(large + large / 2, [&] { text = message([&] { read(file); }); });  // for the file, and not for the tensor
        CHECK(contains(text, file + ": "));
        return contains(text, "memory");
    };
    CHECK(no_memory(path, xg::io::read_npy));
    CHECK(no_memory(archive, xg::io::read_npz));
    CHECK(no_memory(other, xg::io::read_safetensors));
}
