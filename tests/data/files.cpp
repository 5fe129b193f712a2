// IDX, MNIST's folders and CSV: read, and damaged.
#include <xtgrad/data/files.hpp>

#include <zlib.h>

#include <cmath>
#include <limits>

#include "../io/files.hpp"
#include "../sanitized.hpp"

namespace xg = xtgrad;
using Integers = std::vector<std::int64_t>;
using namespace std::string_literals;

namespace {

std::string big_endian(std::uint32_t v) { return {char(v >> 24), char(v >> 16), char(v >> 8), char(v)}; }

std::string idx(int code, const std::vector<std::uint32_t>& shape, const std::string& elements) {
    std::string bytes{0, 0, char(code), char(shape.size())};
    for (const auto extent : shape) bytes += big_endian(extent);
    return bytes + elements;
}

void write_gz(const std::string& path, const std::string& bytes) {
    const gzFile file = gzopen(path.c_str(), "wb");
    REQUIRE(gzwrite(file, bytes.data(), unsigned(bytes.size())) == int(bytes.size()));
    gzclose(file);
}

/// A part of a data set of n images, image i filled with i, label i % 10.
void write_part(const std::string& prefix, int n, bool packed) {
    std::string images, labels;
    for (int i = 0; i < n; ++i) images += std::string(28 * 28, char(i)), labels += char(i % 10);
    const auto rows = std::uint32_t(n);
    const auto put = [&](const std::string& name, const std::string& bytes) {
        packed ? write_gz(prefix + name + ".gz", bytes) : write(prefix + name, bytes);
    };
    put("-images-idx3-ubyte", idx(8, {rows, 28, 28}, images));
    put("-labels-idx1-ubyte", idx(8, {rows}, labels));
}

}  // namespace

TEST_CASE("IDX, plain and gzipped") {
    const TemporaryFolder folder;
    const std::string path = folder / "x", packed = folder / "x.gz", bytes = idx(8, {2, 3}, "\x00\x01\x02\x7f\x80\xff"s);
    write(path, bytes);
    write_gz(packed, bytes);
    for (const auto& file : {path, packed}) {
        const xg::Tensor x = xg::data::read_idx(file);
        CHECK(x.shape() == xg::Shape{2, 3});
        CHECK(elements<std::int64_t>(x) == Integers{0, 1, 2, 127, 128, 255});
    }
    const auto read = [&](const std::string& contents) {
        write(path, contents);
        return xg::data::read_idx(path);
    };
    CHECK(elements<std::int64_t>(read(idx(9, {2}, "\x80\x7f"s))) == Integers{-128, 127});
    CHECK(elements<std::int64_t>(read(idx(0xB, {2}, "\x80\x00\x01\x02"s))) == Integers{-32768, 258});
    CHECK(elements<std::int64_t>(read(idx(0xC, {1}, big_endian(0xfffffffe)))) == Integers{-2});
    CHECK(elements<float>(read(idx(0xD, {1}, big_endian(0x3fc00000)))) == std::vector<float>{1.5f});
    CHECK(elements<double>(read(idx(0xE, {1}, big_endian(0xc0040000) + big_endian(0)))) == std::vector<double>{-2.5});
    CHECK(read(idx(8, {0, 5}, "")).shape() == xg::Shape{0, 5});
    CHECK(read(idx(8, {}, "\x07")).item<int>() == 7);
}

TEST_CASE("damaged IDX files") {
    const TemporaryFolder folder;
    const std::string path = folder / "bad.idx", bytes = idx(8, {2, 3}, "abcdef");
    const auto says = [&](const std::string& contents, std::string_view part) {
        write(path, contents);
        const std::string text = message([&] { xg::data::read_idx(path); });
        CHECK(contains(text, "[read_idx] " + path + ": "));
        return contains(text, part);
    };
    for (std::size_t n = 0; n < bytes.size(); ++n) CHECK(says(bytes.substr(0, n), "is truncated"));
    CHECK(says(bytes + 'x', "has more bytes than its shape (2, 3) needs"));
    CHECK(says("garbage!", "is not an IDX file"));
    CHECK(says(idx(7, {1}, "a"), "is not an IDX file"));
    CHECK(says("\0\0\x08\x11"s, "is not an IDX file"));
    CHECK(says(idx(8, {0xffffffff, 0xffffffff, 0xffffffff}, ""), "whose size overflows"));
    CHECK(says(idx(8, {0xffffffff, 0xffff}, "abc"), "there are 3"));  // claims 2^48: no memory is taken for it
    write_gz(path, bytes + std::string(5000, 'x'));
    const std::string packed = contents(path);
    CHECK(says(packed.substr(0, packed.size() - 9), "more bytes"));
    CHECK(says(packed.substr(0, 15), "is truncated"));
    std::string wrong = packed;
    wrong[14] = char(~wrong[14]);
    CHECK(says(wrong, ""));
    write_gz(path, bytes);
    const std::string exact = contents(path);
    for (std::size_t n = 1; n <= 8; ++n) CHECK(says(exact.substr(0, exact.size() - n), "truncated or damaged"));  // the trailer
    for (std::size_t n = 1; n <= 8; ++n) {
        wrong = exact;
        wrong[exact.size() - n] ^= 1;  // checksum or length
        CHECK(says(wrong, "truncated or damaged"));
    }
    CHECK(contains(message([&] { xg::data::read_idx(folder / "none"); }), "none: cannot be opened"));
}

TEST_CASE("MNIST's folders") {
    const TemporaryFolder folder;
    write_part(folder / "train", 12, true);
    write_part(folder / "t10k", 3, false);
    const auto train = xg::data::fashion_mnist(folder.path, "train"), test = xg::data::mnist(folder.path, "test");
    CHECK(train.inputs.shape() == xg::Shape{12, 784});
    CHECK(train.inputs.dtype() == xg::f32);
    CHECK(elements<float>(train.inputs)[11 * 784 + 5] == 11.f / 255);
    CHECK(elements<std::int64_t>(train.targets) == Integers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1});
    CHECK(test.inputs.shape() == xg::Shape{3, 784});
    CHECK(xg::data::fashion_mnist_classes().size() == 10);

    CHECK(contains(message<xg::Error>([&] { xg::data::mnist(folder.path, "training"); }),
                   R"(no part 'training'; use "train" or "test")"));
    CHECK(contains(message([&] { xg::data::mnist(folder / "none", "train"); }), "train-images-idx3-ubyte: is not there"));
    write(folder / "t10k-labels-idx1-ubyte", idx(8, {4}, "\0\1\2\3"s));
    CHECK(contains(message([&] { xg::data::mnist(folder.path, "test"); }), "holds (4,), not a byte for each of 3 images"));
    write(folder / "t10k-labels-idx1-ubyte", idx(8, {3}, "\0\1\x0a"s));
    CHECK(contains(message([&] { xg::data::mnist(folder.path, "test"); }), "a label above 9"));
    write(folder / "t10k-images-idx3-ubyte", idx(8, {3, 1, 1}, "abc"));
    CHECK(contains(message([&] { xg::data::mnist(folder.path, "test"); }), "holds (3, 1, 1), not bytes (n, 28, 28)"));
}

TEST_CASE("CSV") {
    const TemporaryFolder folder;
    const std::string path = folder / "table.csv";
    const auto read = [&](const std::string& text, const xg::data::CsvOptions& options = {}) {
        write(path, text);
        return xg::data::read_csv(path, options);
    };
    const auto table = read("\xEF\xBB\xBFname,\"a, b\" , c\r\n1, -2.5 ,\"3\"\r\n\r\n+4,5e-1,.25");
    CHECK(table.columns == std::vector<std::string>{"name", "a, b", "c"});
    CHECK(table.values.shape() == xg::Shape{2, 3});
    CHECK(elements<double>(table.values) == std::vector<double>{1, -2.5, 3, 4, 0.5, 0.25});
    CHECK(elements<double>(read("1;2\n3;4\n", {.separator = ';', .header = false}).values) == std::vector<double>{1, 2, 3, 4});
    CHECK(read("a,b\n").values.shape() == xg::Shape{0, 2});
    CHECK(read("").values.shape() == xg::Shape{0, 0});
    CHECK(std::isnan(elements<double>(read("a,b\n1,\n", {.allow_nan = true}).values)[1]));

    const auto old = read("a,b\r1,2\r\r3,4\r");
    CHECK(old.columns == std::vector<std::string>{"a", "b"});
    CHECK(elements<double>(old.values) == std::vector<double>{1, 2, 3, 4});
    const auto gaps = read("a\tb\n1\t2\n\t\n \n\n3\t\n", {.separator = '\t', .allow_nan = true});
    CHECK(gaps.values.shape() == xg::Shape{3, 2});
    CHECK(std::isnan(elements<double>(gaps.values)[2]));
    CHECK(elements<double>(read("a,b,c,d\n1e-400,-1e-400,4.9e-324,-0\n").values) == std::vector<double>{0, 0, 4.9e-324, 0});
    CHECK(std::signbit(elements<double>(read("a\n-1e-400\n").values)[0]));
    CHECK(read("\"say \"\"a, b\"\"\",\"\"\"\",c\"\"d\n1,2,3\n").columns ==
          std::vector<std::string>{"say \"a, b\"", "\"", "c\"\"d"});

    const auto says = [&](const std::string& text, std::string_view part, const xg::data::CsvOptions& options = {}) {
        const std::string error = message([&] { read(text, options); });
        CHECK(contains(error, "[read_csv] " + path));
        return contains(error, part);
    };
    CHECK(says("a,b\n1,2\n3\n", "line 3 has 1 fields, the first one 2"));
    CHECK(says("a,b\n1,x2\n", "line 2, column 2: 'x2' is not a number"));
    CHECK(says("a,b\n", "Give {.header = true}", {.header = false}));
    CHECK(says("1,+2\n3,4\n", "line 1 is all numbers, and would be the columns' names; if it is data give {.header = false}"));
    CHECK(read("2001,name\n1,2\n").columns == std::vector<std::string>{"2001", "name"});
    CHECK(says("a;b\n1;2\n", "'1;2' is not a number; does a semicolon separate the fields? Give {.separator = ';'}"));
    CHECK(says("1\t2\n", "Give {.separator = '\\t'}", {.header = false}));
    CHECK(says("a,b\n1,\n", "line 2, column 2: nothing"));
    CHECK(says("a,b\nnan,1\n", "line 2, column 1: a NaN"));
    for (const char* text : {"1e400", "-1e400", "+1e309", "1.7976931348623159e308", "\"1e400\""})
        CHECK(says("a,b\n1,2\n3," + std::string(text) + '\n', "line 3, column 2: '"));
    CHECK(says("a\n1e999\n", "'1e999' is out of the range of f64"));
    constexpr double inf = std::numeric_limits<double>::infinity();
    CHECK(elements<double>(read("a,b,c,d\ninf,-inf,Infinity,+INF\n").values) == std::vector<double>{inf, -inf, inf, inf});
    CHECK(elements<double>(read("a,b,c\n1.7976931348623157e308,2.2250738585072011e-308,2.4703282292062328e-324\n").values) ==
          std::vector<double>{1.7976931348623157e308, 0x0.fffffffffffffp-1022, 0x1p-1074});
    CHECK(elements<double>(read("a,b,c,d\n\" 1 \",1.,-.5,00.5E+01\n").values) == std::vector<double>{1, 1, -0.5, 5});
    CHECK(says("a\n1e400\n", "out of the range", {.allow_nan = true}));
    for (const char* text :
         {"+-5", "++5", "-+5", "--5", "+", "1e-400x", "1e400x", "+ 5", "0x10", "1e", "1e+", ".", "1 2", "infinit"})
        CHECK(says(std::string("a\n") + text + '\n', std::string("'") + text + "' is not a number"));
}

TEST_CASE("text") {
    const TemporaryFolder folder;
    write(folder / "text", "a\0b\n"s);
    CHECK(xg::data::read_text(folder / "text") == "a\0b\n"s);
    CHECK(contains(message([&] { xg::data::read_text(folder / "none"); }), "none: cannot be opened"));
}

TEST_CASE("files that are larger than the memory" * doctest::skip(sanitized)) {
    constexpr std::size_t large = std::size_t(64) << 20;
    const TemporaryFolder folder;
    const std::string text = folder / "text", table = folder / "table.csv", bomb = folder / "bomb.gz";
    write(text, "");
    std::filesystem::resize_file(text, large);
    std::string numbers = "a\n";
    while (numbers.size() < large / 16) numbers += "1\n1\n1\n1\n1\n1\n1\n1\n";
    write(table, numbers);
    write_gz(bomb, idx(8, {large}, std::string(large, '\0')));
    const auto no_memory = [&](const std::string& file, std::size_t memory, auto&& read) {
        std::string error;
        with_memory(memory, [&] { error = message([&] { read(file); }); });
        CHECK(contains(error, file + ": "));
        return contains(error, "memory");
    };
    CHECK(no_memory(text, large + large / 2, xg::data::read_text));
    CHECK(no_memory(table, large / 4, [](const std::string& file) { xg::data::read_csv(file); }));
    CHECK(no_memory(bomb, large / 2, xg::data::read_idx));
    write_part(folder / "train", 60000, true);
    CHECK(no_memory(folder / "train-images-idx3-ubyte.gz", large / 2,
                    [&](const std::string&) { xg::data::mnist(folder.path, "train"); }));
}

TEST_CASE("paths that cannot be looked at") {
    const std::string longest(300, 'x');
    const TemporaryFolder folder;
    CHECK(contains(message([&] { xg::data::mnist(folder / longest, "train"); }),
                   "train-images-idx3-ubyte: cannot be opened: File name too long"));
    CHECK(contains(message([&] { xg::data::fashion_mnist("/dev/null", "test"); }), "is not there"));
}
