// An example without MPI, whose main function has nothing to do.
#include "common/ranks.hpp"

int main() {
    return example::run_main("alone", [] { return 0; });
}
