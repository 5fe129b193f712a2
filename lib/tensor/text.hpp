#pragma once
#include <locale>
#include <sstream>

namespace xtgrad::detail {

/// Text that is streamed together, the same whatever the program's locale is. Other streams cut it short where memory runs out;
/// this one throws std::bad_alloc.
class Text : public std::ostringstream {
public:
    Text() {
        imbue(std::locale::classic());
        exceptions(std::ios_base::badbit);
    }
};

}  // namespace xtgrad::detail
