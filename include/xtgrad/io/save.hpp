// Models and training runs in one file, a safetensors file that every reader of the format can open.
#pragma once
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
    std::vector<std::pair<std::string, Tensor*>> tensors;
    std::vector<std::pair<std::string, TensorMap*>> maps;
};

/// Adds the tensors of a model to `to`, their names behind a prefix.
template <class M>
void collect(Targets& to, const std::string& prefix, M& model) {
    struct Add {
        Targets& to;
        const std::string& prefix;
        void operator()(std::string_view name, Tensor& x, nn::Role) const {
            to.tensors.emplace_back(prefix + std::string(name), &x);
        }
        void map(std::string_view name, TensorMap& map, nn::Role) const {
            to.maps.emplace_back(prefix + std::string(name) + (name.empty() ? "" : "."), &map);
        }
    };
    nn::for_each_tensor(model, Add{to, prefix});
    nn::detail::check_distinct_names(to.tensors);
    nn::detail::check_distinct_names(to.maps);
}
template <class M>
void collect(TensorMap& to, const std::string& prefix, const M& model) {
    for (auto& [name, x] : nn::named_tensors(model)) to[prefix + name] = std::move(x);
}

void load(const std::string& path, const Targets&, const LoadOptions&);
void save_checkpoint(const std::string& path, const TensorMap&, const Checkpoint&);
Checkpoint load_checkpoint(const std::string& path, const Targets&, const LoadOptions&);

}  // namespace io::detail

/// Writes the tensors of a model, parameters and buffers, by their names. An optimizer's state saves the same way. The
/// metadata are what io::Safetensors(path).metadata() gives back. The file is
/// replaced in one step: a kill at any moment leaves the old or the new one. Throws IoError.
template <class M>
    requires nn::Field<M>
void save(const M& model, const std::string& path, const io::Metadata& metadata = {}) {
    io::TensorMap tensors;
    io::detail::collect(tensors, "", model);
    io::write_safetensors(path, tensors, metadata);
}

/// Reads the tensors of a model. Throws IoError, and changes nothing, when the file is damaged, lacks a name, has one that the
/// model lacks, has another shape or dtype under a name, or holds a NaN.
template <class M>
    requires nn::Field<M>
void load(M& model, const std::string& path, const LoadOptions& options = {}) {
    io::detail::Targets targets;
    io::detail::collect(targets, "", model);
    io::detail::load(path, targets, options);
}

/// Writes what a run needs to go on: the model under "model.", the optimizer's state under "optimizer.", the generator, the step
/// and the metadata. The file is replaced in one step, as by save. Throws IoError.
template <class M, class O>
    requires nn::Field<M> && nn::Field<O>
void save_checkpoint(const std::string& path, const M& model, const O& optimizer, const Checkpoint& run) {
    io::TensorMap tensors;
    io::detail::collect(tensors, "model.", model);
    io::detail::collect(tensors, "optimizer.", optimizer);
    io::detail::save_checkpoint(path, tensors, run);
}

/// Reads it: auto [step, rng, metadata] = xg::load_checkpoint(path, model, optimizer). Throws IoError, and changes nothing, as
/// load does.
template <class M, class O>
    requires nn::Field<M> && nn::Field<O>
Checkpoint load_checkpoint(const std::string& path, M& model, O& optimizer, const LoadOptions& options = {}) {
    io::detail::Targets targets;
    io::detail::collect(targets, "model.", model);
    io::detail::collect(targets, "optimizer.", optimizer);
    return io::detail::load_checkpoint(path, targets, options);
}

}  // namespace xtgrad
