// JSON as headers of files have it: nlohmann's parser, and values of our own. Its values take memory in their destructor, and
// where there is none the program ends.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "file.hpp"

namespace xtgrad::detail {

class Json {
public:
    using List = std::vector<Json>;
    using Object = std::map<std::string, Json>;
    struct Other {};  // booleans, and numbers that are negative or not whole

    Json() = default;
    template <class T>
        requires(!std::same_as<std::remove_cvref_t<T>, Json>)
    explicit Json(T value) : value_(std::move(value)) {}

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
    bool is_number_unsigned() const { return std::holds_alternative<std::uint64_t>(value_); }
    bool is_string() const { return std::holds_alternative<std::string>(value_); }
    bool is_array() const { return std::holds_alternative<List>(value_); }
    bool is_object() const { return std::holds_alternative<Object>(value_); }

    template <class T>
    const T& get() const {
        return std::get<T>(value_);
    }
    const Object& items() const { return get<Object>(); }
    /// A member of an object, or null.
    const Json* find(const char* key) const {
        const auto at = items().find(key);
        return at == items().end() ? nullptr : &at->second;
    }

    /// Throws IoError when the text is not JSON, has values within more than `deepest` others, or names a member twice.
    static Json parse(const FileName& file, std::string_view text, std::size_t deepest) {
        Json root;
        Builder builder{file, deepest, root};
        if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
            file.fail("the header is not JSON: this is not a safetensors file, or it is damaged");
        return root;
    }

private:
    /// What the parser calls.
    struct Builder {
        const FileName& file;
        std::size_t deepest;
        Json& root;
        std::vector<Json*> open = {};
        std::string next = {};  // the key of the next value

        Json& place(Json value) {
            if (open.size() > deepest) file.fail("the header is nested too deeply: this is not a safetensors file");
            if (open.empty()) return root = std::move(value);
            if (auto* list = std::get_if<List>(&open.back()->value_)) return list->emplace_back(std::move(value));
            const auto [at, added] = std::get<Object>(open.back()->value_).emplace(next, std::move(value));
            if (!added) file.fail("the header names ", in_quotes(next), " twice");
            return at->second;
        }
        bool put(auto value) { return place(Json(std::move(value))), true; }
        bool begin(auto value) { return open.push_back(&place(Json(std::move(value)))), true; }
        bool end() { return open.pop_back(), true; }

        bool null() { return put(nullptr); }
        bool boolean(bool) { return put(Other()); }
        bool number_integer(std::int64_t) { return put(Other()); }
        bool number_unsigned(std::uint64_t n) { return put(n); }
        bool number_float(double, const std::string&) { return put(Other()); }
        bool string(std::string& text) { return put(std::move(text)); }
        bool binary(nlohmann::json::binary_t&) { return put(Other()); }
        bool start_object(std::size_t) { return begin(Object()); }
        bool key(std::string& text) { return next = std::move(text), true; }
        bool end_object() { return end(); }
        bool start_array(std::size_t) { return begin(List()); }
        bool end_array() { return end(); }
        bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) { return false; }
    };

    std::variant<std::nullptr_t, Other, std::uint64_t, std::string, List, Object> value_{nullptr};
};

}  // namespace xtgrad::detail
