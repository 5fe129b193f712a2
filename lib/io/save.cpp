#include <xtgrad/io/save.hpp>

#include <algorithm>
#include <charconv>

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

/// Are these the parameters of a model, or of one part of it by their names there?
bool is_part(const Names& parameters, const Names& names) {
    const std::string& first = *names.begin();
    return std::ranges::any_of(parameters, [&](const std::string& p) {
        if (!p.ends_with(first)) return false;
        const std::string part = p.substr(0, p.size() - first.size());
        if (first.empty()) return names.size() == 1;  // a tensor by itself
        Names inside;
        for (const std::string& other : parameters)
            if (other.starts_with(part)) inside.insert(other.substr(part.size()));
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
        if (states.parameters && (wanted.empty() || !is_part(*states.parameters, wanted))) wanted = *states.parameters;
        for (const std::string& prefix : maps) {
            const Names& names = states.maps.at(prefix);
            for (const std::string& name : wanted)
                if (!names.contains(name)) complaints.add(in_quotes(prefix + name), " is missing");
            for (const std::string& name : names)
                if (!wanted.contains(name)) complaints.add(in_quotes(prefix + name), " belongs to no parameter of the model");
            if (wanted.empty() && !states.parameters)
                complaints.add(in_quotes(prefix), " has no names, after ", steps(owner), " steps");
        }
    }
}

/// Those of a file, of which `maps` says what goes into the maps of the targets.
io::detail::StateNames state_names(const io::Safetensors& stored, const io::detail::Targets& targets,
                                   const std::vector<io::TensorMap>& maps, std::optional<std::string_view> model) {
    io::detail::StateNames states;
    for (std::size_t i = 0; i < maps.size(); ++i)
        if (targets.maps[i].role == nn::Role::state) {
            Names& names = states.maps[targets.maps[i].prefix];
            for (const auto& [key, x] : maps[i]) names.insert(key);
        }
    if (!model) return states;
    states.parameters.emplace();
    const auto add = [&](const std::string& name, nn::Role role) {
        if (role == nn::Role::parameter && name.starts_with(*model) && is_floating(stored.dtype(name)))
            states.parameters->insert(name.substr(model->size()));
    };
    for (const auto& target : targets.tensors) add(target.name, target.role);
    for (std::size_t i = 0; i < maps.size(); ++i)
        for (const auto& [key, x] : maps[i]) add(targets.maps[i].prefix + key, targets.maps[i].role);
    return states;
}

/// `model`: what the names of the model's parameters begin with, whose optimizer is there too.
void load_into(const FileName& file, const io::Safetensors& stored, const io::detail::Targets& targets,
               const LoadOptions& options, std::optional<std::string_view> model = {}) {
    Complaints complaints;
    std::set<std::string_view> expected;
    for (const auto& [name, target, role] : targets.tensors) {
        expected.insert(name);
        if (role == nn::Role::state) continue;  // of any shape, or none
        if (stored.contains(name))
            check_fits(complaints, stored, name, *target);
        else
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
    check_states(complaints, state_names(stored, targets, maps, model), [&](const std::string& owner) {
        const std::string name = owner + "steps";
        return stored.contains(name) && stored.shape(name).empty() ? stored[name].item<std::int64_t>() : 0;
    });
    complaints.check(file);

    const auto read = [&](const std::string& name) {
        Tensor x = stored[name];
        if (!options.allow_nan) check_no_nan(file, "tensor " + in_quotes(name), x);
        return x;
    };
    std::vector<Tensor> values;
    values.reserve(targets.tensors.size());
    for (const auto& target : targets.tensors) values.push_back(stored.contains(target.name) ? read(target.name) : Tensor());
    for (std::size_t i = 0; i < maps.size(); ++i)
        for (auto& [key, value] : maps[i]) value = read(targets.maps[i].prefix + key);
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
