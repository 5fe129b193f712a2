#include <xtgrad/io/save.hpp>

#include <charconv>
#include <set>

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
    std::ostringstream text_;
};

void check_fits(Complaints& complaints, const io::Safetensors& stored, const std::string& name, const Tensor& target) {
    const Shape shape = stored.shape(name);
    const Dtype dtype = stored.dtype(name);
    if (shape == target.shape() && dtype == target.dtype()) return;
    complaints.add(in_quotes(name), " is ", dtype, ' ', shape, " in the file and ", target.dtype(), ' ', target.shape(),
                   " in the program");
}

void load_into(const FileName& file, const io::Safetensors& stored, const io::detail::Targets& targets,
               const LoadOptions& options) {
    Complaints complaints;
    std::set<std::string_view> expected;
    for (const auto& [name, target] : targets.tensors) {
        expected.insert(name);
        if (stored.contains(name))
            check_fits(complaints, stored, name, *target);
        else
            complaints.add(in_quotes(name), " is missing in the file");
    }
    std::vector<io::TensorMap> maps(targets.maps.size());
    for (const std::string& name : stored.names()) {
        if (expected.contains(name)) continue;
        const auto map = std::ranges::find_if(targets.maps, [&](const auto& m) { return name.starts_with(m.first); });
        if (map == targets.maps.end()) {
            complaints.add(in_quotes(name), " is in the file and unknown to the program");
            continue;
        }
        const std::string key = name.substr(map->first.size());
        if (const auto old = map->second->find(key); old != map->second->end()) check_fits(complaints, stored, name, old->second);
        maps[std::size_t(map - targets.maps.begin())][key] = {};
    }
    complaints.check(file);

    const auto read = [&](const std::string& name) {
        Tensor x = stored[name];
        if (!options.allow_nan) check_no_nan(file, "tensor " + in_quotes(name), x);
        return x;
    };
    std::vector<Tensor> values;
    values.reserve(targets.tensors.size());
    for (const auto& [name, target] : targets.tensors) values.push_back(read(name));
    for (std::size_t i = 0; i < maps.size(); ++i)
        for (auto& [key, value] : maps[i]) value = read(targets.maps[i].first + key);
    for (std::size_t i = 0; i < values.size(); ++i) *targets.tensors[i].second = std::move(values[i]);
    for (std::size_t i = 0; i < maps.size(); ++i) *targets.maps[i].second = std::move(maps[i]);
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
    load_into({"load", path}, Safetensors(path), targets, options);
}

void io::detail::save_checkpoint(const std::string& path, const TensorMap& tensors, const Checkpoint& run) {
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
    load_into(file, stored, targets, options);
    return run;
}

}  // namespace xtgrad
