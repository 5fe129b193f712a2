// An allocator whose n-th request fails, and calls that are tried with it for n = 1, 2, ... until they ask for no more.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace memory {

namespace xg = xtgrad;
using xg::Index, xg::Shape, xg::Tensor;
using Tensors = std::vector<Tensor>;

/// Which requests fail: one alone, or all from it on.
enum class Failing { one, all };

/// While one lives requests for memory are counted, by any thread, the first as 1; from n on they fail.
class Window {
public:
    Window(long n, Failing);
    ~Window() { close(); }
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    /// How many requests there were.
    long close() noexcept;
    /// Did one fail?
    static bool failed() noexcept;
};

/// Blocks that are in use.
long live_blocks() noexcept;
/// While true no thread can be started.
void refuse_threads(bool) noexcept;

/// Is every request of every call to fail in its turn? Else some of them, always the same.
bool whole() noexcept;

/// The same shapes, dtypes and bits.
bool same(const Tensor&, const Tensor&);
bool same(const Tensors&, const Tensors&);

/// What must hold besides, after a failure: returns what is wrong.
using Check = std::function<std::string()>;

/// f() with failing requests, under a tape and without: it throws std::bad_alloc or an xg::Error or gives the right tensors;
/// `inputs` stay as they were, no block is lost, the tape goes on, and f() succeeds afterwards. f must give the same each time.
void exhaust(const std::string& name, const std::function<Tensors()>& f, const Tensors& inputs = {}, const Check& = {});

}  // namespace memory
