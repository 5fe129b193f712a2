// NumPy's files, read, written, and damaged.
#include <xtgrad/io/tensors.hpp>

#include <zlib.h>

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

namespace {

/// A .npy file of this header.
std::string npy(std::string header, std::string_view elements, int version = 1) {
    header.resize(std::max<std::size_t>(117, header.size()), ' ');
    header += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += {char(version), '\0', char(header.size() & 255), char(header.size() >> 8)};
    if (version > 1) bytes += std::string(2, '\0');
    return bytes + header + std::string(elements);
}

}  // namespace

TEST_CASE("headers as any version of Python writes them") {
    const TemporaryFolder folder;
    const std::string path = folder / "x.npy";
    const std::string elements_ = std::string("\1\0\2\0\3\0\4\0\5\0\6\0", 12);
    for (const char* header : {
             "{'descr': '<u2', 'fortran_order': False, 'shape': (2L, 3L), }",
             R"({"descr": "<u2", "fortran_order": False, "shape": (2, 3)})",
             R"({"shape": (2, 3,), 'fortran_order': False, "descr": '<u2'})",
             "{'shape':(2,3),'descr':'<u2','fortran_order':False}",
             " {\n'descr'\t: '<u2' ,\r\n 'fortran_order' : False , 'shape' : ( 2L , 3L , ) , } \n ",
             "{'descr': '=u2', 'fortran_order': False, 'shape': (2, 3), }",
             "{'descr': 'u2', 'fortran_order': False, 'shape': (2, 3), }",
         })
        for (const int version : {1, 2, 3}) {
            CAPTURE(header);
            write(path, npy(header, elements_, version));
            const xg::Tensor x = xg::io::read_npy(path);
            CHECK(x.shape() == xg::Shape{2, 3});
            CHECK(elements<std::int64_t>(x) == Integers{1, 2, 3, 4, 5, 6});
        }
    write(path, npy("{'descr': '>u2', 'fortran_order': True, 'shape': (2L, 3L)}", elements_));
    CHECK(elements<std::int64_t>(xg::io::read_npy(path)) == Integers{256, 3 * 256, 5 * 256, 2 * 256, 4 * 256, 6 * 256});
    for (const char* type : {"<u8", ">u8"}) {
        write(path, npy("{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': ()}", std::string(8, '\xff')));
        CHECK(contains(message([&] { xg::io::read_npy(path); }), "holds 18446744073709551615, which is above the range of i64"));
    }
}

namespace {

template <class... Value>
std::string little_endian(Value... value) {
    std::string bytes;
    (bytes.append(reinterpret_cast<const char*>(&value), sizeof value), ...);
    return bytes;
}

struct Member {
    std::string name, contents;
    std::uint16_t method = 0, flags = 0;
    bool same_place = false;  // as the one before it
};

/// An archive of stored members, each followed by a data descriptor.
std::string zip(const std::vector<Member>& members, const std::string& comment = "") {
    std::string bytes, directory;
    std::uint32_t offset = 0;
    for (const auto& [name, contents, method, flags, same_place] : members) {
        const auto crc = std::uint32_t(crc32(0, reinterpret_cast<const Bytef*>(contents.data()), unsigned(contents.size())));
        const auto size = std::uint32_t(contents.size());
        const auto length = std::uint16_t(name.size());
        const std::uint16_t version = 20, none = 0, flag = flags | 8;
        if (!same_place) offset = std::uint32_t(bytes.size());
        if (!same_place)
            bytes += "PK\3\4" + little_endian(version, flag, method, none, none, 0, 0, 0, length, none) + name + contents +
                     "PK\7\x8" + little_endian(crc, size, size);
        directory += "PK\1\2" +
                     little_endian(version, version, flag, method, none, none, crc, size, size, length, none, none, none, none, 0,
                                   offset) +
                     name;
    }
    const auto count = std::uint16_t(members.size());
    return bytes + directory + "PK\5\6" +
           little_endian(0, count, count, std::uint32_t(directory.size()), std::uint32_t(bytes.size()),
                         std::uint16_t(comment.size())) +
           comment;
}

}  // namespace

TEST_CASE("a member that cannot be read leaves the others") {
    const TemporaryFolder folder;
    const std::string path = folder / "x.npz";
    const std::string header = "', 'fortran_order': False, 'shape': (2,)}", one = npy("{'descr': '|u1" + header, "\1\2");
    const Member good{"x.npy", one}, other{"folder/y.npy", one};
    const auto says = [&](const std::string& name) {
        const xg::io::Npz archive(path);
        CHECK(archive.contains(name));
        CHECK(elements<std::int64_t>(archive["x"]) == Integers{1, 2});
        CHECK(elements<std::int64_t>(archive["folder/y"]) == Integers{1, 2});
        return message([&] { archive[name]; });
    };
    const auto keys = [](const auto& map) {
        std::vector<std::string> names;
        for (const auto& [name, x] : map) names.push_back(name);
        return names;
    };

    const std::vector<std::pair<Member, std::string>> no_arrays{
        {{"bad.npy", npy("{'descr': '<U1" + header, "a\0\0\0b\0\0\0")}, "elements of type '<U1' cannot be read"},
        {{"bad.npy", npy("{'descr': '|O" + header, "pickled")}, "elements of type '|O' cannot be read"},
        {{"bad.npy", npy("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2,)}", "\1\2")}, "a structured type"},
        {{"bad", "just a text"}, "this is not an array of NumPy's"},
        {{"bad.npy", ""}, "this is not an array of NumPy's"},
        {{"bad.npy", one, 12}, "compressed by method 12"},
        {{"bad.npy", one, 0, 1}, "it is encrypted"}};
    for (const auto& [bad, part] : no_arrays) {
        write(path, zip({good, bad, {"folder/", ""}, other}));
        CHECK(xg::io::Npz(path).names() == std::vector<std::string>{"x", "bad", "folder/y"});
        CHECK(contains(says("bad"), path + ": member 'bad"));
        CHECK(contains(says("bad"), part));
        CHECK(keys(xg::io::read_npz(path)) == std::vector<std::string>{"folder/y", "x"});
    }

    // What is damaged is left out by nobody.
    const auto damaged = [&](const std::string& bytes, std::string_view part, const std::string& name = "bad") {
        write(path, bytes);
        CHECK(contains(message([&] { xg::io::read_npz(path); }), part));
        return contains(says(name), part);
    };
    const std::string whole = zip({good, {"bad.npy", one}, other});
    std::string wrong = whole;
    wrong[whole.find("bad.npy") + 7 + one.size() - 1] ^= 1;
    CHECK(damaged(wrong, "its checksum is wrong"));
    wrong = whole;
    wrong[whole.find("bad.npy") - 30] ^= 1;
    CHECK(damaged(wrong, "it is not where the directory says"));
    wrong = whole;
    wrong[whole.rfind("bad.npy") - 46 + 10] = 8;  // deflated, it says
    CHECK(damaged(wrong, "its compressed data is damaged"));
    wrong[whole.rfind("bad.npy") - 46 + 26] = 1;  // to 64 KiB more
    CHECK(damaged(wrong, "its compressed data is damaged"));
    wrong[whole.rfind("bad.npy") - 46 + 27] = 1;  // to 16 MiB more
    CHECK(damaged(wrong, "packed ones"));
    wrong = whole;
    wrong[whole.rfind("bad.npy") - 46 + 25] ^= 1;
    CHECK(damaged(wrong, "stored, "));
    wrong = whole;
    wrong[whole.rfind("bad.npy") - 46 + 21] ^= 2;
    CHECK(damaged(wrong, "it overlaps the next one"));
    CHECK(damaged(zip({good, {"bad.npy", npy("{'descr': '|u1" + header, "\1")}, other}), "does not fit its 1 bytes"));
    CHECK(damaged(zip({good, {"bad.npy", one}, {"bad", one}, other}), "there are two members 'bad'"));
    CHECK(damaged(zip({good, {"bad.npy", one}, {"again.npy", one, 0, 0, true}, other}), "it overlaps the next one"));
    CHECK(contains(message([&] { static_cast<void>(xg::io::Npz(path)["z"]); }), "there is no member 'z'"));
}

TEST_CASE("archives with comments") {
    const TemporaryFolder folder;
    const std::string path = folder / "x.npz", one = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "\7");
    for (const std::string& comment : {std::string("a comment"), std::string(65535, 'x'), "PK\5\6" + std::string(18, '\xff')}) {
        write(path, zip({{"x.npy", one}}, comment));
        CHECK(xg::io::read_npz(path).at("x").item<int>() == 7);
    }
    write(path, zip({}));
    CHECK(xg::io::read_npz(path).empty());
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
    const std::string end64 = little_endian(0x06064b50, std::uint64_t(44), 0, 0, 0, std::uint64_t(2), std::uint64_t(2),
                                            std::uint64_t(before.size() - directory), std::uint64_t(directory)),
                      locator = little_endian(0x07064b50, 0, std::uint64_t(before.size()), 1),
                      last = little_endian(0x06054b50, 0, 0xffffffff, 0xffffffff, 0xffffffff, std::uint16_t(0));
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
    const auto with_header = [&](const std::string& header) {
        write(path, npy(header, ""));
        return message([&] { xg::io::read_npy(path); });
    };
    CHECK(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}") == "");
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}"), "does not fit"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False}"), "damaged"));
    const std::string empty = "'fortran_order': False, 'shape': (0,)";
    CHECK(contains(with_header("{'descr': [('a', '<f4')], " + empty + '}'), "elements of a structured type cannot be read"));
    CHECK(contains(with_header("{'descr': ('<f4', (2,)), " + empty + '}'), "elements of a structured type cannot be read"));
    for (const char* type : {"", "<", "|O", "|S3", "<V2", "<f16", "x<f4", "<<f4"})
        CHECK(contains(with_header("{'descr': '" + std::string(type) + "', " + empty + '}'), "cannot be read"));
    for (const std::string& behind :
         {std::string("x"), std::string(1, '\0'), std::string("}"), std::string("{}"), std::string("\0 ", 2)})
        CHECK(contains(with_header("{'descr': '<f4', " + empty + '}' + behind), "damaged"));
    for (const std::string twice : {"'fortran_order': True", "'shape': (0,)", "'descr': '<f8'"})
        CHECK(contains(with_header("{'descr': '<f4', " + twice + ", " + empty + '}'), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'fortran_order': False}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4\", " + empty + '}'), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (0,)}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'more': 'x', " + empty + '}'), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1,,)}"), "damaged"));
    CHECK(contains(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1LL)}"), "damaged"));
    CHECK(contains(
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0)}"),
        "17 axes, of at most 16"));
    for (const auto& [major, minor] : {std::pair('\0', '\0'), std::pair('\4', '\0'), std::pair('\1', '\1')}) {
        std::string other = contents(stored("rows.npy"));
        other[6] = major, other[7] = minor;
        write(path, other);
        CHECK(contains(message([&] { xg::io::read_npy(path); }), "of the array format is unknown"));
    }

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
