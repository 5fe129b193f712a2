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

/// The Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } with spaces behind it, as any version of Python
/// writes it: the keys in any order, either quotes, (2L, 3L).
class Header {
public:
    Header(const FileName& file, const std::string& what, std::string_view text) : file_(file), what_(what), text_(text) {
        int seen[] = {0, 0, 0};
        expect('{');
        while (!accept('}')) {
            const std::string_view key = string();
            expect(':');
            if (key == "descr")
                descr = type(), ++seen[0];
            else if (key == "fortran_order")
                fortran_order = boolean(), ++seen[1];
            else if (key == "shape")
                shape = tuple(), ++seen[2];
            else
                fail();
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_blanks();
        if (!text_.empty() || !std::ranges::all_of(seen, [](int times) { return times == 1; })) fail();
    }

    std::string_view descr;
    bool fortran_order = false;
    Shape shape;

private:
    [[noreturn]] void fail() const { file_.fail(what_, "the header of the array is damaged"); }
    void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n\f"), text_.size())); }
    bool accept(std::string_view token) {
        skip_blanks();
        if (!text_.starts_with(token)) return false;
        text_.remove_prefix(token.size());
        return true;
    }
    bool accept(char c) { return accept(std::string_view(&c, 1)); }
    void expect(char c) {
        if (!accept(c)) fail();
    }
    std::string_view string() {
        const char quote = accept('"') ? '"' : '\'';
        if (quote == '\'') expect(quote);
        const std::size_t end = text_.find(quote);
        if (end == text_.npos) fail();
        const std::string_view result = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return result;
    }
    std::string_view type() {
        if (accept('[') || accept('(')) file_.fail<NoTensor>(what_, "elements of a structured type cannot be read");
        return string();
    }
    bool boolean() {
        if (accept("True")) return true;
        if (accept("False")) return false;
        fail();
    }
    Shape tuple() {
        std::vector<Index> extents;
        expect('(');
        while (!accept(')')) {
            Index extent = -1;
            const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
            if (error != std::errc() || extent < 0) fail();
            text_.remove_prefix(std::size_t(end - text_.data()));
            extents.push_back(extent);
            if (text_.starts_with('L')) text_.remove_prefix(1);  // a long integer of Python 2
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        if (extents.size() > std::size_t(max_rank))
            file_.fail<NoTensor>(what_, "an array of ", extents.size(), " axes, of at most ", max_rank);
        return extents;
    }

    const FileName& file_;
    const std::string& what_;
    std::string_view text_;
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
    if (!text.starts_with(magic) || text.size() < 10) file.fail<NoTensor>(what, "this is not an array of NumPy's (.npy)");
    const auto byte = [&](std::size_t i) { return std::size_t(static_cast<unsigned char>(text[i])); };
    const bool old = byte(6) == 1;
    const std::size_t begin = old ? 10 : 12;
    if (byte(6) < 1 || byte(6) > 3 || byte(7) != 0)
        file.fail<NoTensor>(what, "version ", byte(6), '.', byte(7), " of the array format is unknown");
    if (text.size() < begin) file.fail(what, "the header of the array is truncated");
    const std::size_t length = byte(8) | byte(9) << 8 | (old ? 0 : byte(10) << 16 | byte(11) << 24);
    if (length > text.size() - begin) file.fail(what, "the header of the array is truncated");
    const Header header(file, what, text.substr(begin, length));

    // '<f4': the byte order, which may be missing, and the type.
    const bool ordered = header.descr.find_first_of("<>|=") == 0;
    const auto* kind = std::ranges::find(kinds, header.descr.substr(ordered), [](const auto& k) { return k.first; });
    if (kind == std::end(kinds)) file.fail<NoTensor>(what, "elements of type ", in_quotes(header.descr), " cannot be read");
    const Bytes data = bytes.subspan(begin + length);
    const auto needed = bytes_of(header.shape, size_of(kind->second));
    if (!needed || *needed != data.size())
        file.fail(what, "an array ", in_quotes(header.descr), ' ', header.shape, " does not fit its ", data.size(),
                  " bytes: the file is truncated or damaged");
    const Tensor x = decoded(file, {what + "the array", kind->second, header.shape, data, header.descr.starts_with('>')});
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
