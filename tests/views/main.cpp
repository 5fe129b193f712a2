// Random views against dense copies, every public op.
// usage: test_views [--cases N] [--seed S] [--only NAME] [--first CASE]
#include <cstring>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "../ops/table.hpp"
#include "checks.hpp"

namespace {

/// Those of the op table that take a tensor.
std::set<std::string> public_ops() {
    std::set<std::string> names;
    for (const table::Row& row : table::all_rows())
        for (const table::Sample& sample : row.samples)
            if (!sample.inputs.empty()) names.insert(row.name);
    return names;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t cases = 40000, seed = 20261129, first = 0;
    std::string only;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        if (option == "--cases") cases = std::stoull(argv[i + 1]);
        if (option == "--seed") seed = std::stoull(argv[i + 1]);
        if (option == "--first") first = std::stoull(argv[i + 1]);
        if (option == "--only") only = argv[i + 1];
    }
    std::vector<views::Op> ops = views::all_ops();
    std::set<std::string> missing = public_ops();
    for (const views::Op& op : ops) missing.erase(op.name);
    for (const std::string& name : missing) std::cout << "No cases for the op " << name << '\n';
    if (!only.empty()) std::erase_if(ops, [&](const views::Op& op) { return op.name != only; });
    if (ops.empty()) return 2;

    std::map<std::string, std::pair<xtgrad::Index, xtgrad::Index>> counts;  // cases, and those that were errors
    std::map<std::string, int> findings;
    int total = 0;
    for (std::uint64_t k = first; k < first + cases; ++k) {
        const views::Op& op = ops[std::size_t(k % ops.size())];
        auto& [tried, refused] = counts[op.name];
        ++tried;
        const std::string wrong = views::finding(op, seed * 0x9e3779b97f4a7c15 + k, refused);
        if (wrong.empty()) continue;
        ++total;
        if (++findings[op.name] <= 2) std::cout << "case " << k << ": " << wrong << std::endl;
    }
    for (const auto& [name, count] : counts)
        if (2 * count.second > count.first)
            std::cout << name << ": " << count.second << " of " << count.first << " cases were errors\n";
    for (const auto& [name, n] : findings) std::cout << name << ": " << n << " findings\n";
    std::cout << cases << " cases of " << ops.size() << " kinds, " << total << " findings\n";
    return total != 0 || !missing.empty();
}
