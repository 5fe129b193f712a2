#include <map>
#include <sstream>

#include "table.hpp"

namespace table {
namespace {

/// Einstein's sum as it is defined: for each value of each letter, the product of the operands is added to the output.
std::function<Tensor(const Inputs&)> naive(const std::string& subscripts) {
    return [=](const Inputs& x) {
        const auto arrow = subscripts.find("->");
        const std::string output = subscripts.substr(arrow + 2);
        std::vector<std::string> lists{""};
        for (const char c : subscripts.substr(0, arrow)) c == ',' ? lists.emplace_back() : lists.back() += c;
        std::map<char, Index> extent, at;
        std::vector<Array> arrays;
        for (std::size_t k = 0; k < x.size(); ++k) {
            arrays.emplace_back(x[k]);
            for (std::size_t d = 0; d < lists[k].size(); ++d) extent[lists[k][d]] = std::max(extent[lists[k][d]], x[k].shape()[d]);
        }
        const auto position = [&](const std::string& letters) {
            Shape p;
            for (const char letter : letters) p.push_back(at[letter]);
            return p;
        };
        Index count = 1;
        Shape shape;
        for (const auto& [letter, n] : extent) count *= n;
        for (const char letter : output) shape.push_back(extent[letter]);
        Array out(shape);
        for (Index i = 0; i < count; ++i) {
            Index rest = i;
            for (const auto& [letter, n] : extent) {
                at[letter] = rest % n;
                rest /= n;
            }
            double product = 1;
            for (std::size_t k = 0; k < x.size(); ++k) product *= arrays[k].at(position(lists[k]));
            out.place(position(output)) += product;
        }
        return out.tensor();
    };
}

}  // namespace

std::vector<Row> product_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, const std::string& meaning, const std::vector<Shape>& shapes) {
        Inputs x;
        for (const Shape& s : shapes) x.push_back(random(s));
        rows.push_back({.name = std::move(name), .op = op, .reference = naive(meaning), .samples = {{meaning, std::move(x)}}});
    };
    const auto einsum = [&](const std::string& subscripts, const std::vector<Shape>& shapes, const std::string& meaning = "") {
        row("einsum", [=](const Inputs& v) { return xg::einsum(subscripts, v); }, meaning.empty() ? subscripts : meaning, shapes);
    };
    einsum("ij,jk->ik", {{2, 3}, {3, 4}});
    einsum("ij,jk", {{2, 3}, {3, 4}}, "ij,jk->ik");
    einsum(" ij, jk -> ki ", {{2, 3}, {3, 4}}, "ij,jk->ki");
    einsum("ij,kj->ik", {{2, 3}, {4, 3}});
    einsum("ji,jk->ik", {{3, 2}, {3, 4}});
    einsum("ba", {{2, 3}}, "ba->ab");
    einsum("bij,bjk->bik", {{2, 3, 4}, {2, 4, 2}});
    einsum("bhid,bhjd->bhij", {{2, 2, 3, 4}, {2, 2, 5, 4}});
    einsum("bihd,bjhd->bhij", {{2, 3, 2, 4}, {2, 5, 2, 4}});
    einsum("bhij,bjhd->bihd", {{2, 2, 3, 5}, {2, 5, 2, 4}});
    einsum("bij,jk->bik", {{2, 3, 4}, {4, 2}});
    einsum("ij,bjk->bik", {{2, 3}, {4, 3, 2}});
    einsum("ijk,jil->kl", {{2, 3, 4}, {3, 2, 5}});
    einsum("abc,cad->bd", {{2, 3, 4}, {4, 2, 2}});
    einsum("bacd,bde->bace", {{2, 3, 1, 2}, {2, 2, 3}});
    einsum("abcd,edbf->bacef", {{3, 2, 1, 4}, {2, 4, 2, 1}});
    einsum("abcd,bdc->ab", {{3, 2, 4, 2}, {2, 2, 4}});
    einsum("abx,bay->yxba", {{3, 2, 2}, {2, 3, 4}});
    einsum("abc,abd->", {{2, 3, 2}, {2, 3, 2}}, "abc,abd->");
    einsum("ij,ij->", {{3, 4}, {3, 4}});
    einsum("ij,ij->ij", {{3, 4}, {3, 4}});
    einsum("ij,ij->i", {{3, 4}, {3, 4}});
    einsum("ij,ji->j", {{3, 4}, {4, 3}});
    einsum("bi,bj->bij", {{2, 3}, {2, 4}});
    einsum("i,j->ij", {{3}, {4}});
    einsum("i,j->ji", {{3}, {4}});
    einsum("i,i->", {{5}, {5}});
    einsum("i,i", {{5}, {5}}, "i,i->");
    einsum(",ij->ij", {{}, {2, 3}});
    einsum("ij,k->j", {{2, 3}, {4}});
    einsum("ij,j->i", {{2, 3}, {3}});
    einsum("ii->", {{3, 3}});
    einsum("ii->i", {{3, 3}});
    einsum("iji->j", {{3, 2, 3}});
    einsum("iiii->i", {{2, 2, 2, 2}});
    einsum("iij,jkk->ik", {{2, 2, 3}, {3, 2, 2}});
    einsum("ij->", {{2, 3}});
    einsum("ijk->kj", {{2, 3, 4}});
    einsum("i,ij,j->", {{2}, {2, 3}, {3}});
    einsum("ij,jk,kl->il", {{2, 5}, {5, 3}, {3, 4}});
    einsum("ij,jk,kl->li", {{5, 2}, {2, 4}, {4, 1}});
    einsum("a,b,c->cab", {{2}, {3}, {2}});
    einsum("ij,jk,kl,lm->im", {{2, 3}, {3, 2}, {2, 3}, {3, 2}});
    einsum("ab,bc,cd,de,ef->af", {{2, 1}, {1, 3}, {3, 2}, {2, 2}, {2, 1}});
    einsum("a,b,c,d,a->bd", {{2}, {3}, {2}, {2}, {2}});
    einsum("...ij,...jk->...ik", {{2, 1, 3, 2}, {3, 2, 2}}, "abij,bjk->abik");
    einsum("...ij,jk", {{2, 3, 4}, {4, 2}}, "bij,jk->bik");
    einsum("i...->...", {{2, 3, 2}}, "ijk->jk");
    einsum("i...j->j...i", {{2, 3, 4}}, "iaj->jai");
    einsum("...,...->...", {{2, 3}, {1}}, "ij,j->ij");
    einsum("...i->i", {{2, 3}}, "ji->i");
    einsum("ij,jk->ik", {{0, 3}, {3, 2}});
    einsum("ij,jk->ik", {{2, 0}, {0, 3}});
    einsum("ij,jk->ik", {{1, 1}, {1, 1}});
    row("einsum", [](const Inputs& v) { return xg::einsum("ij,kj->ik", v[0], v[0]); }, "ij->ij", {{3, 2}});
    rows.back().reference = [](const Inputs& v) { return naive("ij,kj->ik")({v[0], v[0]}); };
    row("einsum", [](const Inputs& v) { return xg::einsum("ji,jk->ik", xg::flip(v[0], 0), v[1]); }, "ji,jk->ik", {{3, 2}, {3, 4}});
    rows.back().reference = [](const Inputs& v) { return naive("ji,jk->ik")({xg::copy(xg::flip(v[0], 0)), v[1]}); };

    const auto dot = [](const Inputs& v) { return xg::dot(v[0], v[1]); };
    row("dot", dot, "i,i->", {{4}, {4}});
    row("dot", dot, "ij,jk->ik", {{2, 3}, {3, 4}});
    row("dot", dot, "abi,i->ab", {{2, 3, 4}, {4}});
    row("dot", dot, "i,aib->ab", {{3}, {2, 3, 4}});
    row("dot", dot, "abi,cid->abcd", {{2, 3, 2}, {3, 2, 2}});
    row("dot", dot, ",ij->ij", {{}, {2, 3}});
    row("dot", dot, "ij,jk->ik", {{2, 0}, {0, 3}});
    row("vdot", [](const Inputs& v) { return xg::vdot(v[0], v[1]); }, "ij,ij->", {{2, 3}, {2, 3}});
    row("vdot", [](const Inputs& v) { return xg::vdot(v[0], xg::reshape(v[1], {3, 2})); }, "i,i->", {{6}, {6}});
    row("outer", [](const Inputs& v) { return xg::outer(v[0], v[1]); }, "i,j->ij", {{3}, {4}});
    row("outer", [](const Inputs& v) { return xg::reshape(xg::outer(v[0], v[1]), {2, 3, 4}); }, "ij,k->ijk", {{2, 3}, {4}});
    row("outer", [](const Inputs& v) { return xg::outer(v[0], v[1]); }, "i,j->ij", {{0}, {2}});
    const auto inner = [](const Inputs& v) { return xg::inner(v[0], v[1]); };
    row("inner", inner, "i,i->", {{4}, {4}});
    row("inner", inner, "aij,bj->aib", {{2, 3, 4}, {2, 4}});
    row("inner", inner, "ij,->ij", {{2, 3}, {}});
    row("tensordot", [](const Inputs& v) { return xg::tensordot(v[0], v[1]); }, "aij,ijb->ab", {{2, 3, 4}, {3, 4, 2}});
    row("tensordot", [](const Inputs& v) { return xg::tensordot(v[0], v[1], 1); }, "abi,ic->abc", {{2, 3, 4}, {4, 2}});
    row("tensordot", [](const Inputs& v) { return xg::tensordot(v[0], v[1], 0); }, "ab,c->abc", {{2, 3}, {4}});
    row("tensordot", [](const Inputs& v) { return xg::tensordot(v[0], v[1], {0, 2}, {-1, 1}); }, "iaj,bji->ab", {{2, 3, 4}, {3, 4, 2}});
    row("tensordot", [](const Inputs& v) { return xg::tensordot(v[0], v[1], {1}, {0}); }, "aib,ic->abc", {{2, 3, 4}, {3, 2}});
    row("tensordot", [](const Inputs& v) { return xg::tensordot(v[0], v[1], 2); }, "ij,ij->", {{2, 3}, {2, 3}});
    return rows;
}

}  // namespace table
