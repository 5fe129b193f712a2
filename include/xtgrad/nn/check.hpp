// Does visit name every tensor? C++20 cannot tell in general; of structs that are aggregates it can be found out.
#pragma once
#include <set>
#include <tuple>
#include <typeinfo>

#include "visit.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

namespace detail {

/// Becomes any member; how many of them a struct takes in braces is how many it has.
template <class Struct>
struct AnyMember {
    template <class T>
    operator T() const noexcept;
};
/// Becomes a base, and no member.
template <class Struct>
struct AnyBase {
    template <class T>
        requires std::is_base_of_v<T, Struct>
    operator T() const noexcept;
};
template <class A, std::size_t>
using Repeated = A;

template <class S, std::size_t... i>
constexpr bool takes(std::index_sequence<i...>) {
    return requires { S{Repeated<AnyMember<S>, i>()...}; };
}
template <class S, std::size_t... i>
constexpr bool has_base(std::index_sequence<i...>) {
    return requires { S{AnyBase<S>(), Repeated<AnyMember<S>, i>()...}; };
}
/// Two in braces of their own, between others: an array takes them for two of its elements, and leaves room for fewer behind.
template <class S, class A, std::size_t... before, std::size_t... behind>
constexpr bool takes_two(std::index_sequence<before...>, std::index_sequence<behind...>) {
    return requires { S{Repeated<A, before>()..., {A(), A()}, Repeated<A, behind>()...}; };
}
template <class S, std::size_t n, std::size_t... i>
constexpr bool has_array(std::index_sequence<i...>) {
    using A = AnyMember<S>;
    return ((takes_two<S, A>(std::make_index_sequence<i>(), std::index_sequence<>()) &&
             !takes_two<S, A>(std::make_index_sequence<i>(), std::make_index_sequence<n - i - 1>())) ||
            ...);
}

inline constexpr std::size_t most_members = 16;

/// How many members an aggregate has, or 0 where that is not known.
template <class S, std::size_t n = most_members + 1>
constexpr std::size_t members() {
    if constexpr (!std::is_aggregate_v<S> || std::is_empty_v<S> || n == 0)
        return 0;
    else if constexpr (!takes<S>(std::make_index_sequence<n>()))
        return members<S, n - 1>();
    else
        return n > most_members || has_base<S>(std::make_index_sequence<n - 1>()) ||
                       has_array<S, n>(std::make_index_sequence<n>())
                   ? 0
                   : n;
}

/// References to the members, const where they are declared const.
template <class S, std::size_t count = members<S>()>
auto members_of(S& x) {
    if constexpr (count == 1) {
        auto& [a] = x;
        return std::tie(a);
    } else if constexpr (count == 2) {
        auto& [a, b] = x;
        return std::tie(a, b);
    } else if constexpr (count == 3) {
        auto& [a, b, c] = x;
        return std::tie(a, b, c);
    } else if constexpr (count == 4) {
        auto& [a, b, c, d] = x;
        return std::tie(a, b, c, d);
    } else if constexpr (count == 5) {
        auto& [a, b, c, d, e] = x;
        return std::tie(a, b, c, d, e);
    } else if constexpr (count == 6) {
        auto& [a, b, c, d, e, f] = x;
        return std::tie(a, b, c, d, e, f);
    } else if constexpr (count == 7) {
        auto& [a, b, c, d, e, f, g] = x;
        return std::tie(a, b, c, d, e, f, g);
    } else if constexpr (count == 8) {
        auto& [a, b, c, d, e, f, g, h] = x;
        return std::tie(a, b, c, d, e, f, g, h);
    } else if constexpr (count == 9) {
        auto& [a, b, c, d, e, f, g, h, i] = x;
        return std::tie(a, b, c, d, e, f, g, h, i);
    } else if constexpr (count == 10) {
        auto& [a, b, c, d, e, f, g, h, i, j] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j);
    } else if constexpr (count == 11) {
        auto& [a, b, c, d, e, f, g, h, i, j, k] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j, k);
    } else if constexpr (count == 12) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
    } else if constexpr (count == 13) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
    } else if constexpr (count == 14) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
    } else if constexpr (count == 15) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
    } else if constexpr (count == 16) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = x;
        return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    }
}

/// Finds a tensor of a model that is not among those that visit names.
class Unnamed {
public:
    template <class M>
    explicit Unnamed(M& model) {
        for_each_tensor(model, [&](std::string_view, const Tensor& x, Role) { named_.insert(&x); });
        look(model);
    }

private:
    template <class T>
    void look(T& x) {
        if constexpr (std::is_const_v<T>) {
        } else if constexpr (AnyTensor<T>) {
            if (x.defined() && !named_.contains(&x)) fail(x);
        } else if constexpr (is_sequence<T>) {
            if constexpr (!std::same_as<T, std::vector<bool>>)
                for (auto& part : x) look(part);
        } else if constexpr (is_optional<T>) {
            if (x) look(*x);
        } else if constexpr (is_variant<T>) {
            std::visit([&](auto& held) { look(held); }, x);
        } else if constexpr (std::same_as<T, TensorMap>) {
            for (auto& [key, tensor] : x) look(tensor);
        } else if constexpr (std::is_class_v<T>) {
            if constexpr (members<T>() > 0) {
                const Place here(*this, typeid(T));
                std::apply([&](auto&... member) { ((++place_.back().member, look(member)), ...); }, members_of(x));
            } else if constexpr (Module<T>) {
                for_each_tensor(x, [&](std::string_view, Tensor& part, Role) { look(part); });
            }
        }
    }
    [[noreturn]] void fail(const Tensor&) const;

    struct Step {
        const std::type_info* type;
        int member = 0;
    };
    struct Place {
        Unnamed& of;
        Place(Unnamed& u, const std::type_info& type) : of(u) { of.place_.push_back({&type}); }
        ~Place() { of.place_.pop_back(); }
    };
    std::set<const Tensor*> named_;
    std::vector<Step> place_;
};

}  // namespace detail

/// Throws Error when a struct holds a tensor that its visit does not name, which is then neither trained nor saved. It looks into
/// aggregates, structs without constructors, of up to 16 members that are no references and no arrays in brackets, and have no
/// bases, and into lists of such; a struct of another kind is taken at its visit's word. A tensor that is left out on purpose is
/// a const member, or better a buffer. For a test of a model, or a look at a new one.
template <Field M>
void check_visit(M model) {
    detail::Unnamed{model};
}

}  // namespace nn
}  // namespace xtgrad
