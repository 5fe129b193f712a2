// Logs: tables that read back, event files with TensorBoard's own bytes.
#include <sys/resource.h>
#include <xtgrad/io/logs.hpp>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>

#include <xtgrad/data/files.hpp>

#include "files.hpp"
#include "io/events.hpp"

namespace xg = xtgrad;

TEST_CASE("a table, readable while it grows") {
    const TemporaryFolder folder;
    const std::string path = folder / "log.csv";
    const double tiny = std::numeric_limits<double>::denorm_min(), third = 1. / 3;
    xg::io::CsvLog log(path, {"step", "loss/train"});
    log.row({1, third});
    CHECK(contents(path) == "step,loss/train\n1,0.3333333333333333\n");
    log.row(std::vector<double>{2, tiny});
    log.row({-1e300, INFINITY});
    const auto [columns, values] = xg::data::read_csv(path);
    CHECK(columns == std::vector<std::string>{"step", "loss/train"});
    CHECK(elements<double>(values) == std::vector<double>{1, third, 2, tiny, -1e300, INFINITY});
    CHECK(contains(message<xg::Error>([&] { log.row({1, 2, 3}); }), "3 numbers for 2 columns"));
    const std::string before = contents(path);
    CHECK(contains(message<xg::Error>([&] { xg::io::CsvLog(path, {"a,b"}); }), "'a,b'"));
    CHECK(contains(message<xg::Error>([&] { xg::io::CsvLog(path, {"a", ""}); }), "a column ''"));
    CHECK(contains(message<xg::Error>([&] { xg::io::CsvLog(path, {" "}); }), "a column ' '"));  // read_csv would skip the line
    CHECK(contains(message<xg::Error>([&] { xg::io::CsvLog(path, {}); }), "no columns"));
    CHECK(contents(path) == before);
    CHECK(contains(message([&] { xg::io::CsvLog(folder / "no/folder", {"a"}); }), "no/folder: cannot be written"));
}

TEST_CASE("a record that is cut off by a full disk leaves nothing") {
    const TemporaryFolder folder;
    const std::string path = folder / "log.csv";
    xg::io::CsvLog log(path, {"step", "loss"});
    xg::io::TensorBoardLog board(folder / "runs");
    const std::string record = xg::detail::tf_record(xg::detail::scalar_event(0, 1, "loss", 0.5f)),
                      version = contents(board.path());
    log.row({1, 0.25});
    const std::string first = contents(path);
    rlimit before;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const auto limited = [&](std::size_t bytes, auto&& f) {
        const rlimit limit{rlim_t(bytes), before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        const std::string text = message(f);
        setrlimit(RLIMIT_FSIZE, &before);
        return text;
    };
    CHECK(contains(limited(first.size() + 3, [&] { log.row({123456, 0.125}); }), path + ": cannot be written"));
    CHECK(contents(path) == first);
    log.row({2, 0.5});
    CHECK(contents(path) == first + "2,0.5\n");
    CHECK(contains(limited(version.size() + 20, [&] { board.scalar("loss", 0.5, 1); }), "cannot be written"));
    board.scalar("loss", 0.5, 1);
    CHECK(contents(board.path()).size() == version.size() + record.size());
    std::signal(SIGXFSZ, handler);

    xg::io::CsvLog nowhere("/dev/null", {"a"});  // what cannot be taken back is a log too
    nowhere.row({1});
    CHECK(contains(message([] { xg::io::CsvLog("/dev/full", {"a"}); }), "/dev/full: cannot be written: No space left"));
}

TEST_CASE("CRC-32C of RFC 3720") {
    CHECK(xg::detail::crc32c("") == 0);
    CHECK(xg::detail::crc32c("123456789") == 0xE3069283);
    CHECK(xg::detail::crc32c(std::string(32, '\0')) == 0x8A9136AA);
    CHECK(xg::detail::crc32c(std::string(32, '\xff')) == 0x62A8AB43);
}

TEST_CASE("the bytes that TensorBoard and tensorboardX wrote") {
    using namespace xg::detail;
    constexpr double begin = 1700000000.5;
    const std::string ours = tf_record(version_event(begin - 0.25)) + tf_record(scalar_event(begin, 0, "loss/train", 2.25f)) +
                             tf_record(scalar_event(begin + 1, 1, "loss/train", -0.1f)) +
                             tf_record(scalar_event(begin + 300, 300, "größe", INFINITY));
    CHECK(ours == contents(stored("tensorboard.events")));
    CHECK(ours == contents(stored("tensorboardx.events")));
}

TEST_CASE("an event file") {
    const TemporaryFolder folder;
    xg::io::TensorBoardLog log(folder / "runs/first");
    const std::string path = log.path();
    CHECK(contains(path, folder / "runs/first/events.out.tfevents."));
    const std::string version = contents(path);
    CHECK(contains(version, "brain.Event:2"));
    log.scalar("loss", 0.5, 7);
    CHECK(contents(path).size() == version.size() + xg::detail::tf_record(xg::detail::scalar_event(0, 7, "loss", 0.5f)).size());
    CHECK(xg::io::TensorBoardLog(folder / "runs/first").path() != path);
    write(folder / "file", "");
    CHECK(contains(message([&] { xg::io::TensorBoardLog(folder / "file"); }), "the folder cannot be made"));

    std::string deep = folder.path;  // a path that can be made, of which a file is too long
    while (deep.size() < 4060) deep += '/' + std::string(std::min<std::size_t>(200, 4070 - deep.size()), 'd');
    CHECK(contains(message([&] { xg::io::TensorBoardLog board(deep); }), "cannot be written: File name too long"));

    // TensorBoard itself, where Python has it.
    const std::string reads =
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator as A; a = A('" +
        (folder / "runs/first") + "'); a.Reload(); [e] = a.Scalars('loss'); assert (e.step, e.value) == (7, 0.5)";
    const char* python = std::getenv("XTGRAD_TENSORBOARD_PYTHON");
    const std::string interpreter = python ? python : "python3";
    if (std::system((interpreter + " -c 'import tensorboard' 2> /dev/null").c_str()) == 0)
        CHECK(std::system((interpreter + " -c \"" + reads + "\" 2> /dev/null").c_str()) == 0);
    else
        MESSAGE("TensorBoard is not installed: it does not read our file here");
}
