#include "failing.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <exception>
#include <optional>

#include "../sanitized.hpp"

namespace memory {
bool same(const Tensor& a, const Tensor& b) {
    if (a.defined() != b.defined()) return false;
    if (!a.defined()) return true;
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
    const Tensor x = xg::copy(a), y = xg::copy(b);
    const auto bytes = [](const Tensor& t) -> const void* {
        switch (t.dtype()) {
            case xg::f32: return t.data<float>();
            case xg::f64: return t.data<double>();
            case xg::i64: return t.data<std::int64_t>();
            default: return t.data<bool>();
        }
    };
    return x.size() == 0 || std::memcmp(bytes(x), bytes(y), x.size() * xg::size_of(x.dtype())) == 0;
}
bool same(const Tensors& a, const Tensors& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!same(a[i], b[i])) return false;
    return true;
}

namespace {

Tensors copies(const Tensors& list) {
    Tensors result;
    for (const Tensor& x : list) result.push_back(x.defined() ? xg::copy(x) : x);
    return result;
}

class Exhaustion {
public:
    Exhaustion(const std::function<Tensors()>& f, const Tensors& inputs, const Check& check)
        : f_(f), check_(check), inputs_(inputs), before_(copies(inputs)), want_(f()) {
        const xg::Tape tape;
        want_taped_ = copies(f());
    }

    long requests(bool taped) const {
        std::optional<xg::Tape> tape;
        if (taped) tape.emplace();
        Window window(0, Failing::one);
        const Tensors got = f_();
        return window.close();
    }

    /// What is wrong after the n-th request failed; nothing when all is well.
    std::string attempt(long n, Failing failing, bool taped) const {
        for (int again = 0; again < 10; ++again) {  // what is kept for good is kept once, of formulas the last eight
            const long before = live_blocks();
            const std::string wrong = fail(n, failing, taped);
            if (!wrong.empty()) return wrong;
            if (!same(inputs_, before_)) return "the inputs have changed";
            if (!same(f_(), want_)) return "afterwards the values are others";
            if (live_blocks() <= before) return "";
        }
        return "memory is lost";
    }

private:
    std::string fail(long n, Failing failing, bool taped) const {
        const Tensor x(3.);
        std::optional<xg::Tape> tape;
        if (taped) tape.emplace();
        const Tensor y = x * x;
        std::string wrong;
        bool threw = true;
        Tensors got;
        {
            Window window(n, failing);
            try {
                got = f_();
                window.close();
                threw = false;
            } catch (const std::bad_alloc&) {
                window.close();
            } catch (const xg::Error&) {
                window.close();
            } catch (const std::exception& error) {
                window.close();
                wrong = std::string("it threw ") + error.what();
            }
        }
        if (threw && !Window::failed()) return "it threw, and no request had failed";
        if (!threw && !same(got, taped ? want_taped_ : want_)) return "the values are others";
        if (wrong.empty() && check_) wrong = check_();
        if (wrong.empty() && taped && tape->gradient(y * x, x).item<double>() != 27) wrong = "the tape's gradient is another";
        return wrong;
    }

    const std::function<Tensors()>& f_;
    const Check& check_;
    const Tensors& inputs_;
    Tensors before_, want_, want_taped_;  // an adjoint that an outer tape records may round otherwise
};

}  // namespace

void exhaust(const std::string& name, const std::function<Tensors()>& f, const Tensors& inputs, const Check& check) {
    INFO(name);
    const Exhaustion tries(f, inputs, check);
    const std::uint64_t most = sanitized ? 2 : 6;  // of each kind, where not all are tried
    for (const bool taped : {false, true}) {
        const auto count = std::uint64_t(tries.requests(taped));
        std::uint64_t state = std::hash<std::string>()(name) | 1;
        for (const Failing failing : {Failing::one, Failing::all})
            for (std::uint64_t i = 0; i < (whole() ? count : std::min(count, most)); ++i) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                const long n = 1 + long(whole() || count <= most ? i : (state >> 33) % count);
                const std::string wrong = tries.attempt(n, failing, taped);
                if (wrong.empty()) continue;
                const std::string after = failing == Failing::all ? " and all after it" : "",
                                  under = taped ? ", under a tape" : "";
                FAIL_CHECK(name << ", request " << n << " of " << count << after << under << ": " << wrong);
                return;
            }
    }
}

}  // namespace memory
