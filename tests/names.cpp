// docs/from_xtensor.md names every function of xtensor 0.24: those that it calls the same are called by the tests in namespaces,
// those that it calls absent are. The tables of the other pages name all that nn, optim and data have, and nothing else.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

namespace {

using Names = std::set<std::string>;
namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), {}};
}
std::string text_of_all(const fs::path& folder) {
    std::string text;
    for (const auto& file : fs::directory_iterator(folder))
        if (file.is_regular_file()) text += text_of(file.path());
    return text;
}

/// The first group of every match in a line.
Names all_matches(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern);
    std::istringstream lines(text);
    Names names;
    for (std::string line; std::getline(lines, line);)
        for (std::sregex_iterator match(line.begin(), line.end(), expression), end; match != end; ++match)
            names.insert((*match)[1]);
    return names;
}

/// The names in a section's table, in column 1 or 2.
Names in_section(const std::string& page, const std::string& title, int column) {
    const auto begin = page.find("\n## " + title + "\n");
    if (begin == std::string::npos) throw std::runtime_error("no section " + title);
    std::istringstream lines(page.substr(begin + 1, page.find("\n## ", begin + 1) - begin));
    Names names;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("| ", 0) != 0) continue;
        std::istringstream cells(line.substr(1));
        std::string cell;
        for (int i = 0; i < column; ++i) std::getline(cells, cell, '|');
        names.merge(all_matches(cell, "`(\\w+)`"));
    }
    return names;
}

const std::string page = text_of(XTGRAD_TEST_FOLDER "/../docs/from_xtensor.md");
const Names same = in_section(page, "The same", 2), different = in_section(page, "Different", 1),
            absent = in_section(page, "Absent", 1);

bool says(const std::string& text, const std::string& pattern) { return !all_matches(text, "(" + pattern + ")").empty(); }

}  // namespace

TEST_CASE("what is called the same is called by a generic lambda in the tests") {
    CHECK(same.size() > 100);
    const Names called = all_matches(text_of_all(XTGRAD_TEST_FOLDER "/namespaces"), "\\b(\\w+)(?:<[^<>]*>)?\\(");
    Names reducers = all_matches(text_of_all(XTGRAD_TEST_FOLDER "/namespaces"), "CHECK_(?:REDUCER|NORM)\\((\\w+)\\)");
    for (const std::string& name : same) {
        INFO(name);
        CHECK(called.count(name) + reducers.count(name) > 0);
    }
}

TEST_CASE("what is called absent is not declared") {
    const Names ours =
        all_matches(text_of_all(XTGRAD_TEST_FOLDER "/../include/xtgrad/ops"), "(?:Tensor |XTGRAD_REDUCTION\\()(\\w+)[()]");
    CHECK(ours.size() > 100);
    for (const std::string& name : absent) {
        INFO(name);
        CHECK(ours.count(name) == 0);
    }
}

TEST_CASE("no name is missing, and none is invented") {
    const fs::path folder = fs::path(XTENSOR) / "xtensor";
    if (!says(text_of(folder / "xtensor_config.hpp"), "VERSION_MINOR 24")) return;
    const Names internal{"add_axis",
                         "check_pad_width",
                         "fill_init",
                         "histogram_imp",
                         "mean_noaxis",
                         "mean_division",
                         "run_lambda_over_axis",
                         "vstack_shape",
                         "xtuple",
                         "forward_normalize",
                         "get_functor",
                         "next_idx"};
    std::string headers;
    for (const char* name : {"xmath", "xoperation", "xbuilder", "xmanipulation", "xsort", "xnorm", "xpad", "xset_operation",
                             "xhistogram", "xcomplex"})
        headers += text_of(folder / (std::string(name) + ".hpp"));
    Names theirs = all_matches(
        headers, "^    (?:inline )?(?:auto|bool|xtensor<[^()]*>|xarray<[^()]*>) (\\w+)\\((?:const |E|T|V|xexpression|std::)");
    theirs.merge(all_matches(headers, "XTENSOR_(?:\\w*REDUCER_FUNCTION|NORM_FUNCTION\\w*)\\((\\w+)"));
    CHECK(theirs.size() > 100);
    for (const std::string& name : theirs) {
        if (internal.count(name) || says(name, "^make_|_impl$|^[A-Z]")) continue;
        INFO(name);
        CHECK(same.count(name) + different.count(name) + absent.count(name) == 1);
    }
    headers += text_of(folder / "xview.hpp") + text_of(folder / "xbroadcast.hpp") + text_of(folder / "xrepeat.hpp");
    const Names words = all_matches(headers, "\\b([a-z]\\w*)");
    for (const Names* names : {&same, &different, &absent})
        for (const std::string& name : *names) {
            INFO(name);
            CHECK(words.count(name) == 1);
        }
}

namespace {

const std::string headers = XTGRAD_TEST_FOLDER "/../include/xtgrad/";

std::string text_of_page(const std::string& name) { return text_of(XTGRAD_TEST_FOLDER "/../docs/" + name + ".md"); }

/// The structs, classes and functions that a folder of headers declares for users; options are found with what takes them.
Names declared_in(const std::string& folder) {
    std::string text = text_of_all(headers + folder);
    const std::string inner = "namespace detail {", end = "}  // namespace detail";
    for (std::size_t at; (at = text.find(inner)) != text.npos;) text.erase(at, text.find(end, at) + end.size() - at);
    Names names = all_matches(text, "^(?:struct|class) (\\w+)(?: :| \\{)");
    names.merge(all_matches(text, "^(?:[\\w:]+(?:<[^()]*>)?&? )+(\\w+)\\("));
    std::erase_if(names, [](const std::string& name) { return name.ends_with("Options"); });
    return names;
}

}  // namespace

TEST_CASE("training.md and data.md list what nn, optim and data have") {
    const auto agree = [](const Names& listed, Names declared, const Names& of_arguments) {
        for (const std::string& name : declared) {
            INFO(name);
            CHECK(listed.count(name) + of_arguments.count(name) == 1);
        }
        return declared.size();
    };
    const std::string training = text_of_page("training"), data = text_of_page("data");
    const Names listed = in_section(training, "What there is", 1);
    CHECK(agree(listed, declared_in("nn"), {"Training", "Buffer", "SummaryRow"}) > 40);
    CHECK(agree(listed, declared_in("optim"), {"Minimum", "Group"}) > 15);
    CHECK(agree(in_section(data, "What there is", 1), declared_in("data"), {"Batches", "Csv"}) > 15);
}

TEST_CASE("what the tables of from_pytorch.md and of what there is name is declared") {
    std::string text;
    for (const auto& file : fs::recursive_directory_iterator(headers))
        if (file.is_regular_file()) text += text_of(file.path());
    const Names words = all_matches(text, "\\b([A-Za-z]\\w*)");
    const std::string page_of_pytorch = text_of_page("from_pytorch");
    Names named = all_matches(page_of_pytorch, "\\b(?:xg|nn|optim|data)::(\\w+)");
    CHECK(named.size() > 60);
    for (const char* page_of_ours : {"training", "data"}) named.merge(in_section(text_of_page(page_of_ours), "What there is", 1));
    for (const std::string& name : named) {
        INFO(name);
        CHECK(words.count(name) == 1);
    }
    for (const std::string folder : {"nn", "optim", "data"}) {
        Names declared = all_matches(text_of_all(headers + folder), "\\b([A-Za-z]\\w*)");
        for (const std::string& name : all_matches(page_of_pytorch, "\\b" + folder + "::(\\w+)")) {
            INFO(folder << "::" << name);
            CHECK(declared.count(name) == 1);
        }
    }
}
