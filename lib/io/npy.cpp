// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. xtensor's reader must be told the type of
// the elements before it reads, and trusts the shape; so the header is read here.
#include "npy.hpp"

#include <xtgrad/io/tensors.hpp>

#include <charconv>

#include "../tensor/storage.hpp"
#include "../tensor/text.hpp"

namespace xtgrad {

using namespace detail;

namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// The Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class Header {
public:
    Header(const FileName& file, const std::string& what, std::string_view text) : file_(file), what_(what), text_(text) {
        expect('{');
        while (!accept('}')) {
            const std::string_view key = string();
            expect(':');
            if (key == "descr")
                descr = string();
            else if (key == "fortran_order")
                fortran_order = boolean(), ++known_;
            else if (key == "shape")
                tuple(), ++known_;
            else
                fail();
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        if (descr.empty() || known_ != 2) fail();
    }

    std::string_view descr;
    bool fortran_order = false;
    Shape shape;

private:
    [[noreturn]] void fail() const {
        file_.fail(what_, "the header of the array is not one of NumPy's simple dtypes, or damaged");
    }
    bool accept(char c) {
        text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size()));
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail();
    }
    std::string_view string() {
        expect('\'');
        const std::size_t end = text_.find('\'');
        if (end == text_.npos) fail();
        const std::string_view result = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return result;
    }
    bool boolean() {
        accept(' ');
        for (const auto& [word, value] : {std::pair(std::string_view("True"), true), std::pair(std::string_view("False"), false)})
            if (text_.starts_with(word)) {
                text_.remove_prefix(word.size());
                return value;
            }
        fail();
    }
    void tuple() {
        shape = {};
        expect('(');
        while (!accept(')')) {
            Index extent = -1;
            const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
            if (error != std::errc() || extent < 0 || shape.size() == std::size_t(max_rank)) fail();
            text_.remove_prefix(std::size_t(end - text_.data()));
            shape.push_back(extent);
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
    }

    const FileName& file_;
    const std::string& what_;
    std::string_view text_;
    int known_ = 0;
};

constexpr std::pair<std::string_view, Stored> kinds[] = {{"b1", Stored::boolean}, {"u1", Stored::u8},  {"i1", Stored::i8},
                                                         {"u2", Stored::u16},     {"i2", Stored::i16}, {"u4", Stored::u32},
                                                         {"i4", Stored::i32},     {"u8", Stored::u64}, {"i8", Stored::i64},
                                                         {"f2", Stored::f16},     {"f4", Stored::f32}, {"f8", Stored::f64}};

/// Elements that lie column by column, under the shape that they are meant to have.
Tensor from_columns(const Tensor& x, const Shape& shape) {
    Shape steps = shape;
    Index step = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        steps[i] = step;
        step *= std::max<Index>(shape[i], 1);
    }
    return copied(make_view(x, shape, steps));
}

}  // namespace

Tensor detail::parse_npy(const FileName& file, const std::string& what, Bytes bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with(magic) || text.size() < 10) file.fail(what, "this is not an array of NumPy's (.npy)");
    const auto byte = [&](std::size_t i) { return std::size_t(static_cast<unsigned char>(text[i])); };
    const bool old = byte(6) == 1;
    const std::size_t begin = old ? 10 : 12;
    if (byte(6) < 1 || byte(6) > 3 || text.size() < begin)
        file.fail(what, "version ", byte(6), " of the array format is unknown");
    const std::size_t length = byte(8) | byte(9) << 8 | (old ? 0 : byte(10) << 16 | byte(11) << 24);
    if (length > text.size() - begin) file.fail(what, "the header of the array is truncated");
    const Header header(file, what, text.substr(begin, length));

    const std::string_view type = header.descr.substr(std::min<std::size_t>(1, header.descr.size()));
    const auto* kind = std::ranges::find(kinds, type, [](const auto& k) { return k.first; });
    const char order = header.descr[0];
    if (kind == std::end(kinds) || std::string_view("<>|=").find(order) == std::string_view::npos)
        file.fail(what, "elements of type ", in_quotes(header.descr), " cannot be read");
    const Bytes data = bytes.subspan(begin + length);
    const auto needed = bytes_of(header.shape, size_of(kind->second));
    if (!needed || *needed != data.size())
        file.fail(what, "an array ", in_quotes(header.descr), ' ', header.shape, " does not fit its ", data.size(),
                  " bytes: the file is truncated or damaged");
    const Tensor x = decoded(file, {what + "the array", kind->second, header.shape, data, order == '>'});
    return header.fortran_order ? from_columns(x, header.shape) : x;
}

std::string detail::npy_header(const Tensor& x) {
    constexpr const char* types[] = {"<f4", "<f8", "<i8", "|b1"};
    Text literal;
    literal << "{'descr': '" << types[int(x.dtype())] << "', 'fortran_order': False, 'shape': " << x.shape() << ", }";
    std::string text = literal.str();
    text.resize((text.size() + 10) / 64 * 64 + 53, ' ');  // the elements begin at a multiple of 64
    text += '\n';
    const char length[] = {char(text.size() & 255), char(text.size() >> 8)};
    return std::string(magic) + '\x01' + '\0' + std::string(length, 2) + text;
}

namespace io {

Tensor read_npy(const std::string& path) {
    const FileName name{"read_npy", path};
    const MappedFile file(name);
    return name.read([&] { return parse_npy(name, "", file.bytes()); });
}

void write_npy(const std::string& path, const Tensor& x) {
    const FileName name{"write_npy", path};
    check_defined(name.op, x);
    const Tensor dense = contiguous(x);
    ReplacedFile file(name);
    file.write(npy_header(dense));
    file.write(bytes_of(dense));
    file.commit();
}

}  // namespace io
}  // namespace xtgrad
