#include "safetensors.hpp"

#include <algorithm>
#include <cstring>

#include "../tensor/storage.hpp"
#include "json.hpp"

namespace xtgrad {

using namespace detail;

namespace {

constexpr std::uint64_t longest_header = 100'000'000;  // as the reference implementation has it
constexpr const char* metadata_key = "__metadata__";

/// By name, in the order in which a file holds them: largest elements first, so that all are aligned.
constexpr std::pair<const char*, Stored> kinds[] = {
    {"U64", Stored::u64}, {"I64", Stored::i64},   {"F64", Stored::f64},     {"F32", Stored::f32}, {"U32", Stored::u32},
    {"I32", Stored::i32}, {"BF16", Stored::bf16}, {"F16", Stored::f16},     {"U16", Stored::u16}, {"I16", Stored::i16},
    {"I8", Stored::i8},   {"U8", Stored::u8},     {"BOOL", Stored::boolean}};

const auto* kind_of(Stored kind) {
    return std::ranges::find(kinds, kind, [](const auto& k) { return k.second; });
}

/// The header, a JSON object with spaces behind it: at most three levels deep, no name twice.
Json parsed_header(const FileName& file, std::string_view text) {
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    const bool zero = text.find('\0') != text.npos;  // where the parser would take the text to end
    if (!text.starts_with('{') || !text.ends_with('}') || zero)
        file.fail("the header is not a JSON object with spaces behind it: this is not a safetensors file, or it is damaged");
    Json header = Json::parse(file, text, 3);
    return header;
}

/// A list of integers that are not negative.
std::vector<std::uint64_t> unsigned_list(const FileName& file, const std::string& what, const Json& entry, const char* key) {
    const Json* const list = entry.find(key);
    if (!list || !list->is_array() || !std::ranges::all_of(list->get<Json::List>(), &Json::is_number_unsigned))
        file.fail(what, " has no ", key, ", a list of integers of at least 0");
    std::vector<std::uint64_t> numbers;
    for (const Json& number : list->get<Json::List>()) numbers.push_back(number.get<std::uint64_t>());
    return numbers;
}

struct Placed {
    StoredTensor tensor;
    std::string name;
    std::uint64_t begin, end;

    // No aggregate: of one within another g++ 12 destroys the inner one twice when what follows it throws.
    Placed(StoredTensor t, std::string n, std::uint64_t b, std::uint64_t e)
        : tensor(std::move(t)), name(std::move(n)), begin(b), end(e) {}
};

Placed parsed_entry(const FileName& file, const std::string& name, const Json& entry, std::size_t data_size) {
    const std::string what = "tensor " + in_quotes(name);
    if (!entry.is_object()) file.fail(what, " is described by something that is not a JSON object");
    const Json* const dtype = entry.find("dtype");
    if (!dtype || !dtype->is_string()) file.fail(what, " has no dtype");
    const auto dtype_name = dtype->get<std::string>();
    const auto* kind = std::ranges::find(kinds, dtype_name, [](const auto& k) { return std::string_view(k.first); });
    const auto extents = unsigned_list(file, what, entry, "shape");
    const auto offsets = unsigned_list(file, what, entry, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) file.fail(what, " has no data_offsets [begin, end]");
    const auto [begin, end] = std::pair(offsets[0], offsets[1]);
    if (end > data_size)
        file.fail(what, " ends at byte ", end, " of the data, which has ", data_size, ": the file is truncated or damaged");
    if (kind == std::end(kinds))
        return {{.what = what, .why_not = " is of dtype " + in_quotes(dtype_name) + ", which cannot be read"}, name, begin, end};
    if (extents.size() > std::size_t(max_rank))
        return {
            {.what = what, .why_not = " has " + std::to_string(extents.size()) + " axes, of at most " + std::to_string(max_rank)},
            name,
            begin,
            end};
    const Shape shape(extents);
    const auto needed = bytes_of(shape, size_of(kind->second));
    if (!needed || *needed != end - begin)
        file.fail(what, ' ', kind->first, ' ', shape, " has ", end - begin, " bytes, which is not what its shape needs");
    return {{.what = what, .kind = kind->second, .shape = shape}, name, begin, end};
}

/// A string in JSON. Throws IoError.
std::string quoted(const FileName& file, const std::string& text) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        file.fail("a name or the metadata is not UTF-8");
    }
}

}  // namespace

SafetensorsIndex detail::parse_safetensors(const FileName& file, Bytes bytes) {
    std::uint64_t length;
    if (bytes.size() < sizeof length)
        file.fail("has ", bytes.size(), " bytes: this is not a safetensors file, or it is truncated");
    std::memcpy(&length, bytes.data(), sizeof length);
    const Bytes rest = bytes.subspan(sizeof length);
    if (length > longest_header)
        file.fail("a header of ", length, " bytes, of at most ", longest_header, ": this is not a safetensors file");
    if (length > rest.size())
        file.fail("a header of ", length, " bytes, and ", rest.size(), " follow: the file is truncated or no safetensors file");
    const Json header = parsed_header(file, {reinterpret_cast<const char*>(rest.data()), std::size_t(length)});
    const Bytes data = rest.subspan(std::size_t(length));

    SafetensorsIndex index;
    std::vector<Placed> placed;
    for (const auto& [name, entry] : header.items()) {
        if (name != metadata_key) {
            placed.push_back(parsed_entry(file, name, entry, data.size()));
            continue;
        }
        if (entry.is_null()) continue;  // as the reference implementation reads it
        if (!entry.is_object()) file.fail(metadata_key, " is not a JSON object");
        for (const auto& [key, value] : entry.items()) {
            if (!value.is_string()) file.fail(metadata_key, " holds ", in_quotes(key), ", which is not a string");
            index.metadata[key] = value.get<std::string>();
        }
    }
    std::ranges::stable_sort(placed, {}, [](const Placed& p) { return std::pair(p.begin, p.end); });
    std::uint64_t reached = 0;
    for (Placed& p : placed) {
        if (p.begin != reached)
            file.fail(p.tensor.what, " begins at byte ", p.begin, " of the data, where ", reached,
                      p.begin < reached ? " belongs to another tensor" : " is expected: there is a hole");
        reached = p.end;
        p.tensor.bytes = data.subspan(std::size_t(p.begin), std::size_t(p.end - p.begin));
        index.names.push_back(std::move(p.name));
        index.tensors.push_back(std::move(p.tensor));
    }
    if (reached != data.size()) file.fail(data.size() - reached, " bytes follow the last tensor: the file is damaged");
    return index;
}

struct io::detail::SafetensorsFile {
    explicit SafetensorsFile(FileName file)
        : name(std::move(file)), mapped(name), index(parse_safetensors(name, mapped.bytes())) {
        for (std::size_t i = 0; i < index.names.size(); ++i) places.emplace(index.names[i], i);
    }
    const StoredTensor& at(std::string_view wanted) const {
        const auto found = places.find(wanted);
        if (found == places.end()) name.fail("there is no tensor ", in_quotes(wanted));
        const StoredTensor& tensor = index.tensors[found->second];
        check_readable(name, tensor);
        return tensor;
    }

    FileName name;
    MappedFile mapped;
    SafetensorsIndex index;
    std::map<std::string_view, std::size_t> places;
};

namespace io {

Safetensors::Safetensors(const std::string& path) {
    const FileName name{"read_safetensors", path};
    file_ = name.read([&] { return std::make_shared<const detail::SafetensorsFile>(name); });
}
const std::vector<std::string>& Safetensors::names() const noexcept { return file_->index.names; }
const Metadata& Safetensors::metadata() const noexcept { return file_->index.metadata; }
bool Safetensors::contains(std::string_view name) const noexcept { return file_->places.contains(name); }
Shape Safetensors::shape(std::string_view name) const { return file_->at(name).shape; }
Dtype Safetensors::dtype(std::string_view name) const { return loaded_as(file_->at(name).kind); }
Tensor Safetensors::operator[](std::string_view name) const {
    return file_->name.read([&] { return decoded(file_->name, file_->at(name)); });
}

TensorMap read_safetensors(const std::string& path) {
    const Safetensors file(path);
    return all_tensors(file);
}

void write_safetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata) {
    const FileName name{"write_safetensors", path};
    std::vector<std::pair<const std::string*, Tensor>> ordered;
    for (const auto& [key, tensor] : tensors) {
        check_defined(name.op, tensor);
        if (key == metadata_key) name.fail("a tensor cannot have the name ", metadata_key);
        ordered.emplace_back(&key, contiguous(tensor));
    }
    std::ranges::stable_sort(ordered, {}, [](const auto& entry) { return kind_of(stored_as(entry.second.dtype())); });
    std::string text = "{";
    const auto begin_member = [&](const std::string& key) {
        if (text.back() != '{') text += ',';
        text += quoted(name, key) + ':';
    };
    if (!metadata.empty()) {
        begin_member(metadata_key);
        text += '{';
        for (const auto& [key, value] : metadata) {
            begin_member(key);
            text += quoted(name, value);
        }
        text += '}';
    }
    std::uint64_t reached = 0;
    for (const auto& [key, tensor] : ordered) {
        const std::uint64_t begin = std::exchange(reached, reached + bytes_of(tensor).size());
        begin_member(*key);
        std::string extents;
        for (const Index extent : tensor.shape()) extents += (extents.empty() ? "" : ",") + std::to_string(extent);
        text += std::string("{\"dtype\":\"") + kind_of(stored_as(tensor.dtype()))->first + "\",\"shape\":[" + extents +
                "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(reached) + "]}";
    }
    text += '}';
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    if (length > longest_header) name.fail("the names and the metadata need ", length, " bytes, of at most ", longest_header);
    ReplacedFile file(name);
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(text);
    for (const auto& [key, tensor] : ordered) file.write(bytes_of(tensor));
    file.commit();
}

}  // namespace io
}  // namespace xtgrad
