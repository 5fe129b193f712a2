// Models and training runs in one file, a safetensors file that every reader of the format can open.
#pragma once
#include <set>
#include <utility>

#include "../random.hpp"
#include "tensors.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

struct LoadOptions {
    bool allow_nan = false;  ///< else a NaN is an error: the run that wrote it had diverged
};

/// What a run is beside its model and its optimizer.
struct Checkpoint {
    std::int64_t step = 0;  ///< steps done
    Rng rng{0};
    io::Metadata metadata = {};  ///< anything; names that begin with "xtgrad." are ours
};

namespace io::detail {

/// What a file is loaded into, by its name there; a map takes all names that begin with its own.
struct Targets {
    struct Map {
        std::string prefix;
        TensorMap* map;
        nn::Role role;
    };
    std::vector<nn::detail::NamedField> tensors;
    std::vector<Map> maps;
};

/// A trained field of a model, and the first that it is tied to, or itself.
struct TrainedField {
    std::string name, first;
};

/// The names that an optimizer's maps have, by their prefixes, and the model's fields where it is known.
struct StateNames {
    std::map<std::string, std::set<std::string>> maps = {};
    std::optional<std::vector<TrainedField>> fields = {};
};
/// Those of nn::detail::trained_fields.
std::vector<TrainedField> trained_fields(const nn::NamedTensors&);

inline std::string map_prefix(const std::string& prefix, std::string_view name) {
    return prefix + std::string(name) + (name.empty() ? "" : ".");
}

/// Adds the tensors of a model to `to`, their names behind a prefix.
template <class M>
void collect(Targets& to, const std::string& prefix, M& model) {
    struct Add {
        Targets& to;
        const std::string& prefix;
        void operator()(std::string_view name, Tensor& x, nn::Role role) const {
            to.tensors.push_back({prefix + std::string(name), &x, role});
        }
        void absent(std::string_view name, Tensor& x) const { (*this)(name, x, nn::Role::state); }
        void map(std::string_view name, TensorMap& map, nn::Role role) const {
            to.maps.push_back({map_prefix(prefix, name), &map, role});
        }
    };
    nn::for_each_tensor(model, Add{to, prefix});
    nn::detail::check_distinct(to.tensors, &nn::detail::NamedField::name);
    nn::detail::check_distinct(to.maps, &Targets::Map::prefix);
}
template <class M>
void collect(TensorMap& to, const std::string& prefix, const M& model) {
    for (auto& [name, x] : nn::named_tensors(model)) to[prefix + name] = std::move(x);
}
template <class M, class O>
StateNames state_names(const M& model, const O& optimizer) {
    struct Add {
        StateNames& to;
        void operator()(std::string_view, const Tensor&, nn::Role) const {}
        void map(std::string_view name, const TensorMap& map, nn::Role role) const {
            if (role != nn::Role::state || map.empty()) return;
            for (const auto& [key, x] : map) to.maps[map_prefix("optimizer.", name)].insert(key);
        }
    };
    StateNames names{.fields = trained_fields(nn::detail::trained_fields(model))};
    nn::for_each_tensor(optimizer, Add{names});
    return names;
}

void load(const std::string& path, const Targets&, const LoadOptions&);
void save_checkpoint(const std::string& path, const TensorMap&, const StateNames&, const Checkpoint&);
Checkpoint load_checkpoint(const std::string& path, const Targets&, const LoadOptions&);

}  // namespace io::detail

/// Writes the tensors of a model, parameters and buffers, by their names; tied fields under the name of each, so that a reader
/// need not know of it. An optimizer's state saves the same way. The metadata are what io::Safetensors(path).metadata() gives
/// back. The file is replaced in one step: a kill at any moment leaves the old or the new one. Throws IoError.
template <class M>
    requires nn::Field<M>
void save(const M& model, const std::string& path, const io::Metadata& metadata = {}) {
    io::TensorMap tensors;
    io::detail::collect(tensors, "", model);
    io::write_safetensors(path, tensors, metadata);
}

/// Reads the tensors of a model. Throws IoError, and changes nothing, when the file is damaged, lacks a name, has one that the
/// model lacks, has another shape or dtype under a name, or holds a NaN. Of an optimizer it brings the state, which is made at
/// the first step: after a step the file has the same names in each of its maps, else it lacks them. Tied fields stay tied: the
/// file has the tensor under one of their names, or the same under several; it is an error when these differ.
template <class M>
    requires nn::Field<M>
void load(M& model, const std::string& path, const LoadOptions& options = {}) {
    io::detail::Targets targets;
    io::detail::collect(targets, "", model);
    io::detail::load(path, targets, options);
}

/// Writes what a run needs to go on: the model under "model.", the optimizer's state under "optimizer.", the generator, the step
/// and the metadata. The file is replaced in one step, as by save. Throws IoError, also when the optimizer's state is for other
/// parameters than those of the model or of one part of it.
template <class M, class O>
    requires nn::Field<M> && nn::Field<O>
void save_checkpoint(const std::string& path, const M& model, const O& optimizer, const Checkpoint& run) {
    io::TensorMap tensors;
    io::detail::collect(tensors, "model.", model);
    io::detail::collect(tensors, "optimizer.", optimizer);
    io::detail::save_checkpoint(path, tensors, io::detail::state_names(model, optimizer), run);
}

/// Reads it: auto [step, rng, metadata] = xg::load_checkpoint(path, model, optimizer). Throws IoError, and changes nothing, as
/// load does, and when the optimizer's state is not for the parameters of the model, or of one part of it.
template <class M, class O>
    requires nn::Field<M> && nn::Field<O>
Checkpoint load_checkpoint(const std::string& path, M& model, O& optimizer, const LoadOptions& options = {}) {
    io::detail::Targets targets;
    io::detail::collect(targets, "model.", model);
    io::detail::collect(targets, "optimizer.", optimizer);
    return io::detail::load_checkpoint(path, targets, options);
}

}  // namespace xtgrad
