#include <xtgrad/runtime.hpp>

#include "../kernels/isa.hpp"
#include "../kernels/parallel.hpp"
#include "message.hpp"

namespace xtgrad {

const char* version() noexcept { return XTGRAD_VERSION; }

void set_num_threads(int n) {
    if (n < 1) detail::fail<Error>("set_num_threads", n, " threads; give 1 or more");
    kernels::set_threads(n);
}
int num_threads() noexcept { return kernels::threads(); }

const char* instruction_set() noexcept { return kernels::isa_names[int(kernels::active_isa())]; }

}  // namespace xtgrad
