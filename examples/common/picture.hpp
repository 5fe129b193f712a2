// Pictures by gnuplot; where that is not installed or cannot draw them, their data as CSV.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <xtgrad/tensor.hpp>

namespace example {

/// A picture in a file: a PNG, or the CSV that it would have been made of.
struct Picture {
    std::string title, path;
    bool drawn;
};

struct Curve {
    std::string name;
    std::vector<std::pair<double, double>> points;
};

/// What is written at the axes.
struct Axes {
    std::string x, y;
};

/// Files are path.csv and path.png.
Picture draw_curves(const std::string& path, const std::string& title, const Axes&, const std::vector<Curve>&);
/// A matrix (rows, columns) in colours, the first row on top, with the names of its rows and columns.
Picture draw_matrix(const std::string& path, const std::string& title, const Axes&, const xtgrad::Tensor&,
                    const std::vector<std::string>& rows, const std::vector<std::string>& columns);
/// The same of percentages, with their numbers; the colours tell small ones apart.
Picture draw_table(const std::string& path, const std::string& title, const Axes&, const xtgrad::Tensor&,
                   const std::vector<std::string>& rows, const std::vector<std::string>& columns);
/// Grey pictures (n, height, width), so many in a row.
Picture draw_images(const std::string& path, const std::string& title, const xtgrad::Tensor& images, std::int64_t columns);
/// Points (n, 2) coloured by their labels (n,), which number the names.
Picture draw_points(const std::string& path, const std::string& title, const Axes&, const xtgrad::Tensor& points,
                    const xtgrad::Tensor& labels, const std::vector<std::string>& names);
/// The same over a background, the values (rows, columns) of a function on the rectangle x0, x1, y0, y1, and the line where it is
/// 0.
struct Rectangle {
    double x0, x1, y0, y1;
};
Picture draw_boundary(const std::string& path, const std::string& title, const xtgrad::Tensor& values, const Rectangle&,
                      const xtgrad::Tensor& points, const xtgrad::Tensor& labels, const std::vector<std::string>& names);
/// Ways on the map of such a function, a map for each.
Picture draw_ways(const std::string& path, const std::string& title, const Axes&, const xtgrad::Tensor& values, const Rectangle&,
                  const std::vector<Curve>&);
/// A curve, mean (n,) over x (n,), between two standard deviations to each side, and the points that it was found from.
struct Band {
    std::string about;  ///< the band
    xtgrad::Tensor x, mean, deviation;
};
Picture draw_band(const std::string& path, const std::string& title, const Axes&, const Band&, const xtgrad::Tensor& points_x,
                  const xtgrad::Tensor& points_y);

/// Prints where it is.
void tell(const Picture&);

}  // namespace example
