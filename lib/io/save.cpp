#include <xtgrad/io/save.hpp>

#include <algorithm>
#include <charconv>

#include "../tensor/storage.hpp"
#include "../tensor/text.hpp"
#include "elements.hpp"

namespace xtgrad {

using namespace detail;

namespace {

constexpr const char *step_key = "xtgrad.step", *seed_key = "xtgrad.rng.seed", *position_key = "xtgrad.rng.position";
constexpr std::string_view reserved = "xtgrad.";

/// The first few of many complaints.
class Complaints {
public:
    template <class... Part>
    void add(const Part&... part) {
        if (count_++ >= shown) return;
        text_ << "\n  ";
        (text_ << ... << part);
    }
    void check(const FileName& file) const {
        if (count_ == 0) return;
        const std::string more = count_ > shown ? "\n  and " + std::to_string(count_ - shown) + " more" : "";
        file.fail("does not fit; nothing was changed:", text_.str(), more);
    }

private:
    static constexpr int shown = 5;
    int count_ = 0;
    Text text_;
};

void check_fits(Complaints& complaints, const io::Safetensors& stored, const std::string& name, const Tensor& target) {
    const Shape shape = stored.shape(name);
    const Dtype dtype = stored.dtype(name);
    if (shape == target.shape() && dtype == target.dtype()) return;
    complaints.add(in_quotes(name), " is ", dtype, ' ', shape, " in the file and ", target.dtype(), ' ', target.shape(),
                   " in the program");
}

using Names = std::set<std::string>;

/// Are these the parameters of a model, or of one part of it by their names there? Fields that are tied have the name of the
/// first in that part.
bool is_part(const std::vector<io::detail::TrainedField>& fields, const Names& names) {
    const std::string& wanted = *names.begin();
    return std::ranges::any_of(fields, [&](const auto& field) {
        if (!field.name.ends_with(wanted)) return false;
        const std::string part = field.name.substr(0, field.name.size() - wanted.size());
        if (wanted.empty()) return names.size() == 1;  // a tensor by itself
        Names inside, seen;
        for (const auto& [name, first] : fields)
            if (name.starts_with(part) && seen.insert(first).second) inside.insert(name.substr(part.size()));
        return (part.empty() || part.ends_with('.')) && inside == names;
    });
}

/// Complains unless all maps of an optimizer are for the same parameters: those of the model or a part of it, where that is
/// known. steps(owner) is how many it has done, by what its names begin with.
void check_states(Complaints& complaints, const io::detail::StateNames& states, auto steps) {
    std::map<std::string, std::vector<std::string>> optimizers;
    for (const auto& [prefix, names] : states.maps)
        optimizers[prefix.substr(0, prefix.substr(0, prefix.size() - 1).rfind('.') + 1)].push_back(prefix);
    for (const auto& [owner, maps] : optimizers) {
        Names wanted;
        for (const std::string& prefix : maps) wanted.insert(states.maps.at(prefix).begin(), states.maps.at(prefix).end());
        if (wanted.empty() && steps(owner) == 0) continue;
        if (states.fields && (wanted.empty() || !is_part(*states.fields, wanted))) {
            wanted.clear();
            for (const auto& [name, first] : *states.fields) wanted.insert(first);
        }
        for (const std::string& prefix : maps) {
            const Names& names = states.maps.at(prefix);
            for (const std::string& name : wanted)
                if (!names.contains(name)) complaints.add(in_quotes(prefix + name), " is missing");
            for (const std::string& name : names)
                if (!wanted.contains(name)) complaints.add(in_quotes(prefix + name), " belongs to no parameter of the model");
            if (wanted.empty() && !states.fields)
                complaints.add(in_quotes(prefix), " has no names, after ", steps(owner), " steps");
        }
    }
}

/// What the program trains, and what of it is tied. (Of maps the entries that there are now.)
std::vector<io::detail::TrainedField> trained_fields(const io::detail::Targets& targets) {
    nn::NamedTensors fields;
    for (const auto& [name, x, role] : targets.tensors)
        if (role == nn::Role::parameter) fields.emplace_back(name, *x);
    for (const auto& [prefix, map, role] : targets.maps)
        if (role == nn::Role::parameter)
            for (const auto& [key, x] : *map)
                if (is_floating(x.dtype())) fields.emplace_back(prefix + key, x);
    return io::detail::trained_fields(fields);
}

/// Those of a file, of which `maps` says what goes into the maps of the targets.
io::detail::StateNames state_names(const io::Safetensors& stored, const io::detail::Targets& targets,
                                   const std::vector<io::TensorMap>& maps, const std::vector<io::detail::TrainedField>& trained,
                                   std::optional<std::string_view> model) {
    io::detail::StateNames states;
    for (std::size_t i = 0; i < maps.size(); ++i)
        if (targets.maps[i].role == nn::Role::state) {
            Names& names = states.maps[targets.maps[i].prefix];
            for (const auto& [key, x] : maps[i]) names.insert(key);
        }
    if (!model) return states;
    states.fields.emplace();
    Names known;
    const auto add = [&](const std::string& name, const std::string& first) {
        if (name.starts_with(*model) && known.insert(name).second)
            states.fields->push_back({name.substr(model->size()), first.substr(model->size())});
    };
    for (const auto& [name, first] : trained) add(name, first);
    for (std::size_t i = 0; i < maps.size(); ++i)
        for (const auto& [key, x] : maps[i])
            if (const std::string name = targets.maps[i].prefix + key;
                targets.maps[i].role == nn::Role::parameter && is_floating(stored.dtype(name)))
                add(name, name);
    return states;
}

/// A tensor for each name of a parameter that has several and is in the file, under one of them or under more.
io::TensorMap tied_values(Complaints& complaints, const io::Safetensors& stored,
                          const std::vector<io::detail::TrainedField>& trained, auto read) {
    std::map<std::string, std::vector<std::string>> by_first;
    for (const auto& [name, first] : trained) by_first[first].push_back(name);
    io::TensorMap values;
    for (const auto& [first, names] : by_first) {
        if (names.size() == 1) continue;
        const auto holder = std::ranges::find_if(names, [&](const std::string& name) { return stored.contains(name); });
        if (holder == names.end()) continue;
        const Tensor value = read(*holder);
        for (const std::string& name : names) {
            if (name != *holder && stored.contains(name) && !same_elements(value, read(name)))
                complaints.add(in_quotes(*holder), " and ", in_quotes(name),
                               " differ in the file and are one parameter in the program; nn::untied makes them two");
            values[name] = value;
        }
    }
    return values;
}

/// `model`: what the names of the model's parameters begin with, whose optimizer is there too.
void load_into(const FileName& file, const io::Safetensors& stored, const io::detail::Targets& targets,
               const LoadOptions& options, std::optional<std::string_view> model = {}) {
    const auto trained = trained_fields(targets);
    std::map<std::string_view, bool> has;  // by the first name of a parameter: is it in the file under any?
    std::map<std::string_view, std::string_view> first_of;
    for (const auto& [name, first] : trained) has[first] |= stored.contains(name), first_of[name] = first;
    Complaints complaints;
    std::set<std::string_view> expected;
    for (const auto& [name, target, role] : targets.tensors) {
        expected.insert(name);
        if (role == nn::Role::state) continue;  // of any shape, or none
        if (stored.contains(name))
            check_fits(complaints, stored, name, *target);
        else if (const auto first = first_of.find(name); first == first_of.end() || !has[first->second])
            complaints.add(in_quotes(name), " is missing in the file");
    }
    std::vector<io::TensorMap> maps(targets.maps.size());
    for (const std::string& name : stored.names()) {
        if (expected.contains(name)) continue;
        const auto map = std::ranges::find_if(targets.maps, [&](const auto& m) { return name.starts_with(m.prefix); });
        if (map == targets.maps.end()) {
            complaints.add(in_quotes(name), " is in the file and unknown to the program");
            continue;
        }
        const std::string key = name.substr(map->prefix.size());
        if (const auto old = map->map->find(key); old != map->map->end()) check_fits(complaints, stored, name, old->second);
        maps[std::size_t(map - targets.maps.begin())][key] = {};
    }
    complaints.check(file);
    check_states(complaints, state_names(stored, targets, maps, trained, model), [&](const std::string& owner) {
        const std::string name = owner + "steps";
        const bool counts = stored.contains(name) && stored.shape(name).empty() && stored.dtype(name) == i64;
        return counts ? stored[name].item<std::int64_t>() : 0;
    });
    complaints.check(file);

    const auto read = [&](const std::string& name) {
        Tensor x = stored[name];
        if (!options.allow_nan) check_no_nan(file, "tensor " + in_quotes(name), x);
        return x;
    };
    const io::TensorMap tied = tied_values(complaints, stored, trained, read);
    complaints.check(file);
    const auto value_of = [&](const std::string& name) {
        if (const auto shared = tied.find(name); shared != tied.end()) return shared->second;
        return stored.contains(name) ? read(name) : Tensor();
    };
    std::vector<Tensor> values;
    values.reserve(targets.tensors.size());
    for (const auto& target : targets.tensors) values.push_back(value_of(target.name));
    for (std::size_t i = 0; i < maps.size(); ++i)
        for (auto& [key, value] : maps[i]) value = value_of(targets.maps[i].prefix + key);
    for (std::size_t i = 0; i < values.size(); ++i) *targets.tensors[i].tensor = std::move(values[i]);
    for (std::size_t i = 0; i < maps.size(); ++i) *targets.maps[i].map = std::move(maps[i]);
}

template <class T>
T number(const FileName& file, const io::Metadata& metadata, const char* key) {
    T value{};
    const auto found = metadata.find(key);
    if (found != metadata.end()) {
        const char *begin = found->second.data(), *end = begin + found->second.size();
        if (const auto [reached, error] = std::from_chars(begin, end, value); error == std::errc() && reached == end)
            return value;
    }
    file.fail("has no ", key, " in its metadata: this is not a checkpoint; for the tensors alone use load");
}

}  // namespace

std::vector<io::detail::TrainedField> io::detail::trained_fields(const nn::NamedTensors& fields) {
    std::vector<const Tensor*> tensors;
    for (const auto& [name, x] : fields) tensors.push_back(&x);
    const auto places = nn::detail::first_places(tensors);
    std::vector<TrainedField> result;
    for (std::size_t i = 0; i < fields.size(); ++i) result.push_back({fields[i].first, fields[places[i]].first});
    return result;
}

void io::detail::load(const std::string& path, const Targets& targets, const LoadOptions& options) {
    const FileName file{"load", path};
    const Safetensors stored(path);
    if (stored.metadata().contains(step_key)) file.fail("is a checkpoint; give load_checkpoint the model and its optimizer");
    load_into(file, stored, targets, options);
}

void io::detail::save_checkpoint(const std::string& path, const TensorMap& tensors, const StateNames& states,
                                 const Checkpoint& run) {
    Complaints complaints;
    check_states(complaints, states, [](const std::string&) { return 0; });
    complaints.check({"save_checkpoint", path});
    Metadata metadata = run.metadata;
    for (const auto& [key, value] : metadata)
        if (key.starts_with(reserved))
            fail<Error>("save_checkpoint", "metadata ", in_quotes(key), ": names that begin with ", reserved,
                        " are taken; choose another");
    metadata[step_key] = std::to_string(run.step);
    metadata[seed_key] = std::to_string(run.rng.seed());
    metadata[position_key] = std::to_string(run.rng.position());
    write_safetensors(path, tensors, metadata);
}

Checkpoint io::detail::load_checkpoint(const std::string& path, const Targets& targets, const LoadOptions& options) {
    const FileName file{"load_checkpoint", path};
    const Safetensors stored(path);
    const Metadata& metadata = stored.metadata();
    Checkpoint run{number<std::int64_t>(file, metadata, step_key), Rng(number<std::uint64_t>(file, metadata, seed_key))};
    run.rng.set_position(number<std::uint64_t>(file, metadata, position_key));
    for (const auto& [key, value] : metadata)
        if (!key.starts_with(reserved)) run.metadata[key] = value;
    load_into(file, stored, targets, options, "model.");
    return run;
}

}  // namespace xtgrad
