// Files are old or new and models as before, no file stays open, a loop over batches goes on.
#include <sys/resource.h>

#include <algorithm>

#include "../io/files.hpp"
#include "failing.hpp"

using namespace memory;

namespace {

struct Model {
    Tensor weight = xg::full({7, 3}, 1.5, xg::f32), bias = xg::full({3}, -1.);
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};
Tensors all_of(const Model& m) { return {m.weight, m.bias}; }

long open_files() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

/// f() writes the file; then it is as it was, or as it shall be, and nothing lies beside it.
void check_writing(const char* name, const std::function<void(const std::string& path)>& f) {
    const TemporaryFolder folder;
    const std::string path = folder / "file", old = "what was there before";
    write(path, old);
    f(path);
    const std::string written = contents(path);
    const long files = open_files();
    exhaust(
        name,
        [&] {
            f(path);
            return Tensors();
        },
        {},
        [&]() -> std::string {
            if (const std::string now = contents(path); now != old && now != written) return "the file is damaged";
            if (std::filesystem::exists(path + ".partial")) return "a part of a file is left";
            if (open_files() != files) return "a file is open";
            write(path, old);
            return "";
        });
}

void check_reading(const char* name, const std::function<Tensors()>& f) {
    const long files = open_files();
    exhaust(name, f, {}, [&] { return open_files() == files ? "" : "a file is open"; });
}

}  // namespace

TEST_CASE("writing") {
    const Model model;
    const xg::io::TensorMap map{{"weight", model.weight}, {"bias", xg::transpose(model.weight)}};
    check_writing("save", [&](const std::string& path) { xg::save(model, path); });
    check_writing("write_safetensors", [&](const std::string& path) {
        xg::io::write_safetensors(path, map, {{"key", "value"}});
    });
    check_writing("write_npy", [&](const std::string& path) { xg::io::write_npy(path, map.at("bias")); });
    check_writing("write_npz", [&](const std::string& path) { xg::io::write_npz(path, map); });
    xg::optim::AdamW optimizer;
    Model trained;
    optimizer.step(trained, all_of(model));
    check_writing("save_checkpoint", [&](const std::string& path) {
        xg::save_checkpoint(path, trained, optimizer, {.step = 3, .rng = xg::Rng(4), .metadata = {{"key", "value"}}});
    });

    const TemporaryFolder folder;
    check_reading("CsvLog", [&] {
        xg::io::CsvLog log(folder / "log.csv", {"step", "loss"});
        log.row({1, 0.5});
        return Tensors();
    });
    check_reading("TensorBoardLog", [&] {
        xg::io::TensorBoardLog log(folder / "events");
        log.scalar("loss/train", 0.5, 1);
        return Tensors();
    });
    check_reading("summary", [&] { return Tensors{xg::full({3}, double(xg::nn::summary(model).size()))}; });
}

TEST_CASE("reading") {
    const TemporaryFolder folder;
    const std::string path = folder / "file", numbers = folder / "numbers.csv";
    check_reading("read_npz, packed", [] {
        Tensors all;
        for (const auto& [name, x] : xg::io::read_npz(stored("packed.npz"))) all.push_back(x);
        return all;
    });
    check_reading("read_npy", [] { return Tensors{xg::io::read_npy(stored("columns.npy"))}; });
    check_reading("read_safetensors", [] {
        Tensors all;
        for (const auto& [name, x] : xg::io::read_safetensors(stored("python.safetensors"))) all.push_back(x);
        return all;
    });
    write(numbers, "a,b\n1,2.5\n3,4\n-1e3,\"7\"\n");
    check_reading("read_csv", [&] { return Tensors{xg::data::read_csv(numbers).values}; });
    check_reading("read_text", [&] { return Tensors{Tensor(std::int64_t(xg::data::read_text(numbers).size()))}; });

    Model there{xg::full({7, 3}, 4., xg::f32), xg::full({3}, 5.)}, model;
    xg::optim::AdamW optimizer;
    optimizer.step(there, all_of(Model()));
    xg::save(there, path);
    xg::save_checkpoint(path + ".run", there, optimizer, {.step = 3});
    const auto check_loading = [&](const char* name, const std::function<void()>& load) {
        const Tensors before = all_of(Model());
        bool done = false;
        const long files = open_files();
        exhaust(
            name,
            [&] {
                model = Model();
                done = false;
                load();
                done = true;
                return all_of(model);
            },
            {},
            [&]() -> std::string {
                if (!done && !same(all_of(model), before)) return "the model is half loaded";
                return open_files() == files ? "" : "a file is open";
            });
    };
    check_loading("load", [&] { xg::load(model, path); });
    check_loading("load_checkpoint", [&] {
        xg::optim::AdamW fresh;
        xg::load_checkpoint(path + ".run", model, fresh);
    });
}

TEST_CASE("batches") {
    const xg::data::Dataset data{xg::reshape(xg::arange(60.), {20, 3}), xg::arange(20, xg::i64)};
    for (const Index ahead : {0, 2}) {
        const auto options = [&](xg::Rng& rng) {
            return xg::data::BatchOptions{.size = 6,
                                          .shuffle = rng,
                                          .transform =
                                              [](xg::data::Batch b) {
                                                  return xg::data::Batch{b.inputs * 2., b.targets};
                                              },
                                          .prefetch = ahead,
                                          .epochs = 2};
        };
        const auto loop = [&] {
            xg::Rng rng(1);
            Tensors all;
            for (const auto& [inputs, targets] : xg::data::batches(data, options(rng))) all.insert(all.end(), {inputs, targets});
            return all;
        };
        exhaust("batches", loop);

        // Who catches the exception goes on, and nothing is left out or comes twice.
        const Tensors want = loop();
        for (long n = 1; n < 400; n += whole() ? 1 : 17) {
            CAPTURE(ahead);
            CAPTURE(n);
            xg::Rng rng(1);
            Tensors all;
            const xg::data::Batches batches(data, options(rng));
            xg::data::Batches::Iterator at;
            const auto insist = [&](auto step) {  // once more where it failed
                for (int tries = 0; tries < 2; ++tries) try {
                        return step();
                    } catch (const std::exception&) {
                    }
                FAIL_CHECK("it failed twice");
            };
            all.reserve(want.size());
            {
                Window window(n, Failing::one);
                insist([&] { at = batches.begin(); });
                while (at != batches.end()) {
                    all.push_back(at->inputs);
                    all.push_back(at->targets);
                    insist([&] { ++at; });
                }
            }
            CHECK(same(all, want));
        }
    }
}
