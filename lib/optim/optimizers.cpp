#include <xtgrad/optim/optimizers.hpp>

#include <algorithm>
#include <cmath>

#include <xtgrad/ops/creation.hpp>

#include "../tensor/option.hpp"
#include "../tensor/text.hpp"
#include "in_place.hpp"

namespace xtgrad::optim {

using namespace xtgrad::detail;
using nn::detail::NamedField;

namespace {

/// A trained tensor: the first field that holds it, whose name is its own, and the others, which are tied to that.
struct Parameter {
    const NamedField* first;
    std::vector<const NamedField*> tied = {};

    Tensor& value() const { return *first->tensor; }
    const std::string& name() const { return first->name; }
    /// Is it so of any of its names?
    bool has_name(auto f) const {
        return f(first->name) || std::ranges::any_of(tied, [&](const NamedField* other) { return f(other->name); });
    }
};

std::vector<Parameter> joined(std::span<const NamedField> fields) {
    const auto places = nn::detail::tied_places(fields);
    std::vector<Parameter> parameters;
    parameters.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].role != nn::Role::parameter) continue;
        if (places[i] == i)
            parameters.push_back({&fields[i]});
        else
            std::ranges::find(parameters, &fields[places[i]], &Parameter::first)->tied.push_back(&fields[i]);
    }
    return parameters;
}

/// Does the name match the pattern, in which * stands for any characters and ? for one?
bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = pattern.npos, from = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*')
            star = p++, from = n;
        else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]))
            ++p, ++n;
        else if (star != pattern.npos)
            p = star + 1, n = ++from;
        else
            return false;
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

/// The first group with a pattern of the name, or null.
const Group* group_of(const std::vector<Group>& groups, const std::string& name) {
    for (const Group& group : groups)
        for (const std::string& pattern : group.names)
            if (matches(pattern, name)) return &group;
    return nullptr;
}

/// What a parameter's group says.
struct Rate {
    double lr, weight_decay;

    template <class Options>
    Rate(const Options& options, const std::string& name) : lr(options.lr), weight_decay(options.weight_decay) {
        if (const Group* group = group_of(options.groups, name)) {
            lr *= group->scale;
            weight_decay = group->weight_decay.value_or(weight_decay);
        }
    }
};

/// One tensor for each parameter; null: this optimizer has none at present. New ones are `initial`.
struct State {
    nn::TensorMap* map;
    double initial = 0;
};
using States = std::array<State, 3>;

/// The numbers that an optimizer has beside the rate and the decay; as PyTorch's, but for averages that never move.
void check_numbers(const char* op, const SGDOptions& o) {
    check_options(op, {{"momentum", o.momentum, not_negative}, {"dampening", o.dampening, finite}});
    if (o.nesterov && !(o.momentum > 0 && o.dampening == 0))
        fail<Error>(op, "nesterov with a momentum of ", o.momentum, " and a dampening of ", o.dampening,
                    "; it needs a momentum above 0, and no dampening");
}
void check_betas(const char* op, const std::array<double, 2>& betas) {
    check_options(op, {{"betas[0]", betas[0], below_one}, {"betas[1]", betas[1], below_one}});
}
void check_numbers(const char* op, const LionOptions& o) { check_betas(op, o.betas); }
template <class Options>
    requires requires(const Options& o) { o.betas, o.eps; }
void check_numbers(const char* op, const Options& o) {
    check_betas(op, o.betas);
    check_option(op, "eps", o.eps, not_negative);
}
void check_numbers(const char* op, const RMSpropOptions& o) {
    check_options(op, {{"alpha", o.alpha, below_one}, {"eps", o.eps, not_negative}, {"momentum", o.momentum, not_negative}});
}
void check_numbers(const char* op, const AdagradOptions& o) {
    check_options(op, {{"lr_decay", o.lr_decay, not_negative},
                       {"initial_accumulator_value", o.initial_accumulator_value, not_negative},
                       {"eps", o.eps, not_negative}});
}

/// Throws Error for a number out of its range, a pattern that no parameter has, or tied names in different groups.
template <class Options>
void check_all_options(const char* op, const Options& options, std::span<const Parameter> parameters) {
    check_options(op, {{"lr", options.lr, not_negative}, {"weight_decay", options.weight_decay, not_negative}});
    check_numbers(op, options);
    for (const Group& group : options.groups) {
        check_option(op, "a group's scale", group.scale, not_negative);
        if (group.weight_decay) check_option(op, "a group's weight_decay", *group.weight_decay, not_negative);
        for (const std::string& pattern : group.names) {
            const auto fits = [&](const std::string& name) { return matches(pattern, name); };
            if (std::ranges::any_of(parameters, [&](const Parameter& p) { return p.has_name(fits); })) continue;
            Text names;
            for (std::size_t i = 0; i < parameters.size() && i < 5; ++i) names << (i ? ", " : "") << parameters[i].name();
            fail<Error>(op, "the group pattern '", pattern, "' matches no parameter; they are ", names.str(),
                        parameters.size() > 5 ? ", ..." : "", " (nn::named_parameters)");
        }
    }
    for (const Parameter& p : parameters)
        for (const NamedField* other : p.tied)
            if (group_of(options.groups, p.name()) != group_of(options.groups, other->name))
                fail<Error>(op, p.name(), " and ", other->name,
                            " are one parameter and fall into different groups; give one group patterns of both");
}

/// The first of the parameters that have several names, for the end of a message.
struct TiedNames {
    std::span<const Parameter> parameters;
    friend std::ostream& operator<<(std::ostream& os, const TiedNames& t) {
        for (const Parameter& p : t.parameters)
            if (!p.tied.empty()) return os << " (" << p.name() << " and " << p.tied[0]->name << " are one)";
        return os;
    }
};

void check_distinct(std::span<const Parameter> parameters) {
    std::vector<std::string_view> names;
    for (const Parameter& p : parameters) {
        names.push_back(p.name());
        for (const NamedField* other : p.tied) names.push_back(other->name);
    }
    nn::detail::check_distinct(std::move(names));
}

void check(const char* op, const Tensor& steps, std::span<const Parameter> parameters, std::span<const Tensor> grads,
           const States& states) {
    if (const auto done = steps.item<std::int64_t>(); done < 0)
        fail<Error>(op, "steps is ", done, "; it counts those that were done, from 0");
    if (parameters.size() != grads.size()) {
        check_distinct(parameters);
        fail<Error>(op, grads.size(), " gradients for ", parameters.size(),
                    " parameters; give one for each of nn::parameters(model), in that order", TiedNames{parameters});
    }
    bool made = steps.item<std::int64_t>() == 0;  // a state: by names, of which none may be there twice
    for (std::size_t i = 0; i < grads.size(); ++i) {
        const std::string& name = parameters[i].name();
        const Tensor& value = parameters[i].value();
        detail::check_fits(op, "the gradient of " + name, grads[i], value);
        for (const State& state : states) {
            if (!state.map) continue;
            if (const auto at = state.map->find(name); at != state.map->end())
                detail::check_fits(op, "the state of " + name, at->second, value);
            else
                made = true;
        }
    }
    if (made) check_distinct(parameters);
}

/// A parameter, with what its pass reads and writes.
template <class Numbers>
struct Pass {
    detail::Change value;
    Tensor gradient;
    std::array<Tensor*, 3> states;
    std::array<Tensor, 3> copies;  // of states that others see too, to take their places
    Numbers numbers;
};

/// A pass over each parameter by kernel(kernels); numbers(name, rate, fresh) are what it gets. `fresh`: the parameter's state is
/// new. Memory for all is taken before the first changes.
template <class Options>
void update_all(const char* op, const Options& options, Tensor& steps, std::span<const NamedField> fields,
                std::span<const Tensor> grads, const States& states, auto kernel, auto numbers) {
    const std::vector<Parameter> parameters = joined(fields);
    check_all_options(op, options, parameters);
    check(op, steps, parameters, grads, states);
    std::array<nn::TensorMap, 3> made;
    const auto state_of = [&](std::size_t k, const std::string& name, const Tensor& like, Tensor& copy) {
        if (const auto at = states[k].map->find(name); at != states[k].map->end()) {
            if (!detail::writable(at->second)) copy = copied(at->second);
            return std::pair(&at->second, false);
        }
        return std::pair(&made[k].emplace(name, full(like.shape(), states[k].initial, like.dtype())).first->second, true);
    };
    using Numbers = decltype(numbers(std::string(), Rate(options, ""), false));
    std::vector<Pass<Numbers>> passes;
    passes.reserve(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string& name = parameters[i].name();
        Tensor& value = parameters[i].value();
        std::array<Tensor*, 3> of{};
        std::array<Tensor, 3> copies;
        bool fresh = false;
        for (std::size_t k = 0; k < states.size(); ++k) {
            if (!states[k].map) continue;
            const auto [state, is_made] = state_of(k, name, value, copies[k]);
            of[k] = state;
            fresh |= is_made;
        }
        std::vector<Tensor*> tied;
        for (const NamedField* other : parameters[i].tied) tied.push_back(other->tensor);
        passes.push_back({detail::Change(value, std::move(tied)), contiguous(grads[i]), of, std::move(copies),
                          numbers(name, Rate(options, name), fresh)});
    }
    Tensor done(steps.item<std::int64_t>() + 1);

    steps = std::move(done);
    for (std::size_t k = 0; k < states.size(); ++k)
        if (states[k].map) states[k].map->merge(made[k]);
    for (Pass<Numbers>& pass : passes)
        with_floating(pass.gradient.dtype(), [&]<class T>(T) {
            kernels::Update<T> u{.gradient = mutable_data<T>(pass.gradient), .from = nullptr, .to = nullptr, .state = {}};
            for (std::size_t k = 0; k < states.size(); ++k) {
                if (pass.copies[k].defined()) *pass.states[k] = std::move(pass.copies[k]);
                if (pass.states[k]) u.state[k] = mutable_data<T>(*pass.states[k]);
            }
            pass.value.template run<T>([&](Index begin, Index end, const T* from, T* to) {
                kernels::Update<T> part = u;
                part.from = from;
                part.to = to;
                kernel(kernels::optimizer_kernels<T>())(begin, end, pass.numbers, part);
            });
        });
}

/// Both kinds of Adam.
template <class A>
void adam_update(const char* op, A& self, bool decoupled, std::span<const NamedField> fields, std::span<const Tensor> grads) {
    const auto& o = self.options;
    const std::int64_t before = self.steps.template item<std::int64_t>();
    for (const auto& [name, joined] : self.joined)
        if (const auto at = joined.template item<std::int64_t>(); at < 0 || at > before)
            fail<Error>(op, "after ", before, " steps ", name, " cannot have joined after ", at,
                        "; set steps and joined to those of the same run");
    nn::TensorMap joining;
    update_all(
        op, o, self.steps, fields, grads, {{{&self.exp_avg}, {&self.exp_avg_sq}, {nullptr}}},
        [](const auto& kernels) { return kernels.adam; },
        [&](const std::string& name, const Rate& rate, bool fresh) {
            if (fresh) joining.emplace(name, Tensor(before));
            const auto joined = self.joined.find(name);
            const std::int64_t without = fresh                         ? before
                                         : joined == self.joined.end() ? 0
                                                                       : joined->second.template item<std::int64_t>();
            const double t = double(before - without + 1);
            const double rest1 = 1 - std::pow(o.betas[0], t), rest2 = 1 - std::pow(o.betas[1], t);
            return kernels::Adam{.rate = rate.lr / rest1,
                                 .beta1 = o.betas[0],
                                 .beta2 = o.betas[1],
                                 .root = 1 / std::sqrt(rest2),
                                 .eps = o.eps,
                                 .decay = decoupled ? 0 : rate.weight_decay,
                                 .shrink = decoupled ? 1 - rate.lr * rate.weight_decay : 1};
        });
    for (const auto& [name, at] : joining) self.joined.erase(name);
    if (before > 0) self.joined.merge(joining);
}

}  // namespace

void SGD::update(std::span<const NamedField> fields, std::span<const Tensor> grads) {
    update_all(
        "SGD", options, steps, fields, grads, {{{options.momentum != 0 ? &momentum_buffer : nullptr}, {nullptr}, {nullptr}}},
        [](const auto& kernels) { return kernels.sgd; },
        [&](const std::string&, const Rate& rate, bool fresh) {
            return kernels::Sgd{.rate = rate.lr,
                                .momentum = options.momentum,
                                .damped = 1 - options.dampening,
                                .decay = rate.weight_decay,
                                .nesterov = options.nesterov,
                                .first = fresh};
        });
}

void Adam::update(std::span<const NamedField> fields, std::span<const Tensor> grads) {
    adam_update("Adam", *this, false, fields, grads);
}
void AdamW::update(std::span<const NamedField> fields, std::span<const Tensor> grads) {
    adam_update("AdamW", *this, true, fields, grads);
}

void RMSprop::update(std::span<const NamedField> fields, std::span<const Tensor> grads) {
    update_all(
        "RMSprop", options, steps, fields, grads,
        {{{&square_avg}, {options.momentum != 0 ? &momentum_buffer : nullptr}, {options.centered ? &grad_avg : nullptr}}},
        [](const auto& kernels) { return kernels.rmsprop; },
        [&](const std::string&, const Rate& rate, bool) {
            return kernels::Rmsprop{.rate = rate.lr,
                                    .alpha = options.alpha,
                                    .eps = options.eps,
                                    .decay = rate.weight_decay,
                                    .momentum = options.momentum};
        });
}

void Adagrad::update(std::span<const NamedField> fields, std::span<const Tensor> grads) {
    const double slower = 1 + double(steps.item<std::int64_t>()) * options.lr_decay;
    update_all(
        "Adagrad", options, steps, fields, grads, {{{&sum, options.initial_accumulator_value}, {nullptr}, {nullptr}}},
        [](const auto& kernels) { return kernels.adagrad; },
        [&](const std::string&, const Rate& rate, bool) {
            return kernels::Adagrad{.rate = rate.lr / slower, .eps = options.eps, .decay = rate.weight_decay};
        });
}

void Lion::update(std::span<const NamedField> fields, std::span<const Tensor> grads) {
    update_all(
        "Lion", options, steps, fields, grads, {{{&exp_avg}, {nullptr}, {nullptr}}},
        [](const auto& kernels) { return kernels.lion; },
        [&](const std::string&, const Rate& rate, bool) {
            return kernels::Lion{
                .rate = rate.lr, .beta1 = options.betas[0], .beta2 = options.betas[1], .shrink = 1 - rate.lr * rate.weight_decay};
        });
}

}  // namespace xtgrad::optim
