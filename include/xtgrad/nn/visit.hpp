// What a model is: a plain struct that names its fields.
//
//     struct Mlp {
//         xg::nn::Linear up, down;
//         static void visit(auto& self, auto&& field) { field("up", self.up); field("down", self.down); }
//     };
//
// A field is a tensor, another such struct, a buffer(...) or state(...) of either, or a std::vector, std::array, std::optional
// or std::variant of them. Two trained fields that hold one tensor, `b = a`, are tied: they are one parameter, with the name of
// the first, and stay one through steps, averages, files and transforms. Buffers are never tied: a copy that is not trained keeps
// its values.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "../tensor.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

/// Parameters are trained; buffers are only saved, and so is state, which comes and goes while a program runs. Tensors that are
/// not f32 or f64 are buffers instead of parameters.
enum class Role { parameter, buffer, state };

/// A field that is saved and not trained.
template <class T>
struct Buffer {
    T& field;
    Role role = Role::buffer;
};
/// Marks a field as saved and not trained: field("mean", xg::nn::buffer(self.mean)).
template <class T>
Buffer<T> buffer(T& field) {
    return {field};
}
/// Marks a field as saved, not trained, and made on the way: field("keys", xg::nn::state(self.keys)). A file brings such a
/// tensor, of any shape, or takes it away. The maps that one struct has are an optimizer's: each with an entry for each parameter
/// that it steps, once the integer under "steps" is above 0.
template <class T>
Buffer<T> state(T& field) {
    return {field, Role::state};
}

/// Tensors by names that come and go, as an optimizer's state for each parameter; may be a field.
using TensorMap = std::map<std::string, Tensor, std::less<>>;

namespace detail {

struct AnyField {
    void operator()(std::string_view, auto&&) const {}
};

template <class T>
inline constexpr bool is_sequence = false;
template <class T>
inline constexpr bool is_sequence<std::vector<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_sequence<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_buffer = false;
template <class T>
inline constexpr bool is_buffer<Buffer<T>> = true;

}  // namespace detail

/// A struct with `static void visit(auto& self, auto&& field)`.
template <class T>
concept Module = requires(T& x) { std::remove_cvref_t<T>::visit(x, detail::AnyField{}); };

/// What may be a field, and a model.
template <class T, class U = std::remove_cvref_t<T>>
concept Field = AnyTensor<U> || Module<U> || std::same_as<U, TensorMap> || detail::is_sequence<U> || detail::is_optional<U> ||
                detail::is_variant<U> || detail::is_buffer<U>;

namespace detail {

template <class T, class F>
void walk(std::string& name, T& x, Role role, F& f);

template <class T, class F>
void walk_part(std::string& name, std::string_view part, T& x, Role role, F& f) {
    const std::size_t length = name.size();
    if (length) name += '.';
    name += part;
    walk(name, x, role, f);
    name.resize(length);
}

template <class T, class F>
void walk(std::string& name, T& x, Role role, F& f) {
    using U = std::remove_const_t<T>;
    static_assert(Field<U>,
                  "a field is a tensor, a struct with visit, a buffer, or a vector, array, optional or variant of them");
    if constexpr (AnyTensor<U>) {
        if (x.defined())
            f(std::string_view(name), x, role == Role::parameter && !is_floating(x.dtype()) ? Role::buffer : role);
        else if constexpr (requires { f.absent(std::string_view(name), x); })
            if (role == Role::state) f.absent(std::string_view(name), x);
    } else if constexpr (is_buffer<U>) {
        walk(name, x.field, x.role, f);
    } else if constexpr (is_optional<U>) {
        if (x) walk(name, *x, role, f);
    } else if constexpr (is_variant<U>) {
        std::visit([&](auto& held) { walk(name, held, role, f); }, x);
    } else if constexpr (is_sequence<U>) {
        std::size_t i = 0;
        for (auto& part : x) walk_part(name, std::to_string(i++), part, role, f);
    } else if constexpr (std::same_as<U, TensorMap>) {
        if constexpr (requires { f.map(std::string_view(name), x, role); })
            f.map(std::string_view(name), x, role);
        else
            for (auto& [key, tensor] : x) walk_part(name, key, tensor, role, f);
    } else {
        U::visit(x, [&](std::string_view part, auto&& field) { walk_part(name, part, field, role, f); });
    }
}

}  // namespace detail

/// Calls f(name, tensor, role) for each tensor of a model in the order of its fields, names joined by dots as in PyTorch:
/// "layers.0.up.weight". The tensor is a Tensor&, const if the model is, and may be assigned. Tensors that are not
/// defined, as an absent bias, are left out; tied fields are called one by one, and whoever assigns to one of them unties it. An
/// f with a member f.map(name, map, role) gets a TensorMap as a whole, under the name of the map, and may add entries; with a
/// member f.absent(name, tensor) it gets state that is not defined.
template <class M, class F>
    requires Field<M>
void for_each_tensor(M& model, F&& f) {
    std::string name;
    detail::walk(name, model, Role::parameter, f);
}

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

namespace detail {

/// Throws Error when a name is there twice: what goes by names would lose one of the fields.
void check_distinct(std::vector<std::string_view> names);
/// The same for things that have a name.
void check_distinct(const auto& list, auto name) {
    std::vector<std::string_view> names;
    names.reserve(list.size());
    for (const auto& x : list) names.push_back(x.*name);
    check_distinct(std::move(names));
}

/// A tensor of a model and its place there.
struct NamedField {
    std::string name;
    Tensor* tensor;
    Role role;
};
template <class M>
std::vector<NamedField> fields_of(M& model) {
    std::vector<NamedField> fields;
    for_each_tensor(model, [&](std::string_view name, Tensor& x, Role role) { fields.push_back({std::string(name), &x, role}); });
    return fields;
}

/// For each tensor the place of the first that is the same one.
std::vector<std::size_t> first_places(std::span<const Tensor* const>);
/// For each field the place of the first that it is tied to, or its own.
std::vector<std::size_t> tied_places(std::span<const NamedField>);
/// Leaves of each tensor behind `begin` the first alone.
void keep_distinct(std::vector<Tensor>&, std::size_t begin = 0);
void keep_distinct(NamedTensors&);
/// Gives the fields the tensors at `next`, one for all that hold the same now; returns the next.
const Tensor* assign_distinct(std::span<Tensor* const> fields, const Tensor* next);
/// Gives the fields the tensors of a list, one for each; all that hold one now get the first one's.
void assign_each(std::span<Tensor* const> fields, const std::vector<Tensor>& list);
/// The tensors of `like`, such as gradients, for the distinct ones of the parameters, where both are of the same fields. Throws
/// Error when tied fields have different ones.
std::vector<Tensor> distinct_like(const char* op, const NamedTensors& parameters, const NamedTensors& like);
/// Gives each field but the first of those that hold one tensor a copy of its own.
void untie(std::span<const NamedField>);
/// Gives the trained fields copies of what they hold, tied ones one, so that nothing outside is tied to them.
void renew(std::span<const NamedField>);

/// The trained fields, tied ones too.
template <class M>
NamedTensors trained_fields(const M& model) {
    NamedTensors result;
    for_each_tensor(model, [&](std::string_view name, const Tensor& x, Role role) {
        if (role == Role::parameter) result.emplace_back(name, x);
    });
    return result;
}

}  // namespace detail

/// The trained tensors, in the order of the fields: what a tape differentiates by, what an optimizer changes. What tied fields
/// hold is there once. Variables of this moment: an optimizer step makes new ones.
std::vector<Tensor> parameters(const Field auto& model) {
    std::vector<Tensor> result;
    for_each_tensor(model, [&](std::string_view, const Tensor& x, Role role) {
        if (role == Role::parameter) result.push_back(x);
    });
    detail::keep_distinct(result);
    return result;
}

/// The same with their names, of tied fields the first's. Throws Error when two fields have one name.
NamedTensors named_parameters(const Field auto& model) {
    NamedTensors result = detail::trained_fields(model);
    detail::check_distinct(result, &NamedTensors::value_type::first);
    detail::keep_distinct(result);
    return result;
}

/// All tensors with their names, buffers and each of tied fields too: what is saved. Throws Error when two fields have one name.
NamedTensors named_tensors(const Field auto& model) {
    NamedTensors result;
    for_each_tensor(model, [&](std::string_view name, const Tensor& x, Role) { result.emplace_back(name, x); });
    detail::check_distinct(result, &NamedTensors::value_type::first);
    return result;
}

/// How many numbers are trained.
Index count(const Field auto& model) {
    Index n = 0;
    for (const Tensor& x : parameters(model)) n += Index(x.size());
    return n;
}

/// The model with a copy for each field that was tied to one before it: std::vector<Block>(6, block) holds one block six times.
template <Field M>
M untied(M model) {
    detail::untie(detail::fields_of(model));
    return model;
}

namespace detail {
struct SummaryRow {
    std::string name;
    Tensor tensor;
    Role role;
};
std::string summary(const std::vector<SummaryRow>&);
}  // namespace detail

/// A table of the tensors, a line each: name, shape, dtype, how many elements, and what a field is tied to; then the totals of
/// parameters and buffers.
std::string summary(const Field auto& model) {
    std::vector<detail::SummaryRow> rows;
    for_each_tensor(model, [&](std::string_view name, const Tensor& x, Role role) {
        rows.push_back({std::string(name), x, role});
    });
    return detail::summary(rows);
}

}  // namespace nn
}  // namespace xtgrad
