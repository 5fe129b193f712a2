// y[output] = the product of the operands, summed over the letters that are not in the output.
#include <algorithm>
#include <array>
#include <limits>

#include <xtgrad/ops/diagonals.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tensor/message.hpp"
#include "contraction.hpp"

namespace xtgrad::detail {
namespace {

constexpr const char* op = "einsum";

/// The axes that "..." stands for have labels of their own: 1 for the last one, counted upwards to the left.
std::string ellipsis_labels(std::size_t n) {
    std::string labels;
    for (; n > 0; --n) labels += char(n);
    return labels;
}
constexpr char ellipsis = '.';

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Letters of each operand and of the output, "..." as one dot.
struct Subscripts {
    std::vector<std::string> operands{""};
    std::string output;
    bool has_output = false;

    explicit Subscripts(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string& list = has_output ? output : operands.back();
            if (text[i] == ' ') continue;
            if (is_letter(text[i])) {
                list += text[i];
            } else if (text.substr(i, 3) == "...") {
                if (has(list, ellipsis)) fail<ShapeError>(op, "more than one '...' in a list of \"", text, "\"; one is enough");
                list += ellipsis;
                i += 2;
            } else if (text.substr(i, 2) == "->" && !has_output) {
                has_output = true;
                ++i;
            } else if (text[i] == ',' && !has_output) {
                operands.emplace_back();
            } else {
                fail<ShapeError>(op, "'", text[i], "' at position ", i, " of \"", text,
                                 "\" has no meaning there; write letters, ',' between operands, '...', and '->' once");
            }
        }
    }
};

/// The letter as a message names it.
std::string name(char label) { return label <= max_rank ? "an axis of '...'" : std::string("'") + label + '\''; }

/// A number for each label.
template <class T>
struct Table {
    std::array<T, 128> values;
    T& operator[](char label) { return values[static_cast<unsigned char>(label)]; }
    const T& operator[](char label) const { return values[static_cast<unsigned char>(label)]; }
};
using Extents = Table<Index>;

/// The labels of each operand, one for each of its axes.
std::vector<std::string> labels_of(const Subscripts& s, std::string_view text, std::span<const Tensor> x) {
    std::vector<std::string> lists = s.operands;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t rank = x[i].dimension(), dot = lists[i].find(ellipsis),
                          letters = lists[i].size() - (dot != lists[i].npos);
        if (dot == lists[i].npos ? letters != rank : letters > rank)
            fail<ShapeError>(op, "operand ", i, ' ', x[i].shape(), " has ", rank, " axes, but ", letters, " letters in \"", text,
                             "\"; name each axis, or some and '...'");
        if (dot != lists[i].npos) lists[i].replace(dot, 1, ellipsis_labels(rank - letters));
    }
    return lists;
}

/// The extent of each label; those of an ellipsis broadcast.
Extents extents_of(const std::vector<std::string>& labels, std::span<const Tensor> x) {
    Extents extents;
    Table<std::size_t> first;
    extents.values.fill(-1);
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t d = 0; d < labels[i].size(); ++d) {
            const char label = labels[i][d];
            const Index n = x[i].shape()[d];
            Index& extent = extents[label];
            if (extent < 0 || (label <= max_rank && extent == 1)) {
                extent = n;
                first[label] = i;
            } else if (extent != n && (label > max_rank || n != 1)) {
                const std::size_t other = first[label];
                fail<ShapeError>(op, name(label), " has extent ", extent, " in operand ", other, ' ', x[other].shape(), " and ",
                                 n, " in operand ", i, ' ', x[i].shape(), "; one letter needs one extent");
            }
        }
    return extents;
}

/// The labels of the output: those given, or all that stand once, in alphabetic order after the ellipsis.
std::string output_of(const Subscripts& s, std::string_view text, const std::vector<std::string>& labels) {
    std::string all, dots;
    for (const std::string& list : labels) {
        all += list;
        std::string own;
        for (const char label : list)
            if (label <= max_rank) own += label;
        if (own.size() > dots.size()) dots = own;
    }
    std::string output = s.output;
    if (!s.has_output) {
        for (char label = 'A'; label <= 'z'; ++label)
            if (std::count(all.begin(), all.end(), label) == 1) output += label;
        return dots + output;
    }
    for (const char label : output) {
        if (label == ellipsis) continue;
        if (!has(all, label))
            fail<ShapeError>(op, "'", label, "' of the output is in no operand of \"", text,
                             "\"; an output letter names an axis of one");
        if (std::count(output.begin(), output.end(), label) > 1)
            fail<ShapeError>(op, "'", label, "' is twice in the output of \"", text, "\"; give each letter once there");
    }
    if (const std::size_t dot = output.find(ellipsis); dot != output.npos) output.replace(dot, 1, dots);
    return output;
}

/// The operand with each label once: diagonals of those that it has twice, and without axes of extent 1 that broadcast.
Term term_of(const Tensor& x, const std::string& labels, const Extents& extents) {
    Term t{x, labels};
    for (std::size_t i = 0; i < t.labels.size(); ++i) {
        const char label = t.labels[i];
        if (const std::size_t j = t.labels.find(label, i + 1); j != t.labels.npos) {
            t.x = detail::diagonal(t.x, 0, Index(i), Index(j));
            t.labels.erase(j, 1).erase(i, 1);
            t.labels += label;
            --i;
        } else if (t.x.shape()[i] != extents[label]) {
            const Axes axis{i};
            t.x = squeeze(t.x, &axis);
            t.labels.erase(i, 1);
            --i;
        }
    }
    return t;
}

/// Which two to multiply next.
struct Step {
    std::size_t a = 0, b = 1;
    double cost = std::numeric_limits<double>::infinity();
};

/// The multiplications of a pair, and the labels of its product.
double cost_of(const std::string& a, const std::string& b, const Extents& extents) {
    double cost = 1;
    for (const char label : a) cost *= double(extents[label]);
    for (const char label : b)
        if (!has(a, label)) cost *= double(extents[label]);
    return cost;
}

/// The labels of all but a and b.
std::string others(const std::vector<std::string>& lists, std::size_t a, std::size_t b, const std::string& output) {
    std::string keep = output;
    for (std::size_t i = 0; i < lists.size(); ++i)
        if (i != a && i != b) keep += lists[i];
    return keep;
}

std::vector<std::string> multiplied(std::vector<std::string> lists, std::size_t a, std::size_t b, const std::string& output) {
    const std::string keep = others(lists, a, b, output);
    std::string product;
    for (const char label : lists[a] + lists[b])
        if (has(keep, label) && !has(product, label)) product += label;
    lists.erase(lists.begin() + std::ptrdiff_t(b));
    lists.erase(lists.begin() + std::ptrdiff_t(a));
    lists.push_back(std::move(product));
    return lists;
}

/// The first step of the cheapest order, of up to four operands.
Step best(const std::vector<std::string>& lists, const std::string& output, const Extents& extents) {
    Step least;
    if (lists.size() < 2) least.cost = 0;
    for (std::size_t a = 0; a < lists.size(); ++a)
        for (std::size_t b = a + 1; b < lists.size(); ++b) {
            const double cost =
                cost_of(lists[a], lists[b], extents) + best(multiplied(lists, a, b, output), output, extents).cost;
            if (cost < least.cost) least = {a, b, cost};
        }
    return least;
}

/// The cheapest step of many operands, of those that share a label if any do.
Step cheapest(const std::vector<std::string>& lists, const Extents& extents) {
    Step least;
    bool shared = false;
    for (std::size_t a = 0; a < lists.size(); ++a)
        for (std::size_t b = a + 1; b < lists.size(); ++b) {
            const bool shares = lists[a].find_first_of(lists[b]) != std::string::npos;
            const double cost = cost_of(lists[a], lists[b], extents);
            if (shares < shared || (shares == shared && cost >= least.cost)) continue;
            least = {a, b, cost};
            shared = shares;
        }
    return least;
}

}  // namespace

Tensor einsum(std::string_view text, std::span<const Tensor> x) {
    const Subscripts subscripts(text);
    if (subscripts.operands.size() != x.size())
        fail<ShapeError>(op, '"', text, "\" has lists for ", subscripts.operands.size(), " operands, got ", x.size(),
                         "; write one list for each, with ',' between");
    for (const Tensor& t : x) {
        check_floating(op, t);
        check_same_dtype(op, x[0], t);
    }
    const std::vector<std::string> labels = labels_of(subscripts, text, x);
    const Extents extents = extents_of(labels, x);
    const std::string output = output_of(subscripts, text, labels);
    check_rank(op, output.size());

    std::vector<Term> terms;
    terms.reserve(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) terms.push_back(term_of(x[i], labels[i], extents));
    while (terms.size() > 1) {
        std::vector<std::string> lists;
        lists.reserve(terms.size());
        for (const Term& t : terms) lists.push_back(t.labels);
        const Step step = lists.size() == 2   ? Step{}
                          : lists.size() <= 4 ? best(lists, output, extents)
                                              : cheapest(lists, extents);
        Term product = contract(terms[step.a], terms[step.b], others(lists, step.a, step.b, output));
        terms.erase(terms.begin() + std::ptrdiff_t(step.b));
        terms.erase(terms.begin() + std::ptrdiff_t(step.a));
        terms.push_back(std::move(product));
    }
    return permuted(summed(std::move(terms[0]), output), output).x;
}

}  // namespace xtgrad::detail
