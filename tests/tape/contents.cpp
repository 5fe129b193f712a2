// What a tape says of itself: nodes, bytes, a picture.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "common.hpp"

TEST_CASE("nodes counts ops, bytes counts what they hold, each buffer once") {
    const xg::Tensor a = xg::ones({300, 200}), b = xg::ones({200, 7});
    xg::Tape tape(xg::persistent);
    CHECK(tape.nodes() == 0);
    const std::size_t empty = tape.bytes();
    xg::Tensor y = xg::matmul(a, b);
    CHECK(tape.nodes() == 1);
    const std::size_t data = 8 * (300 * 200 + 200 * 7), one = tape.bytes() - empty;
    CHECK(one >= data);
    CHECK(one < data + 2000);
    const xg::Tensor z = xg::matmul(a, b), mask = a > 0.;
    CHECK(tape.nodes() == 2);
    CHECK(tape.bytes() - empty < data + 4000);
    y = y + z;  // an addition keeps nothing
    CHECK(tape.nodes() == 3);
    CHECK(tape.bytes() - empty < data + 6000);
    const xg::Tensor t = xg::transpose(a);
    CHECK(tape.bytes() - empty < data + 8000);
    CHECK(near(tape.gradient(xg::sum(y), b), Numbers(1400, 600.)));
}

TEST_CASE("nodes and bytes of an older tape hold those of a younger one") {
    const xg::Tensor x = vector3();
    xg::Tape outer;
    const xg::Tensor y = x * x;
    xg::Tape inner;
    const xg::Tensor z = xg::sum(y * x);
    CHECK(inner.nodes() == 2);
    CHECK(outer.nodes() == 3);
    CHECK(outer.bytes() > inner.bytes());
}

TEST_CASE("nodes leaves out what is computed while the tape is paused, also during the pause") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x);
    {
        const xg::no_record pause;
        xg::Tape inner;
        const xg::Tensor z = xg::exp(x);
        CHECK(inner.nodes() == 1);
        CHECK(tape.nodes() == 2);
    }
    CHECK(tape.nodes() == 2);
    tape.gradient(y, x, xg::on_ready([&](std::size_t, const xg::Tensor&) { CHECK(tape.nodes() == 2); }));
    CHECK(tape.nodes() == 2);
}

namespace {

struct Picture {
    std::string text;
    std::map<std::string, std::string> label;       // of each vertex
    std::vector<std::array<std::string, 3>> edges;  // from, to, label

    explicit Picture(const xg::Tape& tape) {
        std::ostringstream os;
        tape.dot(os);
        text = os.str();
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            const std::string id = word(line, line.find_first_not_of(' ')), named = quoted(line);
            if (const auto arrow = line.find(" -> "); arrow != std::string::npos)
                edges.push_back({id, word(line, arrow + 4), named});
            else if (id.size() > 1 && std::isdigit(id[1]))
                label[id] = named;
        }
    }
    static std::string word(const std::string& line, std::size_t at) {
        return line.substr(std::min(at, line.size()), line.find_first_of(" ;", at) - at);
    }
    /// What stands in label="...".
    static std::string quoted(const std::string& line) {
        const auto at = line.find("label=\"");
        return at == std::string::npos ? "" : line.substr(at + 7, line.find('"', at + 7) - at - 7);
    }
    /// The vertex of the only op of this name.
    std::string find(const std::string& name) const {
        std::string found;
        for (const auto& [id, text_of] : label)
            if (text_of.starts_with(name + "\\n")) {
                CHECK(found.empty());
                found = id;
            }
        CHECK_FALSE(found.empty());
        return found;
    }
    bool has_edge(const std::string& from, const std::string& to, const std::string& number) const {
        return std::find(edges.begin(), edges.end(), std::array{from, to, number}) != edges.end();
    }
    std::size_t ops() const {
        std::size_t n = 0;
        for (const auto& [id, text_of] : label) n += id[0] == 'n';
        return n;
    }
};

bool valid_for_graphviz(const std::string& text) {
    if (std::system("command -v dot > /dev/null 2>&1") != 0) return true;
    const std::string path = "xtgrad_tape_" + std::to_string(getpid()) + ".dot";
    std::ofstream(path) << text;
    const bool valid = std::system(("dot -Tsvg " + path + " > /dev/null 2>&1").c_str()) == 0;
    std::remove(path.c_str());
    return valid;
}

}  // namespace

TEST_CASE("dot draws ops with names and shapes, and edges with the input that they are") {
    const xg::Tensor a = matrix23(), b = xg::ones({3, 4}), c = xg::ones({4}), d = xg::ones({2, 1});
    xg::Tape tape(xg::persistent);
    const xg::Tensor p = xg::matmul(a, b), s = xg::sin(d), e = xg::exp(c), difference = s - e, y = xg::sum(p * difference);
    const Picture picture(tape);
    CHECK(picture.ops() == tape.nodes());
    CHECK(picture.label.at(picture.find("matmul")) == "matmul\\n(2, 4) f64");
    CHECK(picture.label.at(picture.find("subtract")) == "subtract\\n(2, 4) f64");
    CHECK(picture.label.at(picture.find("sum")) == "sum\\n() f64");
    CHECK(picture.has_edge(picture.find("sin"), picture.find("subtract"), "0"));
    CHECK(picture.has_edge(picture.find("exp"), picture.find("subtract"), "1"));
    CHECK(picture.has_edge(picture.find("matmul"), picture.find("multiply"), "0"));
    CHECK(picture.has_edge(picture.find("subtract"), picture.find("multiply"), "1"));
    CHECK(picture.has_edge(picture.find("multiply"), picture.find("sum"), ""));
    CHECK(has(picture.text, "(3, 4)"));  // the leaf b
    CHECK(picture.edges.size() == 9);
    CHECK(valid_for_graphviz(picture.text));
}

TEST_CASE("dot draws what the tape holds, not what it paused for") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    CHECK(Picture(tape).ops() == 0);
    CHECK(valid_for_graphviz(Picture(tape).text));
    const xg::Tensor y = xg::sum(xg::sin(x));
    {
        const xg::no_record pause;
        xg::Tape inner;
        const xg::Tensor hidden = xg::cos(x);
    }
    tape.gradient(y, x);
    const xg::Tensor z = y * y;
    const Picture picture(tape);
    CHECK(tape.nodes() == 3);
    CHECK(picture.ops() == tape.nodes());
    CHECK_FALSE(has(picture.text, "cos"));
    CHECK(valid_for_graphviz(picture.text));
}
