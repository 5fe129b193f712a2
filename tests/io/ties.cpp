// Tied fields in files.
#include <unistd.h>
#include <xtgrad/io/save.hpp>

#include <filesystem>

#include "nn/tied.hpp"

using namespace tied;

namespace {

bool has(const std::string& text, std::string_view part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    return text.find(part) != std::string::npos;
}

struct File {
    std::string path = std::filesystem::temp_directory_path() / ("xtgrad-ties-" + std::to_string(getpid()) + ".safetensors");
    ~File() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("a file has each of the names, or one of them, and the fields stay tied") {
    const File file;
    const Pair saved{xg::full({2}, 7.), xg::full({2}, 7.)};
    xg::save(saved, file.path);
    Pair model;
    xg::load(model, file.path);
    CHECK(one(model.a, model.b));
    CHECK(is(model.b, 7));
    for (const std::string name : {"a", "b"}) {
        xg::io::write_safetensors(file.path, {{name, xg::full({2}, 8.)}});
        Pair fresh;
        xg::load(fresh, file.path);
        CHECK(one(fresh.a, fresh.b));
        CHECK(is(fresh.a, 8));
        Pair apart = saved;
        CHECK(has(message([&] { xg::load(apart, file.path); }), "is missing in the file"));
    }
    xg::save(model, file.path);
    CHECK(xg::io::Safetensors(file.path).names().size() == 2);

    xg::save(Pair{xg::ones({2}), xg::zeros({2})}, file.path);
    CHECK(has(message([&] { xg::load(model, file.path); }),
              "'a' and 'b' differ in the file and are one parameter in the program; nn::untied makes them two"));
    CHECK(is(model.a, 7));
    model = nn::untied(model);
    xg::load(model, file.path);
    CHECK(is(model.a, 1));
    CHECK(is(model.b, 0));

    xg::io::write_safetensors(file.path, {{"c", xg::ones({2})}});
    Pair fresh;
    CHECK(has(message([&] { xg::load(fresh, file.path); }), "'a' is missing in the file"));
    xg::io::write_safetensors(file.path, {{"b", xg::ones({3})}});
    CHECK(has(message([&] { xg::load(fresh, file.path); }), "'b' is f64 (3,) in the file and f64 (2,) in the program"));

    nn::TensorMap map{{"x", xg::ones({2})}};
    map["y"] = map["x"];
    xg::save(map, file.path);
    xg::load(map, file.path);
    CHECK(one(map["x"], map["y"]));
}

TEST_CASE("a checkpoint goes on to the same bits, with state under the first name") {
    const File file;
    xg::Rng rng(3);
    Speller model(rng), resumed(rng);
    optim::AdamW optimizer, other;
    const auto train = [](Speller& m, optim::AdamW& by) {
        for (int step = 0; step < 3; ++step) {
            xg::Tape tape;
            by.step(m, tape.gradient(loss_of(m), nn::parameters(m)));
        }
    };
    train(model, optimizer);
    xg::save_checkpoint(file.path, model, optimizer, {.step = 3});
    xg::load_checkpoint(file.path, resumed, other);
    CHECK(one(resumed.embedding.weight, resumed.head.weight));
    CHECK(other.exp_avg.size() == 4);
    train(model, optimizer);
    train(resumed, other);
    CHECK(distance(model.head.weight, resumed.embedding.weight) == 0);

    // An optimizer of a part, in which another field is the first. (Its steps untie what is tied to something outside.)
    optim::AdamW part({.lr = 0}), again;
    part.step(model.head, nn::parameters(model.head));
    CHECK(!one(model.embedding.weight, model.head.weight));
    CHECK(part.exp_avg.contains("weight"));
    xg::save_checkpoint(file.path, model, part, {});
    xg::load_checkpoint(file.path, resumed, again);
    CHECK(again.exp_avg.size() == 2);
    CHECK(!one(resumed.embedding.weight, model.embedding.weight));

    // Names that tied fields have besides the first have no state.
    optimizer.exp_avg["head.weight"] = optimizer.exp_avg_sq["head.weight"] = xg::zeros({5, 3});
    Speller tied(rng);
    CHECK(has(message([&] { xg::save_checkpoint(file.path, tied, optimizer, {}); }),
              "'optimizer.exp_avg.head.weight' belongs to no parameter of the model"));
}
